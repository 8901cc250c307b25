"""Check the points of one face: against its picture, its box, its mirror image and earlier faces."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...markups import Markup
from ..records import FaceRecord

MAX_OUTSIDE = 0.5  # how far a point may lie outside the picture, as a share of the box's longer side
MAX_BOX_RATIO = 5.0  # how many times as wide as its points a box may be
SWAPPED_SHARE, MIN_FACES = 0.2, 10  # if more than this share of at least so many faces is swapped, the set is wrong
SWAPPED_DISTANCE = -0.15  # how far right of the right eye the left one may lie in a profile, in eye-mouth distances
SAME_PX = 0.5  # faces of one picture with smaller differences are the same


def check_points(face: FaceRecord, size: tuple[int, int] | None) -> Iterator[str]:
    """Yield what is wrong with the points and the box of a face; `size` is the picture's width and height if known."""
    visible = face['visible'] > 0
    if not visible.any():
        yield 'no point is visible'
        return
    points, box = face['landmarks'][visible].astype(np.float64), face['box'].astype(np.float64)
    side = float(max(box[2:] - box[:2]))
    if size is not None:
        outside = np.maximum(-points, points - (np.array(size) - 1)).max(-1)
        if outside.max() > MAX_OUTSIDE * side:
            indices = np.flatnonzero(visible)[outside > MAX_OUTSIDE * side]
            yield (
                f'{len(indices)} points lie up to {outside.max():.0f} pixels outside the picture of '
                f'{size[0]}x{size[1]} (the first is point {indices[0]})'
            )
            return
    yield from _check_box(points, box, side)


def _check_box(points: NDArray[np.float64], box: NDArray[np.float64], side: float) -> Iterator[str]:
    centre = (box[:2] + box[2:]) / 2
    distance = np.abs((points.min(0) + points.max(0)) / 2 - centre).max()
    width = np.ptp(points, 0).max()
    if side < 1:
        yield f'its box is {side:.2g} pixels wide'
    elif distance > side:
        yield f'its points lie {distance:.0f} pixels beside its box (centre {centre.round().tolist()})'
    elif side > MAX_BOX_RATIO * max(width, 1):
        yield f'its box is {side:.0f} pixels wide, its points {width:.0f}: the box of a body?'


def is_swapped(face: FaceRecord, markup: Markup) -> bool | None:
    """Return whether the left eye clearly lies on the right side, seen from eyes to mouth; None if this is unknown."""
    if markup.five is None or not all(face['visible'][list(group)].min() > 0 for group in markup.five):
        return None
    left, right, _, *corners = markup.five_points(face['landmarks'].astype(np.float64))
    across, down = right - left, np.mean(corners, 0) - (left + right) / 2
    return bool(across[0] * down[1] - across[1] * down[0] < SWAPPED_DISTANCE * max(float(down @ down), 1e-9))


def check_duplicates(points: NDArray, index: int, earlier: list[tuple[int, NDArray]]) -> Iterator[str]:
    """Yield whether an earlier face of the same picture has the same points; add this one to `earlier`."""
    for number, others in earlier:
        if np.abs(points - others).max() < SAME_PX:
            yield f'the same face as record {number + 1}'
            break
    earlier.append((index, points))
