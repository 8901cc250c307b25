"""Pipelines of MMPose: all geometry becomes one CropFace, the codec of GenerateTarget is the model's."""

from typing import Any, NamedTuple

from .codec import square
from .reading import Part, Values

PADDING = 1.25  # of GetBBoxCenterScale
HALF_BODY_PADDING = 1.5
NEEDED = ('LoadImage', 'GetBBoxCenterScale', 'TopdownAffine', 'PackPoseInputs')


class Steps(NamedTuple):
    """The steps of a pipeline of ours, what its crops are, and the encoders that the original has."""

    steps: list[Values]
    size: int
    udp: bool
    encoders: list[tuple[Part, Any]]


class Crop:
    """The arguments of CropFace, collected from several steps of MMPose."""

    def __init__(self) -> None:
        self.padding: float | None = None
        self.values: Values = {}
        self.done = False
        self.udp = False
        self.weigh = False
        self.encoders: list[tuple[Part, Any]] = []

    def check_open(self, part: Part) -> None:
        if self.done:
            part.refuse_kind('Expected it before TopdownAffine')

    def step(self) -> Values:
        crop: Values = dict(type='CropFace') | self.values
        if self.padding not in (None, PADDING):
            crop['padding'] = self.padding
        return crop


def translate_pipeline(parts: list[Part]) -> Steps:
    """The steps of a pipeline that starts with LoadImage and ends with PackPoseInputs."""
    crop, steps = Crop(), []
    for part in parts:
        _, translate = part.choose(STEPS)
        steps += translate(part, crop)
    kinds = [part.kind() for part in parts]
    for needed in NEEDED if parts else ():
        if needed not in kinds:
            place = parts[0].place.rpartition('[')[0]
            parts[0].reading.refuse(place, f'{place} has no step {needed}. Add it')
    return Steps(steps, crop.values.get('size', 0), crop.udp, crop.encoders)


def _load(part: Part, crop: Crop) -> list[Values]:
    part.only('to_float32', False)
    part.only('color_type', 'color')
    part.only('imdecode_backend', 'cv2', None)
    part.only('ignore_empty', False)
    part.only('backend_args', None, dict(backend='local'))
    part.only('file_client_args', None, dict(backend='disk'))
    return [dict(type='LoadImage')]


def _centre(part: Part, crop: Crop) -> list[Values]:
    crop.check_open(part)
    crop.padding = part.get('padding', PADDING)
    return []


def _flip(part: Part, crop: Crop) -> list[Values]:
    crop.check_open(part)
    part.only('direction', 'horizontal', ['horizontal'])
    prob = part.get('prob', 0.5)
    prob = prob[0] if isinstance(prob, list) and len(prob) == 1 else prob
    if not isinstance(prob, (int, float)):
        part.refuse('prob', 'one probability')
    crop.values |= dict(flip=prob, mirror='photo')
    return []


def _half_body(part: Part, crop: Crop) -> list[Values]:
    crop.check_open(part)
    if crop.padding is None:
        part.refuse_kind('Expected it after GetBBoxCenterScale')
    padding = part.get('padding', HALF_BODY_PADDING) / crop.padding  # MMPose's is that of the crop itself
    return [
        dict(
            type='HalfBody',
            prob=part.get('prob', 0.3),
            padding=round(padding, 12),
            min_points=part.get('min_total_keypoints', 9),
            min_upper=part.get('min_upper_keypoints', 2),
            min_lower=part.get('min_lower_keypoints', 3),
            upper_prob=part.get('upper_prioritized_prob', 0.7),
        )
    ]


def _transform(part: Part, crop: Crop) -> list[Values]:
    crop.check_open(part)
    scale, scales = part.get('scale_factor', [0.5, 1.5]), part.only('scale_prob', 1.0, 0.0)
    low, high = scale if scales else (1.0, 1.0)
    crop.values |= dict(scale=(low, high), draw='truncnorm', **_turn(part), **_shift(part))
    return []


def _turn(part: Part) -> Values:
    degrees, prob = part.get('rotate_factor', 80.0), part.get('rotate_prob', 0.6)
    return dict(rotate=degrees, rotate_prob=prob) if degrees and prob else {}


def _shift(part: Part) -> Values:
    share, prob = part.get('shift_factor', 0.16), part.get('shift_prob', 0.3)
    return dict(shift=share, shift_prob=prob) if share and prob else {}


def _affine(part: Part, crop: Crop) -> list[Values]:
    crop.check_open(part)
    crop.values['size'] = square(part, 'input_size')
    crop.udp, crop.done = part.flag('use_udp', False), True
    if crop.udp:
        crop.values['udp'] = True
    return [crop.step()]


def _hsv(part: Part, crop: Crop) -> list[Values]:
    changes = dict(
        hue=part.get('hue_delta', 5), saturation=part.get('saturation_delta', 30), value=part.get('value_delta', 30)
    )
    return [dict(type='HSV') | changes]


def _photometric(part: Part, crop: Crop) -> list[Values]:
    return [
        dict(
            type='Photometric',
            brightness=part.get('brightness_delta', 32),
            contrast=tuple(part.get('contrast_range', (0.5, 1.5))),
            saturation=tuple(part.get('saturation_range', (0.5, 1.5))),
            hue=part.get('hue_delta', 18),
        )
    ]


def _albumentation(part: Part, crop: Crop) -> list[Values]:
    part.only('keymap', None)
    steps = []
    for inner in part.parts('transforms'):
        _, translate = inner.choose(ALBUMENTATIONS)
        inner.only('always_apply', False)
        steps.append(translate(inner))
    return steps


def _blur(part: Part, kind: str = 'Blur') -> Values:
    limit = part.get('blur_limit', 7)
    low, high = limit if isinstance(limit, list) else (3, limit)
    if low != 3:
        part.refuse('blur_limit', 'the largest kernel alone; the smallest one is 3')
    return dict(type=kind, kernel=high, prob=part.get('p', 0.5))


def _median_blur(part: Part) -> Values:
    return _blur(part, 'MedianBlur')


def _dropout(part: Part) -> Values:
    holes, high = part.get('max_holes', 8), part.get('max_height', 8)
    low = part.get('min_height', high)
    if not (isinstance(high, float) and isinstance(low, float)):
        part.refuse('max_height', 'shares of the picture, with min_height')
    part.only('min_holes', holes, None)
    part.only('min_width', low)
    part.exactly('max_width', high)
    part.only('fill_value', 0)
    part.only('mask_fill_value', None)
    return dict(type='CoarseDropout', holes=holes, size=(low, high), prob=part.get('p', 0.5))


def _target(part: Part, crop: Crop) -> list[Values]:
    part.only('multilevel', False)
    part.only('target_type', None)
    if 'encoder' not in part:
        part.refuse('encoder', "the codec that is the head's decoder")
    crop.encoders.append((part, part.get('encoder')))
    crop.weigh = part.flag('use_dataset_keypoint_weights', False)
    return [dict(type='WeighPoints')] if crop.weigh else []


def _pack(part: Part, crop: Crop) -> list[Values]:
    part.skip('meta_keys')  # what MMPose carries along; a face has all of it here
    part.only('pack_transformed', False)
    return [dict(type='PackFace')]


STEPS = {
    'LoadImage': _load,
    'GetBBoxCenterScale': _centre,
    'RandomFlip': _flip,
    'RandomHalfBody': _half_body,
    'RandomBBoxTransform': _transform,
    'TopdownAffine': _affine,
    'YOLOXHSVRandomAug': _hsv,
    'PhotometricDistortion': _photometric,
    'Albumentation': _albumentation,
    'GenerateTarget': _target,
    'PackPoseInputs': _pack,
}
ALBUMENTATIONS = {'Blur': _blur, 'MedianBlur': _median_blur, 'CoarseDropout': _dropout}
