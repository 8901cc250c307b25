"""The error of a face: the mean distance of its visible points, divided by a normaliser."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FacelmkError, UnknownName, did_you_mean
from ..markups import Group, Markup

Norm = str | Sequence[int]
Array = NDArray[np.float64]

MAX_POINTS = 100_000  # of a landmark scheme
BOX_NORMS: dict[str, Callable[[Array], Array]] = {
    'box_side': lambda sides: sides.max(-1),
    'box_geo': lambda sides: np.sqrt(sides.prod(-1)),
    'box_diagonal': lambda sides: np.hypot(*sides.T),
}
NORMS = {
    'inter_ocular': 'the distance of the outer eye corners',
    'inter_pupil': 'the distance of the pupils',
    'box_side': 'the longer side of the box',
    'box_geo': 'the square root of the area of the box',
    'box_diagonal': 'the diagonal of the box',
    'file': 'the number that the annotation file gives',
}


def check_norm(norm: Norm) -> Norm:
    """Return `norm`, a pair of point indices as a tuple; raise if it is not a normaliser."""
    if isinstance(norm, str):
        if norm not in NORMS:
            raise UnknownName(
                f'norm={norm!r} is not a normaliser. {did_you_mean(norm, NORMS)} Or give a pair (i, j) of points.'
            )
        return norm
    if len(norm) != 2:
        raise FacelmkError(
            f'norm={tuple(norm)!r}. Expected a pair of point indices, (i, j), or one of {", ".join(NORMS)}'
        )
    if not all(isinstance(i, (int, np.integer)) and 0 <= i < MAX_POINTS for i in norm) or norm[0] == norm[1]:
        raise FacelmkError(f'norm={tuple(norm)!r}. Expected the indices of two different points, such as (60, 72)')
    return tuple(int(i) for i in norm)


def check_ends(norm: Norm, markup: Markup) -> None:
    """Refuse a normaliser whose end points the landmark scheme does not have."""
    if norm != 'file' and norm not in BOX_NORMS:
        _ends(norm, markup)


def describe(norm: Norm) -> str:
    """Return a description of what the errors are divided by."""
    return NORMS[norm] if isinstance(norm, str) else f'the distance of points {norm[0]} and {norm[1]}'


def normaliser(
    norm: Norm, markup: Markup, landmarks: Array, box: Array, file: Array, visible: Array | None = None
) -> Array:
    """Return the length (N,) that each face's distances are divided by.

    It comes from landmarks (N, K, 2), boxes (N, 4) or the file's numbers (N,); NaN or 0 if a face has none. An end
    at (0, 0) that is not `visible` (N, K) is a point that the file lacks: readers put it there.
    """
    if norm == 'file':
        return file
    if norm in BOX_NORMS:
        return BOX_NORMS[norm](box[:, 2:] - box[:, :2])
    groups = _ends(norm, markup)
    if all(len(group) == 1 for group in groups):
        (first,), (second,) = groups
        difference = landmarks[:, first] - landmarks[:, second]
    else:
        ends = markup.means(landmarks, groups)
        difference = ends[:, 0] - ends[:, 1]
    dx, dy = difference.T
    length = np.sqrt(dx * dx + dy * dy)
    if visible is None:
        return length
    ends_of_face = [i for group in groups for i in group]
    lacks = (landmarks[:, ends_of_face] == 0).all(-1) & ~(visible[:, ends_of_face] > 0)
    return np.where(lacks.any(-1), np.nan, length)


def _ends(norm: Norm, markup: Markup) -> Sequence[Group]:
    """Return the groups of points whose means are the two ends."""
    pair: Sequence[Any] = (markup.eyes or ()) if norm == 'inter_ocular' else norm
    ends: Sequence[Group] = (markup.pupils or ()) if norm == 'inter_pupil' else [(i,) for i in pair]
    if not ends:
        raise FacelmkError(
            f'norm={norm!r}: the landmark scheme {markup.name!r} does not define these points. Choose '
            "'box_side', 'file' or a pair of point indices"
        )
    if max(i for end in ends for i in end) >= markup.size:
        raise FacelmkError(
            f'norm={norm!r}: the landmark scheme {markup.name!r} has points 0 to {markup.size - 1}. Choose two of them'
        )
    return ends


def face_errors(landmarks: Array, truth: Array, visible: Array, length: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return each face's mean error (N,) as a share of `length`, and its number of visible points (N,).

    The error is NaN if a face has no visible point or no length to divide by: metrics leave such faces out. It is
    infinite if a visible point has no finite prediction.
    """
    is_visible = visible > 0
    distance = np.where(is_visible, point_distances(landmarks, truth), 0.0)
    count = is_visible.sum(-1)
    return normalised(distance.sum(-1), count, length), count


def normalised(total: Array, count: NDArray[np.int64], length: Array) -> Array:
    """Return mean errors (N,) from the sums of distances, the numbers of points and the normalisers, (N,) each."""
    usable = (count > 0) & np.isfinite(length) & (length > 0)
    mean = total / np.maximum(count, 1) / np.where(usable, length, 1.0)
    return np.where(usable, mean, np.nan)


def point_distances(landmarks: Array, truth: Array) -> Array:
    """Return the distance (N, K) of each point from its ground truth; infinite without a finite prediction."""
    x, y = np.moveaxis(landmarks, -1, 0)
    finite = np.isfinite(x) & np.isfinite(y)
    with np.errstate(invalid='ignore', over='ignore'):
        dx, dy = np.moveaxis(landmarks - truth, -1, 0)
        return np.where(finite, np.sqrt(dx * dx + dy * dy), np.inf)
