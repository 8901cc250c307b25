"""Photograph to crop: all geometry in one 3x3 matrix, then one resampling."""

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from ... import geometry
from ...errors import FacelmkError
from ...registry import TRANSFORMS, Range, Ranges
from ..base import FaceRecord
from ..crops.part import EMPTY, Box, PicturePart, uses_parts
from .pixels import cut_integer, resample

MARGIN_PX = 3  # around a crop in the photograph: interpolation, rounding, and HRNet's mirror one pixel beside


@TRANSFORMS.register_module()
class CropFace(BaseTransform):
    """Replaces `image` by a square crop around `detection` or, without one, `box`; adds `warp` (3, 3), `points` (K, 2).

    The side of the crop is `padding` times the longer side of the box. Augmentation: `flip` is the probability of
    mirroring; `rotate` the largest angle in degrees (applied with `rotate_prob`); `scale` the smallest and largest
    factor of the side; `shift` the largest move, as a share of the side (applied with `shift_prob`). `draw` is the
    distribution: 'uniform', or 'truncnorm', a normal cut at one sigma, as in MMPose; it also shifts a box by its own
    width and height instead of its longer side.
    `mirror='crop'` mirrors the crop exactly, x' = size - 1 - x. 'photo' mirrors the photograph and the box, as MMPose
    does; this amounts to x' = size - x. Two options repeat the original HRNet: `integer` cuts whole pixels, then
    resizes (`warp` stays the nominal map); `mirror='hrnet'` puts points and box one photograph pixel beside the
    mirrored picture. `udp` makes MMPose's UDP crops: the box, with its padding, spans size - 1 pixels, from the centre
    of the crop's first pixel to that of its last one.
    """

    crop_argument = 'size'
    ranges: Ranges = {
        'size': (16, 4096),
        'padding': (0.1, 10),
        'flip': (0, 1),
        'rotate': (0, 180),
        'rotate_prob': (0, 1),
        'scale': Range(0.1, 10, length=2, rising=True),
        'shift': (0, 0.5),  # so that the middle of the face stays in the crop
        'shift_prob': (0, 1),
        'draw': {'uniform', 'truncnorm'},
        'mirror': {'crop', 'photo', 'hrnet'},
    }

    def __init__(
        self,
        size: int = 256,
        padding: float = 1.25,
        flip: float = 0.0,
        rotate: float = 0.0,
        rotate_prob: float = 1.0,
        scale: Sequence[float] = (1.0, 1.0),
        shift: float = 0.0,
        shift_prob: float = 1.0,
        draw: str = 'uniform',
        mirror: str = 'crop',
        integer: bool = False,
        udp: bool = False,
    ) -> None:
        if integer and udp:
            raise FacelmkError('CropFace: integer=True, udp=True. Expected one of them alone. Leave out the other one')
        if draw not in ('uniform', 'truncnorm') or mirror not in ('crop', 'photo', 'hrnet'):
            raise FacelmkError(
                f"CropFace: draw={draw!r}, mirror={mirror!r}. Expected draw='uniform' or 'truncnorm', "
                "and mirror='crop', 'photo' or 'hrnet'"
            )
        self.size, self.padding, self.flip = size, padding, flip
        self.rotate, self.rotate_prob = rotate, rotate_prob
        self.scale, self.shift, self.shift_prob = tuple(scale), shift, shift_prob
        self.draw, self.mirror, self.integer = draw, mirror, integer
        self.span = size - 1 if udp else size  # of the box in the crop, in pixels

    @uses_parts
    def transform(self, sample: FaceRecord) -> FaceRecord:
        draws = flipped, *_ = self._draw(sample['rng'])
        box = crop_box(sample)
        sample['warp'] = self.warp(box, sample['image'].shape[1], *draws)
        if flipped:
            order = sample['markup'].mirror
            sample['landmarks'], sample['visible'] = sample['landmarks'][order], sample['visible'][order]
        sample['points'] = geometry.apply(sample['warp'], sample['landmarks'])
        part = sample.pop('part', None)
        if part is None:
            sample['image'] = self._cut(sample['image'], sample['warp'], box, *draws)
        else:
            sample['image'] = self._cut_part(part, sample['warp'], box, *draws)
        return sample

    def reach(self, sample: FaceRecord, width: int, height: int) -> Box:
        """Return the box that all possible crops of a face can reach in a photograph of this size."""
        x1, y1, x2, y2 = np.asarray(crop_box(sample), np.float64).tolist()
        side = max(x2 - x1, y2 - y1) * self.padding
        degrees = np.deg2rad(min(self.rotate, 45.0))
        half = side * max(self.scale) * self.size / self.span / 2 * (np.cos(degrees) + np.sin(degrees))
        half += side * self.shift + self._margin(side * max(self.scale) / self.size)
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        if not math.isfinite(half + x + y):
            return EMPTY
        return _whole_pixels(x - half, y - half, x + half, y + half, width, height)

    def _reach_of(self, warp: np.ndarray, width: int, height: int) -> Box:
        """Return the box that one crop reaches."""
        (a, b, x), (c, d, y) = warp[:2].tolist()
        area, end = a * d - b * c, self.size - 1
        if not area or not math.isfinite(area + x + y):  # the crop of an empty box
            return 0, 0, width, height
        corners = [(u - x, v - y) for u in (0, end) for v in (0, end)]
        xs = [(d * u - b * v) / area for u, v in corners]
        ys = [(a * v - c * u) / area for u, v in corners]
        margin = self._margin(abs(area) ** -0.5)
        return _whole_pixels(min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin, width, height)

    def _margin(self, ratio: float) -> float:
        """Return the pixels around a crop that it needs, too; `ratio` is how many of them a pixel of the crop is."""
        return MARGIN_PX + (3 + 3 * ratio if self.integer else 0)  # the original HRNet cuts and shrinks whole pixels

    def _cut_part(self, part: PicturePart, warp: np.ndarray, *options: Any) -> np.ndarray:
        """Return the pixels of the crop from a part of the photograph; from all of it where the part is too small."""
        box = self._reach_of(warp, part.width, part.height)
        if not part.covers(box):
            return self._cut(part.read(), warp, *options)
        if part.is_exact:
            return self._cut(part.picture(box), warp, *options)
        return resample(part.pixels, warp @ part.to_photo, self.size)

    def warp(
        self,
        box: np.ndarray,
        width: int,
        flipped: bool = False,
        degrees: float = 0.0,
        factor: float = 1.0,
        offset: Sequence[float] = (0.0, 0.0),
    ) -> geometry.Matrix:
        """Return the matrix from a photograph that is `width` pixels wide to the crop."""
        before = self._mirror_photo(width) if flipped else None
        centre, side = self._centre_and_side(box, before, offset)
        square = geometry.exact_square_box(centre, side)
        warp = geometry.box_to_crop(square, self.span, self.padding * factor, degrees)
        if before is not None:
            return warp @ before
        return geometry.mirror(self.size) @ warp if flipped else warp

    def _mirror_photo(self, width: int) -> geometry.Matrix | None:
        """Return the matrix that mirrors points of the photograph before the crop; None if the crop is mirrored."""
        return None if self.mirror == 'crop' else geometry.mirror(width + (self.mirror == 'hrnet'))

    def _centre_and_side(
        self, box: np.ndarray, before: geometry.Matrix | None, offset: Sequence[float]
    ) -> tuple[np.ndarray, float]:
        """Return the centre of the crop and the longer side of the box, both after the matrix `before`."""
        x1, y1, x2, y2 = np.asarray(box, np.float64).tolist()
        side = max(x2 - x1, y2 - y1)
        centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
        if before is not None:
            centre = geometry.apply(before, centre)
        unit = side if self.draw == 'uniform' else np.array([x2 - x1, y2 - y1])
        return centre + np.asarray(offset) * unit * self.padding, side

    def _cut(
        self,
        image: np.ndarray,
        warp: np.ndarray,
        box: np.ndarray,
        flipped: bool,
        degrees: float,
        factor: float,
        offset: Sequence[float],
    ) -> np.ndarray:
        """Return the pixels of the crop; only the options of the original HRNet differ from `warp`."""
        if not self.integer:
            one_beside = flipped and self.mirror == 'hrnet'
            return resample(image, warp @ geometry.shift(1, 0) if one_beside else warp, self.size)
        before = self._mirror_photo(image.shape[1]) if flipped else None
        centre, side = self._centre_and_side(box, before, offset)
        if flipped and self.mirror != 'crop':
            image = cv2.flip(image, 1)
        crop = cut_integer(image, centre, side * self.padding * factor, self.size, degrees)
        return cv2.flip(crop, 1) if flipped and self.mirror == 'crop' else crop

    def _draw(self, rng: np.random.Generator) -> tuple[bool, float, float, tuple[float, float]]:
        """Draw flip, degrees, factor and offset; the number of draws is the same for all options."""
        flip, rotate, move = rng.random(3)
        if self.draw == 'uniform':
            degrees, factor, x, y = rng.uniform(-1, 1, 4)
        else:
            normal = rng.standard_normal(64)  # two of three lie within one sigma: 64 always hold four
            degrees, factor, x, y = normal[np.abs(normal) <= 1][:4]
        middle, half_range = sum(self.scale) / 2, (self.scale[1] - self.scale[0]) / 2
        shift = self.shift if move < self.shift_prob else 0.0
        return (
            bool(flip < self.flip),
            degrees * self.rotate if rotate < self.rotate_prob else 0.0,
            middle + half_range * factor,
            (x * shift, y * shift),
        )


def _whole_pixels(x1: float, y1: float, x2: float, y2: float, width: int, height: int) -> Box:
    """Return the pixels of a box that are in a photograph; an empty box at its corner if there are none."""
    left, top = max(math.floor(x1), 0), max(math.floor(y1), 0)
    right, bottom = min(math.ceil(x2) + 1, width), min(math.ceil(y2) + 1, height)
    return (left, top, right, bottom) if left < right and top < bottom else EMPTY


def crop_box(sample: FaceRecord) -> np.ndarray:
    """Return the box that is cropped: the detected one, or the annotated one where no box is detected."""
    detection = sample.get('detection')
    return sample['box'] if detection is None or not np.isfinite(detection).all() else detection
