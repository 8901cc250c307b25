"""Horizontal bars with intervals, and intervals of differences around zero."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .axes import RIGHT, WIDTH, chart, label, ticks

LEFT, TOP, ROW, BAR, BOTTOM = 14, 8, 46, 16, 44


@dataclass(frozen=True)
class Bar:
    """A named value with its interval; `text` is the number to show. A value that is no number has no bar."""

    name: str
    value: float
    low: float
    high: float
    text: str
    kind: str = 'bar'


def bar_chart(bars: Sequence[Bar], x_name: str, reference: bool = True) -> str:
    """Draw a bar from zero for each value; as `reference`, the first one is a dashed line in the others."""
    end = _top(bars)
    parts, height = _frame(len(bars), 0.0, end, x_name)
    first = bars[0].value if bars else math.nan
    for i, bar in enumerate(bars):
        y = TOP + i * ROW + 20
        parts += _texts(bar, y - 6)
        if math.isfinite(bar.value):
            width = _at(bar.value, 0.0, end) - LEFT
            parts.append(f'<rect class="{bar.kind}" x="{LEFT}" y="{y}" width="{max(width, 0.5):.1f}" height="{BAR}"/>')
        parts += _whisker(bar, y + BAR / 2, 0.0, end)
        if reference and i and math.isfinite(first):
            parts.append(f'<path class="mark dashes" d="M{_at(first, 0.0, end):.1f},{y - 2}v{BAR + 4}"/>')
    return chart(parts, x_name, height)


def difference_chart(bars: Sequence[Bar], x_name: str) -> str:
    """Draw a dot and its interval for each difference, around the line of zero; `kind` is the colour of the dot."""
    ends = [end for bar in bars for end in (bar.value, bar.low, bar.high) if math.isfinite(end)]
    reach = 1.1 * max((abs(end) for end in ends), default=1.0) or 1.0
    parts, height = _frame(len(bars), -reach, reach, x_name)
    zero = _at(0.0, -reach, reach)
    parts.append(f'<path class="mark" d="M{zero:.1f},{TOP}V{TOP + len(bars) * ROW}"/>')
    for i, bar in enumerate(bars):
        y = TOP + i * ROW + 20
        parts += _texts(bar, y - 6) + _whisker(bar, y + BAR / 2, -reach, reach)
        if math.isfinite(bar.value):
            x = _at(bar.value, -reach, reach)
            parts.append(f'<circle class="dot {bar.kind}" cx="{x:.1f}" cy="{y + BAR / 2}" r="6"/>')
    return chart(parts, x_name, height)


def _top(bars: Sequence[Bar]) -> float:
    ends = [end for bar in bars for end in (bar.value, bar.high) if math.isfinite(end)]
    return 1.02 * max(ends, default=1.0) or 1.0


def _at(value: float, low: float, high: float) -> float:
    return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _frame(rows: int, low: float, high: float, x_name: str) -> tuple[list[str], float]:
    """Return grid lines with their numbers below, and the height of the chart."""
    bottom = TOP + rows * ROW
    parts = []
    for value in ticks(low, high, 4):
        x = _at(value, low, high)
        parts.append(f'<path class="grid" d="M{x:.1f},{TOP}V{bottom}"/>')
        parts.append(label(x, bottom + 16, f'{value:g}', 'soft middle'))
    parts.append(label(WIDTH / 2, bottom + 36, x_name, 'soft middle'))
    return parts, bottom + BOTTOM


def _texts(bar: Bar, y: float) -> list[str]:
    name = bar.name if len(bar.name) <= 24 else bar.name[:23] + '…'
    return [label(LEFT, y, name), label(WIDTH - RIGHT, y, bar.text, 'end')]


def _whisker(bar: Bar, y: float, low: float, high: float) -> list[str]:
    if not (math.isfinite(bar.low) and math.isfinite(bar.high)):
        return []
    start, end = _at(bar.low, low, high), _at(bar.high, low, high)
    title = f'<title>{escape(bar.name)}: {escape(bar.text)}</title>'
    return [f'<path class="whisker" d="M{start:.1f},{y - 5}v10m0,-5H{end:.1f}m0,-5v10">{title}</path>']
