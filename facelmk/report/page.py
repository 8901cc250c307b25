"""The report: one static page that needs nothing but the folder it is in."""

import math
from collections.abc import Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ..metrics import ErrorMetric
from .baseline import mean_face
from .collect import Results, full_name
from .curves import ced_svg, histogram_svg
from .face_map import map_svg, part_table
from .gallery import Gallery
from .style import STYLE
from .tables import Table

SHOWN = 12  # pictures in a gallery


def write_page(
    folder: Path, entry: Mapping[str, Any], table: Table, results: Results, gallery: Gallery, floor: Any = None
) -> Path:
    """Write `folder`/index.html and its overlays.

    `entry` is what metrics.json holds, `floor` the errors (N,) of the mean face in the box.
    """
    folder.mkdir(parents=True, exist_ok=True)
    title = f'{entry["config"]}: facial landmarks on {entry["faces"]} faces'
    sections = [
        _head(title, entry, results),
        _section('Results', table.html() + _meanings(results)),
        _distribution(results, floor),
        _where(results),
        *_galleries(results, gallery, folder),
    ]
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<style>{STYLE}</style></head><body><main>{"".join(sections)}</main></body></html>\n'
    )
    index = folder / 'index.html'
    index.write_text(page, encoding='utf-8')
    return index


def _section(title: str, body: str, note: str = '') -> str:
    told = f'<p class="note">{escape(note)}</p>' if note else ''
    return f'<section><h2>{escape(title)}</h2>{told}{body}</section>'


def _head(title: str, entry: Mapping[str, Any], results: Results) -> str:
    versions = ', '.join(f'{name} {version}' for name, version in entry['versions'].items())
    facts = {
        'config': entry['config'],
        'checkpoint': entry['checkpoint'],
        'date': datetime.now().astimezone().strftime('%Y-%m-%d %H:%M %Z'),
        'mark-up': f'{results.markup.name}, {results.markup.size} points',
        'versions': versions,
        'error': f'mean distance of the visible points over {results.normaliser}, in per cent',
    }
    listed = ''.join(f'<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>' for name, value in facts.items())
    return f'<header><h1>{escape(title)}</h1><dl>{listed}</dl></header>'


def _meanings(results: Results) -> str:
    """What each figure is, in its own words."""
    lines = [
        f'<b>{escape(full_name(metric))}</b>: {escape(_purpose(metric))} {metric.direction.title()} is better.'
        for metric in results.metrics
    ]
    return f'<p class="note">{"<br>".join(lines)}</p>'


def _purpose(metric: ErrorMetric) -> str:
    told = (type(metric).__doc__ or '').partition('\n')[0]
    return told.replace('`threshold`', f'{100 * getattr(metric, "threshold", math.nan):g} %')


def _distribution(results: Results, floor: Any) -> str:
    curves = {name: results.error[results.within(subset)] for name, subset in results.columns.items()}
    curves = {name: error for name, error in curves.items() if len(error)}
    if not curves:
        return ''
    everything = results.error[results.within()]
    limit = _limit(everything)
    lines = curves if floor is None else curves | {'mean face': floor[np.isfinite(floor)]}
    drawn = ced_svg(lines, limit, dashed=['mean face']) + histogram_svg(everything, limit)
    return _section(
        'How the errors spread',
        f'<div class="pair">{drawn}</div>',
        'Left: how many faces have at most this error. Right: how many have this one; the last bar holds '
        f'all larger errors. Errors in per cent of {results.normaliser}.',
    )


def _limit(error: np.ndarray) -> float:
    """The end of the error axis: 10 % as in the literature, or more where 9 of 10 faces would not be on it."""
    return max(0.1, math.ceil(float(np.quantile(error, 0.9)) * 20) / 20)


def _where(results: Results) -> str:
    error = results.point_errors()
    face = mean_face(results.truth, results.visible, results.box)
    drawn = map_svg(face, error, results.markup)
    table = part_table(error, results.markup, results.normaliser).html()
    return _section(
        'Where on the face',
        f'<div class="pair">{drawn}<div>{table}</div></div>',
        'Mean error of each point over the faces where it is visible, on the mean face of this set: the '
        'larger and the redder, the more. The number of a point shows under the mouse.',
    )


def _galleries(results: Results, gallery: Gallery, folder: Path) -> list[str]:
    order = results.worst()
    middle = max(0, (len(order) - SHOWN) // 2)
    drawn = np.random.default_rng(0).permutation(len(results))[:SHOWN].tolist()
    chosen = {
        'Random faces': ('random', drawn),
        'Median faces': ('median', order[middle : middle + SHOWN]),
        'Worst faces': ('worst', order[:SHOWN]),
    }
    note = f"Truth in green, prediction in red. The number is the face's error in per cent of {results.normaliser}."
    return [_section(title, gallery.html(rows, folder, name), note) for title, (name, rows) in chosen.items() if rows]
