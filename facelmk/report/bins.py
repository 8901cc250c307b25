"""The error against properties of a face, and what a calibrated model expected against what was measured."""

import math
from collections.abc import Sequence

import numpy as np

from ..metrics.calibration import Bin, calibration_error, reliability
from .collect import Array, Results
from .page import Section
from .page.bars import Bar, bar_chart
from .page.lines import Line, line_chart

GROUPS = 4  # of equally many faces
FEWEST = 20  # faces; fewer show nothing
SCORE_THRESHOLD = 0.1


def error_by_property(results: Results) -> Section | None:
    """Return bars of the error by the size, the tilt and the turn of the face; None for fewer than FEWEST faces."""
    rows = results.rows_of(results.headline)
    rows = rows[np.isfinite(results.error[rows])]
    if len(rows) < FEWEST:
        return None
    charts = [_chart(name, unit, values[rows], results.error[rows]) for name, unit, values in _properties(results)]
    note = (
        'The faces in four groups of equal size, from the smallest value of a property to its largest. A bar is the '
        'median error, its line goes from the first to the third quartile.'
    )
    return Section('properties', 'Error by size and pose', f'<div class="charts">{"".join(charts)}</div>', note)


def _properties(results: Results) -> list[tuple[str, str, Array]]:
    """Return names, units and values (N,) of properties that the annotations give."""
    side = (results.box[:, 2:] - results.box[:, :2]).max(-1)
    found = [('side of the box', 'px', side)]
    if results.markup.eyes is not None:
        across = np.diff(results.truth[:, list(results.markup.eyes)], axis=1)[:, 0]
        tilt = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
        found.append(('tilt of the line of the eyes', '°', _seen(results, results.markup.eyes, np.abs(tilt))))
    if results.markup.five is not None:
        five = results.markup.five_points(results.truth)
        across = five[:, 1] - five[:, 0]
        distance = np.maximum((across**2).sum(-1), 1e-9)
        turn = ((five[:, 2] - (five[:, 0] + five[:, 1]) / 2) * across).sum(-1) / distance
        needed = [i for group in results.markup.five[:3] for i in group]
        found.append(('nose tip beside the middle of the eyes', '%', _seen(results, needed, 100 * np.abs(turn))))
    return found


def _seen(results: Results, points: Sequence[int], values: Array) -> Array:
    """Return values (N,), NaN for faces on which one of the points is not visible."""
    return np.where((results.visible[:, list(points)] > 0).all(-1), values, np.nan)


def _chart(name: str, unit: str, values: Array, error: Array) -> str:
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < FEWEST:
        return ''
    bars = []
    for group in np.array_split(known[np.argsort(values[known], kind='stable')], GROUPS):
        low, middle, high = 100 * np.quantile(error[group], [0.25, 0.5, 0.75])
        title = f'{values[group].min():.0f} to {values[group].max():.0f} {unit}'
        bars.append(Bar(title, float(middle), float(low), float(high), f'{middle:.2f}'))
    where = ' in % of their distance' if unit == '%' else ''
    return f'<div><h3>{name.capitalize()}{where}</h3>{bar_chart(bars, "median error in %", reference=False)}</div>'


def reliability_charts(results: Results) -> Section | None:
    """Return what was expected against what was measured; None for a model without a calibration."""
    rows = [i for i in results.rows_of(results.headline) if _is_calibrated(results, int(i))]
    if len(rows) < FEWEST:
        return None
    expected = np.stack([np.asarray(results.expected[i], np.float64) for i in rows])
    measured = np.linalg.norm(results.landmarks[rows] - results.truth[rows], axis=-1)
    seen = (results.visible[rows] > 0) & np.isfinite(expected)
    score = np.array([results.score[i] for i in rows], np.float64)
    good = (results.error[rows] < SCORE_THRESHOLD).astype(np.float64)
    good_name = f'faces with an error below {SCORE_THRESHOLD:.0%}'
    charts = [
        _reliability('Landmarks', reliability(expected[seen], measured[seen]), 'expected in px', 'measured in px'),
        _reliability('Scores of faces', reliability(score, good, 5), 'score', good_name),
    ]
    note = (
        'What the calibration of the model expected, in groups of equally many values, against what was measured. On '
        'the dashed line both are the same. Pixels are those of the photograph.'
    )
    return Section('calibration', 'Calibration', f'<div class="charts">{"".join(charts)}</div>', note)


def _is_calibrated(results: Results, row: int) -> bool:
    return bool(results.expected) and results.expected[row] is not None and math.isfinite(results.error[row])


def _reliability(title: str, rows: Sequence[Bin], across: str, up: str) -> str:
    line = Line('measured', [row.expected for row in rows], [row.measured for row in rows])
    words = f'{title}: mean distance from the dashed line {calibration_error(rows):.3f}'
    return f'<div><h3>{words}</h3>{line_chart([line], across, up, equal=True)}</div>'
