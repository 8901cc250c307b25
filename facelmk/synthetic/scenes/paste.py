"""Pasting pictures into a scene: one resampling, a mask with soft edges, and a record of what it covers."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ... import geometry
from ..drawing import blend, fill, tint

Image = np.ndarray
MIN_LEVEL_PX = 4  # the shortest side of a halved picture


class Pyramid:
    """A picture and its halves, which are computed when they are first used: level k has sides of 1 / 2**k."""

    def __init__(self, picture: Image) -> None:
        self.levels = [picture]
        self.top = max(int(math.log2(min(picture.shape[:2]) / MIN_LEVEL_PX)), 0)

    def __getitem__(self, level: int) -> Image:
        while len(self.levels) <= level:
            self.levels.append(cv2.resize(self.levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        return self.levels[level]


class Mask(NamedTuple):
    """How opaque a pasted picture is (H, W), from 0 to 255, and where in the scene its upper left corner lies."""

    alpha: Image
    left: int
    top: int

    def covered_share(self, box: NDArray[np.float32]) -> float:
        """Return the share of a box (4,) in the scene that the mask covers."""
        x1, y1, x2, y2 = box.tolist()
        rows = slice(max(round(y1) - self.top, 0), max(round(y2) + 1 - self.top, 0))
        columns = slice(max(round(x1) - self.left, 0), max(round(x2) + 1 - self.left, 0))
        part = self.alpha[rows, columns]
        return cv2.sumElems(part)[0] / 255 / ((x2 - x1 + 1) * (y2 - y1 + 1)) if part.size else 0.0


@dataclass(frozen=True)
class Placement:
    """Where a picture is pasted: centre and scale in the scene, angle in degrees, and whether it is mirrored."""

    centre: tuple[float, float]
    scale: float
    degrees: float = 0.0
    mirrored: bool = False

    def warp(self, anchor: NDArray) -> geometry.Matrix:
        """Return the matrix that puts the point `anchor` of the picture at the centre."""
        mirror = geometry.scale(-1, 1) if self.mirrored else np.eye(3)
        turned = geometry.rotate(self.degrees) @ geometry.scale(self.scale) @ mirror
        return geometry.shift(*self.centre) @ turned @ geometry.shift(-float(anchor[0]), -float(anchor[1]))


def paste(
    scene: Image,
    picture: Pyramid,
    warp: geometry.Matrix,
    outline: NDArray,
    feather: float,
    gains: tuple[float, ...] | None = None,
) -> Mask | None:
    """Paste what lies inside of `outline` (N, 2), in pixels of the picture; return the mask, None outside of the scene.

    `feather` is the width of the soft edge in pixels of the scene, `gains` is a factor for each channel.
    """
    corners = geometry.apply(warp, np.asarray(outline, np.float64))
    margin = 2 * feather + 2
    low = np.maximum(np.floor(corners.min(0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(corners.max(0) + margin) + 1, scene.shape[1::-1]).astype(int)
    if (high - low < 2).any():
        return None
    to_window = geometry.shift(-low[0], -low[1]) @ warp
    width, height = (int(side) for side in high - low)
    view = scene[low[1] : high[1], low[0] : high[0]]
    layer = shrunk_warp(picture, to_window, width, height)
    layer = layer if gains is None else tint(layer, np.array(gains), 1.0)
    mask: Image = np.zeros((height, width), np.uint8)
    fill(mask, corners - low, 255)
    if feather > 0.4:
        mask = cv2.blur(mask, (2 * int(feather) + 1,) * 2) if feather >= 1 else cv2.GaussianBlur(mask, (3, 3), feather)
    view[...] = blend(view, layer, mask)
    return Mask(mask, int(low[0]), int(low[1]))


def shrunk_warp(pyramid: Pyramid, warp: geometry.Matrix, width: int, height: int) -> Image:
    """Warp the smallest picture of a pyramid that has enough pixels; its edge is continued outside."""
    scale = math.sqrt(abs(warp[0, 0] * warp[1, 1] - warp[0, 1] * warp[1, 0]))
    level = min(max(int(math.log2(1.2 / max(scale, 1e-3))), 0), pyramid.top)
    if level:
        side = 2**level
        warp = warp @ geometry.shift((side - 1) / 2, (side - 1) / 2) @ geometry.scale(side)
    size = (width, height)
    return cv2.warpAffine(pyramid[level], warp[:2], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def rectangle(picture: Image) -> NDArray:
    """Return the outline (4, 2) of a whole picture."""
    height, width = picture.shape[:2]
    right, bottom = width - 0.5, height - 0.5
    return np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])
