"""Memory of targets that is used again as soon as nothing refers to it any more.

A new block of 100 MB costs a CPU several times what the numbers in it cost: the system clears each page at its first
use. So encode() takes the memory of an earlier target, once that target is gone. `torch.from_numpy` lets a tensor keep
a reference to its array until the last tensor, view, array or graph with this memory has ended. An array to which only
the list below refers is therefore free. A GPU needs none of this, because torch keeps its memory.
"""

import math
import sys
import threading
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .peaks import is_in_memory, is_traced

MAX_BLOCKS = 4  # of a thread: a target for each of several losses
LEAST_BYTES = 2**20  # of a target that is worth the search
ALIGNMENT = 64  # bytes of a cache line


class Blocks(threading.local):
    """The blocks of bytes of one thread."""

    def __init__(self) -> None:
        self.blocks: list[NDArray[np.uint8]] = []

    def take(self, size: int) -> NDArray[np.uint8] | None:
        """Return a block of at least `size` bytes to which nothing refers; None if all of them are in use."""
        free = [i for i in range(len(self.blocks)) if references(self.blocks, i) <= UNUSED]
        for i in free:
            if size <= len(self.blocks[i]) <= 2 * size:
                return self.blocks[i]
        if len(self.blocks) == MAX_BLOCKS and free:
            del self.blocks[free[0]]
        if len(self.blocks) == MAX_BLOCKS:
            return None
        self.blocks.append(np.empty(size, np.uint8))
        return self.blocks[-1]


def references(blocks: list, i: int) -> int:
    """The number of references to a block, with those of this call."""
    return sys.getrefcount(blocks[i])


UNUSED = references([np.empty(1, np.uint8)], 0)  # Python's versions count the call differently
_blocks = Blocks()


def empty_like(like: Tensor, shape: Sequence[int]) -> Tensor:
    """Return a tensor without values, with the dtype and device of `like`; in memory of an earlier one if possible."""
    count = math.prod(shape)
    size = count * like.element_size()
    if not is_in_memory(like) or size < LEAST_BYTES:
        return like.new_empty(shape)
    block = _blocks.take(size + ALIGNMENT)
    if block is None:
        return like.new_empty(shape)
    start = -block.ctypes.data % ALIGNMENT
    return torch.from_numpy(block[start : start + size]).view(like.dtype).view(shape)


def outer_product(rows: Tensor, columns: Tensor, like: Tensor) -> Tensor:
    """Return maps (B, K, H, W) from their rows (B, K, H) and columns (B, K, W), with the dtype of `like`."""
    first, second = rows[..., :, None], columns[..., None, :]
    if is_traced() or first.requires_grad or second.requires_grad:
        return (first * second).to(like)
    return torch.mul(first, second, out=empty_like(like, torch.broadcast_shapes(first.shape, second.shape)))
