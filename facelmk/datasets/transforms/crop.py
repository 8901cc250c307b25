"""Photograph to crop: all geometry in one 3x3 matrix, then one resampling."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from ... import geometry
from ...errors import FacelmkError
from ...registry import TRANSFORMS, Range, Ranges
from ..base import FaceRecord
from .pixels import cut_integer, resample


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

    def transform(self, sample: FaceRecord) -> FaceRecord:
        draws = flipped, *_ = self._draw(sample['rng'])
        box = crop_box(sample)
        sample['warp'] = self.warp(box, sample['image'].shape[1], *draws)
        if flipped:
            order = sample['markup'].mirror
            sample['landmarks'], sample['visible'] = sample['landmarks'][order], sample['visible'][order]
        sample['points'] = geometry.apply(sample['warp'], sample['landmarks'])
        sample['image'] = self._cut(sample['image'], sample['warp'], box, *draws)
        return sample

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
        before = self._mirror_photo(width) if flipped else np.eye(3)
        after = geometry.mirror(self.size) if flipped and self.mirror == 'crop' else np.eye(3)
        centre, side = self._centre_and_side(box, before, offset)
        square = geometry.exact_square_box(centre, side)
        return after @ geometry.box_to_crop(square, self.span, self.padding * factor, degrees) @ before

    def _mirror_photo(self, width: int) -> geometry.Matrix:
        """Return the matrix that mirrors points of the photograph before the crop."""
        return {'crop': np.eye(3), 'photo': geometry.mirror(width), 'hrnet': geometry.mirror(width + 1)}[self.mirror]

    def _centre_and_side(
        self, box: np.ndarray, before: geometry.Matrix, offset: Sequence[float]
    ) -> tuple[np.ndarray, float]:
        """Return the centre of the crop and the longer side of the box, both after the matrix `before`."""
        x1, y1, x2, y2 = np.asarray(box, np.float64)
        side = max(x2 - x1, y2 - y1)
        (centre,) = geometry.apply(before, [[(x1 + x2) / 2, (y1 + y2) / 2]])
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
        before = self._mirror_photo(image.shape[1]) if flipped else np.eye(3)
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


def crop_box(sample: FaceRecord) -> np.ndarray:
    """Return the box that is cropped: the detected one, or the annotated one where no box is detected."""
    detection = sample.get('detection')
    return sample['box'] if detection is None or not np.isfinite(detection).all() else detection
