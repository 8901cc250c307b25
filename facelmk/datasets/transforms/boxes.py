"""What chooses the box before the crop: half a face, a margin around the landmarks, the Adaptive Wing's square."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from ... import geometry
from ...errors import DataDefect, FacelmkError
from ...registry import TRANSFORMS
from ..base import FaceRecord


@TRANSFORMS.register_module()
class HalfBody(BaseTransform):
    """With probability `prob`, makes `box` that of the upper or the lower half of the visible landmarks.

    A half needs `min_upper` or `min_lower` of them, the face `min_points`; where both halves may be taken it is the
    upper one with `upper_prob`. The box is centred on the half's mean and `padding` times as large. All defaults are
    those of MMPose's RandomHalfBody, whose padding of 1.5 is 1.2 here and CropFace's own 1.25.
    """

    ranges = {'prob': (0, 1)}

    def __init__(
        self,
        prob: float = 0.3,
        padding: float = 1.2,
        min_points: int = 9,
        min_upper: int = 2,
        min_lower: int = 3,
        upper_prob: float = 0.7,
    ) -> None:
        self.prob, self.padding, self.min_points = prob, padding, min_points
        self.least, self.upper_prob = (min_upper, min_lower), upper_prob

    def transform(self, sample: FaceRecord) -> FaceRecord:
        chance, above = sample['rng'].random(2)
        half = self._half(sample, above < self.upper_prob)
        if chance < self.prob and half is not None:
            points = sample['landmarks'][half]
            centre, half_size = points.mean(0), (points.max(0) - points.min(0)) * self.padding / 2
            sample['box'] = np.concatenate([centre - half_size, centre + half_size]).astype(np.float32)
        return sample

    def _half(self, sample: FaceRecord, above: bool) -> NDArray[np.bool_] | None:
        """Which landmarks (K,) are in the half that is taken, or None if none may be."""
        markup, seen = sample['markup'], sample['visible'] > 0
        if not markup.upper:
            raise FacelmkError(
                f'HalfBody: mark-up {markup.name!r} does not say which points are the upper half of a '
                'face; give it `upper=`, or leave HalfBody out of the pipeline'
            )
        upper = np.isin(np.arange(markup.size), markup.upper)
        halves = seen & upper, seen & ~upper
        enough = [half.sum() >= least for half, least in zip(halves, self.least, strict=True)]
        if seen.sum() < self.min_points or not any(enough):
            return None
        return halves[0] if enough[0] and (above or not enough[1]) else halves[1]


@TRANSFORMS.register_module()
class TightBox(BaseTransform):
    """Makes `box` the whole-pixel box around the visible landmarks, with a margin: (left, top, right, bottom).

    `margin` is in pixels, `widths` in widths of the landmarks' extent. `clip` ends the box at the picture's borders;
    `frame` blackens the picture outside it, so that a crop shows a black frame beside the shorter side. The seed's
    Adaptive Wing crop is `TightBox((30, 0, 30, 30), (0, 1, 0, 0), clip=True, frame=True)` and `CropFace(padding=1)`.
    A face without a visible landmark, as in a picture to predict on, keeps its box.
    """

    def __init__(
        self,
        margin: Sequence[float] = (0, 0, 0, 0),
        widths: Sequence[float] = (0, 0, 0, 0),
        clip: bool = False,
        frame: bool = False,
    ) -> None:
        self.margin, self.widths, self.clip, self.frame = margin, widths, clip, frame

    def transform(self, sample: FaceRecord) -> FaceRecord:
        points = sample['landmarks'][sample['visible'] > 0]
        if not len(points):
            return sample
        low, high = points.min(0), points.max(0)
        left, top, right, bottom = np.add(self.margin, np.multiply(self.widths, high[0] - low[0]))
        low, high = np.floor(low - (left, top)), np.floor(high + (right, bottom))
        if self.clip:
            size = sample['image'].shape[1::-1]
            low, high = np.clip(low, 0, size), np.clip(high, 0, size)
        sample['box'] = np.array([*low, *high], np.float32)
        if self.frame:
            sample['image'] = _framed(sample['image'], sample['box'])
        return sample


def _framed(image: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture, black outside the box."""
    x1, y1, x2, y2 = np.maximum(box, 0).astype(int)
    framed = np.zeros_like(image)
    framed[y1:y2, x1:x2] = image[y1:y2, x1:x2]
    return framed


@TRANSFORMS.register_module()
class WingBox(BaseTransform):
    """Makes `box` the square that the official Adaptive Wing cuts, from an annotated rectangle.

    The rectangle is widened by a twentieth; a first crop of 450 pixels shows 200 (w + h) / 250 of it, or / 240, / 230
    and so on, until every landmark is 10 of its pixels inside; the square is the inner 360 pixels of that crop, or all
    of it where they leave a landmark less than 5 of 256 pixels from the border. For `CropFace(padding=1)`. That the
    original resamples twice, at whole pixels, is left out. A face without a visible landmark keeps its box.
    """

    def transform(self, sample: FaceRecord) -> FaceRecord:
        landmarks = sample['landmarks'][sample['visible'] > 0]
        if not len(landmarks):
            return sample
        x1, y1, x2, y2 = np.trunc(sample['box'].astype(np.float64))
        wide, high = np.trunc(0.05 * (x2 - x1) / 2), np.trunc(0.05 * (y2 - y1) / 2)
        x1, y1, x2, y2 = max(0.0, x1 - wide), max(0.0, y1 - high), x2 + wide, y2 + high
        centre, extent = np.array([x1 + x2, y1 + y2]) / 2, x2 - x1 + y2 - y1
        reach = np.abs(landmarks - centre).max()
        outer = next(
            (200 * extent / divisor for divisor in range(250, 0, -10) if reach <= 215 / 450 * 200 * extent / divisor),
            None,
        )
        if outer is None:
            raise DataDefect(
                f'{sample["path"]}: landmarks of {sample["id"]} lie {reach:.0f} pixels from the centre of '
                f'a box of {extent / 2:.0f} pixels; WingBox expects a box around the face'
            )
        inner = outer * 360 / 450
        points = (landmarks - centre) / inner * 256 + 128
        holds = points.min() >= 5 and points.max() <= 250
        sample['box'] = geometry.square_box(centre, inner if holds else outer)
        return sample
