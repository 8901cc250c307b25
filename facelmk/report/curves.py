"""Exact distributions of errors, drawn as SVG."""

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 560, 330, 52, 118, 12, 44


def ced(error: ArrayLike, limit: float) -> tuple[Array, Array]:
    """Return x and y, (M,) each, of the corners of the step function 'share of faces with at most this error'."""
    error = np.sort(np.asarray(error, np.float64))
    inside = error[error <= limit]
    share = np.arange(1, len(inside) + 1) / max(len(error), 1)
    x = np.concatenate([[0.0], np.repeat(inside, 2), [limit]])
    y = np.concatenate([[0.0, 0.0], np.repeat(share, 2)])
    return x, y


def ced_svg(curves: Mapping[str, ArrayLike], limit: float, dashed: Sequence[str] = ()) -> str:
    """Draw a curve for each named set of errors (shares) up to `limit`; `dashed` names the dashed ones."""
    frame = _axes(limit, ['0', '20', '40', '60', '80', '100'], 'faces in %')
    lines = []
    for i, (name, error) in enumerate(curves.items()):
        x, y = ced(error, limit)
        style = f'class="line s{i % 8}"' + (' stroke-dasharray="6 4"' if name in dashed else '')
        lines.append(f'<path {style} d="{_path(x / limit, y)}"><title>{escape(name)}</title></path>')
        lines.append(_key(i, name, style))
    return _svg(frame + lines, 'Cumulative error distribution')


def histogram_svg(error: ArrayLike, limit: float, bins: int = 40) -> str:
    """Draw the number of faces by error (share) in `bins` up to `limit`; the last bin counts all larger errors."""
    count, _ = np.histogram(np.minimum(np.asarray(error, np.float64), limit * (1 - 1e-9)), bins, (0, limit))
    top = 4 * math.ceil(max(int(count.max()), 1) / 4)  # so that the quarters are integers
    frame = _axes(limit, [f'{top * t:.0f}' for t in (0, 0.25, 0.5, 0.75, 1)], 'faces')
    bar_width = _to_pixels(1 / bins, 0)[0] - LEFT
    bars = []
    for i, n in enumerate(count):
        x, y = _to_pixels(i / bins, n / top)
        low, high = (100 * limit * edge / bins for edge in (i, i + 1))
        ends = f'{low:.3g} % to ' + (f'{high:.3g} %' if i < bins - 1 else 'more')
        bars.append(
            f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{bar_width - 1:.1f}" '
            f'height="{_to_pixels(0, 0)[1] - y:.1f}"><title>{ends}: {n} faces</title></rect>'
        )
    return _svg(frame + bars, 'Histogram of errors')


def _to_pixels(x: float, y: float) -> tuple[float, float]:
    """Convert shares of the axes to pixels of the picture; the key is in the right margin."""
    return LEFT + x * (WIDTH - LEFT - RIGHT), TOP + (1 - y) * (HEIGHT - TOP - BOTTOM)


def _path(x: Array, y: Array) -> str:
    return 'M' + 'L'.join('{:.1f},{:.1f}'.format(*_to_pixels(a, b)) for a, b in zip(x, y, strict=True))


def _axes(limit: float, up: Sequence[str], side: str) -> list[str]:
    """Return the axis of errors (shares) up to `limit`, and the axis with the labels `up` and the name `side`."""
    parts = []
    for i, error in enumerate(np.linspace(0, limit, 6)):
        x, y = _to_pixels(i / 5, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 17:.1f}" text-anchor="middle">{100 * error:g}</text>')
    for i, label in enumerate(up):
        (x, y), (end, _) = _to_pixels(0, i / (len(up) - 1)), _to_pixels(1, 0)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{end:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{x - 7:.1f}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    (middle, low), (_, centre) = _to_pixels(0.5, 0), _to_pixels(0, 0.5)
    parts.append(f'<text x="{middle:.1f}" y="{low + 36:.1f}" text-anchor="middle">error in %</text>')
    parts.append(f'<text transform="translate(12 {centre:.1f}) rotate(-90)" text-anchor="middle">{side}</text>')
    return parts


def _key(i: int, name: str, style: str) -> str:
    x, y = WIDTH - RIGHT + 12, TOP + 10 + 19 * i
    return f'<path {style} d="M{x},{y}h18"/><text x="{x + 24}" y="{y + 4}">{escape(name)}</text>'


def _svg(parts: Sequence[str], title: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">' + ''.join(parts) + '</svg>'
