"""Compare two tests of the same faces: the difference of the errors face by face, with its 95 % interval."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..datasets.defects import short
from ..datasets.records import read_text
from ..errors import DataDefect, FacelmkError
from ..metrics.bootstrap import LEVEL, RESAMPLES, Array, Interval, groups_of, interval, resampled_sums
from ..metrics.merging import name_some
from .record import PER_FACE
from .tables import ALL_FACES, Row, Table, number, range_text

MAX_ERROR = 1e9  # per cent, or pixels: more is no measurement
MAX_POINTS = 10_000  # of a face
MAX_LENGTH_DIFFERENCE = 1e-3  # of the normaliser, as a share
Names = tuple[str, str]
COLUMNS = ('id', 'error', 'points', 'length')
ADVICE = "Give two files that 'facelmk test' has written: metrics.json of the work folder, or the file of --out"


@dataclass
class FaceErrors:
    """The errors (N,) in per cent of one test's faces; infinite without a prediction."""

    file: str
    name: str
    normaliser: str
    ids: list[str]
    error: Array
    points: NDArray[np.int64]
    length: Array
    groups: NDArray[np.int64]
    subsets: Mapping[str, NDArray[np.int64]]
    headline: str | None
    by_point: bool


@dataclass
class Difference:
    """B minus A on some faces: the means, the interval of the difference, and the share of faces that B does better.

    `used` is the number of faces that both tests have a prediction for; only these count. `only_a` and `only_b` are the
    numbers of faces that one of them alone has a prediction for.
    """

    faces: int
    used: int
    a: float
    b: float
    difference: float
    interval: Interval
    better: float
    only_a: int
    only_b: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return not (math.isnan(self.interval[0]) or self.interval[0] <= 0 <= self.interval[1])

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers for json, NaN as null."""
        numbers = vars(self) | {'interval': list(self.interval)}
        plain = {key: None if isinstance(v, float) and math.isnan(v) else v for key, v in numbers.items()}
        return plain | {'interval': None if math.isnan(self.interval[0]) else list(self.interval)}


def read_errors(file: str | Path) -> FaceErrors:
    """Return the errors of the faces from the metrics.json of a test."""
    try:
        entry = json.loads(read_text(Path(file), ADVICE))
        return _face_errors(str(file), f'{entry["config"]}, {entry["checkpoint"]}', entry[PER_FACE])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        reason = f'no {error}' if isinstance(error, KeyError) else error
        raise DataDefect(f'{file} does not hold the errors of the faces ({reason}). {ADVICE}') from error


def _face_errors(file: str, name: str, columns: Mapping[str, Any]) -> FaceErrors:
    ids, error, points, length = (columns[key] for key in COLUMNS)
    picture = columns.get('picture')
    _check_columns(ids, error, points, length, np.arange(len(ids)).tolist() if picture is None else picture)
    subsets, headline = columns.get('subsets') or {}, columns.get('headline')
    for key, rows in subsets.items():
        _check_numbers(f'subset {key}', rows, 0, len(ids) - 1, int)
    if not isinstance(headline, (str, type(None))) or columns.get('average', 'point') not in ('point', 'face'):
        raise ValueError(f'headline={headline!r}, average={columns.get("average")!r}')
    return FaceErrors(
        file=file,
        name=name,
        normaliser=str(columns['normaliser']),
        ids=ids,
        error=np.array([math.inf if value is None else value for value in error], np.float64),
        points=np.array(points, np.int64),
        length=np.array(length, np.float64),
        groups=groups_of(np.arange(len(ids)) if picture is None else picture),
        subsets={key: np.array(rows, np.int64) for key, rows in subsets.items()},
        headline=headline,
        by_point=columns.get('average') != 'face',
    )


def _check_columns(ids: Any, error: Any, points: Any, length: Any, picture: Any) -> None:
    """Refuse columns that a test does not write: other lengths, other types, numbers that no face has."""
    columns = ids, error, points, length, picture
    if not all(isinstance(column, list) and column for column in columns) or len({*map(len, columns)}) > 1:
        sizes = ', '.join(str(len(column)) for column in columns)
        raise ValueError(f'{", ".join(COLUMNS)} and picture have {sizes} rows')
    if odd := [one for one in ids if not isinstance(one, str)]:
        raise ValueError(f'the id {short(repr(odd[0]))} is no text')
    measured = [i for i, value in enumerate(error) if value is not None]
    _check_numbers('error', [error[i] for i in measured], 0, MAX_ERROR)
    _check_numbers('length', [length[i] for i in measured], 0, MAX_ERROR)
    _check_numbers('points', points, 1, MAX_POINTS, int)
    _check_numbers('picture', picture, 0, math.inf, int)


def _check_numbers(name: str, values: Any, low: float, high: float, kind: Any = (int, float)) -> None:
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
            raise ValueError(f'{name} has {short(repr(value))}. Expected numbers from {low} to {high}')


def check_same_faces(a: FaceErrors, b: FaceErrors) -> None:
    """Refuse two tests of different faces, normalisers or points."""
    files = f'{a.file} and {b.file}'
    if a.normaliser != b.normaliser:
        raise FacelmkError(
            f'{files} divide their errors by different lengths: {a.normaliser!r} and {b.normaliser!r}. Test both with '
            'the same norm of NME, by --cfg-options or in the config'
        )
    if a.by_point != b.by_point:
        raise FacelmkError(f'{files} have different averages of NME: point and face. Test both with the same one')
    if a.ids != b.ids:
        only_a, only_b = (sorted(set(x.ids) - set(y.ids)) for x, y in ((a, b), (b, a)))
        listed = '; '.join(f'only in {x.file}: {name_some(ids)}' for x, ids in ((a, only_a), (b, only_b)) if ids)
        raise FacelmkError(
            f'{files} are tests of different faces, {len(a.ids)} and {len(b.ids)}. {listed or "Ids occur twice"}. '
            'Test both on the same data set, under the same name in JoinedFaces'
        )
    wrong = np.flatnonzero(a.points != b.points)
    if len(wrong):
        i = wrong[0]
        raise FacelmkError(
            f'{files} measure different points: {a.points[i]} and {b.points[i]} of face {a.ids[i]!r}. Test both in the '
            'same landmark scheme'
        )
    wrong = np.flatnonzero(np.abs(a.length - b.length) > MAX_LENGTH_DIFFERENCE * a.length)
    if len(wrong):
        i = wrong[0]
        raise FacelmkError(
            f'{files} have different annotations: {a.normaliser} of face {a.ids[i]!r} is {a.length[i]:.2f} and '
            f'{b.length[i]:.2f} pixels. Test both on the same annotation file, with the same boxes'
        )


def compare_errors(a: FaceErrors, b: FaceErrors) -> dict[str, Difference]:
    """Return the difference of two tests on all faces, or on their headline subset, and on each subset."""
    check_same_faces(a, b)
    everything = np.arange(len(a.ids))
    whole = a.subsets.get(a.headline, everything) if a.headline else everything
    rows = {a.headline or ALL_FACES: whole} | {n: r for n, r in a.subsets.items() if len(r) and n != a.headline}
    return {name: _difference(a, b, chosen) for name, chosen in rows.items()}


def _difference(a: FaceErrors, b: FaceErrors, rows: NDArray[np.int64]) -> Difference:
    has_a, has_b = np.isfinite(a.error[rows]), np.isfinite(b.error[rows])
    used = rows[has_a & has_b]
    mean_a = mean_b = better = math.nan
    limits = math.nan, math.nan
    if len(used):
        weights = a.points[used] if a.by_point else np.ones(len(used))
        errors = np.stack([a.error[used], b.error[used]], -1)
        mean_a, mean_b = (float(mean) for mean in np.average(errors, 0, weights))
        better = 100 * float(np.mean(errors[:, 1] < errors[:, 0]))
        groups = groups_of(a.groups[used])
        if groups.max() > 0:
            gain = (errors[:, 1] - errors[:, 0]) * weights
            sums = resampled_sums(np.stack([gain, weights], -1), groups)
            limits = interval(sums[:, 0] / sums[:, 1])
    only_a, only_b = int((has_a & ~has_b).sum()), int((has_b & ~has_a).sum())
    return Difference(len(rows), len(used), mean_a, mean_b, mean_b - mean_a, limits, better, only_a, only_b)


def difference_table(
    a: FaceErrors, b: FaceErrors, differences: Mapping[str, Difference], names: Names = ('A', 'B')
) -> Table:
    """Return the table of a comparison."""
    one, other = names
    found = list(differences.values())
    rows = [
        Row(f'NME of {one}', [row.a for row in found]),
        Row(f'NME of {other}', [row.b for row in found]),
        Row(f'{other} - {one}', [signed(row.difference) for row in found]),
        Row('95 % interval', [range_text(row.interval) for row in found]),
        Row(f'faces {other} is better on, in %', [row.better for row in found], digits=1),
        Row('faces', [row.used for row in found], digits=0),
    ]
    sources = f'{one}: {a.name} ({a.file})\n{other}: {b.name} ({b.file})\n'
    note = f'{sources}NME in per cent of {a.normaliser}; paired bootstrap.'
    return Table(list(differences), {'comparison': rows}, note)


def signed(value: float) -> str:
    """Return a difference as text with its sign."""
    return number(value) if math.isnan(value) else f'{value:+.2f}'


def verdict(differences: Mapping[str, Difference], names: Names = ('A', 'B')) -> str:
    """Say in words what the first difference, that of all faces, shows."""
    (a, b), (name, one) = names, next(iter(differences.items()))
    lost = _lost(a, one.only_a) + _lost(b, one.only_b)
    if not one.used:
        return f'No face has a prediction in both files, so they cannot be compared.{lost}'
    if math.isnan(one.interval[0]):
        return f'All faces come from one picture, so nothing can be said about others.{lost}'
    if one.interval == (0, 0) and one.better == 0:
        return f'{a} and {b} have the same error on each of the {one.used} faces, so neither is better.{lost}'
    limits = f'between {one.interval[0]:+.2f} and {one.interval[1]:+.2f}'
    if not one.is_clear:
        return (
            f'These {one.used} faces do not show which of {a} and {b} is better: the interval of {b} - {a} is {limits} '
            f'and includes 0 ({name}).{lost}'
        )
    better = b if one.difference < 0 else a
    return f'{better} is better: with {100 * LEVEL:g} % confidence, {b} - {a} is {limits} ({name}).{lost}'


def _lost(name: str, count: int) -> str:
    return f' {count} faces, for which only {name} has a prediction, are left out.' if count else ''


class Pair(NamedTuple):
    """A comparison of two tests; `names` are their letters."""

    a: FaceErrors
    b: FaceErrors
    differences: Mapping[str, Difference]
    names: Names


def compare_all(tests: Sequence[FaceErrors]) -> list[Pair]:
    """Return the comparison of each further test with the first one, A."""
    first, *others = tests
    return [Pair(first, other, compare_errors(first, other), ('A', letter(i))) for i, other in enumerate(others, 1)]


def letter(number: int) -> str:
    """Return the letter of a test: A, B, ..., Z, then T26."""
    return chr(ord('A') + number) if number < 26 else f'T{number}'


def comparison(
    a: FaceErrors, b: FaceErrors, differences: Mapping[str, Difference], names: Names = ('A', 'B')
) -> dict[str, Any]:
    """Return a comparison for json."""
    sources = {key: {'file': one.file, 'name': one.name} for key, one in (('a', a), ('b', b))}
    return sources | {
        'normaliser': a.normaliser,
        'bootstrap': {'level': LEVEL, 'resamples': RESAMPLES, 'groups': len(np.unique(a.groups))},
        'verdict': verdict(differences, names),
        'differences': {name: one.to_dict() | {'is_clear': one.is_clear} for name, one in differences.items()},
    }
