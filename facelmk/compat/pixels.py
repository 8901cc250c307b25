"""The original HRNet's geometry and decoding, with the same results.

`center` (2,) is in pixels of the photograph, `scale` is the crop's side divided by 200, points are counted from 1 and
are truncated to whole pixels.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch import Tensor

from .. import geometry


def crop(
    img: NDArray, center: ArrayLike, scale: float, output_size: Sequence[int] = (256, 256), rot: float = 0
) -> NDArray[np.uint8]:
    """The square of side 200 * scale around `center` as a crop of `output_size`, black outside the picture.

    As in the original, a picture that is twice too large is shrunk first, the square has whole pixels, and Pillow
    resizes it bicubically. `rot` turns the content counter-clockwise by so many degrees.
    """
    image, middle, scale = np.asarray(img).astype(np.uint8), torch.as_tensor(center, dtype=torch.float32), float(scale)
    size = (int(output_size[0]), int(output_size[1]))
    if (shrink := scale * 200 / size[0]) >= 2:
        height, width = (int(side / shrink) for side in image.shape[:2])
        if max(height, width) < 2:
            return np.zeros((*size, *image.shape[2:]), np.uint8)
        image, middle, scale = _resize(image, (height, width)), middle / shrink, scale / shrink
    corners = [transform_pixel(corner, middle, scale, size, invert=1) for corner in ((0, 0), size)]
    margin = int(np.linalg.norm(corners[1] - corners[0]) / 2 - (corners[1] - corners[0])[1] / 2) if rot else 0
    square = _cut(image, corners[0] - margin, corners[1] + margin)
    if rot:
        turned = np.asarray(Image.fromarray(square).rotate(rot, resample=Image.Resampling.BILINEAR))
        square = turned[margin : len(turned) - margin, margin : turned.shape[1] - margin]
    return _resize(square, size)


def _resize(image: NDArray[np.uint8], size: Sequence[int]) -> NDArray[np.uint8]:
    """The picture in (height, width), as Pillow's `resize` makes it."""
    return np.array(Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BICUBIC))


def _cut(image: NDArray[np.uint8], first: NDArray, last: NDArray) -> NDArray[np.uint8]:
    """The pixels from (x, y) to before (x, y); 0 outside the picture."""
    part = np.zeros((last[1] - first[1], last[0] - first[0], *image.shape[2:]), np.uint8)
    begin = np.clip(first, 0, image.shape[1::-1])
    inside = image[begin[1] : max(last[1], 0), begin[0] : max(last[0], 0)]
    x, y = begin - first
    part[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return part


def warp_crop(image: NDArray, warp: NDArray, output_size: Sequence[int]) -> NDArray:
    """The crop that a warp (3, 3) makes of a picture."""
    return cv2.warpAffine(image, warp[:2], (int(output_size[1]), int(output_size[0])), flags=cv2.INTER_LINEAR)


def get_transform(center: ArrayLike, scale: float, output_size: Sequence[float], rot: float = 0) -> NDArray[np.float64]:
    """The warp (3, 3) from the photograph to a crop; the content turns by -rot degrees around the crop's centre."""
    x, y = np.asarray(center, np.float64)
    width, height, side = float(output_size[1]), float(output_size[0]), 200 * float(scale)
    move = [width * (0.5 - x / side), height * (0.5 - y / side)]  # in the original's order: results are truncated
    warp = np.array([[width / side, 0, move[0]], [0, height / side, move[1]], [0, 0, 1]])
    return geometry.about(geometry.rotate(-rot), (width / 2, height / 2)) @ warp if rot else warp


def transform_pixel(
    pt: ArrayLike, center: ArrayLike, scale: float, output_size: Sequence[float], invert: int = 0, rot: float = 0
) -> NDArray[np.int64]:
    """A point or points (N, 2), counted from 1, from photograph to crop, or back with `invert`; whole pixels."""
    warp = get_transform(center, scale, output_size, rot)
    moved = geometry.apply(geometry.invert(warp) if invert else warp, np.asarray(pt, np.float64) - 1)
    return moved.astype(int) + 1


def transform_preds(coords: Tensor, center: ArrayLike, scale: float, output_size: Sequence[float]) -> Tensor:
    """Points (K, 2) of the crop as points of the photograph, in place."""
    coords[:, :2] = torch.from_numpy(transform_pixel(coords[:, :2].numpy(), center, scale, output_size, 1))
    return coords


def get_preds(scores: Tensor) -> Tensor:
    """The highest cell (B, K, 2) of each heatmap (B, K, H, W), counted from 1; 0 where no value is above 0."""
    top, index = scores.flatten(2).max(2)
    width = scores.shape[3]
    cells = torch.stack([index % width, torch.div(index, width, rounding_mode='floor')], -1).float() + 1
    return cells * (top > 0)[..., None]


def decode_preds(output: Tensor, center: Sequence[ArrayLike], scale: Sequence[float], res: Sequence[float]) -> Tensor:
    """Landmarks (B, K, 2) in whole pixels of the photograph, of heatmaps (B, K, H, W) of `res` cells."""
    points = refine(output.detach().float().cpu(), res)
    return torch.stack([transform_preds(points[i], center[i], scale[i], res) for i in range(len(points))])


def refine(scores: Tensor, res: Sequence[float]) -> Tensor:
    """The highest cells, a quarter towards the higher neighbours, plus half a cell, since targets are truncated."""
    cells = get_preds(scores)
    x, y = (cells.long() - 1).unbind(-1)
    inner = (x > 0) & (x + 1 < res[0]) & (y > 0) & (y + 1 < res[1])
    height, width = scores.shape[2:]
    x, y = x.clamp(1, width - 2), y.clamp(1, height - 2)
    flat = scores.flatten(2)

    def at(column: Tensor, row: Tensor) -> Tensor:
        return flat.gather(2, (row * width + column)[..., None])[..., 0]

    slope = torch.stack([at(x + 1, y) - at(x - 1, y), at(x, y + 1) - at(x, y - 1)], -1)
    return cells + slope.sign() * 0.25 * inner[..., None] + 0.5
