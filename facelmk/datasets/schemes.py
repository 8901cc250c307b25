"""Which landmark scheme the points of a file have: a known one, by their number and positions, or one of its own."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import FacelmkError, UnknownName, did_you_mean
from ..markups import MARKUPS, SHIPPED, Markup
from .point_names import are_numbers, eyes_of, pairs_of, read_pairs

USUAL = {98: 'wflw', 68: '300w', 29: 'cofw', 19: 'aflw', 106: 'lapa', 5: 'five'}  # landmark scheme by number of points
MIN_SHARE = 0.6  # of the faces whose points lie as those of a scheme, for a file of that scheme
NO_NAMES = {'annotations', 'labels', 'default', 'result', 'export', 'train', 'training', 'val', 'valid', 'test'}
MIN_IN_ORDER = 0.8  # of the mirror pairs
MAX_FACES = 200  # whose points are looked at


class Points(NamedTuple):
    """What a file says of its points: their number, names and skeleton, and those of some faces (N, K, 2)."""

    size: int
    names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    faces: NDArray[np.float64] | None = None
    visible: NDArray[np.float64] | None = None


def find_scheme(points: Points, path: object, flip_pairs: str | None = None) -> Markup:
    """Return the landmark scheme of a file: a known one, else one made from the names of its points."""
    if points.size < 2:
        raise FacelmkError(f'{path} has {points.size} points in each face. Expected at least 2')
    known = known_scheme(points.size)
    if known is not None and flip_pairs is None and (not has_names(points) or lie_as(points, MARKUPS[known])):
        return MARKUPS[known]
    return own_scheme(points, path, flip_pairs)


def known_scheme(size: int) -> str | None:
    """Return the usual one of the landmark schemes with this number of points that come with facelmk."""
    return USUAL.get(size) or next((name for name in MARKUPS if name in SHIPPED and MARKUPS[name].size == size), None)


def has_names(points: Points) -> bool:
    """Whether the names of the points say what they mean, more than a number does."""
    return bool(points.names) and not are_numbers(points.names)


def check_scheme(points: Points, path: object, name: str) -> Markup:
    """Return the landmark scheme of that name; raise one error that names the right one if it has other points."""
    if name not in MARKUPS:
        raise UnknownName(f'--markup {name}: no such landmark scheme. {did_you_mean(name, MARKUPS)}')
    scheme = MARKUPS[name]
    if scheme.size != points.size:
        raise FacelmkError(
            f'{path} has {points.size} points in each face; --markup {name} has {scheme.size}. {_right_one(points)}'
        )
    return scheme


def _right_one(points: Points) -> str:
    """Return what to write instead of a landmark scheme with another number of points."""
    known = known_scheme(points.size)
    if known is None:
        return 'No scheme that comes with facelmk has this number: leave --markup out, and the file describes its own'
    return f'Write --markup {known}, or leave it out'


@np.errstate(all='ignore')  # of points that are no numbers, which the reader will refuse
def lie_as(points: Points, markup: Markup) -> bool:
    """Whether eyes, nose and mouth lie as in a face, if the points have the meaning of this scheme."""
    if points.faces is None or markup.five is None or not len(points.faces):
        return True
    faces = points.faces[:MAX_FACES]
    groups = [i for group in markup.five for i in group]
    seen = np.ones(len(faces), bool) if points.visible is None else (points.visible[:MAX_FACES, groups] > 0).all(1)
    if not seen.any():
        return not has_names(points)
    left, right, nose, *corners = np.moveaxis(markup.five_points(faces[seen]), -2, 0)
    eyes, mouth = (left + right) / 2, (corners[0] + corners[1]) / 2
    down = mouth - eyes
    length = np.maximum((down**2).sum(-1), 1e-9)
    along = ((nose - eyes) * down).sum(-1) / length  # 0 at the eyes, 1 at the mouth
    across = ((right - left) * down).sum(-1) / length  # 0 if the line of the eyes is at a right angle to `down`
    wide = right - left
    width = (wide[:, 0] * down[:, 1] - wide[:, 1] * down[:, 0]) / length  # below 0 if left and right are exchanged
    corner = np.abs(((corners[1] - corners[0]) * down).sum(-1)) / length
    good = (along > 0) & (along < 1.2) & (np.abs(across) < 0.8) & (corner < 0.8) & (width > 0.02) & (width < 3)
    good &= _pairs_in_order(faces[seen], wide, markup) > MIN_IN_ORDER
    return bool(good.mean() >= MIN_SHARE)


def _pairs_in_order(faces: NDArray, wide: NDArray, markup: Markup) -> NDArray[np.float64]:
    """Return the share (N,) of the mirror pairs whose points lie as the left and the right eye do."""
    left, right = np.array(markup.pairs).T
    return (((faces[:, right] - faces[:, left]) * wide[:, None]).sum(-1) > 0).mean(-1)


def own_scheme(points: Points, path: object, flip_pairs: str | None = None) -> Markup:
    """Return a landmark scheme of the file's own: mirror pairs and eyes come from the names of the points."""
    names = points.names if has_names(points) else ()
    labels = points.names or tuple(map(str, range(points.size)))
    pairs = pairs_of(names, path) if flip_pairs is None else read_pairs(flip_pairs, labels, points.size)
    lines = tuple(line for line in points.skeleton if max(line) < points.size)
    eyes: dict[str, Any] = (
        {key: _left_first(ends, points) for key, ends in eyes_of(names, pairs).items()} if names else {}
    )
    return Markup(scheme_name(path, points.size), points.size, pairs, lines=lines, names=points.names, **eyes)


def _left_first(ends: Sequence[Any], points: Points) -> tuple:
    """Return the left and the right eye as they lie in the image; names may mean the sides of the person."""
    first, second = (list(end) if isinstance(end, tuple) else [end] for end in ends)
    if points.faces is None or not len(points.faces):
        return tuple(ends)
    seen = np.ones(len(points.faces), bool)
    if points.visible is not None:
        seen = (points.visible[:, first + second] > 0).all(1)
    to_right = (points.faces[seen][:, second, 0] - points.faces[seen][:, first, 0]).mean(1)
    return tuple(ends) if not seen.any() or np.median(to_right) >= 0 else tuple(ends)[::-1]


def scheme_name(path: object, size: int) -> str:
    """Return the name of a scheme of a file's own: that of the file, or of its folder if the file's says nothing."""
    parts = [part for part in Path(str(path)).absolute().parts[1:] if part] or ['own']
    stems = [*parts[:-1], re.sub(r'\.[A-Za-z]+$', '', parts[-1])]
    words = [re.sub(r'\W+', '_', stem).strip('_').lower() for stem in stems]
    word = next((word for word in reversed(words) if word and not set(word.split('_')) <= NO_NAMES), 'own')
    return f'{word}_{size}'


def describe(markup: Markup) -> str:
    """Return a landmark scheme in words, for one line."""
    if markup.name in SHIPPED:
        same = [name for name in MARKUPS if name in SHIPPED and MARKUPS[name].same_points(markup)]
        others = f' (the same points as {", ".join(name for name in same if name != markup.name)})' if same[1:] else ''
        return f'{markup.name}, {markup.size} points{others}'
    pairs = f'{len(markup.pairs)} mirror pairs' if markup.pairs else 'no mirror pairs, so no face is mirrored'
    named = ', '.join(markup.names[:3]) + (', ...' if markup.size > 3 else '')
    names = f' ({named})' if markup.names else ''
    return f'a scheme of its own, {markup.size} points{names}, {pairs}'


def normaliser_of(markup: Markup) -> str:
    """Return the normaliser of the error: the distance of the eyes where the scheme has them, else the box."""
    if markup.eyes is not None:
        return 'inter_ocular'
    return 'inter_pupil' if markup.pupils is not None else 'box_side'
