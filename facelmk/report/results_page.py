"""The report of a test: its sections, from the table to the pictures of faces."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

import numpy as np

from ..metrics import AUC, ErrorMetric, FailureRate
from .baseline import mean_face
from .bins import error_by_property, reliability_charts
from .collect import Results, full_name
from .curves import axis_limit, ced_svg, histogram_svg
from .face_map import map_html, part_table
from .gallery import Gallery
from .logs import Log
from .page import Page, Section
from .page.bars import Bar, bar_chart
from .study import Study
from .tables import Row, Table, number
from .training_page import curves_section

GALLERY_SIZE = 12  # faces
MOST_CURVES = 8


def results_page(
    entry: Mapping[str, Any],
    table: Table,
    results: Results,
    gallery: Gallery,
    data: str = '',
    baseline: Any = None,
    studies: Sequence[Study] = (),
    log: Log | None = None,
) -> Page:
    """Return the report of a test.

    `entry` is the content of metrics.json, `data` describes the test set, `baseline` the errors (N,) of the baseline,
    `log` is that of the training.
    """
    sections = [
        Section('results', 'Results', table.html() + _explanations(results)),
        _subsets(entry, results),
        _distribution(entry, results, baseline),
        _error_map(results),
        *(Section(study.key, study.title, study.html()) for study in studies),
        error_by_property(results),
        reliability_charts(results),
        *_galleries(results, gallery),
        curves_section([log]) if log else None,
    ]
    title = f'{entry["config"]}: facial landmarks on {entry["faces"]} faces'
    return Page(title, _facts(entry, results, data), [section for section in sections if section])


def _facts(entry: Mapping[str, Any], results: Results, data: str) -> dict[str, object]:
    digest = entry.get('checkpoint_sha256')
    return {
        'config': entry['config'],
        'weights': f'{entry["checkpoint"]}' + (f' (sha256 {digest[:16]}…)' if digest else ''),
        'test data': f'{data + ", " if data else ""}{entry["faces"]} faces',
        'landmark scheme': f'{results.markup.name}, {results.markup.size} points',
        'error': f'mean distance of the visible points over {results.normaliser}, in per cent',
        'date': datetime.now().astimezone().strftime('%Y-%m-%d %H:%M %Z'),
        'versions': ', '.join(f'{name} {version}' for name, version in entry['versions'].items()),
    }


def _explanations(results: Results) -> str:
    """Return an explanation of each metric, from its docstring."""
    lines = [
        f'<b>{escape(full_name(metric))}</b>: {escape(_purpose(metric))} {metric.direction.title()} is better.'
        for metric in results.metrics
    ]
    return f'<p class="note">{"<br>".join(lines)}</p>'


def _purpose(metric: ErrorMetric) -> str:
    summary = (type(metric).__doc__ or '').partition('\n')[0]
    return summary.replace('`threshold`', f'{100 * getattr(metric, "threshold", math.nan):g} %')


def _subsets(entry: Mapping[str, Any], results: Results) -> Section | None:
    """Return bars of the first metrics on the whole set and on each subset; None without subsets."""
    if not results.subsets:
        return None
    charts = []
    for metric in results.metrics[:2]:
        name, unit = full_name(metric), 'pixels' if metric.unit == 'px' else 'per cent'
        bars = [_bar(entry, results, name, subset, title) for title, subset in _titles(results).items()]
        charts.append(f'<div><h3>{escape(name)}</h3>{bar_chart(bars, f"{name} in {unit}")}</div>')
    note = (
        'Each bar is the value on one subset, with its 95 % interval; the dashed line is the value of the first bar. '
        'Intervals of small subsets are wide.'
    )
    return Section('subsets', 'Subsets', f'<div class="charts">{"".join(charts)}</div>', note)


def _titles(results: Results) -> dict[str, str | None]:
    whole = results.all_faces or results.headline
    return ({whole: None} if whole else {}) | {name: name for name in results.subsets if name != results.headline}


def _bar(entry: Mapping[str, Any], results: Results, metric: str, subset: str | None, title: str) -> Bar:
    key = f'{metric}/{subset}' if subset else metric
    value = entry['metrics'].get(key, math.nan)
    low, high = entry['intervals'].get(key, (math.nan, math.nan))
    count = len(results.rows_of(subset or results.headline))
    return Bar(f'{title}, {count} faces', value, low, high, number(value), 'bar')


def _distribution(entry: Mapping[str, Any], results: Results, baseline: Any) -> Section | None:
    curves = {name: results.error[results.rows_of(subset)] for name, subset in results.columns.items()}
    curves = dict(list({name: error for name, error in curves.items() if len(error)}.items())[:MOST_CURVES])
    if not curves:
        return None
    everything = results.error[results.rows_of()]
    limit = axis_limit(everything)
    lines = curves if baseline is None else curves | {'baseline': baseline[np.isfinite(baseline)]}
    marks = {'area': _mark(entry, results, AUC), 'failures': _mark(entry, results, FailureRate)}
    drawn = ced_svg(lines, limit, ['baseline'], **(marks if results.all_faces else {}))
    note = (
        'The curves show the share of faces with at most this error; higher is better. The bars show the number of '
        f'faces with this error; the last bar counts all larger errors. Errors in per cent of {results.normaliser}.'
    )
    body = f'<div class="charts">{drawn}{histogram_svg(everything, limit)}</div>{_shares(curves, limit)}'
    return Section('distribution', 'Distribution of the errors', body, note)


def _mark(entry: Mapping[str, Any], results: Results, kind: type[ErrorMetric]) -> tuple[str, float] | None:
    """Return the text of a metric with a threshold and this threshold, if it has the normaliser of the curves."""
    for metric in results.metrics:
        if isinstance(metric, kind) and metric.normaliser == results.normaliser:
            name = full_name(metric)
            return f'{name} {number(entry["metrics"].get(name))} %', metric.threshold  # type: ignore[attr-defined]
    return None


def _shares(curves: Mapping[str, Any], limit: float) -> str:
    """Return the curves as numbers, folded."""
    errors = [limit * i / 10 for i in range(1, 11)]
    rows = [Row(name, [100 * float(np.mean(error <= end)) for end in errors], 1) for name, error in curves.items()]
    table = Table(
        [f'{100 * end:g} %' for end in errors], {'faces with at most': rows}, 'Shares of the faces in per cent.'
    )
    return f'<details class="plain"><summary>The curves as numbers</summary>{table.html()}</details>'


def _error_map(results: Results) -> Section | None:
    error = results.point_errors()
    if not np.isfinite(error).any():
        return None
    face = mean_face(results.truth, results.visible, results.box)
    table = part_table(error, results.markup, results.normaliser).html()
    body = f'{map_html(face, error, results.markup)}<div class="plain">{table}</div>{_points(results, error)}'
    note = (
        'The mean error of each point over the faces where it is visible, on the mean face of this set. Larger discs '
        'have larger errors.'
    )
    return Section('points', 'Error of each point', body, note)


def _points(results: Results, error: Any) -> str:
    """Return the error of each point as numbers, folded."""
    items = ''.join(f'<li>{i}: {100 * value:.2f}</li>' for i, value in enumerate(error) if math.isfinite(value))
    return f'<details><summary>Each point as a number, in per cent</summary><ul class="columns">{items}</ul></details>'


def _galleries(results: Results, gallery: Gallery) -> list[Section]:
    order = results.worst()
    middle = max(0, (len(order) - GALLERY_SIZE) // 2)
    random_rows = np.random.default_rng(0).permutation(len(results))[:GALLERY_SIZE].tolist()
    chosen = {
        'Worst faces': ('worst', order[:GALLERY_SIZE]),
        'Typical faces': ('typical', order[middle : middle + GALLERY_SIZE]),
        'Random faces': ('random', random_rows),
    }
    words = {
        'worst': 'The faces with the largest errors.',
        'typical': 'The faces in the middle of all errors.',
        'random': 'Faces drawn at random, from a fixed seed.',
    }
    note = f'The number is the error in per cent of {results.normaliser}; it is a link that enlarges the face.'
    return [
        Section(name, title, gallery.html(rows, name), f'{words[name]} {note}')
        for title, (name, rows) in chosen.items()
        if rows
    ]


def data_text(config: Any) -> str:
    """Return a data set of a config in a few words: its class, files and folder."""
    names = ('type', 'ann_file', 'data_root', 'root', 'subset')
    words = [str(config[name]) for name in names if isinstance(config.get(name), str) and config[name]]
    for part in config.get('datasets', ()):
        words.append(data_text(part.get('dataset', part)))
    return ' '.join(words)[:300]
