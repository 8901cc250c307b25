"""A picture of any size becomes a square scene: all geometry in one matrix, then one resampling."""

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from ... import geometry
from ...registry import TRANSFORMS, Range, Ranges
from ..base import FaceRecord
from .pixels import resample

Boxes = NDArray[np.float32]


@TRANSFORMS.register_module()
class FitScene(BaseTransform):
    """Replaces `image` by a square of `size` pixels; adds `warp` (3, 3), `crop_boxes` (N, 4), `ignored` (N,).

    By default the whole picture is fitted into the square, centred, black around it. With `scale` its longer side
    becomes `size` times a factor between two numbers, and its position is random. With `faces`, the longer side of a
    random face becomes between two numbers of pixels, with equally many small and large ones on a logarithmic scale.
    `flip` is the probability of mirroring.
    A face becomes ignored if the longer side of its box is shorter than `min_face` pixels, or if less than the share
    `min_inside` of its box lies in the square. A face outside of the square is removed.
    """

    crop_argument = 'size'
    ranges: Ranges = {
        'size': (32, 4096),
        'scale': Range(0.05, 20, length=2, rising=True),
        'faces': Range(4, 4096, length=2, rising=True),
        'flip': (0, 1),
        'min_face': (0, 4096),
        'min_inside': (0, 1),
    }

    def __init__(
        self,
        size: int = 192,
        scale: Sequence[float] = (1.0, 1.0),
        faces: Sequence[float] | None = None,
        flip: float = 0.0,
        min_face: float = 10.0,
        min_inside: float = 0.5,
    ) -> None:
        self.size, self.scale, self.flip = size, tuple(scale), flip
        self.faces = None if faces is None else tuple(faces)
        self.min_face, self.min_inside = min_face, min_inside

    def transform(self, scene: FaceRecord) -> FaceRecord:
        boxes = np.asarray(scene['boxes'], np.float32).reshape(-1, 4)
        ignored = np.asarray(scene.get('ignored', np.zeros(len(boxes), bool)), bool)
        warp = self._warp(scene['image'].shape, boxes[~ignored], scene['rng'])
        crop_boxes = warp_boxes(warp, boxes)
        inside = share_inside(crop_boxes, self.size)
        sides = (crop_boxes[:, 2:] - crop_boxes[:, :2]).max(1, initial=0)
        ignored = ignored | (sides < self.min_face) | (inside < self.min_inside)
        present = inside > 0
        return scene | {
            'image': resample_scene(scene['image'], warp, self.size),
            'warp': warp,
            'boxes': boxes[present],
            'crop_boxes': crop_boxes[present],
            'ignored': ignored[present],
        }

    def _warp(self, shape: Sequence[int], boxes: Boxes, rng: np.random.Generator) -> geometry.Matrix:
        """Return the matrix from the picture to the square; the number of draws is the same for all options."""
        flip, factor, choice, *corner = rng.random(5)
        sides = np.array([shape[1], shape[0]])
        box = boxes[int(choice * len(boxes))].astype(np.float64) if self.faces and len(boxes) else None
        if self.faces and box is not None:
            scale = _log_between(self.faces, factor) / max(*(box[2:] - box[:2]), 1e-3)
        else:
            scale = _log_between(self.scale, factor) * self.size / sides.max()
        is_fixed = self.faces is None and self.scale[0] == self.scale[1] == 1
        offset = (np.full(2, 0.5) if is_fixed else np.array(corner)) * (self.size - scale * sides)
        if box is not None:  # move the picture so that the square contains the chosen face
            limits = np.stack([-scale * box[:2], self.size - scale * box[2:]])
            offset = np.clip(offset, limits.min(0), limits.max(0))
        x, y = offset + (scale - 1) / 2  # the centre of the first pixel is 0 on both sides
        warp = geometry.shift(x, y) @ geometry.scale(scale)
        return geometry.mirror(self.size) @ warp if flip < self.flip else warp


def _log_between(limits: Sequence[float], number: float) -> float:
    """Map a number in [0, 1) to a number between two limits, evenly on a logarithmic scale."""
    low, high = limits
    return low * math.exp(number * math.log(high / low))


def warp_boxes(warp: Any, boxes: Boxes) -> Boxes:
    """Return the boxes (N, 4) around the warped corners of boxes (N, 4); exact for a matrix that turns nothing."""
    corners = geometry.apply(warp, boxes.reshape(-1, 2, 2))
    return np.concatenate([corners.min(1), corners.max(1)], 1).astype(np.float32).reshape(-1, 4)


def share_inside(boxes: Boxes, size: int) -> NDArray[np.float64]:
    """Return the share of the area of each box (N, 4) that lies in the square of `size` pixels."""
    return geometry.shares_inside(boxes, [[-0.5, -0.5, size - 0.5, size - 0.5]])[:, 0]


def resample_scene(image: np.ndarray, warp: geometry.Matrix, size: int) -> np.ndarray:
    """Return the square (size, size, 3) that `warp` cuts out of a picture, halved first so that pixels are averaged."""
    while abs(warp[0, 0]) <= 0.5 and min(image.shape[:2]) > 1:
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        warp = warp @ geometry.shift(0.5, 0.5) @ geometry.scale(2)
    return resample(image, warp, size)
