"""Photographs without a face, with annotated faces pasted into them: the size and place of each face are known."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ... import geometry
from ...datasets.scenes import as_array
from ...errors import DataDefect
from ...synthetic.drawing import ellipse
from ...synthetic.scenes.paste import Placement, paste
from ...synthetic.scenes.sources import Portrait, Portraits

Image = np.ndarray
TRIES = 1000  # places that are tried for one face
HEAD = 1.5  # the side of what belongs to a face, in sides of its tight box: no head covers another face


class Composite(NamedTuple):
    """A picture (H, W, 3) and the tight boxes (N, 4) of the faces in it."""

    image: Image
    boxes: NDArray[np.float32]


def draw_composites(
    faces: Portraits,
    grounds: Sequence[Image],
    count: int,
    faces_each: int,
    face_px: tuple[float, float],
    size: tuple[int, int],
    seed: int = 0,
) -> Iterator[Composite]:
    """Yield `count` pictures of `size` (width, height) with as many faces each, whose longer sides lie in `face_px`.

    A face is as upright as in its own picture.
    """
    for number in range(count):
        rng = np.random.default_rng([seed, number, faces_each, round(face_px[0]), round(face_px[1])])
        image = fill_picture(grounds[number % len(grounds)], *size)
        boxes: list[NDArray[np.float32]] = []
        sides = np.exp(rng.uniform(math.log(face_px[0]), math.log(face_px[1]), faces_each))
        for side in sorted(sides.tolist(), reverse=True):  # small ones fit between large ones
            portrait = faces[int(rng.integers(len(faces)))]
            boxes.append(_add(image, portrait, side, boxes, rng))
        yield Composite(image, as_array(boxes))


def _add(image: Image, portrait: Portrait, side: float, boxes: Sequence[NDArray], rng: np.random.Generator) -> NDArray:
    """Paste a head at a random place beside the other ones; return the tight box of its landmarks."""
    box, limit = portrait.box, np.array(image.shape[1::-1]) - 1
    middle, extent = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    head = ellipse(middle - (0, 0.13 * extent[1]), extent * (0.68, 0.8), 0, 40)
    head = np.clip(head, 0, np.array(portrait.image.shape[1::-1]) - 1)
    for _ in range(TRIES):
        centre = rng.uniform(0.75 * side, np.maximum(limit - 0.75 * side, 0.76 * side))
        taken = [np.abs((other[:2] + other[2:]) / 2 - centre).max() < _reach(other, side) for other in boxes]
        if not any(taken):
            break
    else:
        raise DataDefect(
            f'{len(boxes) + 1} faces of {side:.0f} pixels do not fit into {image.shape[1]} x {image.shape[0]}. '
            'Ask for fewer or smaller ones'
        )
    warp = Placement((float(centre[0]), float(centre[1])), side / portrait.side).warp(middle)
    paste(image, portrait.pyramid, warp, head, 0.06 * side)
    return geometry.exact_box(geometry.apply(warp, portrait.landmarks))


def _reach(box: NDArray, side: float) -> float:
    """Return how far apart the centres of two faces must be."""
    return HEAD / 2 * (float((box[2:] - box[:2]).max()) + side)


def fill_picture(image: Image, width: int, height: int) -> Image:
    """Return the middle of a picture, resized so that it fills width and height."""
    factor = max(width / image.shape[1], height / image.shape[0])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    size = max(width, round(image.shape[1] * factor)), max(height, round(image.shape[0] * factor))
    image = cv2.resize(image, size, interpolation=method)
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return np.ascontiguousarray(image[top : top + height, left : left + width])
