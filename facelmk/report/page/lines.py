"""Line charts: training curves, error against noise, and what was expected against what was measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from .axes import COLOURS, Axes, chart, key, label, ticks

MAX_VALUES = 800  # of a line; a screen shows no more
FEW = 40  # a line of so few values has a dot at each


@dataclass(frozen=True)
class Line:
    """A named line; `band` holds the lower and upper ends of its intervals, `best` is the value to mark."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    band: Sequence[tuple[float, float]] = ()
    best: int | None = None


def line_chart(lines: Sequence[Line], x_name: str, y_name: str, from_zero: bool = False, equal: bool = False) -> str:
    """Draw lines with a common key; `equal` has one range for both axes, and the line where x equals y."""
    shown = [_finite(line) for line in lines]
    shown = [line for line in shown if line.x]
    if not shown:
        return ''
    axes = _axes(shown, x_name, y_name, from_zero or equal, equal)
    parts = axes.frame()
    if equal:
        parts.append(f'<path class="mark dashes" d="{axes.path(axes.x, axes.x)}"/>')
    for i, line in enumerate(shown):
        parts += _draw(axes, line, i % COLOURS)
    names = key([line.name for line in shown]) if len(shown) > 1 else ''
    return f'<div>{chart(parts, f"{y_name} against {x_name}")}{names}</div>'


def _finite(line: Line) -> Line:
    """Return a line without values that are no numbers, and with at most MAX_VALUES of the others."""
    kept = [i for i, (x, y) in enumerate(zip(line.x, line.y, strict=True)) if math.isfinite(x) and math.isfinite(y)]
    best = line.best if line.best in kept else None
    if len(kept) > MAX_VALUES:
        few = np.unique(np.linspace(0, len(kept) - 1, MAX_VALUES).round().astype(int)).tolist()
        kept = sorted({*(kept[i] for i in few), *([] if best is None else [best])})
    band = [line.band[i] for i in kept] if line.band else ()
    return Line(
        line.name,
        [line.x[i] for i in kept],
        [line.y[i] for i in kept],
        band,
        None if best is None else kept.index(best),
    )


def _axes(lines: Sequence[Line], x_name: str, y_name: str, from_zero: bool, equal: bool) -> Axes:
    x = [value for line in lines for value in line.x]
    y = [value for line in lines for value in (*line.y, *(end for pair in line.band for end in pair))]
    low, high = 0.0 if from_zero else min(y), max(y)
    if equal:
        end = max(*x, *y)
        return Axes((0.0, 1.05 * end or 1.0), (0.0, 1.05 * end or 1.0), x_name, y_name)
    grid = ticks(low, high if high > low else low + 1)
    step = grid[1] - grid[0] if len(grid) > 1 else high - low or 1.0
    start, end = min(x), max(x)
    return Axes(
        (start, end if end > start else start + 1),
        (math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step if high > low else low + step),
        x_name,
        y_name,
    )


def _draw(axes: Axes, line: Line, colour: int) -> list[str]:
    parts = []
    if line.band:
        low, high = zip(*line.band, strict=True)
        outline = axes.path([*line.x, *reversed(line.x)], [*high, *reversed(low)])
        parts.append(f'<path class="pale f{colour}" d="{outline}Z"/>')
    title = f'<title>{escape(line.name)}</title>'
    parts.append(f'<path class="line s{colour}" d="{axes.path(line.x, line.y)}">{title}</path>')
    if len(line.x) <= FEW:
        parts += [_dot(axes, x, y, colour) for x, y in zip(line.x, line.y, strict=True)]
    if line.best is not None:
        parts += _best(axes, line.x[line.best], line.y[line.best], colour)
    return parts


def _dot(axes: Axes, x: float, y: float, colour: int) -> str:
    across, up = axes.at(x, y)
    return f'<circle class="dot f{colour}" cx="{across:.1f}" cy="{up:.1f}" r="3"><title>{x:g}: {y:.4g}</title></circle>'


def _best(axes: Axes, x: float, y: float, colour: int) -> list[str]:
    across, up = axes.at(x, y)
    side = 'end' if x > sum(axes.x) / 2 else ''
    return [
        f'<circle class="line s{colour}" cx="{across:.1f}" cy="{up:.1f}" r="7"/>',
        label(across + (4 if side else -4), up - 12, f'best {y:.4g}', side),
    ]
