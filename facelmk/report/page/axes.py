"""The axes of a chart: values to pixels, grid lines, ticks and names, as SVG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

WIDTH, HEIGHT = 360, 264  # as wide as a phone, so that text has its size there
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 30, 46
COLOURS = 8  # .s0 to .s7 of the style sheet


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return up to `most` + 1 round numbers from `low` to `high`."""
    raw = max(high - low, 1e-12) / most
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True)
class Axes:
    """The ranges of x and y, and the names of both axes."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_name: str
    y_name: str

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a point."""
        right = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + right * (WIDTH - LEFT - RIGHT), TOP + (1 - up) * (HEIGHT - TOP - BOTTOM)

    def path(self, x: ArrayLike, y: ArrayLike) -> str:
        """Return the points (N,), (N,) as the data of an SVG path."""
        pairs = zip(np.asarray(x, float), np.asarray(y, float), strict=True)
        return 'M' + 'L'.join('{:.1f},{:.1f}'.format(*self.at(a, b)) for a, b in pairs)

    def frame(self, x_ticks: Sequence[float] | None = None, y_ticks: Sequence[float] | None = None) -> list[str]:
        """Return grid lines, the numbers of the ticks, and the names of the axes."""
        parts = []
        for value in ticks(*self.y) if y_ticks is None else y_ticks:
            (start, y), (end, _) = self.at(self.x[0], value), self.at(self.x[1], value)
            parts.append(f'<path class="grid" d="M{start:.1f},{y:.1f}H{end:.1f}"/>')
            parts.append(label(start - 6, y + 4, f'{value:g}', 'soft end'))
        for value in ticks(*self.x) if x_ticks is None else x_ticks:
            x, y = self.at(value, self.y[0])
            parts.append(label(x, y + 18, f'{value:g}', 'soft middle'))
        middle, low = self.at(sum(self.x) / 2, self.y[0])
        parts.append(label(middle, low + 38, self.x_name, 'soft middle'))
        parts.append(label(4, 14, self.y_name, 'soft'))
        return parts


def label(x: float, y: float, text: str, kind: str = '') -> str:
    """Return a text as SVG."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def chart(parts: Sequence[str], title: str, height: float = HEIGHT) -> str:
    """Return a chart as SVG with a text for those who cannot see it."""
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        + ''.join(parts)
        + '</svg>'
    )


def key(names: Sequence[str], dashed: Sequence[str] = (), marks: Mapping[str, str] | None = None) -> str:
    """Return the list of the names of lines, in the order of their colours, and of `marks` with their SVG."""
    samples = {}
    for i, name in enumerate(names):
        extra = ' dashes' if name in dashed else ''
        samples[name] = f'<path class="line s{i % COLOURS}{extra}" d="M1,7h26"/>'
    items = [
        f'<li><svg viewBox="0 0 28 14" aria-hidden="true">{sample}</svg>{escape(name)}</li>'
        for name, sample in (samples | dict(marks or {})).items()
    ]
    return f'<ul class="key">{"".join(items)}</ul>'


def thinned(x: NDArray[np.float64], y: NDArray[np.float64], span: float) -> tuple[NDArray, NDArray]:
    """Return a rising line (N,), (N,) without points that lie in the same half pixel, so that its length is bounded."""
    cell = np.round(x / span * 2 * WIDTH).astype(np.int64), np.round(y * 2 * HEIGHT).astype(np.int64)
    change = np.ones(len(x), bool)
    change[1:-1] = (np.diff(cell[0])[:-1] != 0) | (np.diff(cell[1])[:-1] != 0)
    return x[change], y[change]
