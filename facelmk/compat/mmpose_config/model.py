"""TopdownPoseEstimator as FaceLandmarker."""

from ...markups import MARKUPS
from .backbone import translate_backbone
from .codec import Coding
from .head import Decoding, translate_head
from .reading import Part, Values

MODEL = 'TopdownPoseEstimator'


def translate_model(part: Part, markup: str) -> tuple[Values, Coding, bool]:
    """The model, its codec, and whether BatchNorm is synchronised over the processes."""
    part.only('init_cfg', None)
    part.only('metainfo', None)
    part.only('train_cfg', None, {})
    network = translate_backbone(part.needed('backbone'))
    decoding = translate_head(part.needed('head'), part.part('neck'), network)
    _check_points(part, decoding, markup)
    model = dict(
        type='facelmk.FaceLandmarker',
        markup=markup,
        backbone=network.config,
        head=decoding.config,
        codec=decoding.coding.config,
        loss=decoding.loss,
        flip_test=False,
        **_normalisation(part.needed('data_preprocessor')),
    )
    test = part.part('test_cfg')
    if test is not None:
        model['flip_test'] = test.flag('flip_test', False)
        _set_flip(test, model['flip_test'], model['codec'], decoding.coding)
    sync = part.flag('use_syncbn', False)
    return model, decoding.coding, network.sync or sync


def _check_points(part: Part, decoding: Decoding, markup: str) -> None:
    if decoding.points != MARKUPS[markup].size:
        part.reading.refuse(
            'model.head',
            f'model.head makes {decoding.points} points. Expected {MARKUPS[markup].size}, those of the data set '
            f'({markup})',
        )


def _normalisation(part: Part) -> Values:
    if part.kind() != 'PoseDataPreprocessor':
        part.refuse_kind('Expected PoseDataPreprocessor')
    part.exactly('bgr_to_rgb', True)
    part.only('rgb_to_bgr', False)
    part.only('pad_size_divisor', 1)
    part.only('pad_value', 0)
    part.only('batch_augments', None)
    part.skip('non_blocking')
    for key in ('mean', 'std'):
        if key not in part:
            part.refuse(key, 'three numbers, for red, green and blue')
    return {key: tuple(part.get(key)) for key in ('mean', 'std')}


def _set_flip(test: Part, flips: bool, codec: Values, coding: Coding) -> None:
    """Set in the codec what `test_cfg` says of the flip test. Without a flip test it says nothing."""
    if not flips:
        test.skip('flip_mode', 'shift_heatmap', 'shift_coords')
        return
    if coding.cells is None:
        test.skip('flip_mode', 'shift_heatmap')  # of maps
        if codec['type'] in ('Coordinates', 'RLE') and not test.flag('shift_coords', True):
            codec['flip'] = 'mmpose0'
        test.skip('shift_coords')  # of coordinates
        return
    test.skip('shift_coords')
    test.only('flip_mode', 'heatmap', 'udp_combined')
    if test.get('flip_mode', 'heatmap') != ('udp_combined' if coding.maps == 3 else 'heatmap'):
        test.refuse('flip_mode', f'the one of the codec, {"udp_combined" if coding.maps == 3 else "heatmap"!r}')
    if codec['type'] == 'Heatmap':
        if not test.flag('shift_heatmap', False):
            codec['shift'] = False
    else:
        test.only('shift_heatmap', False)
