"""Devices as other projects' defaults name them, which is a GPU."""

import warnings

import torch

from ..inference.predictor import find_device


def device_or_cpu(device: str | torch.device) -> torch.device:
    """The device that is asked for; the CPU, with a warning, where it is a GPU and there is none."""
    if str(device).startswith('cuda') and not torch.cuda.is_available():
        warnings.warn(f'device={str(device)!r}, but torch sees no GPU here: the CPU is used', stacklevel=3)
        return torch.device('cpu')
    return find_device(device)
