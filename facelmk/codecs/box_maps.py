"""Box maps: where the centres of faces are, and how large their boxes (https://arxiv.org/abs/1904.07850)."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from ..registry import CODECS
from .base import Codec, gaussian

LEAST_HEAT = 1e-4  # heats stay this far from 0 and 1, so that their logits are finite
LOG_SIDE_LIMITS = (-3.0, 6.0)  # of a side in cells: from 0.4 to 3,227 pixels at stride 8


@CODECS.register_module()
class BoxMaps(Codec):
    """Five maps (B, 5, H, W) at `stride`: the centre's logit, its offset x, y in cells, log width, log height in cells.

    A face's heat is 1 in the cell of its centre and falls as a Gaussian whose sigma is `sigma` times its side, but at
    least half a cell. Cells of at least half the full heat give the face's box, and together have weight 1.
    Faces whose longer side is below `smallest` or above `largest` pixels, whose centre lies outside of the crop, or
    that are marked as ignored, have weight 0: their cells count neither as face nor as background.
    `decode` takes the highest cell of each 3x3 neighbourhood whose score is at least `least_score`, and removes boxes
    that overlap a better one by more than `most_overlap` (intersection over union); at most `most_boxes` remain.
    """

    kind = 'box maps'
    tolerance = 0.05
    ranges = {
        'stride': (1, 128),
        'sigma': (0.01, 1),
        'smallest': (0, 4096),
        'largest': (1, 65536),
        'least_score': (0.001, 1),
        'most_overlap': (0, 1),
        'most_boxes': (1, 1000),  # four times as many are compared in pairs
    }

    def __init__(
        self,
        stride: int = 8,
        sigma: float = 0.1,
        smallest: float = 9.0,
        largest: float = 1000.0,
        least_score: float = 0.05,
        most_overlap: float = 0.4,
        most_boxes: int = 100,
    ) -> None:
        self.stride, self.sigma, self.smallest, self.largest = stride, sigma, smallest, largest
        self.least_score, self.most_overlap, self.most_boxes = least_score, most_overlap, most_boxes

    def channels(self, K: int = 1, size: int | None = None) -> int:
        """Five, however many faces there are."""
        return 5

    def encode(  # type: ignore[override]  # boxes of any number instead of points
        self, boxes: Sequence[Tensor], ignored: Sequence[Tensor], like: Tensor, size: int
    ) -> tuple[Tensor, Tensor]:
        """The target and its weight (B, 5, H, W) for the boxes (N, 4) of each crop, some of them ignored (N,)."""
        padded, counted, in_doubt = self._pad(boxes, ignored, like)
        cells = torch.stack(((padded[..., 0::2].mean(-1) + 0.5), (padded[..., 1::2].mean(-1) + 0.5)), -1) / self.stride
        sides = ((padded[..., 2:] - padded[..., :2]) / self.stride).clamp_min(1e-3)
        H, W = like.shape[-2:]
        inside = (cells >= 0).all(-1) & (cells[..., 0] < W) & (cells[..., 1] < H)
        in_doubt, counted = in_doubt | (counted & ~inside), counted & inside
        x, y = torch.arange(W, device=like.device), torch.arange(H, device=like.device)[:, None]
        middle, spread = cells.floor()[..., None, None], (self.sigma * sides.amax(-1)).clamp_min(0.5)[..., None, None]
        heats = gaussian((x - middle[:, :, 0]) / spread, 1) * gaussian((y - middle[:, :, 1]) / spread, 1)
        heat, owner = (heats * counted[..., None, None]).max(1)
        logit = heat.clamp(LEAST_HEAT, 1 - LEAST_HEAT).logit()
        values = torch.cat((cells - 0.5, sides.log()), -1)  # (B, M, 4)
        owned = values.gather(1, owner.flatten(1)[..., None].expand(-1, -1, 4)).mT.unflatten(2, (H, W))
        offset = owned[:, :2] - torch.stack(torch.broadcast_tensors(x, y))
        centre_weight = ~_covered(padded, in_doubt, x, y, self.stride) | (heat >= 0.3)
        box_weight = _share_weight(heat * (heat >= 0.5), owner, len(padded[0]))[:, None].expand(-1, 4, -1, -1)
        target = torch.cat((logit[:, None], offset, owned[:, 2:]), 1)
        return target.to(like), torch.cat((centre_weight[:, None].to(box_weight), box_weight), 1).to(like)

    def _pad(self, boxes: Sequence[Tensor], ignored: Sequence[Tensor], like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes (B, M, 4), padded; which of them count (B, M); and which are ignored (B, M)."""
        most = max(1, *(len(rows) for rows in boxes))
        padded = torch.stack([F.pad(rows.float(), (0, 0, 0, most - len(rows))) for rows in boxes]).to(like.device)
        in_doubt = torch.stack([F.pad(rows.bool(), (0, most - len(rows))) for rows in ignored]).to(like.device)
        exists = torch.stack([torch.arange(most) < len(rows) for rows in boxes]).to(like.device)
        longer = (padded[..., 2:] - padded[..., :2]).amax(-1)
        counted = exists & ~in_doubt & (longer >= self.smallest) & (longer <= self.largest)
        return padded, counted, exists & ~counted

    def decode(self, output: Tensor, size: int = 0) -> list[tuple[Tensor, Tensor]]:  # type: ignore[override]
        """The boxes (M, 4) in crop pixels and scores (M,) of each crop, the best first."""
        output = output.float()
        heat, boxes = self.peaks(output), self.boxes(output)
        is_peak = heat >= self.least_score
        return [self._best(boxes[i][:, peaks].T, heat[i][peaks]) for i, peaks in enumerate(is_peak)]

    def peaks(self, output: Tensor) -> Tensor:
        """The score (B, H, W) of each cell that is the highest one of its 3x3 neighbourhood; 0 in all other cells."""
        heat = output[:, 0].sigmoid()
        return heat * (heat == F.max_pool2d(heat[:, None], 3, 1, 1)[:, 0])

    def boxes(self, output: Tensor) -> Tensor:
        """The box x1, y1, x2, y2 of each cell (B, 4, H, W), in crop pixels."""
        H, W = output.shape[-2:]
        x, y = torch.arange(W, device=output.device), torch.arange(H, device=output.device)[:, None]
        centre = output[:, 1:3] + torch.stack(torch.broadcast_tensors(x, y)) + 0.5
        half = output[:, 3:5].clamp(*LOG_SIDE_LIMITS).exp() / 2
        return torch.cat((centre - half, centre + half), 1) * self.stride - 0.5

    def _best(self, boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        order = scores.argsort(descending=True, stable=True)[: 4 * self.most_boxes]
        boxes, scores = boxes[order], scores[order]
        overlap = box_overlaps(boxes, boxes).triu(1) > self.most_overlap
        chosen: list[int] = []
        removed = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
        for i in range(len(boxes)):
            if not removed[i]:
                chosen.append(i)
                removed |= overlap[i]
        best = chosen[: self.most_boxes]
        return boxes[best], scores[best]

    def flip(self, output: Tensor, mirror: Tensor | None = None, size: int = 0) -> Tensor:
        """The maps of the mirrored crop, mirrored; the offset in x changes its sign."""
        heat, x, others = output.flip(-1).split((1, 1, 3), 1)
        return torch.cat((heat, -x, others), 1)


def box_overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union (N, M) of boxes (N, 4) and (M, 4)."""
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clamp_min(0).prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clamp_min(0).prod(-1) for boxes in (first, second)]
    return shared / (areas[0][:, None] + areas[1][None] - shared).clamp_min(1e-9)


def _covered(boxes: Tensor, which: Tensor, x: Tensor, y: Tensor, stride: int) -> Tensor:
    """Whether the middle of each cell (B, H, W) lies inside one of those boxes (B, M, 4) that `which` (B, M) names."""
    low, high = ((part + 0.5)[..., None, None] / stride for part in (boxes[..., :2], boxes[..., 2:]))
    inside_x = (x + 0.5 >= low[:, :, 0]) & (x + 0.5 <= high[:, :, 0])
    inside_y = (y + 0.5 >= low[:, :, 1]) & (y + 0.5 <= high[:, :, 1])
    return (inside_x & inside_y & which[..., None, None]).any(1)


def _share_weight(heat: Tensor, owner: Tensor, count: int) -> Tensor:
    """The heat (B, H, W) divided by its sum over the cells of each owner, so that each face has weight 1."""
    heat_of, owner_of = heat.flatten(1), owner.flatten(1)
    total = heat.new_zeros(len(heat), count).scatter_add(1, owner_of, heat_of)
    return (heat_of / total.gather(1, owner_of).clamp_min(1e-6)).view_as(heat)
