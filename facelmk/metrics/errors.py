"""A face's error, computed once: the mean distance of its visible points over a normaliser. All figures come of it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FacelmkError, UnknownName, did_you_mean
from ..markups import Group, Markup

Norm = str | Sequence[int]
Array = NDArray[np.float64]

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
    """`norm` itself, or a pair of point numbers as a tuple."""
    if isinstance(norm, str):
        if norm not in NORMS:
            raise UnknownName(
                f'norm={norm!r} is no normaliser. {did_you_mean(norm, NORMS)} Or give a pair of point numbers.'
            )
        return norm
    if len(norm) != 2:
        raise FacelmkError(f'norm={tuple(norm)!r}: a normaliser of your own is a pair of point numbers, (i, j)')
    return tuple(int(i) for i in norm)


def check_ends(norm: Norm, markup: Markup) -> None:
    """Refuse a normaliser whose ends the mark-up does not have."""
    if norm != 'file' and norm not in BOX_NORMS:
        _ends(norm, markup)


def describe(norm: Norm) -> str:
    """What the errors are divided by, in words."""
    return NORMS[norm] if isinstance(norm, str) else f'the distance of points {norm[0]} and {norm[1]}'


def normaliser(norm: Norm, markup: Markup, landmarks: Array, box: Array, file: Array) -> Array:
    """The length (N,) that each face's distances are divided by.

    Of landmarks (N, K, 2), boxes (N, 4) and the file's numbers (N,); NaN or 0 where a face has none.
    """
    if norm == 'file':
        return file
    if norm in BOX_NORMS:
        return BOX_NORMS[norm](box[:, 2:] - box[:, :2])
    ends = markup.means(landmarks, _ends(norm, markup))
    return np.linalg.norm(ends[:, 0] - ends[:, 1], axis=-1)


def _ends(norm: Norm, markup: Markup) -> Sequence[Group]:
    pair: Sequence[Any] = (markup.eyes or ()) if norm == 'inter_ocular' else norm
    found: Sequence[Group] = (markup.pupils or ()) if norm == 'inter_pupil' else [(i,) for i in pair]
    if not found:
        raise FacelmkError(
            f'mark-up {markup.name!r} does not say where the ends of {norm!r} are; choose norm='
            f"'box_side', 'file' or a pair of point numbers"
        )
    if max(i for end in found for i in end) >= markup.size:
        raise FacelmkError(f'norm={norm!r}: mark-up {markup.name!r} has points 0 to {markup.size - 1}')
    return found


def face_errors(landmarks: Array, truth: Array, visible: Array, length: Array) -> tuple[Array, NDArray[np.int64]]:
    """Each face's mean error over its visible points, as a share of `length`, and how many points those are.

    NaN where a face has no visible point or no length to divide by: such a face is left out.
    """
    seen = visible > 0
    distance = np.where(seen, np.linalg.norm(landmarks - truth, axis=-1), 0.0)
    count = seen.sum(-1)
    usable = (count > 0) & np.isfinite(length) & (length > 0)
    mean = distance.sum(-1) / np.maximum(count, 1) / np.where(usable, length, 1.0)
    return np.where(usable, mean, np.nan), count
