"""Heatmaps and one map more: the lines of the face, as Adaptive Wing teaches them beside the points."""

from typing import Any

import torch
from torch import Tensor

from ..errors import FacelmkError
from ..markups import MARKUPS
from ..registry import CODECS
from .heatmap import Heatmap


@CODECS.register_module()
class Boundary(Heatmap):
    """K + 1 maps: those of `Heatmap`, whose arguments it takes, and the mark-up's lines (B, K + 1, H, W).

    The last map is exp(-d^2 / 2 line_sigma^2), d the distance in cells to the nearest line, and 0 from three sigma on.
    A line is a cubic curve through its points, by the length of its chords; its pieces at points that cannot be seen
    are left out. This map weighs 1, decoding does not look at it, and a mirrored output keeps it last
    (https://arxiv.org/abs/1904.07399).

    The official network was taught bumps of sigma 1.75 cut 3 cells from the point's cell (centre='cell', sigma=1.75,
    radius=3), the re-implementation by SeungyounShin 2.5 and 7 (sigma=2.5, radius=7), both line_sigma=1. Both count
    places from a pixel's corner where we count from its middle: `corner=True` is the official decoding, (cell + 0.5
    +- 0.25) * stride; without it a point comes back half a pixel less. A mirrored map is then a pixel off.
    """

    def __init__(self, markup: str, line_sigma: float = 1.0, corner: bool = False, **options: Any) -> None:
        super().__init__(**options)
        if not MARKUPS[markup].lines:
            raise FacelmkError(f'Boundary: mark-up {markup!r} has no lines to draw; give its Markup some (`lines=`)')
        self.lines = MARKUPS[markup].lines
        self.line_sigma, self.corner = line_sigma, 0.5 if corner else 0.0
        self.flip_bias += 2 * self.corner

    def channels(self, K: int, size: int | None = None) -> int:
        return K + 1

    def encode(self, points: Tensor, visible: Tensor, like: Tensor, size: int) -> tuple[Tensor, Tensor]:
        (B, K), (H, W) = visible.shape, like.shape[-2:]
        points = points.float() - self.corner
        # a point more that is not seen: its empty map becomes the lines'
        maps, weight = super().encode(
            torch.cat((points, points[:, :1]), 1), torch.cat((visible, visible.new_zeros(B, 1)), 1), like, size
        )
        maps[:, K] = draw(self.cells(points, (W, H), size), visible > 0.5, self.lines, (W, H), self.line_sigma)
        weight[:, K] = 1
        return maps, weight

    def decode(self, output: Tensor, size: int) -> tuple[Tensor, Tensor]:
        points, scores = super().decode(output[:, :-1], size)
        return points + self.corner, scores

    def flip(self, output: Tensor, mirror: Tensor, size: int) -> Tensor:
        return super().flip(output, torch.cat((mirror, mirror.new_tensor([len(mirror)]))), size)


def draw(
    cells: Tensor, visible: Tensor, lines: tuple[tuple[int, ...], ...], grid: tuple[int, int], sigma: float
) -> Tensor:
    """Maps (B, H, W) of the lines through `cells` (B, K, 2)."""
    W, H = grid
    face, start, end = pieces(cells, visible, lines, W + H)
    reach = int(3 * sigma + 1.1)  # a piece is about a cell long, and its middle up to half a cell from a cell's
    step = torch.arange(-reach, reach + 1, device=cells.device)
    middle = ((start + end) / 2).round()
    x, y = (middle[:, i, None] + step for i in (0, 1))
    distance = squared_distance(x - start[:, :1], y - start[:, 1:], end - start)
    # cells off the grid fall into a rim around it
    column, row = x.clamp(-1, W).long() + 1, (y.clamp(-1, H).long() + 1 + face[:, None] * (H + 2)) * (W + 2)
    nearest = torch.full((len(cells) * (H + 2) * (W + 2),), torch.inf, device=cells.device)
    nearest.scatter_reduce_(0, (row[:, :, None] + column[:, None, :]).flatten(), distance.flatten(), 'amin')
    nearest = nearest.view(-1, H + 2, W + 2)[:, 1:-1, 1:-1].clamp(min=0)
    return torch.exp(-nearest / (2 * sigma**2)) * (nearest < (3 * sigma) ** 2)


def squared_distance(x: Tensor, y: Tensor, piece: Tensor) -> Tensor:
    """From places (N, H, W) to straight pieces (N, 2) that begin at 0; x (N, W) and y (N, H) of the places."""
    across, down = piece.unbind(1)
    square = (across**2 + down**2).clamp(min=1e-12)[:, None]
    along = (x * across[:, None] / square)[:, None, :] + (y * down[:, None] / square)[:, :, None]
    nearest = along.clamp(0, 1)
    return (x**2)[:, None, :] + (y**2)[:, :, None] + nearest * (nearest - 2 * along) * square[..., None]


def pieces(cells: Tensor, visible: Tensor, lines: tuple[tuple[int, ...], ...], most: int) -> tuple[Tensor, ...]:
    """The curves as straight pieces of at most about a cell: which face (N,) each is of, its start and end (N, 2).

    A stretch between two points gets as many pieces as it is cells long, at most `most`: where that is too few its
    ends lie off the grid.
    """
    numbers = torch.tensor(stretches(lines), device=cells.device)
    seen = visible[:, numbers[:, 1]] & visible[:, numbers[:, 2]]
    knots = [cells[:, i] for i in numbers.T]
    inner = [(visible[:, numbers[:, i]] & (numbers[:, i] != numbers[:, j]))[..., None] for i, j in ((0, 1), (3, 2))]
    leave, arrive, length = slopes(knots, inner)
    count = (length[..., 0] * 1.25).ceil().clamp(1, most).long() * seen
    stretch = torch.repeat_interleave(torch.arange(count.numel(), device=cells.device), count.flatten())
    rank = torch.arange(len(stretch), device=cells.device) - (count.flatten().cumsum(0) - count.flatten())[stretch]
    share = 1 / count.flatten()[stretch]
    first, leave, last, arrive = (
        part.flatten(0, 1)[stretch] for part in (knots[1], leave * length, knots[2], arrive * length)
    )
    start, end = (hermite(first, leave, last, arrive, ((rank + i) * share)[:, None]) for i in (0, 1))
    return stretch // seen.shape[1], start, end


def stretches(lines: tuple[tuple[int, ...], ...]) -> list[tuple[int, int, int, int]]:
    """From one point of a line to the next: the point before, both, the point after; at a line's end itself again."""
    return [
        (line[max(i - 1, 0)], line[i], line[i + 1], line[min(i + 2, len(line) - 1)])
        for line in lines
        for i in range(len(line) - 1)
    ]


def slopes(knots: list[Tensor], inner: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Which way a curve leaves the second of four knots and arrives at the third, and how far that is.

    The way through a point is that of the parabola through it and its neighbours, whose parameter is the length of the
    chords; at a line's end it is that of the parabola at its end, so that a line of three points is a parabola.
    """
    chords = [b - a for a, b in zip(knots[:-1], knots[1:], strict=True)]
    lengths = [chord.norm(dim=-1, keepdim=True).clamp(min=1e-6) for chord in chords]
    way = [chord / length for chord, length in zip(chords, lengths, strict=True)]
    through = [(way[i] * lengths[i + 1] + way[i + 1] * lengths[i]) / (lengths[i] + lengths[i + 1]) for i in (0, 1)]
    leave = torch.where(inner[0], through[0], torch.where(inner[1], 2 * way[1] - through[1], way[1]))
    arrive = torch.where(inner[1], through[1], torch.where(inner[0], 2 * way[1] - through[0], way[1]))
    return leave, arrive, lengths[1]


def hermite(start: Tensor, leave: Tensor, end: Tensor, arrive: Tensor, share: Tensor) -> Tensor:
    """The cubic curve from `start` to `end` at a share of the way."""
    back, bend = 1 - share, share * (1 - share)
    return start * back**2 * (1 + 2 * share) + end * share**2 * (3 - 2 * share) + bend * (leave * back - arrive * share)
