"""What a data set looks like in numbers: sizes, poses, boxes, missing points, swapped sides, copied pictures."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FacelmkError
from ...files.progress import track
from ...geometry import overlaps
from ...markups import Markup
from ..base import FaceDataset
from ..images.decode import read_file
from ..records import is_valid, tight_boxes
from .check_points import is_swapped

Array = NDArray[np.float64]
Digests = dict[str, str | None]  # the hashes of pictures by path; None for those that cannot be read
PERCENTILES = (0, 5, 50, 95, 100)
TURNED = 0.33  # share of the eyes' distance by which the nose tip lies off the middle of a turned face
ROLLED = 30.0  # degrees
TIGHT = 0.97  # overlap of boxes that are the tight ones
BETTER = 0.5  # a swap of left and right that makes the misfit so many times smaller
MIN_FIT_FACES = 5  # for a mean shape
SHOWN = 5


def statistics(dataset: FaceDataset, known: Digests | None = None) -> dict[str, Any]:
    """Return the numbers of a data set; an entry is missing where the landmark scheme cannot say it."""
    faces = [face for face in map(dataset.face, range(len(dataset))) if is_valid(face)]
    if not faces:
        raise FacelmkError('the data set has no valid face. `facelmk data check` lists what is wrong')
    markup = dataset.markup
    points = np.stack([face['landmarks'] for face in faces]).astype(np.float64)
    visible = np.stack([face['visible'] for face in faces]) > 0
    boxes = np.stack([face['box'] for face in faces]).astype(np.float64)
    tight = tight_boxes(points, visible.astype(np.float64))
    result: dict[str, Any] = {
        'faces': len(dataset),
        'valid': len(faces),
        'points': markup.size,
        'scheme': markup.name,
        **_pictures(faces, known),
        'size_px': _percentiles(np.ptp(tight.reshape(-1, 2, 2), 1).max(-1)),
        'box': _boxes(boxes, tight),
        'visible': _visibility(visible, markup),
        **_pose(points, visible, markup),
        **_sides(faces, points, visible, markup),
    }
    tags = Counter(tag for face in faces for tag in face['tags'])
    return result | ({'subsets': dict(tags)} if tags else {})


def _pictures(faces: Sequence[Mapping[str, Any]], known: Digests | None) -> dict[str, Any]:
    """Return the number of pictures, the most faces of one, and those with the content of another."""
    counts = Counter(str(face.get('path') or face['id']) for face in faces)
    copies = [paths for paths in contents(counts, known).values() if len(paths) > 1]
    return {
        'pictures': len(counts),
        'most_faces_in_a_picture': max(counts.values()),
        'copied_pictures': sum(len(paths) - 1 for paths in copies),
        'copies': [sorted(paths) for paths in copies[:SHOWN]],
    }


def contents(paths: Iterable[str], known: Digests | None = None) -> dict[str, list[str]]:
    """Return the paths of pictures by the hash of their content, without unreadable ones; `known` keeps the hashes."""
    known = {} if known is None else known
    found: dict[str, list[str]] = defaultdict(list)
    for path in track(list(paths), 'comparing pictures', unit='pictures/s'):
        if path not in known:
            known[path] = _digest(path)
        if (digest := known[path]) is not None:
            found[digest].append(path)
    return found


def _digest(path: str) -> str | None:
    try:
        return hashlib.blake2b(read_file(path), digest_size=16).hexdigest()
    except FacelmkError:
        return None


def _percentiles(values: Array, digits: int = 1) -> dict[str, float]:
    """Return some percentiles of numbers (N,), by their names."""
    names = {0: 'least', 50: 'median', 100: 'most'}
    found = np.percentile(values, PERCENTILES).round(digits).tolist()
    return {names.get(p, f'p{p}'): value for p, value in zip(PERCENTILES, found, strict=True)}


def _boxes(boxes: Array, tight: Array) -> dict[str, Any]:
    """Return how boxes lie to the tight ones: the ratio of their sides, and the shift of their centres, in sides."""
    sides = [np.ptp(some.reshape(-1, 2, 2), 1) for some in (boxes, tight)]
    longer = np.maximum(sides[1].max(-1), 1e-9)
    shift = ((boxes[:, :2] + boxes[:, 2:]) - (tight[:, :2] + tight[:, 2:])) / 2 / longer[:, None]
    same = np.array([overlaps(box[None], other[None])[0, 0] for box, other in zip(boxes, tight, strict=True)])
    return {
        'rule': 'tight around the points' if np.median(same) > TIGHT else 'of its own',
        'side_to_points': _percentiles(sides[0].max(-1) / longer, 2),
        'shift_right': round(float(np.median(shift[:, 0])), 3) + 0.0,  # + 0.0: no minus before a zero
        'shift_down': round(float(np.median(shift[:, 1])), 3) + 0.0,
        'square': round(float(np.mean(np.abs(np.subtract(*sides[0].T)) < 1)), 3),
    }


def _visibility(visible: NDArray[np.bool_], markup: Markup) -> dict[str, Any]:
    """Return the share of annotated points, and the points that are missing most often."""
    missing = 1 - visible.mean(0)
    often = [i for i in np.argsort(-missing, kind='stable')[:SHOWN] if missing[i] > 0]
    names = markup.names or tuple(map(str, range(markup.size)))
    return {
        'share': round(float(visible.mean()), 4),
        'faces_that_lack_points': int((~visible.all(1)).sum()),
        'missing_most_often': {names[i]: round(float(missing[i]), 3) for i in often},
    }


def _pose(points: Array, visible: NDArray[np.bool_], markup: Markup) -> dict[str, Any]:
    """Return roll in degrees, clockwise, and how far faces are turned, from the five points."""
    if markup.five is None:
        return {}
    known = visible[:, [i for group in markup.five for i in group]].all(1)
    if not known.any():
        return {}
    left, right, nose = np.moveaxis(markup.five_points(points[known]), -2, 0)[:3]
    across = right - left
    length = np.maximum((across**2).sum(-1), 1e-9)
    roll = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
    turn = ((nose - (left + right) / 2) * across).sum(-1) / length
    shares = {'left': turn < -TURNED, 'frontal': np.abs(turn) <= TURNED, 'right': turn > TURNED}
    return {
        'roll_degrees': _percentiles(roll),
        'rolled_more_than_30_degrees': int((np.abs(roll) > ROLLED).sum()),
        'turned': {name: int(faces.sum()) for name, faces in shares.items()},
    }


def _sides(
    faces: Sequence[Mapping[str, Any]], points: Array, visible: NDArray[np.bool_], markup: Markup
) -> dict[str, Any]:
    """Return the faces whose left and right points seem to have changed places."""
    if not markup.pairs:
        return {}
    by_eyes = {i for i, face in enumerate(faces) if is_swapped(dict(face), markup)}
    by_shape = set(swapped_by_shape(points, visible, markup))
    swapped = sorted(by_eyes | by_shape)
    return {'swapped_sides': len(swapped), 'swapped': [str(faces[i]['id']) for i in swapped[:SHOWN]]}


def swapped_by_shape(points: Array, visible: NDArray[np.bool_], markup: Markup) -> list[int]:
    """Return the faces that fit the mean shape far better if left and right points change places.

    Only faces with all points are compared. If most faces are swapped, so is the mean shape, and `is_swapped` finds
    them by their eyes.
    """
    rows = np.flatnonzero(visible.all(1))
    if len(rows) < MIN_FIT_FACES:
        return []
    shapes = [_normalised(points[i]) for i in rows]
    mean = shapes[0]
    for _ in range(3):
        mean = _normalised(np.median([_align(shape, mean) for shape in shapes], 0))
    mirror = markup.mirror
    as_it_is = np.array([_misfit(shape, mean) for shape in shapes])
    exchanged = np.array([_misfit(shape[mirror], mean) for shape in shapes])
    return rows[exchanged < BETTER * as_it_is].tolist()


def _normalised(points: Array) -> Array:
    centred = points - points.mean(0)
    return centred / max(float(np.linalg.norm(centred)), 1e-9)


def _align(shape: Array, target: Array) -> Array:
    """Return a normalised shape (K, 2), turned and scaled to fit another one, without mirroring it."""
    a = float((shape * target).sum())
    b = float((shape[:, 0] * target[:, 1] - shape[:, 1] * target[:, 0]).sum())
    return shape @ np.array([[a, b], [-b, a]])


def _misfit(shape: Array, mean: Array) -> float:
    return float(np.linalg.norm(_align(shape, mean) - mean))


def shared_contents(paths: Mapping[str, Iterable[str]], known: Digests | None = None) -> list[str]:
    """Return a sentence for each two parts that share pictures, by their content."""
    hashes = {name: contents(dict.fromkeys(some), known) for name, some in paths.items()}
    names = list(hashes)
    notes = []
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            common = sorted(hashes[first].keys() & hashes[second].keys())
            if common:
                example = Path(hashes[second][common[0]][0])
                notes.append(f'{len(common)} pictures of {second} are in {first}, too, such as {example}')
    return notes
