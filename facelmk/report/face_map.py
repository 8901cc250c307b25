"""The error map: each point's mean error, drawn on the mean face."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..markups import Markup
from .tables import Row, Table

SIDE, MARGIN = 420, 26


def map_svg(face: NDArray, error: NDArray, markup: Markup) -> str:
    """Draw a face (K, 2) as SVG; the area and colour of each disc show the point's mean error (K,), a share."""
    low, high = face.min(0), face.max(0)
    points = (face - low) / max((high - low).max(), 1e-9) * (SIDE - 2 * MARGIN) + MARGIN
    height = points[:, 1].max() + MARGIN
    largest = max(float(np.nanmax(error, initial=0.0)), 1e-9)
    parts = [_line(points[list(line)]) for line in markup.lines]
    for i in np.argsort(-np.nan_to_num(error)):  # small discs stay on top
        if np.isfinite(error[i]):
            parts.append(_disc(int(i), points[i], float(error[i]), largest))
    parts += _key(height, largest)
    return (
        f'<svg class="face" viewBox="0 0 {SIDE} {height + 34:.0f}" role="img" aria-label="Mean error of each '
        'point">' + ''.join(parts) + '</svg>'
    )


def _key(height: float, largest: float) -> list[str]:
    """Return three discs with their errors."""
    parts = []
    for i, share in enumerate((0.25, 0.5, 1.0)):
        x = SIDE / 2 + 110 * (i - 1.3)
        parts += [
            _circle(np.array([x, height + 12]), share, ''),
            f'<text x="{x + 16:.0f}" y="{height + 16:.0f}">{100 * share * largest:.2f} %</text>',
        ]
    return parts


def _line(points: NDArray) -> str:
    return '<polyline class="guide" points="' + ' '.join(f'{x:.1f},{y:.1f}' for x, y in points) + '"/>'


def _disc(number: int, point: NDArray, error: float, largest: float) -> str:
    return _circle(point, error / largest, f'<title>point {number}: {100 * error:.2f} %</title>')


def _circle(point: NDArray, share: float, title: str) -> str:
    """Return a disc for an error that is this share of the largest one."""
    return (
        f'<circle cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="{2 + 6 * np.sqrt(share):.1f}" '
        f'fill="hsl({215 - 215 * share**2:.0f} 75% {60 - 8 * share:.0f}%)">{title}</circle>'
    )


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
