"""Heads of MMPose, with their necks, which are parts of the heads here."""

from typing import Any, NamedTuple

from .backbone import Network
from .codec import Coding, square, translate_codec
from .losses import translate_loss
from .reading import Part, Values

DECONV_WIDTH, DECONV_KERNEL = 256, 4


class Decoding(NamedTuple):
    """A head of ours with its loss, its codec and the number of landmarks."""

    config: Values
    loss: Any
    coding: Coding
    points: int


def translate_head(part: Part, neck: Part | None, network: Network) -> Decoding:
    """The head of a model, behind this neck and this backbone."""
    name, translate = part.choose(HEADS)
    part.only('init_cfg', None)
    coding = translate_codec(part.needed('decoder'))
    if part.values['decoder'].get('type', '').rpartition('.')[2] not in CODECS_OF[name]:
        part.needed('decoder').refuse('type', f'{" or ".join(CODECS_OF[name])}, which {name} is used with')
    _check_neck(neck, part, name, network)
    loss = translate_loss(_only_loss(part), name)
    config = translate(part, network, coding)
    points = part.get('num_joints' if name in ('RegressionHead', 'RLEHead') else 'out_channels')
    return Decoding(config, loss, coding, points // coding.maps)


def _only_loss(part: Part) -> Part:
    losses = part.parts('loss')
    if len(losses) != 1:
        part.refuse('loss', 'one loss, written out')
    return losses[0]


def _check_neck(neck: Part | None, head: Part, name: str, network: Network) -> None:
    """Refuse a neck, unless the head here already does the same."""
    wanted = {'RegressionHead': 'GlobalAveragePooling', 'RLEHead': 'GlobalAveragePooling'}.get(name)
    if name == 'HeatmapHead' and len(network.channels) > 1:
        wanted = 'FeatureMapProcessor'
    kind = None if neck is None else neck.kind()
    if kind != wanted:
        head.reading.refuse(
            'model.neck', f'model.neck is of the type {kind}. Expected {wanted}, which {name} here already does'
        )
    if neck is not None and kind == 'FeatureMapProcessor':
        neck.exactly('concat', True)
        neck.only('select_index', None, tuple(range(len(network.channels))))
        neck.only('scale_factor', 1.0)
        neck.only('apply_relu', False)
        neck.only('align_corners', False)
    _check_channels(head, network, kind)


def _check_channels(head: Part, network: Network, neck: str | None) -> None:
    count = sum(network.channels) if neck == 'FeatureMapProcessor' else network.channels[-1]
    head.exactly('in_channels', count)


def _heatmaps(part: Part, network: Network, coding: Coding) -> Values:
    widths = part.get('deconv_out_channels', [DECONV_WIDTH] * 3) or []
    if widths != [DECONV_WIDTH] * len(widths):
        part.refuse('deconv_out_channels', f'{DECONV_WIDTH} for each deconvolution')
    if widths:
        part.only('deconv_kernel_sizes', [DECONV_KERNEL] * len(widths))
    else:
        part.skip('deconv_kernel_sizes')
    convs = part.get('conv_out_channels') or []
    width = DECONV_WIDTH if widths else sum(network.channels)
    if convs != [width] * len(convs):
        part.refuse('conv_out_channels', f'{width} for each convolution')
    part.only('conv_kernel_sizes', [1] * len(convs), *([] if convs else [None]))
    part.only('final_layer', dict(kernel_size=1))
    _check_cells(part, coding, network.stride // 2 ** len(widths))
    return dict(type='HeatmapHead', deconvs=len(widths), convs=len(convs))


def _check_cells(part: Part, coding: Coding, stride: int) -> None:
    cells = coding.size // stride
    if coding.cells != cells:
        part.needed('decoder').refuse('heatmap_size', f'{(cells, cells)}, the size of the maps of this network')


def _hourglass(part: Part, network: Network, coding: Coding) -> Values:
    part.exactly('num_stages', 1)
    part.only('deconv_out_channels', None, ())
    part.only('deconv_kernel_sizes', None, ())
    part.only('final_layer', dict(kernel_size=1))
    _check_cells(part, coding, network.stride)
    return dict(type='HourglassHead')


def _regression(part: Part, network: Network, coding: Coding) -> Values:
    return dict(type='RegressionHead')


def _rle(part: Part, network: Network, coding: Coding) -> Values:
    coding.config['type'] = 'RLE'
    return dict(type='RLEHead')


def _rtmcc(part: Part, network: Network, coding: Coding) -> Values:
    if square(part, 'input_size') != coding.size:
        part.refuse('input_size', f'{coding.size} as in the decoder')
    part.only('in_featuremap_size', [coding.size // network.stride] * 2)
    part.only('simcc_split_ratio', 2.0, coding.bins)
    if part.get('simcc_split_ratio', 2.0) != coding.bins:
        part.refuse('simcc_split_ratio', f'{coding.bins}, as in the decoder')
    attention = part.needed('gau_cfg')
    for key, value in dict(s=128, expansion_factor=2, act_fn='SiLU').items():
        attention.exactly(key, value)
    for key, value in dict(dropout_rate=0.0, drop_path=0.0).items():
        attention.only(key, value)
    for key in ('use_rel_bias', 'pos_enc'):
        attention.only(key, False)
    hidden, kernel = attention.get('hidden_dims', 256), part.get('final_layer_kernel_size', 1)
    config = dict(type='RTMCCHead', hidden=hidden, kernel=kernel)
    return config | ({} if network.stride == 32 else dict(stride=network.stride))


HEADS = {
    'HeatmapHead': _heatmaps,
    'CPMHead': _hourglass,
    'RegressionHead': _regression,
    'RLEHead': _rle,
    'RTMCCHead': _rtmcc,
}
CODECS_OF = {
    'HeatmapHead': ('MSRAHeatmap', 'UDPHeatmap', 'MegviiHeatmap'),
    'CPMHead': ('MSRAHeatmap', 'UDPHeatmap', 'MegviiHeatmap'),
    'RegressionHead': ('RegressionLabel',),
    'RLEHead': ('RegressionLabel',),
    'RTMCCHead': ('SimCCLabel',),
}
