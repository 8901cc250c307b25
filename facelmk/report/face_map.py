"""The error map: each point's mean error, drawn on the mean face."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..markups import Markup
from .page.axes import label
from .page.parts import colours, part_key, place_numbers
from .page.photos import tick_boxes
from .tables import Row, Table

SIDE, MARGIN = 760, 40
CLASSES = 5  # .e0 to .e4 of the style sheet


def map_html(face: NDArray, error: NDArray, markup: Markup) -> str:
    """Return the map of a face (K, 2) with each point's error (K,), a share; boxes to tick change colours and numbers.

    Colour is the class of the error or the part of the face; the area of a disc is its error.
    """
    measured = np.isfinite(error)
    if not measured.any():
        return ''
    ends = np.linspace(float(error[measured].min()), float(error[measured].max()), CLASSES + 1)
    return (
        tick_boxes('map', {'show-numbers': 'point numbers', 'by-part': 'colours of parts'})
        + _error_key(ends)
        + part_key(markup, measured)
        + f'<div class="scroll map">{map_svg(face, error, markup)}</div>'
    )


def map_svg(face: NDArray, error: NDArray, markup: Markup) -> str:
    """Draw a face (K, 2) as SVG; colour and area of each disc show the point's mean error (K,), a share."""
    measured = np.flatnonzero(np.isfinite(error))
    low, high = face[measured].min(0), face[measured].max(0)
    points = (face - low) / max((high - low).max(), 1e-9) * (SIDE - 2 * MARGIN) + MARGIN
    points[:, 0] += (SIDE - points[measured, 0].min() - points[measured, 0].max()) / 2
    least, most = float(error[measured].min()), max(float(error[measured].max()), 1e-9)
    parts = [_line(points[[i for i in line if np.isfinite(error[i])]]) for line in markup.lines]
    colour = colours(markup)
    for i in measured[np.argsort(-error[measured], kind='stable')]:  # small discs stay on top
        step = min(int(CLASSES * (error[i] - least) / max(most - least, 1e-9)), CLASSES - 1)
        title = f'<title>point {i}: {100 * error[i]:.2f} %</title>'
        radius = 4 + 9 * np.sqrt(error[i] / most)
        x, y = points[i]
        parts.append(
            f'<circle class="e{step} p{colour[i]}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">{title}</circle>'
        )
    parts.append(_numbers(points[measured], measured))
    height = points[measured, 1].max() + MARGIN
    return (
        f'<svg viewBox="0 0 {SIDE} {height:.0f}" role="img" aria-label="Mean error of each point">'
        + ''.join(parts)
        + '</svg>'
    )


def _numbers(points: NDArray, numbers: NDArray) -> str:
    """Return the numbers of points (N, 2), each with a line to its point."""
    names = [str(number) for number in numbers]
    places = place_numbers(points, names)
    parts = []
    for (x, y), (left, top), name in zip(points, places, names, strict=True):
        parts.append(f'<path class="leader" d="M{x:.1f},{y:.1f}L{left:.1f},{top:.1f}"/>')
        parts.append(label(left, top + 5, name, 'middle'))
    return f'<g class="numbers">{"".join(parts)}</g>'


def _error_key(ends: NDArray) -> str:
    """Return the colours of the classes of errors, with their ends."""
    dot = '<svg viewBox="0 0 28 14" aria-hidden="true"><rect class="e{}" width="28" height="14"/></svg>'
    items = [
        f'<li>{dot.format(i)}{100 * low:.1f} to {100 * high:.1f} %</li>' for i, (low, high) in enumerate(pairwise(ends))
    ]
    return f'<ul class="key errors">{"".join(items)}</ul>'


def _line(points: NDArray) -> str:
    return '<polyline class="guide" points="' + ' '.join(f'{x:.1f},{y:.1f}' for x, y in points) + '"/>'


def part_table(error: NDArray, markup: Markup, normaliser: str) -> Table:
    """Return the mean error of each part of the face and of its hardest point; `error` (K,) is a share."""
    parts = {**markup.parts, 'all points': range(markup.size)}
    measured = {name: [i for i in group if np.isfinite(error[i])] for name, group in parts.items()}
    rows = [_part_row(name.replace('_', ' '), group, error) for name, group in measured.items() if group]
    return Table(
        ['points', 'mean', 'hardest point'],
        {'part': rows},
        f'Errors in per cent of {normaliser}. The number of the hardest point stands in brackets.',
    )


def _part_row(name: str, group: Sequence[int], error: NDArray) -> 'PartRow':
    hardest = max(group, key=lambda i: error[i])
    return PartRow(name, (len(group), 100 * float(np.mean(error[list(group)])), 100 * float(error[hardest])), hardest)


class PartRow(Row):
    """A part's number of points, mean error and hardest point."""

    def __init__(self, name: str, values: tuple[int, float, float], hardest: int) -> None:
        super().__init__(name, values)
        self.count, self.mean, self.largest = values
        self.hardest = hardest

    def cells(self) -> list[str]:
        """Return the values as text: the count as an integer, the hardest point with its number."""
        return [str(self.count), f'{self.mean:.2f}', f'{self.largest:.2f} ({self.hardest})']
