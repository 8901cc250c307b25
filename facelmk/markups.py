"""The landmark schemes: what the points of a face mean, as pure data. All other modules read them here.

A part is a sequence of point indices. Mirror pairs are written as two spans of indices, matched one by one.
Left and right are those of the image: the left eye is on the left side of the image.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .errors import FacelmkError, UnknownName, did_you_mean

Group = tuple[int, ...]
Weights = Mapping[int, float]  # a point as a weighted mean of other points


@dataclass(frozen=True)
class Markup:
    """A landmark scheme of `size` points.

    `pairs` are the points that swap in a mirrored image. `eyes` are the outer eye corners (left, right), whose distance
    is the inter-ocular norm. `pupils` are the points whose means are the pupils (left, right). `five` are the points
    whose means are left eye, right eye, nose tip, left and right mouth corner. `lines` are the lines of the boundary
    map, `parts` the named regions, `upper` the points of the upper half of the face. `weights` are weights of the
    points for losses that use them; by default all points weigh the same. In a scheme that joins two others, `same` are
    pairs of points that mean the same position, and `first` is the scheme whose points come first. `names` are the
    names of the points, which annotation tools call labels; the published schemes have none.
    """

    name: str
    size: int
    pairs: tuple[tuple[int, int], ...]
    eyes: tuple[int, int] | None = None
    pupils: tuple[Group, Group] | None = None
    five: tuple[Group, ...] | None = None
    parts: Mapping[str, Group] = field(default_factory=dict)
    lines: tuple[Group, ...] = ()
    upper: Group = ()
    weights: tuple[float, ...] = ()
    same: tuple[tuple[int, int], ...] = ()
    first: str | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        groups = (*self.pairs, *self.same, *self.parts.values(), *self.lines, *(self.pupils or ()), *(self.five or ()))
        indices = [i for group in groups for i in group] + [*(self.eyes or ()), *self.upper]
        if indices and not 0 <= min(indices) <= max(indices) < self.size:
            raise FacelmkError(
                f'Markup {self.name!r} has {self.size} points, but its indices are {min(indices)} to {max(indices)}. '
                f'Expected indices from 0 to {self.size - 1}.'
            )
        if len(self.weights) not in (0, self.size):
            raise FacelmkError(
                f'Markup {self.name!r} has {self.size} points, but {len(self.weights)} weights. '
                'Give one weight for each point, or none.'
            )
        if len(self.names) not in (0, self.size) or len(set(self.names)) < len(self.names):
            raise FacelmkError(
                f'Markup {self.name!r} has {self.size} points, but {len(set(self.names))} different names. Give each '
                'point a name of its own, or none.'
            )
        paired = [i for pair in self.pairs for i in pair]
        if len(paired) != len(set(paired)):
            raise FacelmkError(f'Markup {self.name!r} has a point in two mirror pairs. Each point may be in one pair.')

    def same_points(self, other: 'Markup') -> bool:
        """Whether the points of both schemes mean the same, as in 300W and COCO-WholeBody-Face."""
        return (self.size, self.pairs, self.five) == (other.size, other.pairs, other.five)

    @property
    def mirror(self) -> NDArray[np.int64]:
        """The permutation (K,) of the points of a mirrored image: mirrored = points[mirror]."""
        order = np.arange(self.size)
        for a, b in self.pairs:
            order[a], order[b] = b, a
        return order

    def means(self, points: NDArray, groups: Sequence[Group]) -> NDArray:
        """The mean point of each group, (..., len(groups), 2), of points (..., K, 2)."""
        return np.stack([points[..., list(group), :].mean(-2) for group in groups], -2)

    def five_points(self, points: NDArray) -> NDArray:
        """Left eye, right eye, nose tip, left and right mouth corner, (..., 5, 2), of points (..., K, 2)."""
        if self.five is None:
            raise FacelmkError(f'Markup {self.name!r} does not define the five points. Add five=... to it.')
        return self.means(points, self.five)


class _Markups(dict[str, Markup]):
    """The landmark schemes by name. Add your own by `MARKUPS.add(Markup(...))`."""

    def __missing__(self, name: str) -> Markup:
        raise UnknownName(
            f'markup={name!r} is no known landmark scheme. {did_you_mean(name, self)} '
            'Add your own by facelmk.markups.MARKUPS.add(Markup(...)).'
        )

    def add(self, markup: Markup) -> Markup:
        """Register `markup` under its name."""
        self[markup.name] = markup
        return markup

    def add_own(self, markup: Markup) -> Markup:
        """Register a scheme from a file of the user, which must not change one that comes with facelmk."""
        if markup.name in SHIPPED and markup != self[markup.name]:
            raise FacelmkError(
                f'the landmark scheme {markup.name!r} comes with facelmk, and this file describes another one of that '
                'name. Give it a name of its own.'
            )
        return self.add(markup)


MARKUPS = _Markups()


def span(first: int, last: int) -> Group:
    """first .. last, both included, upwards or downwards."""
    return tuple(range(first, last + 1)) if first <= last else tuple(range(first, last - 1, -1))


def _pairs(*spans: tuple[int, int, int, int]) -> tuple[tuple[int, int], ...]:
    """The mirror pairs of spans (a, b, c, d): the points a..b mirror the points c..d, one by one."""
    return tuple(pair for a, b, c, d in spans for pair in zip(span(a, b), span(c, d), strict=True))


def _lines_of(
    contour: Group, brows: Sequence[Group], eyes: Sequence[Group], nose: Sequence[Group], outer: Group, inner: Group
) -> tuple[Group, ...]:
    """The boundary lines. Each eye and lip outline is split into an upper and a lower line with common corners."""
    rings = [*eyes, outer, inner]
    halves = []
    for ring in rings:
        half = len(ring) // 2
        halves.append((ring[: half + 1], (ring[0], *reversed(ring[half:]))))
    eye_halves, lip_halves = halves[:2], halves[2:]
    eyes_lines = tuple(line for pair in eye_halves for line in pair)
    lips = (lip_halves[0][0], lip_halves[1][0], lip_halves[0][1], lip_halves[1][1])
    return (contour, *brows, *eyes_lines, *nose, *lips)


def _standard_parts(
    contour: Group, brows: Sequence[Group], nose: Group, eyes: Sequence[Group], outer: Group, inner: Group
) -> dict[str, Group]:
    """The parts of a scheme that has closed outlines of the eyes and lips."""
    return {
        'contour': contour,
        'left_brow': brows[0],
        'right_brow': brows[1],
        'nose': nose,
        'left_eye': eyes[0],
        'right_eye': eyes[1],
        'outer_lips': outer,
        'inner_lips': inner,
    }


# fmt: off
MARKUPS.add(Markup(
    'wflw', 98,
    pairs=_pairs((0, 15, 32, 17), (33, 37, 46, 42), (38, 41, 50, 47), (55, 56, 59, 58), (60, 64, 72, 68),
                 (65, 67, 75, 73), (76, 78, 82, 80), (83, 84, 87, 86), (88, 89, 92, 91), (93, 93, 95, 95),
                 (96, 96, 97, 97)),
    eyes=(60, 72), pupils=((96,), (97,)), five=((96,), (97,), (54,), (76,), (82,)),
    parts=_standard_parts(span(0, 32), (span(33, 41), span(42, 50)), span(51, 59), (span(60, 67), span(68, 75)),
                      span(76, 87), span(88, 95)) | {'pupils': (96, 97)},
    lines=_lines_of(span(0, 32), (span(33, 37), span(42, 46)), (span(60, 67), span(68, 75)),
                    (span(51, 54), span(55, 59)), span(76, 87), span(88, 95)),
    upper=(*span(0, 2), *span(30, 52), *span(60, 75), 96, 97)))

_300W = Markup(
    '300w', 68,
    pairs=_pairs((0, 7, 16, 9), (17, 21, 26, 22), (31, 32, 35, 34), (36, 39, 45, 42), (40, 41, 47, 46),
                 (48, 50, 54, 52), (55, 56, 59, 58), (60, 61, 64, 63), (65, 65, 67, 67)),
    eyes=(36, 45), pupils=(span(36, 41), span(42, 47)),
    five=((37, 38, 40, 41), (43, 44, 46, 47), (30,), (48,), (54,)),
    parts=_standard_parts(span(0, 16), (span(17, 21), span(22, 26)), span(27, 35), (span(36, 41), span(42, 47)),
                      span(48, 59), span(60, 67)),
    lines=_lines_of(span(0, 16), (span(17, 21), span(22, 26)), (span(36, 41), span(42, 47)),
                    (span(27, 30), span(31, 35)), span(48, 59), span(60, 67)),
    upper=(0, 1, 15, *span(16, 28), *span(36, 47)))
_SCHEMES_OF_68 = ('300w', '300wlp', 'coco_wholebody_face')
for _name in _SCHEMES_OF_68:
    MARKUPS.add(replace(_300W, name=_name))

MARKUPS.add(Markup(
    'cofw', 29,
    pairs=_pairs((0, 0, 1, 1), (2, 2, 3, 3), (4, 5, 6, 7), (8, 8, 9, 9), (10, 10, 11, 11), (12, 13, 14, 15),
                 (16, 16, 17, 17), (18, 18, 19, 19), (22, 22, 23, 23)),
    eyes=(8, 9), pupils=((16,), (17,)), five=((16,), (17,), (20,), (22,), (23,)),
    parts={'left_brow': (0, 4, 2, 5), 'right_brow': (1, 6, 3, 7), 'left_eye': (8, 12, 10, 13),
           'right_eye': (9, 14, 11, 15), 'pupils': (16, 17), 'nose': (18, 19, 20, 21),
           'lips': (22, 23, 24, 25, 26, 27), 'chin': (28,)},
    lines=((0, 4, 2), (0, 5, 2), (3, 6, 1), (3, 7, 1), (8, 12, 10), (8, 13, 10), (11, 14, 9), (11, 15, 9),
           (18, 21, 19), (22, 24, 23), (22, 25, 23), (22, 26, 23), (22, 27, 23)), upper=span(0, 17)))

MARKUPS.add(Markup(
    'aflw', 19,
    pairs=_pairs((0, 2, 5, 3), (6, 8, 11, 9), (12, 12, 14, 14), (15, 15, 17, 17)),
    eyes=(6, 11), pupils=((7,), (10,)), five=((7,), (10,), (13,), (15,), (17,)),
    parts={'left_brow': (0, 1, 2), 'right_brow': (3, 4, 5), 'left_eye': (6, 7, 8), 'right_eye': (9, 10, 11),
           'nose': (12, 13, 14), 'lips': (15, 16, 17), 'chin': (18,)},
    lines=((0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11), (12, 13, 14), (15, 16, 17)), upper=span(0, 11)))

MARKUPS.add(Markup(
    'lapa', 106,
    pairs=_pairs((0, 15, 32, 17), (33, 37, 46, 42), (38, 41, 50, 47), (55, 59, 65, 61), (66, 70, 79, 75),
                 (71, 73, 82, 80), (74, 74, 83, 83), (84, 86, 90, 88), (91, 92, 95, 94), (96, 97, 100, 99),
                 (101, 101, 103, 103), (104, 104, 105, 105)),
    eyes=(66, 79), pupils=((104,), (105,)), five=((104,), (105,), (54,), (84,), (90,)),
    parts=_standard_parts(span(0, 32), (span(33, 41), span(42, 50)), span(51, 65), (span(66, 73), span(75, 82)),
                      span(84, 95), span(96, 103)) | {'pupils': (74, 83, 104, 105)},
    lines=_lines_of(span(0, 32), (span(33, 37), span(42, 46)), (span(66, 73), span(75, 82)),
                    (span(51, 54), span(58, 62)), span(84, 95), span(96, 103)),
    upper=(*span(0, 2), *span(30, 52), 55, *span(65, 83), 104, 105),
    # MMPose's weights: contour .8, outlines of the eyes 2, lips 1.5
    weights=(.8,) * 33 + (1.,) * 33 + (2.,) * 8 + (1.,) + (2.,) * 8 + (1.,) + (1.5,) * 20 + (1.,) * 2))

MARKUPS.add(Markup(
    'five', 5, pairs=((0, 1), (3, 4)), eyes=(0, 1), pupils=((0,), (1,)), five=((0,), (1,), (2,), (3,), (4,)),
    parts={'eyes': (0, 1), 'nose': (2,), 'lips': (3, 4)}, lines=((0, 2, 1), (3, 2, 4)),
    upper=(0, 1)))
# fmt: on


def _spans(*rows: tuple[int, int, int]) -> dict[int, Weights]:
    """Rows (target, first, last): the source points first..last become the points from `target` on, unchanged."""
    return {target + i: {source: 1.0} for target, first, last in rows for i, source in enumerate(span(first, last))}


def _mean(a: int, b: int) -> Weights:
    return {a: 0.5, b: 0.5}


# fmt: off
_98_TO_68 = {i: {2 * i: 1.} for i in range(17)} | _spans(
    (17, 33, 37), (22, 42, 46), (27, 51, 59), (36, 60, 61), (38, 63, 65), (41, 67, 67), (42, 68, 69), (44, 71, 73),
    (47, 75, 75), (48, 76, 95))
_68_TO_106 = ({2 * i: {i: 1.} for i in range(17)}
              | _spans((33, 17, 21), (42, 22, 26), (51, 27, 30), (58, 31, 35), (84, 48, 67), (66, 36, 36), (70, 39, 39),
                       (75, 42, 42), (79, 45, 45))
              | {68: _mean(37, 38), 72: _mean(40, 41), 77: _mean(43, 44), 81: _mean(46, 47)})
_98_TO_106 = _spans((0, 0, 54), (58, 55, 59), (66, 60, 67), (75, 68, 75), (84, 76, 95), (104, 96, 97))
_29_TO_106 = {33: 0, 46: 1, 37: 2, 42: 3, 35: 4, 40: 5, 44: 6, 48: 7, 66: 8, 79: 9, 70: 10, 75: 11, 68: 12, 72: 13,
              77: 14, 81: 15, 104: 16, 105: 17, 57: 18, 63: 19, 54: 20, 60: 21, 84: 22, 90: 23, 87: 24, 98: 25,
              102: 26, 93: 27, 16: 28}
# fmt: on
_JOINED = 'wflw_300w'


def _join_98_and_68() -> Markup:
    """WFLW's 98 points, then 300W's 68, for a network that learns from data sets of both schemes.

    The inter-ocular and inter-pupil norms are those of the 68. Points on the eyelids are not in `same`: between the
    corners, WFLW places three points on each lid and 300W two.
    """
    first, second = MARKUPS['wflw'], MARKUPS['300w']
    eyelids = {37, 38, 40, 41, 43, 44, 46, 47}

    def shift(points: Group) -> Group:
        return tuple(first.size + i for i in points)

    return replace(
        first,
        name=_JOINED,
        first=first.name,
        size=first.size + second.size,
        pairs=first.pairs + tuple((first.size + a, first.size + b) for a, b in second.pairs),
        eyes=(first.size + second.eyes[0], first.size + second.eyes[1]) if second.eyes else None,
        pupils=(shift(second.pupils[0]), shift(second.pupils[1])) if second.pupils else None,
        parts={name: part + shift(second.parts.get(name, ())) for name, part in first.parts.items()},
        lines=first.lines + tuple(map(shift, second.lines)),
        upper=first.upper + shift(second.upper),
        same=tuple((a, first.size + b) for b, only in _98_TO_68.items() if b not in eyelids for a in only),
    )


MARKUPS.add(_join_98_and_68())
SHIPPED = frozenset(MARKUPS)  # the names of the schemes that come with facelmk
_TO_FIVE = {
    name: {i: {j: 1 / len(group) for j in group} for i, group in enumerate(markup.five)}
    for name, markup in MARKUPS.items()
    if markup.five and name != 'five'
}
MAPS: dict[tuple[str, str], Mapping[int, Weights]] = (  # from one scheme to another
    {('wflw', name): _98_TO_68 for name in _SCHEMES_OF_68}
    | {(name, 'lapa'): _68_TO_106 for name in _SCHEMES_OF_68}
    | {(a, b): _spans((0, 0, 67)) for a in _SCHEMES_OF_68 for b in _SCHEMES_OF_68 if a != b}
    | {('wflw', 'lapa'): _98_TO_106, ('cofw', 'lapa'): {i: {j: 1.0} for i, j in _29_TO_106.items()}}
    | {pair: _spans((0, 0, 97)) for pair in (('wflw', _JOINED), (_JOINED, 'wflw'))}
    | {(name, _JOINED): _spans((98, 0, 67)) for name in _SCHEMES_OF_68}
    | {(_JOINED, name): _spans((0, 98, 165)) for name in _SCHEMES_OF_68}
    | {(name, 'five'): weights for name, weights in _TO_FIVE.items()}
)


def convert(points: NDArray, visible: NDArray, source: str, target: str) -> tuple[NDArray, NDArray]:
    """Convert points (K, 2) and visible (K,) to another scheme; points without a source are (0, 0) and invisible."""
    if source == target:
        return points, visible
    if (source, target) not in MAPS:
        known = sorted(b for a, b in MAPS if a == source)
        raise UnknownName(f'No map from markup {source!r} to {target!r}. Known targets: {", ".join(known) or "none"}.')
    if (chosen := _selection(source, target)) is not None:
        return points[chosen], visible[chosen]
    weights, used = _matrices(source, target)
    all_visible = np.where(used, visible, 1).min(-1) * used.any(-1)
    return (weights @ points).astype(points.dtype), all_visible.astype(visible.dtype)


@functools.cache
def _selection(source: str, target: str) -> NDArray[np.int64] | None:
    """The source (targets,) of each target, if each one is a point of the source as it is; else None."""
    weights = MAPS[source, target]
    if len(weights) < MARKUPS[target].size or any(list(each.values()) != [1.0] for each in weights.values()):
        return None
    return np.array([next(iter(weights[i])) for i in range(len(weights))])


@functools.cache
def _matrices(source: str, target: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A map as a matrix of weights (targets, sources), and which sources each target uses (targets, sources)."""
    matrix = np.zeros((MARKUPS[target].size, MARKUPS[source].size))
    for i, weights in MAPS[source, target].items():
        matrix[i, list(weights)] = list(weights.values())
    return matrix, matrix != 0
