"""Constant tensors that are copied to a device once, so that no step waits for a copy."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from .peaks import is_traced


def constant(make: Callable[..., Tensor], *arguments: Any, like: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Return make(*arguments) on the device of `like`, with `dtype` or else that of `like`."""
    dtype = dtype or like.dtype
    if type(like) is not Tensor or is_traced():  # the tensors of a graph, or without values, end with it
        return make(*arguments).to(like.device, dtype)
    return _copied(make, arguments, like.device, dtype)


@lru_cache(maxsize=64)
def _copied(make: Callable[..., Tensor], arguments: tuple, device: torch.device, dtype: torch.dtype) -> Tensor:
    with torch.inference_mode(False):  # a training step may use it, too
        return make(*arguments).to(device, dtype)
