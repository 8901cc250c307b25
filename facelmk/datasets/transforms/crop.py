"""Photograph to network input: load, crop (all geometry in one 3x3, one resampling), pack, collate."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform

from ... import geometry
from ...errors import FacelmkError
from ...registry import FUNCTIONS, TRANSFORMS
from ..base import FaceRecord
from ..images.decode import read_image
from .integer_crop import cut_integer


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Adds `image` (H, W, 3), uint8 BGR, upright by its EXIF note; a face that carries its picture keeps it.

    A picture of more than `max_pixels` (64 million, or what FACELMK_MAX_PIXELS says) is refused before it is decoded.
    """

    def __init__(self, max_pixels: int | None = None) -> None:
        self.max_pixels = max_pixels

    def transform(self, sample: FaceRecord) -> FaceRecord:
        if 'image' not in sample:
            sample['image'] = read_image(sample['path'], self.max_pixels)
        return sample


@TRANSFORMS.register_module()
class CropFace(BaseTransform):
    """Replaces `image` by a square crop around `box`; adds `warp` (3, 3) and `points` (K, 2).

    The crop's side is `padding` times the longer side of the box. In training, `flip` mirrors with that probability,
    `rotate` turns by up to so many degrees (with `rotate_prob`), `scale` stretches the side by a factor between its
    two numbers, `shift` moves the box by up to that share of its side (with `shift_prob`). `draw` says from which
    distribution: 'uniform', or 'truncnorm' (a normal cut at one sigma, as MMPose draws). All of it is one matrix.
    `mirror='crop'` is the exact mirror of the crop, x' = size - 1 - x; 'photo' mirrors the photograph and the box, as
    MMPose does, which comes to x' = size - x. MMPose's 'truncnorm' also moves a box by its own width and height.
    The original HRNet alone has `integer`, whole pixels cut out and resized after (`warp` stays the nominal map), and
    `mirror='hrnet'`, a mirrored picture whose points and box lie one pixel of the photograph beside it.
    """

    ranges = {
        'size': (1,),
        'padding': (0, float('inf'), True),  # above 0
        'flip': (0, 1),
        'rotate_prob': (0, 1),
        'shift': (0, 1),
        'shift_prob': (0, 1),
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
    ) -> None:
        if draw not in ('uniform', 'truncnorm') or mirror not in ('crop', 'photo', 'hrnet'):
            raise FacelmkError(
                f"CropFace: draw={draw!r}, mirror={mirror!r}; draw is 'uniform' or 'truncnorm', "
                "mirror is 'crop', 'photo' or 'hrnet'"
            )
        self.size, self.padding, self.flip = size, padding, flip
        self.rotate, self.rotate_prob = rotate, rotate_prob
        self.scale, self.shift, self.shift_prob = tuple(scale), shift, shift_prob
        self.draw, self.mirror, self.integer = draw, mirror, integer

    def transform(self, sample: FaceRecord) -> FaceRecord:
        drawn = flipped, *_ = self._draw(sample['rng'])
        sample['warp'] = self.warp(sample['box'], sample['image'].shape[1], *drawn)
        if flipped:
            order = sample['markup'].mirror
            sample['landmarks'], sample['visible'] = sample['landmarks'][order], sample['visible'][order]
        sample['points'] = geometry.apply(sample['warp'], sample['landmarks'])
        sample['image'] = self._cut(sample['image'], sample['warp'], sample['box'], *drawn)
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
        """The map from the photograph, `width` pixels wide, to the crop."""
        before = self._before(width) if flipped else np.eye(3)
        after = geometry.mirror(self.size) if flipped and self.mirror == 'crop' else np.eye(3)
        centre, side = self._place(box, before, offset)
        return after @ geometry.box_to_crop(_square(centre, side), self.size, self.padding * factor, degrees) @ before

    def _before(self, width: int) -> geometry.Matrix:
        """How points of a photograph `width` pixels wide are mirrored before the crop, where they are."""
        return {'crop': np.eye(3), 'photo': geometry.mirror(width), 'hrnet': geometry.mirror(width + 1)}[self.mirror]

    def _place(self, box: np.ndarray, before: geometry.Matrix, offset: Sequence[float]) -> tuple[np.ndarray, float]:
        """The centre of the crop and the longer side of the box, both after the mirror."""
        x1, y1, x2, y2 = np.asarray(box, np.float64)
        side = max(x2 - x1, y2 - y1)
        (centre,) = geometry.apply(before, [[(x1 + x2) / 2, (y1 + y2) / 2]])
        share = side if self.draw == 'uniform' else np.array([x2 - x1, y2 - y1])
        return centre + np.asarray(offset) * share * self.padding, side

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
        """The crop's pixels: what `warp` cuts out, but for the original HRNet's options."""
        if not self.integer:
            beside = flipped and self.mirror == 'hrnet'
            return resample(image, warp @ geometry.shift(1, 0) if beside else warp, self.size)
        centre, side = self._place(box, self._before(image.shape[1]) if flipped else np.eye(3), offset)
        if flipped and self.mirror != 'crop':
            image = cv2.flip(image, 1)
        crop = cut_integer(image, centre, side * self.padding * factor, self.size, degrees)
        return cv2.flip(crop, 1) if flipped and self.mirror == 'crop' else crop

    def _draw(self, rng: np.random.Generator) -> tuple[bool, float, float, tuple[float, float]]:
        """Flip, degrees, factor, offset: always the same number of draws, whatever the options."""
        flip, turn, move = rng.random(3)
        degrees, factor, x, y = self._unit(rng)
        middle, half = sum(self.scale) / 2, (self.scale[1] - self.scale[0]) / 2
        moved = self.shift if move < self.shift_prob else 0.0
        return (
            bool(flip < self.flip),
            degrees * self.rotate if turn < self.rotate_prob else 0.0,
            middle + half * factor,
            (x * moved, y * moved),
        )

    def _unit(self, rng: np.random.Generator) -> np.ndarray:
        """Four draws in [-1, 1]."""
        if self.draw == 'uniform':
            return rng.uniform(-1, 1, 4)
        many = rng.standard_normal(64)  # two of three lie within one sigma; 64 never leave fewer than four
        return many[np.abs(many) <= 1][:4]


def _square(centre: np.ndarray, side: float) -> tuple[float, float, float, float]:
    return (centre[0] - side / 2, centre[1] - side / 2, centre[0] + side / 2, centre[1] + side / 2)


def resample(image: np.ndarray, warp: np.ndarray, size: int) -> np.ndarray:
    """The crop (size, size, 3) that `warp` (3, 3) cuts out of a photograph, black outside it."""
    if not image.flags['C_CONTIGUOUS']:  # a mirrored view costs OpenCV eleven times the warp itself
        image = np.ascontiguousarray(image)
    return cv2.warpAffine(image, warp[:2], (size, size), flags=cv2.INTER_LINEAR)


@TRANSFORMS.register_module()
class PackFace(BaseTransform):
    """A sample as the collate wants it: `inputs` uint8 (3, S, S) and the annotation beside it."""

    keys = ('id', 'points', 'visible', 'warp', 'landmarks', 'box', 'norm', 'tags')

    def transform(self, sample: FaceRecord) -> dict[str, Any]:
        planes = np.ascontiguousarray(sample['image'].transpose(2, 0, 1))
        return {'inputs': torch.from_numpy(planes), 'data_samples': {key: sample[key] for key in self.keys}}


@FUNCTIONS.register_module()
def collate_faces(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A batch: `inputs` (B, 3, S, S) uint8; arrays get B in front, ids and tags stay lists, a missing norm is NaN."""
    if 'data_samples' not in samples[0]:
        raise FacelmkError(
            f'a sample has {", ".join(samples[0])}, no inputs and data_samples: the last part of the '
            "pipeline must be dict(type='PackFace')"
        )
    rows = [sample['data_samples'] for sample in samples]
    batch: dict[str, Any] = {key: [row[key] for row in rows] for key in rows[0]}
    for key, values in batch.items():
        if isinstance(values[0], np.ndarray):
            kind = np.float64 if key == 'warp' else np.float32
            batch[key] = torch.from_numpy(np.stack(values).astype(kind, copy=False))
    batch['norm'] = torch.tensor([np.nan if norm is None else norm for norm in batch['norm']], dtype=torch.float64)
    return {'inputs': torch.stack([sample['inputs'] for sample in samples]), 'data_samples': batch}
