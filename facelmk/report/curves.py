"""Exact distributions of errors, drawn as SVG."""

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .page.axes import COLOURS, Axes, chart, key, thinned

Array = NDArray[np.float64]
AXIS_QUANTILE = 0.9  # of the faces that the axis of errors has to show

AREA = '<rect class="area" width="28" height="14"/>'
BAR = '<path class="failures" d="M14,0v14"/>'


def ced(error: ArrayLike, limit: float) -> tuple[Array, Array]:
    """Return x and y, (M,) each, of the corners of the step function 'share of faces with at most this error'."""
    error = np.sort(np.asarray(error, np.float64))
    inside = error[error <= limit]
    share = np.arange(1, len(inside) + 1) / max(len(error), 1)
    x = np.concatenate([[0.0], np.repeat(inside, 2), [limit]])
    y = np.concatenate([[0.0, 0.0], np.repeat(share, 2)])
    return x, y


def axis_limit(error: Array) -> float:
    """Return the end of the error axis: 10 % as in the literature, or more if needed to show 9 of 10 faces."""
    finite = error[np.isfinite(error)]  # others have no prediction
    return max(0.1, math.ceil(float(np.quantile(finite, AXIS_QUANTILE)) * 20) / 20) if len(finite) else 0.1


def ced_svg(
    curves: Mapping[str, ArrayLike],
    limit: float,
    dashed: Sequence[str] = (),
    area: tuple[str, float] | None = None,
    failures: tuple[str, float] | None = None,
) -> str:
    """Draw a curve for each named set of errors (shares) up to `limit`, with a key; `dashed` names the dashed ones.

    `area` is the text of the area below the first curve and where it ends; `failures` the text of the share of faces
    above an error, and this error.
    """
    axes = Axes((0.0, 100 * limit), (0.0, 100.0), 'error in %', 'faces with at most this error, in %')
    parts, lines = axes.frame(y_ticks=range(0, 101, 20)), []
    for i, (name, error) in enumerate(curves.items()):
        x, y = ced(error, limit)
        kind = f'line s{i % COLOURS}' + (' dashes' if name in dashed else '')
        path = axes.path(*(100 * values for values in thinned(x, y, limit)))
        lines.append(f'<path class="{kind}" d="{path}"><title>{escape(name)}</title></path>')
    first = next(iter(curves.values()), ())
    marks: dict[str, str] = {}
    if area and area[1] <= limit:
        parts.append(_area(axes, first, area[1]))
        marks[area[0]] = AREA
    parts += lines
    if failures and failures[1] < limit:
        parts += _failures(axes, first, failures[1])
        marks[failures[0]] = BAR
    names = key(list(curves), dashed, marks) if len(curves) > 1 or marks else ''
    return f'<div>{chart(parts, "Cumulative error distribution")}{names}</div>'


def _area(axes: Axes, error: ArrayLike, end: float) -> str:
    """Return the area below the curve up to an error."""
    x, y = thinned(*ced(error, end), axes.x[1] / 100)
    outline = axes.path(100 * np.append(x, end), 100 * np.append(y, 0.0))
    return f'<path class="area" d="{outline}Z"/>'


def _failures(axes: Axes, error: ArrayLike, threshold: float) -> list[str]:
    """Return the line at the threshold, and the bar of the faces above it."""
    share = 100 * float(np.mean(np.asarray(error) <= threshold)) if np.size(error) else 0.0
    (x, y), (_, top), (_, bottom) = (axes.at(100 * threshold, value) for value in (share, 100, 0))
    return [
        f'<path class="mark dashes" d="M{x:.1f},{bottom:.1f}V{y:.1f}"/>',
        f'<path class="failures" d="M{x:.1f},{y:.1f}V{top:.1f}"/>',
    ]


def histogram_svg(error: ArrayLike, limit: float, bins: int = 40) -> str:
    """Draw the number of faces by error (share) in `bins` up to `limit`; the last bin counts all larger errors."""
    count, _ = np.histogram(np.minimum(np.asarray(error, np.float64), limit * (1 - 1e-9)), bins, (0, limit))
    top = 4 * math.ceil(max(int(count.max()), 1) / 4)  # so that the quarters are integers
    axes = Axes((0.0, 100 * limit), (0.0, float(top)), 'error in %', 'faces')
    parts = axes.frame(y_ticks=[top * t / 4 for t in range(5)])
    for i, n in enumerate(count):
        low, high = (100 * limit * edge / bins for edge in (i, i + 1))
        (x, y), (end, bottom) = axes.at(low, float(n)), axes.at(high, 0)
        ends = f'{low:.3g} % to ' + (f'{high:.3g} %' if i < bins - 1 else 'more')
        kind = 'bar' if i < bins - 1 else 'missed'
        parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{end - x - 1:.1f}" height="{bottom - y:.1f}">'
            f'<title>{ends}: {n} faces</title></rect>'
        )
    return f'<div>{chart(parts, "Histogram of errors")}</div>'
