"""Transforms that replace the box before the crop: half a face, a margin around landmarks, Adaptive Wing's square."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from ... import geometry
from ...errors import DataDefect, FacelmkError
from ...registry import TRANSFORMS, Range, Ranges
from ..base import FaceRecord


@TRANSFORMS.register_module()
class HalfBody(BaseTransform):
    """With probability `prob`, replaces `box` by the box of the upper or the lower half of the visible landmarks.

    A half is possible if it has `min_upper` or `min_lower` visible landmarks, and the face `min_points`; if both halves
    are possible, the upper one is chosen with `upper_prob`. The centre of the box is the mean of the half, its sides
    are `padding` times the extent. All defaults are those of MMPose's RandomHalfBody; its padding of 1.5 is the
    product of 1.2 here and 1.25 in CropFace.
    """

    reads_pixels = False
    ranges: Ranges = {
        'prob': (0, 1),
        'padding': (0.1, 10),
        'min_points': (2, 1000),
        'min_upper': (2, 1000),  # one point has no box
        'min_lower': (2, 1000),
        'upper_prob': (0, 1),
    }

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
        self.min_points_of_half, self.upper_prob = (min_upper, min_lower), upper_prob

    def transform(self, sample: FaceRecord) -> FaceRecord:
        apply, upper = sample['rng'].random(2)
        half = self._half(sample, upper < self.upper_prob)
        if apply < self.prob and half is not None:
            sample['box'] = self._box_of(sample['landmarks'][half])
            sample.pop('detection', None)
        return sample

    def variants(self, sample: FaceRecord) -> list[FaceRecord]:
        """Return the face with each box that it may get."""
        halves = [half for upper in (True, False) if (half := self._half(sample, upper)) is not None]
        boxes = [self._box_of(sample['landmarks'][half]) for half in halves]
        return [sample, *(sample | {'box': box, 'detection': None} for box in boxes)]

    def _box_of(self, points: NDArray) -> NDArray[np.float32]:
        """Return the box of half a face."""
        centre, half_size = points.mean(0), (points.max(0) - points.min(0)) * self.padding / 2
        return np.concatenate([centre - half_size, centre + half_size]).astype(np.float32)

    def _half(self, sample: FaceRecord, prefer_upper: bool) -> NDArray[np.bool_] | None:
        """Return which landmarks (K,) are in the chosen half, or None if no half is possible."""
        markup, visible = sample['markup'], sample['visible'] > 0
        if not markup.upper:
            raise FacelmkError(
                f'HalfBody: the landmark scheme {markup.name!r} does not say which points are the upper half of a '
                'face. Give it `upper=`, or remove HalfBody from the pipeline'
            )
        upper = np.isin(np.arange(markup.size), markup.upper)
        halves = visible & upper, visible & ~upper
        possible = [half.sum() >= count for half, count in zip(halves, self.min_points_of_half, strict=True)]
        if visible.sum() < self.min_points or not any(possible):
            return None
        return halves[0] if possible[0] and (prefer_upper or not possible[1]) else halves[1]


@TRANSFORMS.register_module()
class TightBox(BaseTransform):
    """Replaces `box` by the whole-pixel box around the visible landmarks, with a margin: (left, top, right, bottom).

    The margin is the sum of `margin` in pixels and `widths` in widths of the landmarks. `clip` clips the box to the
    picture; `frame` makes the picture black outside the box, so a crop has a black frame beside the shorter side.
    `TightBox((30, 0, 30, 30), (0, 1, 0, 0), clip=True, frame=True)` and `CropFace(padding=1)` repeat the crop of an
    early Adaptive Wing project. A face without a visible landmark, as in prediction, keeps its box.
    """

    ranges: Ranges = {'margin': Range(0, 10_000, length=4), 'widths': Range(0, 10, length=4)}

    def __init__(
        self,
        margin: Sequence[float] = (0, 0, 0, 0),
        widths: Sequence[float] = (0, 0, 0, 0),
        clip: bool = False,
        frame: bool = False,
    ) -> None:
        self.margin, self.widths, self.clip, self.frame = margin, widths, clip, frame
        self.reads_pixels = frame

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
            x1, y1, x2, y2 = np.maximum(sample['box'], 0).astype(int)
            framed = np.zeros_like(sample['image'])
            framed[y1:y2, x1:x2] = sample['image'][y1:y2, x1:x2]
            sample['image'] = framed
        return sample


@TRANSFORMS.register_module()
class WingBox(BaseTransform):
    """Replaces `box`, an annotated rectangle, by the square that the official Adaptive Wing cuts.

    The rectangle is enlarged by a twentieth. A first crop of 450 pixels shows 200 (w + h) / 250 pixels of the
    photograph, or / 240, / 230 and so on, until every landmark is at least 10 crop pixels inside. The square is the
    inner 360 pixels of this crop; if a landmark would be less than 5 of 256 pixels from its border, it is the whole
    crop. Use it with `CropFace(padding=1)`. The original resamples twice, at whole pixels; this is not repeated. A face
    without a visible landmark keeps its box.
    """

    reads_pixels = False

    def transform(self, sample: FaceRecord) -> FaceRecord:
        landmarks = sample['landmarks'][sample['visible'] > 0]
        if not len(landmarks):
            return sample
        x1, y1, x2, y2 = np.trunc(sample['box'].astype(np.float64))
        dx, dy = np.trunc(0.05 * (x2 - x1) / 2), np.trunc(0.05 * (y2 - y1) / 2)
        x1, y1, x2, y2 = max(0.0, x1 - dx), max(0.0, y1 - dy), x2 + dx, y2 + dy
        centre, extent = np.array([x1 + x2, y1 + y2]) / 2, x2 - x1 + y2 - y1
        distance = np.abs(landmarks - centre).max()
        divisor = next((n for n in range(250, 0, -10) if distance <= 215 / 450 * 200 * extent / n), None)
        if divisor is None:
            raise DataDefect(
                f'{sample["path"]}: landmarks of {sample["id"]} lie {distance:.0f} pixels from the centre of '
                f'a box of {extent / 2:.0f} pixels. WingBox expects a box around the face'
            )
        outer = 200 * extent / divisor
        inner = outer * 360 / 450
        points = (landmarks - centre) / inner * 256 + 128
        all_inside = points.min() >= 5 and points.max() <= 250
        sample['box'] = geometry.square_box(centre, inner if all_inside else outer)
        return sample
