"""KeypointConverter: which points of one landmark scheme become which of another."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...markups import MAPS, MARKUPS, convert
from .reading import Part

Conversion = tuple[NDArray[np.float64], NDArray[np.bool_]]  # points (K, 2), and which of them have a source

COFW_TO_LAPA = {  # of MMPose's face6 configs; ten of COFW's points become other points of the face
    33: 0,
    38: 2,
    35: 4,
    40: 5,
    46: 1,
    50: 3,
    44: 6,
    48: 7,
    64: 10,
    62: 12,
    66: 13,
    72: 9,
    68: 11,
    70: 14,
    74: 15,
    57: 18,
    63: 19,
    54: 20,
    60: 21,
    84: 22,
    90: 23,
    87: 24,
    98: 25,
    102: 26,
    93: 27,
    16: 28,
}
log = logging.getLogger(__name__)


def check_mapping(step: Part, source: str, target: str, first: int = 0) -> None:
    """Refuse a step that converts other points than JoinedFaces does; `first` is the index of the source's point 0."""
    if step.kind() != 'KeypointConverter':
        step.refuse_kind('Expected KeypointConverter')
    step.exactly('num_keypoints', MARKUPS[target].size)
    if source != target and (source, target) not in MAPS:
        step.refuse('mapping', f'landmark schemes that can be converted; {source} to {target} cannot')
    points = np.random.default_rng(0).uniform(0, 1, (MARKUPS[source].size, 2))
    theirs = _convert(points, step.get('mapping'), target, first)
    converted, visible = convert(points, np.ones(len(points)), source, target)
    if _equal(theirs, (converted, visible > 0)):
        return
    if (source, target) == ('cofw', 'lapa') and _equal(
        theirs, _convert(points, [(i, j) for j, i in COFW_TO_LAPA.items()], target, 0)
    ):
        log.warning(
            "%s: MMPose gives LaPa's points to other points of COFW, such as the corner of an eye to one of the nose. "
            'Each point of COFW is joined with the same point of LaPa here',
            step.place,
        )
        return
    step.refuse('mapping', f'the mapping of facelmk.markups from {source} to {target}')


def _equal(a: Conversion, b: Conversion) -> bool:
    return np.array_equal(a[1], b[1]) and np.allclose(a[0][a[1]], b[0][b[1]])


def _convert(points: NDArray[np.float64], mapping: Any, target: str, first: int) -> Conversion:
    """The points that a mapping of MMPose makes: pairs of a source, or of two whose mean counts, and a target."""
    converted, visible = np.zeros((MARKUPS[target].size, 2)), np.zeros(MARKUPS[target].size, bool)
    for sources, to in mapping:
        indices = np.asarray(sources).reshape(-1) - first
        converted[to], visible[to] = points[indices].mean(0), True
    return converted, visible
