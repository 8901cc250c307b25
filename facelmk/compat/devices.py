"""Devices of functions whose default is a GPU, as in other projects."""

import warnings

import torch

from ..inference.load import find_device


def device_or_cpu(device: str | torch.device) -> torch.device:
    """`device`, or the CPU with a warning where `device` is a GPU and there is none."""
    if str(device).startswith('cuda') and not torch.cuda.is_available():
        warnings.warn(f'device={str(device)!r}, but torch finds no GPU. The CPU is used instead', stacklevel=3)
        return torch.device('cpu')
    return find_device(device)
