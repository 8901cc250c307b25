"""The colours of the parts of a face, and where the numbers of its points stand."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from ...markups import Markup

COLOUR_OF_PART = {  # .p0 to .p9 of the style sheet
    'contour': 0,
    'chin': 0,
    'left_brow': 1,
    'right_brow': 2,
    'nose': 3,
    'left_eye': 4,
    'right_eye': 5,
    'eyes': 4,
    'outer_lips': 6,
    'lips': 6,
    'inner_lips': 7,
    'pupils': 8,
}
OTHER = 9
TEXT_PX = 14  # height of a number


def part_of_points(markup: Markup) -> list[str]:
    """Return the part of each point, or '' for a point without one; pupils are theirs alone."""
    names = [''] * markup.size
    for part, group in markup.parts.items():
        for i in group:
            if not names[i] or part == 'pupils':
                names[i] = part
    return names


def colours(markup: Markup) -> list[int]:
    """Return the number of the colour of each point; parts of other names share the remaining ones in turn."""
    named = dict(COLOUR_OF_PART)
    for part in markup.parts:
        named.setdefault(part, len(named) % OTHER)
    return [named.get(part, OTHER) for part in part_of_points(markup)]


def part_key(markup: Markup, shown: NDArray[np.bool_], on_photo: bool = False) -> str:
    """Return the list of parts with their colours, of those points that are `shown` (K,)."""
    names = part_of_points(markup)
    used: dict[str, int] = {}
    for i, colour in enumerate(colours(markup)):
        if shown[i]:
            used.setdefault(names[i].replace('_', ' ') or 'other', colour)
    dot = '<svg viewBox="0 0 28 14" aria-hidden="true"><circle class="p{}" cx="14" cy="7" r="6"/></svg>'
    items = ''.join(f'<li>{dot.format(colour)}{escape(name)}</li>' for name, colour in used.items())
    return f'<ul class="key{" photo-key" if on_photo else ""}">{items}</ul>'


def place_numbers(points: NDArray, names: Sequence[str], text_px: float = TEXT_PX) -> NDArray[np.float64]:
    """Return the middles (N, 2) of the numbers beside points (N, 2), so that they overlap as little as possible."""
    if not len(points):
        return np.zeros((0, 2))
    half = np.array([[0.3 * text_px * len(name) + 1, 0.45 * text_px] for name in names])
    angles = np.arange(12) * np.pi / 6
    steps = np.concatenate([[(r * np.cos(a), r * np.sin(a)) for a in angles] for r in (1.0, 1.6, 2.3, 3.1, 4.0)])
    placed = np.empty((0, 2))
    outward = points - points.mean(0)
    order = np.argsort(-np.linalg.norm(outward, axis=1))  # the outer ones have the most room
    result = np.array(points, np.float64)
    for number, i in enumerate(order):
        options = points[i] + steps * text_px
        overlap = _overlaps(options, half[i], placed, half[order[:number]])
        hides = _overlaps(options, half[i], points, np.full((len(points), 2), 0.2 * text_px))
        away = np.linalg.norm(steps, axis=1) - 0.4 * (steps @ outward[i]) / max(np.linalg.norm(outward[i]), 1e-9)
        best = options[np.argmin(100 * overlap + 10 * hides + away)]
        placed, result[i] = np.vstack([placed, best]), best
    return result


def _overlaps(options: NDArray, half: NDArray, others: NDArray, other_half: NDArray) -> NDArray[np.float64]:
    """Return how many boxes around `others` (M, 2) a box around each option (N, 2) touches."""
    distance = np.abs(options[:, None] - others[None])
    return (distance < half + other_half[None]).all(-1).sum(-1).astype(np.float64)
