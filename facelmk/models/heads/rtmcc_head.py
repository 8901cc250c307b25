"""RTMPose's head (https://arxiv.org/abs/2303.07399): a map a point, attention between the points, then SimCC bins."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import FacelmkError
from ...registry import HEADS, Range
from .base import Head, small_normal_init

_KEY = 128  # channels of query and key


class ScaleNorm(nn.Module):
    """Normalise vectors to one learnt length (https://arxiv.org/abs/1910.05895)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = width**-0.5
        self.g = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        length = torch.linalg.norm(x, dim=-1, keepdim=True) * self.scale
        return x / length.clamp(min=1e-5) * self.g


class Scale(nn.Module):
    """Multiply each channel by a learnt factor."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


class GatedAttention(nn.Module):
    """The gated attention unit: attention between the points (B, K, width), with a residual (https://arxiv.org/abs/2202.10447)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = 2 * width
        self.ln = ScaleNorm(width)
        self.uv = nn.Linear(width, 2 * self.inner + _KEY, bias=False)
        self.gamma, self.beta = nn.Parameter(torch.rand(2, _KEY)), nn.Parameter(torch.rand(2, _KEY))
        self.o = nn.Linear(self.inner, width, bias=False)
        self.res_scale = Scale(width)

    def forward(self, x: Tensor) -> Tensor:
        gate, value, base = F.silu(self.uv(self.ln(x))).split((self.inner, self.inner, _KEY), -1)
        query, key = (base[..., None, :] * self.gamma + self.beta).unbind(-2)
        attention = F.relu(query @ key.mT / _KEY**0.5) ** 2
        return self.res_scale(x) + self.o(gate * (attention @ value))


@HEADS.register_module()
class RTMCCHead(Head):
    """Logits of `bins` bins for x and for y of each point, from the last feature, which has this `stride`.

    `size` is the side of the crops; the layers fit this side only. Each point's map becomes `hidden` channels.
    """

    kinds = ('bins',)
    ranges = {
        'in_channels': (1, 65536),
        'out_channels': (1, 65536),
        'size': (16, 4096),
        'bins': (1, 65536),
        'hidden': (8, 4096),
        'kernel': Range(1, 31, step=2),
        'stride': {4, 8, 16, 32, 64},
    }

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int,
        size: int,
        bins: int | None,
        hidden: int = 256,
        kernel: int = 7,
        stride: int = 32,
    ) -> None:
        super().__init__()
        if bins is None:
            raise FacelmkError(
                "RTMCCHead: bins=None. Expected a codec that has bins. Set model.codec=dict(type='SimCC')."
            )
        self.size, self.stride, self.cells = size, stride, (size // stride) ** 2
        self.final_layer = nn.Conv2d(in_channels[-1], out_channels, kernel, padding=kernel // 2)
        self.mlp = nn.Sequential(ScaleNorm(self.cells), nn.Linear(self.cells, hidden, bias=False))
        self.gau = GatedAttention(hidden)
        self.cls_x, self.cls_y = nn.Linear(hidden, bins, bias=False), nn.Linear(hidden, bins, bias=False)
        self.apply(_init_weights)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One stage (B, K, 2, bins): x, then y."""
        maps = self.final_layer(features[-1]).flatten(2)
        if maps.shape[-1] != self.cells:
            raise FacelmkError(
                f'RTMCCHead: the last feature has {maps.shape[-1]} cells, size={self.size} with stride={self.stride} '
                f'gives {self.cells}. Expected the stride of the backbone, and crops of this size'
            )
        points = self.gau(self.mlp(maps))
        return [torch.stack((self.cls_x(points), self.cls_y(points)), 2)]


def _init_weights(module: nn.Module) -> None:
    """RTMPose's initial weights."""
    if isinstance(module, nn.Conv2d):
        small_normal_init(module)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
