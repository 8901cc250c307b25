"""The report: one static page that needs only the files of its folder."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ..files.atomic import output_folder, write_bytes
from ..metrics import ErrorMetric
from .baseline import mean_face
from .collect import Results, full_name
from .curves import ced_svg, histogram_svg
from .face_map import map_svg, part_table
from .gallery import Gallery
from .study import Study
from .style import STYLE
from .tables import Table

GALLERY_SIZE = 12  # faces
INDEX = 'index.html'


def write_page(
    folder: Path,
    entry: Mapping[str, Any],
    table: Table,
    results: Results,
    gallery: Gallery,
    baseline: Any = None,
    studies: Sequence[Study] = (),
) -> Path:
    """Write `folder`/index.html and its overlays, which replace those of an earlier page together.

    `entry` is the content of metrics.json, `baseline` the errors (N,) of the baseline.
    """
    with output_folder(folder, last=[INDEX]) as draft:
        write_bytes(draft / INDEX, _page(draft, entry, table, results, gallery, baseline, studies).encode())
    return folder / INDEX


def _page(
    folder: Path,
    entry: Mapping[str, Any],
    table: Table,
    results: Results,
    gallery: Gallery,
    baseline: Any,
    studies: Sequence[Study],
) -> str:
    """Return the page; write its overlays to `folder`."""
    title = f'{entry["config"]}: facial landmarks on {entry["faces"]} faces'
    sections = [
        _head(title, entry, results),
        _section('Results', table.html() + _explanations(results)),
        *(_study(study, folder) for study in studies),
        _distribution(results, baseline),
        _error_map(results),
        *_galleries(results, gallery, folder),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<style>{STYLE}</style></head><body><main>{"".join(sections)}</main></body></html>\n'
    )


def _section(title: str, body: str, note: str = '') -> str:
    paragraph = f'<p class="note">{escape(note)}</p>' if note else ''
    return f'<section><h2>{escape(title)}</h2>{paragraph}{body}</section>'


def _study(study: Study, folder: Path) -> str:
    picture = study.draw(folder)
    drawn = f'<img class="plot" src="{escape(picture.name)}" alt="{escape(study.title)}">' if picture else ''
    return _section(study.title, study.html() + drawn)


def _head(title: str, entry: Mapping[str, Any], results: Results) -> str:
    versions = ', '.join(f'{name} {version}' for name, version in entry['versions'].items())
    facts = {
        'config': entry['config'],
        'checkpoint': entry['checkpoint'],
        'date': datetime.now().astimezone().strftime('%Y-%m-%d %H:%M %Z'),
        'landmark scheme': f'{results.markup.name}, {results.markup.size} points',
        'versions': versions,
        'error': f'mean distance of the visible points over {results.normaliser}, in per cent',
    }
    listed = ''.join(f'<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>' for name, value in facts.items())
    return f'<header><h1>{escape(title)}</h1><dl>{listed}</dl></header>'


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


def _distribution(results: Results, baseline: Any) -> str:
    curves = {name: results.error[results.rows_of(subset)] for name, subset in results.columns.items()}
    curves = {name: error for name, error in curves.items() if len(error)}
    if not curves:
        return ''
    all_errors = results.error[results.rows_of()]
    limit = _axis_limit(all_errors)
    lines = curves if baseline is None else curves | {'baseline': baseline[np.isfinite(baseline)]}
    drawn = ced_svg(lines, limit, dashed=['baseline']) + histogram_svg(all_errors, limit)
    return _section(
        'Distribution of the errors',
        f'<div class="pair">{drawn}</div>',
        'Left: the share of faces with at most this error. Right: the number of faces with this error; the last bar '
        f'counts all larger errors. Errors in per cent of {results.normaliser}.',
    )


def _axis_limit(error: np.ndarray) -> float:
    """Return the end of the error axis: 10 % as in the literature, or more if needed to show 9 of 10 faces."""
    finite = error[np.isfinite(error)]  # others have no prediction
    return max(0.1, math.ceil(float(np.quantile(finite, 0.9)) * 20) / 20) if len(finite) else 0.1


def _error_map(results: Results) -> str:
    error = results.point_errors()
    face = mean_face(results.truth, results.visible, results.box)
    drawn = map_svg(face, error, results.markup)
    table = part_table(error, results.markup, results.normaliser).html()
    return _section(
        'Error of each point',
        f'<div class="pair">{drawn}<div>{table}</div></div>',
        'Mean error of each point over the faces where it is visible, drawn on the mean face of this set. A larger '
        'and redder disc means a larger error. Point at a disc to see its number.',
    )


def _galleries(results: Results, gallery: Gallery, folder: Path) -> list[str]:
    order = results.worst()
    middle = max(0, (len(order) - GALLERY_SIZE) // 2)
    random_rows = np.random.default_rng(0).permutation(len(results))[:GALLERY_SIZE].tolist()
    chosen = {
        'Random faces': ('random', random_rows),
        'Median faces': ('median', order[middle : middle + GALLERY_SIZE]),
        'Worst faces': ('worst', order[:GALLERY_SIZE]),
    }
    note = (
        f"Ground truth in green, prediction in red. The number is the face's error in per cent of {results.normaliser}."
    )
    return [_section(title, gallery.html(rows, folder, name), note) for title, (name, rows) in chosen.items() if rows]
