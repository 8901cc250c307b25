"""Codecs of MMPose."""

from typing import NamedTuple

from .reading import Part, Values


class Coding(NamedTuple):
    """A codec of ours, the sizes of its crops and maps, and the options of MMPose's flip test that belong to it."""

    config: Values
    size: int
    cells: int | None = None
    udp: bool = False  # whether crops are those of UDP
    maps: int = 1  # output channels a point
    bins: float | None = None  # a pixel


def translate_codec(part: Part) -> Coding:
    """The decoder of a head, which must also be the encoder of the pipeline."""
    name, translate = part.choose(CODECS)
    size = square(part, 'input_size')
    cells = square(part, 'heatmap_size') if name in WITH_MAPS else None
    coding: Coding = translate(part)
    return coding._replace(size=size, cells=cells)


def square(part: Part, key: str) -> int:
    """The side of a crop or map, which must be square."""
    value = part.get(key)
    width, height = value if isinstance(value, list) and len(value) == 2 else (value, value)
    if width != height or not isinstance(width, int):
        part.refuse(key, 'a square, such as (256, 256)')
    return width


def _msra(part: Part) -> Coding:
    unbiased = part.flag('unbiased', False)
    config = dict(type='Heatmap', sigma=part.get('sigma'), refine='dark' if unbiased else 'quarter')
    config |= dict(centre='exact' if unbiased else 'cell', aligned=False)
    kernel = part.get('blur_kernel_size', 11)  # blurs in unbiased decoding alone
    return Coding(config | ({'kernel': kernel} if unbiased and kernel != 11 else {}), 0)


def _udp(part: Part) -> Coding:
    kernel = part.renamed(kernel='blur_kernel_size')
    if part.only('heatmap_type', 'gaussian', 'combined') == 'combined':
        part.skip('sigma')  # of the other kind
        return Coding(dict(type='UDPCombined') | part.renamed(radius_factor='radius_factor') | kernel, 0, None, True, 3)
    part.skip('radius_factor')
    return Coding(dict(type='UDP') | part.renamed(sigma='sigma') | kernel, 0, None, True)


def _megvii(part: Part) -> Coding:
    return Coding(dict(type='Megvii', kernel=part.get('kernel_size'), aligned=False), 0)


def _regression(part: Part) -> Coding:
    return Coding(dict(type='Coordinates'), 0)


def _simcc(part: Part) -> Coding:
    part.only('decode_visibility', False)
    part.skip('decode_beta')  # of visibilities
    config: Values = dict(type='SimCC', aligned=False)
    sigma = part.get('sigma', 6.0)
    if part.only('smoothing_type', 'gaussian', 'standard') == 'standard':
        config |= dict(sigma=0, smoothing=part.get('label_smooth_weight', 0.0))
        part.skip('normalize')
    else:
        part.only('label_smooth_weight', 0.0)
        pair = sigma if isinstance(sigma, list) else [sigma, sigma]
        config |= dict(sigma=pair[0] if pair[0] == pair[1] else tuple(pair))
        config |= dict(normalise=True) if part.flag('normalize', True) else {}
    split = part.get('simcc_split_ratio', 2.0)
    config |= {} if split == 2 else dict(split=split)
    config |= dict(refine='dark') if part.flag('use_dark', False) else {}
    return Coding(config, 0, bins=split)


WITH_MAPS = ('MSRAHeatmap', 'UDPHeatmap', 'MegviiHeatmap')
CODECS = {
    'MSRAHeatmap': _msra,
    'UDPHeatmap': _udp,
    'MegviiHeatmap': _megvii,
    'RegressionLabel': _regression,
    'SimCCLabel': _simcc,
}
