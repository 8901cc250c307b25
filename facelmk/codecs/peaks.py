"""The highest cell of each map and the cells around it, without a copy of the maps."""

import torch
from torch import Tensor
from torch.nn import functional as F


def is_traced() -> bool:
    """Whether torch records a graph, which can hold neither NumPy's arithmetic nor a branch on values."""
    return torch.jit.is_tracing() or torch.compiler.is_compiling()


def is_in_memory(tensor: Tensor) -> bool:
    """Whether NumPy can read the values of a tensor without waiting for a device."""
    return tensor.device.type == 'cpu' and type(tensor) is Tensor and not is_traced()


def highest_cells(maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The height of the first highest cell of each map (B, K, H, W), its column and its row, (B, K) each."""
    W = maps.shape[-1]
    heights, index = _highest(maps)
    return heights, index % W, torch.div(index, W, rounding_mode='floor')


def _highest(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The height and the index (B, K) of the first highest cell.

    In memory, NumPy's argmax takes a third of the time of torch's max. It needs the cells of a map beside one another;
    where they lie apart (channels_last), pooling is as fast.
    """
    if not is_in_memory(maps):
        return maps.flatten(-2).max(-1)
    if maps.stride(1) == 1 != maps.stride(-1) and maps.numel():
        heights, index = F.max_pool2d(maps, maps.shape[-2:], return_indices=True)
        return heights[..., 0, 0], index[..., 0, 0]
    flat = maps.flatten(-2)
    index = torch.from_numpy(flat.detach().numpy().argmax(-1))
    return flat.gather(-1, index[..., None])[..., 0], index


def values_at(maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The values of maps (B, K, H, W) in columns and rows that broadcast to (B, K, N, ...)."""
    W = maps.shape[-1]
    if is_in_memory(maps) and maps.stride(-2) != W * maps.stride(-1):  # flattening them would copy the maps
        x, y = torch.broadcast_tensors(x, y)
        beyond = [1] * (x.dim() - 2)
        face, point = (torch.arange(n, device=maps.device) for n in maps.shape[:2])
        return maps[face.view(-1, 1, *beyond), point.view(-1, *beyond), y, x]
    index = y * W + x
    return maps.flatten(-2).gather(-1, index.flatten(2)).view_as(index)


def windows(maps: Tensor, x: Tensor, y: Tensor, radius: int) -> Tensor:
    """The window around (x, y) of each map, (B, K, 2 radius + 1, 2 radius + 1); zeros outside of the grid."""
    H, W = maps.shape[-2:]
    step = torch.arange(-radius, radius + 1, device=maps.device)
    columns, rows = (x[..., None] + step)[..., None, :], (y[..., None] + step)[..., None]
    inside = (columns >= 0) & (columns < W) & (rows >= 0) & (rows < H)
    return torch.where(inside, values_at(maps, columns.clamp(0, W - 1), rows.clamp(0, H - 1)), 0.0)


def neighbours(maps: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    """The cells to the right, to the left, below and above of (x, y), (B, K) each; beyond the edge, the edge's."""
    H, W = maps.shape[-2:]
    columns, rows = torch.stack((x + 1, x - 1, x, x), -1), torch.stack((y, y, y + 1, y - 1), -1)
    return values_at(maps, columns.clamp(0, W - 1), rows.clamp(0, H - 1)).unbind(-1)
