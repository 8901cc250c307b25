"""Heatmaps and one boundary map, which holds the lines of the face, as in Adaptive Wing."""

import itertools
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import FacelmkError
from ..markups import MARKUPS
from ..registry import CODECS
from .constants import constant
from .heatmap import Heatmap
from .refine import quarter_inside


@CODECS.register_module()
class Boundary(Heatmap):
    """K + 1 maps (B, K + 1, H, W): those of `Heatmap`, whose arguments it takes, and the boundary map.

    The boundary map is exp(-d^2 / 2 line_sigma^2), where d is the distance in cells to the nearest line of the landmark
    scheme, and 0 from three sigma on. A line is a cubic spline through its points, parametrised by chord length;
    segments that end at invisible points are left out. The boundary map has weight 1, `decode` ignores it, and `flip`
    keeps it last (https://arxiv.org/abs/1904.07399).

    The official network was trained with sigma 1.75 and a radius of 3 cells (centre='cell', sigma=1.75, radius=3), the
    re-implementation by SeungyounShin with sigma=2.5, radius=7; both with line_sigma=1. Both give a pixel's corner
    integer coordinates, where we give them to its centre. `corner=True` is the official decoding,
    (cell + 0.5 +- 0.25) * stride, for maps with a positive value; without it, decoded points are half a pixel less.
    With it, a mirrored map is off by one pixel.
    """

    ranges = {'line_sigma': (0.5, 10)}

    def __init__(self, markup: str, line_sigma: float = 1.0, corner: bool = False, **options: Any) -> None:
        super().__init__(**options)
        if not MARKUPS[markup].lines:
            raise FacelmkError(f'Boundary: markup={markup!r}, which has no lines. Add lines=... to its Markup.')
        self.lines = MARKUPS[markup].lines
        self.line_sigma, self.corner = line_sigma, 0.5 if corner else 0.0
        self.flip_bias += 2 * self.corner

    def channels(self, K: int, size: int | None = None) -> int:
        return K + 1

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        (B, K), (H, W) = visible.shape, like.shape[-2:]
        points = points.float() - self.corner
        # one more, invisible point, whose empty map is replaced by the boundary map
        maps, weight = super().encode(
            torch.cat((points, points[:, :1]), 1), torch.cat((visible, visible.new_zeros(B, 1)), 1), like, size
        )
        maps[:, K] = boundary_map(self.cells(points, (W, H), size), visible > 0.5, self.lines, (W, H), self.line_sigma)
        weight[:, K] = 1
        return maps, weight

    def offset(self, maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return quarter_inside(maps, x, y) if self.refine == 'quarter' else super().offset(maps, x, y)

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        points, scores = super().decode(output[:, :-1], size)
        return points + self.corner, scores

    def spread(self, output: Tensor, size: int) -> Tensor | None:
        return super().spread(output[:, :-1], size)

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        return super().flip(output, F.pad(mirror, (0, 1), value=len(mirror)), size)


def boundary_map(
    cells: Tensor, visible: Tensor, lines: tuple[tuple[int, ...], ...], grid: tuple[int, int], sigma: float
) -> Tensor:
    """The map (B, H, W) of the lines through the points `cells` (B, K, 2)."""
    W, H = grid
    face, start, end = segments(cells, visible, lines, W + H)
    reach = int(3 * sigma + 1.1)  # half of a segment of about one cell, and half a cell of rounding
    step = torch.arange(-reach, reach + 1, device=cells.device)
    middle = ((start + end) / 2).round()
    x, y = (middle[:, i, None] + step for i in (0, 1))
    distance = squared_distance(x - start[:, :1], y - start[:, 1:], end - start)
    # cells outside the grid go to a border of one cell around it, which is cut off below
    column, row = x.clamp(-1, W).long() + 1, (y.clamp(-1, H).long() + 1 + face[:, None] * (H + 2)) * (W + 2)
    nearest = torch.full((len(cells) * (H + 2) * (W + 2),), torch.inf, device=cells.device)
    nearest.scatter_reduce_(0, (row[:, :, None] + column[:, None, :]).flatten(), distance.flatten(), 'amin')
    nearest = nearest.view(-1, H + 2, W + 2)[:, 1:-1, 1:-1].clamp(min=0)
    return torch.exp(-nearest / (2 * sigma**2)) * (nearest < (3 * sigma) ** 2)


def squared_distance(x: Tensor, y: Tensor, segment: Tensor) -> Tensor:
    """The squared distances (N, H, W) of points, x (N, W) and y (N, H), to segments from the origin to (N, 2)."""
    dx, dy = segment.unbind(1)
    squared_length = (dx**2 + dy**2).clamp(min=1e-12)[:, None]
    projection = (x * dx[:, None] / squared_length)[:, None, :] + (y * dy[:, None] / squared_length)[:, :, None]
    nearest = projection.clamp(0, 1)
    return (x**2)[:, None, :] + (y**2)[:, :, None] + nearest * (nearest - 2 * projection) * squared_length[..., None]


def segments(cells: Tensor, visible: Tensor, lines: tuple[tuple[int, ...], ...], most: int) -> tuple[Tensor, ...]:
    """The splines as straight segments of about one cell: the face (N,) of each, its start and its end (N, 2).

    The curve between two points gets about one segment a cell, but at most `most`. Only curves that leave the grid
    are longer than that.
    """
    indices = constant(quadruples, lines, like=cells, dtype=torch.long)
    drawn = visible[:, indices[:, 1]] & visible[:, indices[:, 2]]
    knots = [cells[:, i] for i in indices.T]
    inner = [(visible[:, indices[:, i]] & (indices[:, i] != indices[:, j]))[..., None] for i, j in ((0, 1), (3, 2))]
    start_tangent, end_tangent, length = tangents(knots, inner)
    count = (length[..., 0] * 1.25).ceil().clamp(1, most).long() * drawn
    curve = torch.repeat_interleave(torch.arange(count.numel(), device=cells.device), count.flatten())
    rank = torch.arange(len(curve), device=cells.device) - (count.flatten().cumsum(0) - count.flatten())[curve]
    step = 1 / count.flatten()[curve]
    a, a_tangent, b, b_tangent = (
        part.flatten(0, 1)[curve] for part in (knots[1], start_tangent * length, knots[2], end_tangent * length)
    )
    start, end = (hermite(a, a_tangent, b, b_tangent, ((rank + i) * step)[:, None]) for i in (0, 1))
    return curve // drawn.shape[1], start, end


def quadruples(lines: tuple[tuple[int, ...], ...]) -> Tensor:
    """For each curve between two points: the point before, both points, the point after (at an end, the end again)."""
    return torch.tensor(
        [
            (line[max(i - 1, 0)], line[i], line[i + 1], line[min(i + 2, len(line) - 1)])
            for line in lines
            for i in range(len(line) - 1)
        ]
    )


def tangents(knots: list[Tensor], inner: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """The tangents of a curve at the second and third of four knots, and the chord length between these two.

    The tangent at a point is that of the parabola through it and its neighbours, parametrised by chord length. At the
    end of a line it is the end tangent of the last parabola, so that a line of three points is a parabola.
    """
    chords = [b - a for a, b in itertools.pairwise(knots)]
    lengths = [chord.norm(dim=-1, keepdim=True).clamp(min=1e-6) for chord in chords]
    unit = [chord / length for chord, length in zip(chords, lengths, strict=True)]
    central = [(unit[i] * lengths[i + 1] + unit[i + 1] * lengths[i]) / (lengths[i] + lengths[i + 1]) for i in (0, 1)]
    start = torch.where(inner[0], central[0], torch.where(inner[1], 2 * unit[1] - central[1], unit[1]))
    end = torch.where(inner[1], central[1], torch.where(inner[0], 2 * unit[1] - central[0], unit[1]))
    return start, end, lengths[1]


def hermite(start: Tensor, start_tangent: Tensor, end: Tensor, end_tangent: Tensor, t: Tensor) -> Tensor:
    """The cubic Hermite curve from `start` (t = 0) to `end` (t = 1)."""
    s, product = 1 - t, t * (1 - t)
    return start * s**2 * (1 + 2 * t) + end * t**2 * (3 - 2 * t) + product * (start_tangent * s - end_tangent * t)
