"""Networks whose weights depend on their keys and shapes alone, so that reference numbers need no weights file."""

import inspect
import zlib

import numpy as np
import torch
from torch import Tensor, nn

from facelmk.registry import BACKBONES, HEADS

TOLERANCE = 1e-5  # difference from reference numbers, relative to the largest


def build_backbone(config: dict, maps: int) -> nn.Module:
    """Build a backbone; a stacked hourglass also needs the number of `maps`."""
    parameters = inspect.signature(BACKBONES.get(config['type'])).parameters
    return BACKBONES.build(config | ({'maps': maps} if 'maps' in parameters else {}))


class Network(nn.Module):
    """A backbone and a head, with the names that checkpoints use."""

    def __init__(self, backbone: dict, head: dict, K: int) -> None:
        super().__init__()
        self.backbone = build_backbone(backbone, K)
        self.head = HEADS.build(dict(head, in_channels=self.backbone.out_channels, out_channels=K))

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.backbone(image))[-1]


def normal_input() -> Tensor:
    """The crops (2, 3, 256, 256), normalised, of the reference numbers."""
    return torch.from_numpy(np.random.RandomState(0).randn(2, 3, 256, 256)).float()


def relative(actual: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest value."""
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


def share(values: np.ndarray) -> np.ndarray:
    """The sample of values in `tests/data/seed_networks.npz`."""
    return values.ravel()[np.random.RandomState(0).choice(values.size, 400, replace=False)]


def keys(module: nn.Module) -> set[str]:
    """The keys of state_dict, each with its shape."""
    return {f'{key} {tuple(value.shape)}' for key, value in module.state_dict().items()}


def fill(module: nn.Module) -> nn.Module:
    """Fill the weights by key and shape, and return the module in evaluation mode."""
    weights = module.state_dict()
    module.load_state_dict({key: torch.as_tensor(_value(key, w.shape)).to(w.dtype) for key, w in weights.items()})
    return module.eval()


def _value(key: str, shape: torch.Size) -> np.ndarray:
    random = np.random.RandomState(zlib.crc32(key.encode()))
    if key.endswith('num_batches_tracked'):
        return np.zeros(shape)
    if key.endswith('running_var'):
        return (random.rand(*shape) + 0.5) * 4
    if key.endswith('running_mean'):
        return random.randn(*shape) * 0.1
    if len(shape) >= 2:
        return random.randn(*shape) * np.prod(shape[1:]) ** -0.5
    if key.endswith(('weight', 'scale', '.g')):
        return random.rand(*shape) * 0.5 + 0.75
    return random.randn(*shape) * 0.05
