"""The page of a comparison: curves, differences by subset, each face in both tests, and where they differ most."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

import numpy as np

from ..datasets.defects import short
from .baseline import even_indices
from .curves import axis_limit, ced_svg
from .page import Page, Section
from .page.axes import Axes, chart
from .page.bars import Bar, difference_chart
from .paired import Difference, FaceErrors, Pair, difference_table, letter, signed, verdict
from .tables import Row, Table

MOST_FACES = 12  # in each table of faces
MOST_DOTS = 3000
MOST_TESTS = 8  # with a curve
AXIS_QUANTILE = 0.98


def compare_page(pairs: Sequence[Pair]) -> Page:
    """Return the page of the comparisons of one test with others."""
    tests = [pairs[0].a, *(pair.b for pair in pairs)]
    names = {letter(i): f'{test.name} ({test.file})' for i, test in enumerate(tests)}
    facts: dict[str, object] = names | {
        'faces': len(tests[0].ids),
        'error': f'mean distance of the visible points over {tests[0].normaliser}, in per cent',
        'date': datetime.now().astimezone().strftime('%Y-%m-%d %H:%M %Z'),
    }
    title = f'{" and ".join(names) if len(names) == 2 else ", ".join(names)}: tests of the same faces'
    return Page(title, facts, [_verdicts(pairs), _subsets(pairs), _curves(tests), _clouds(pairs), *_extremes(pairs)])


def _verdicts(pairs: Sequence[Pair]) -> Section:
    parts = []
    for pair in pairs:
        parts.append(f'<p class="verdict">{escape(verdict(pair.differences, pair.names))}</p>')
        table = difference_table(*pair)
        parts.append(f'<div class="plain">{Table(table.columns, table.blocks).html()}</div>')
    note = (
        'The faces are the same in both tests, so the difference is taken face by face. Its 95 % interval says how far '
        'it would move with other faces of the same kind; an interval that includes 0 does not show which is better.'
    )
    return Section('verdict', 'Verdict', ''.join(parts), note)


def _subsets(pairs: Sequence[Pair]) -> Section:
    charts = []
    for pair in pairs:
        a, b = pair.names
        bars = [_bar(name, one, a, b) for name, one in pair.differences.items()]
        charts.append(
            f'<div><h3>{b} - {a}</h3>{difference_chart(bars, f"difference of the NME, {b} - {a}, in %")}</div>'
        )
    note = 'A dot left of 0 means that the second test is better. The line through it is the 95 % interval.'
    return Section('subsets', 'Difference by subset', f'<div class="charts">{"".join(charts)}</div>', note)


def _bar(name: str, one: Difference, a: str, b: str) -> Bar:
    word, kind = 'no clear difference', 'f7'
    if one.is_clear:
        word, kind = (f'{b} better', 'f3') if one.difference < 0 else (f'{a} better', 'f1')
    return Bar(f'{name}, {one.used} faces', one.difference, *one.interval, f'{signed(one.difference)} {word}', kind)


def _curves(tests: Sequence[FaceErrors]) -> Section:
    curves = {f'{letter(i)}: {short(test.name)}': test.error / 100 for i, test in enumerate(tests[:MOST_TESTS])}
    drawn = ced_svg(curves, axis_limit(np.concatenate(list(curves.values()))))
    note = 'The share of the faces with at most this error; higher is better. A face without a prediction has no error.'
    return Section('curves', 'Distribution of the errors', f'<div class="charts">{drawn}</div>', note)


def _clouds(pairs: Sequence[Pair]) -> Section:
    charts = ''.join(f'<div>{_cloud(pair)}</div>' for pair in pairs)
    note = (
        'Each dot is a face. Below the dashed line the test on the upward axis has the smaller error. Faces with an '
        'error beyond the axes are drawn at their ends.'
    )
    return Section('faces', 'Each face in both tests', f'<div class="charts">{charts}</div>', note)


def _cloud(pair: Pair) -> str:
    a, b = pair.names
    rows = _both(pair)
    if not len(rows):
        return ''
    x, y = pair.a.error[rows], pair.b.error[rows]
    end = 1.2 * float(np.quantile(np.concatenate([x, y]), AXIS_QUANTILE)) or 1.0
    axes = Axes((0.0, end), (0.0, end), f'error of {a} in %', f'error of {b} in %')
    shown = np.array(even_indices(len(rows), MOST_DOTS))
    parts = axes.frame()
    for kind, chosen in (('s3', shown[y[shown] < x[shown]]), ('s1', shown[y[shown] >= x[shown]])):
        dots = ''.join('M{:.1f},{:.1f}h0'.format(*axes.at(min(x[i], end), min(y[i], end))) for i in chosen)
        parts.append(f'<path class="cloud {kind}" d="{dots}"/>')
    parts.append(f'<path class="mark dashes" d="{axes.path(axes.x, axes.x)}"/>')
    return chart(parts, f'Errors of {b} against those of {a}')


def _both(pair: Pair) -> np.ndarray:
    """Return the faces that both tests have a prediction for."""
    return np.flatnonzero(np.isfinite(pair.a.error) & np.isfinite(pair.b.error))


def _extremes(pairs: Sequence[Pair]) -> list[Section]:
    """Return tables of the faces on which each side is better by most."""
    sections = []
    for pair in pairs:
        a, b = pair.names
        rows, gain = _both(pair), pair.b.error - pair.a.error
        order = rows[np.argsort(gain[rows], kind='stable')]
        better = [i for i in order[:MOST_FACES] if gain[i] < 0]
        worse = [i for i in order[::-1][:MOST_FACES] if gain[i] > 0]
        body = ''.join(
            f'<h3>{winner} is better by most</h3>{_faces(pair, chosen)}' for winner, chosen in ((b, better), (a, worse))
        )
        sections.append(Section(f'extremes-{b}', f'Where {a} and {b} differ most', body, 'Errors in per cent.'))
    return sections


def _faces(pair: Pair, rows: Sequence[int]) -> str:
    if not rows:
        return '<p>There is no such face.</p>'
    a, b = pair.names
    lines = [
        Row(
            short(pair.a.ids[i]),
            [float(pair.a.error[i]), float(pair.b.error[i]), signed(float(pair.b.error[i] - pair.a.error[i]))],
        )
        for i in rows
    ]
    return f'<div class="plain">{Table((a, b, f"{b} - {a}"), {"face": lines}).html()}</div>'
