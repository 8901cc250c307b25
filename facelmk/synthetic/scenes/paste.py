"""Pasting pictures into a scene: one resampling, a mask with soft edges, and a record of what it covers."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ... import geometry
from ..drawing import blend, fill, tint

Image = np.ndarray


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
    picture: Image,
    warp: geometry.Matrix,
    outline: NDArray,
    feather: float,
    gains: tuple[float, ...] | None = None,
) -> Image | None:
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
    whole = np.zeros(scene.shape[:2], np.uint8)
    whole[low[1] : high[1], low[0] : high[0]] = mask
    return whole


def shrunk_warp(picture: Image, warp: geometry.Matrix, width: int, height: int) -> Image:
    """Warp a picture, halved first as often as its pixels become smaller than half; its edge is continued outside."""
    scale = float(np.sqrt(abs(np.linalg.det(warp[:2, :2]))))
    while scale <= 0.6 and min(picture.shape[:2]) >= 4:
        picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        warp, scale = warp @ geometry.shift(0.5, 0.5) @ geometry.scale(2), scale * 2
    size = (width, height)
    return cv2.warpAffine(picture, warp[:2], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def rectangle(picture: Image) -> NDArray:
    """Return the outline (4, 2) of a whole picture."""
    height, width = picture.shape[:2]
    right, bottom = width - 0.5, height - 0.5
    return np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])


def covered_share(mask: Image, boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the share of each box (N, 4) that a mask covers."""
    shares = []
    for x1, y1, x2, y2 in np.clip(boxes, 0, mask.shape[0]).astype(int):
        part = mask[y1 : y2 + 1, x1 : x2 + 1]
        shares.append(cv2.mean(part)[0] / 255 if part.size else 0.0)
    return np.array(shares)
