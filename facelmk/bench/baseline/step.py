"""A training step and a prediction as MMPose 1.3 does them, with the layers of our network, which are the same.

What differs: each picture is normalised separately, and they are stacked; targets come ready from the loader, one array
a sample; the loss multiplies outputs and targets by a mask; the accuracy is computed on the CPU; each logged number is
read separately; a flip test runs the network twice and decodes each sample in NumPy.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...registry import OPTIMIZERS

THRESHOLD = 0.05  # of the accuracy, of the side of the maps


class PlainStep:
    """A network in float32 with its optimizer, and a batch as MMPose's loader makes it."""

    def __init__(self, network: Any, optimizer: dict[str, Any], batch: dict[str, Any]) -> None:
        self.network = network
        options = dict(optimizer)
        self.optimizer = OPTIMIZERS.get(options.pop('type'))(network.parameters(), **options)
        self.pictures = list(batch['inputs'])
        points, visible = (batch['data_samples'][name] for name in ('points', 'visible'))
        with torch.no_grad():
            like = self.network.eval()(torch.zeros(batch['inputs'].shape))[-1]
            targets, weights = self.network.codec.encode(points, visible, like, batch['inputs'].shape[-1])
        self.network.train()
        self.targets, self.weights = list(targets), list(weights)

    def normalised(self) -> Tensor:
        """Return the batch (B, 3, S, S) in RGB, each picture normalised separately."""
        mean, std = self.network.data_preprocessor.mean, self.network.data_preprocessor.std
        return torch.stack([(picture[[2, 1, 0]].float() - mean) / std for picture in self.pictures])

    def step(self) -> None:
        """Train a step."""
        output = self.network.head(self.network.backbone(self.normalised()))[-1]
        target, weight = torch.stack(self.targets), torch.stack(self.weights)
        (term,) = self.network.terms.values()
        loss = term.loss(output * weight, target * weight)
        accuracy = torch.tensor(accuracy_of(output.detach().numpy(), target.numpy()))
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        for number in (loss, loss, accuracy):  # the total, its term, and the accuracy
            number.item()

    def forward(self) -> Tensor:
        """Return the output for the batch."""
        with torch.no_grad():
            output: Tensor = self.network.head(self.network.backbone(self.normalised()))[-1]
        return output

    def predict(self) -> list[np.ndarray]:
        """Return the points (K, 2) of each picture, with a flip test of two passes."""
        inputs = self.normalised()
        with torch.no_grad():
            direct, mirrored = (self.network.head(self.network.backbone(x))[-1] for x in (inputs, inputs.flip(-1)))
            output = (direct + self.network.codec.flip(mirrored, self.network.mirror, inputs.shape[-1])) * 0.5
        return [decoded(sample, inputs.shape[-1]) for sample in output.numpy()]


def accuracy_of(output: np.ndarray, target: np.ndarray) -> float:
    """Return the share of points whose maxima, or coordinates, are near those of the target."""
    if output.ndim == 3:  # coordinates
        return float((np.linalg.norm(output - target, axis=-1) < THRESHOLD).mean())
    cells = [np.stack([maxima(sample) for sample in maps]) for maps in (output, target)]
    return float((np.linalg.norm(cells[0] - cells[1], axis=-1) < THRESHOLD * output.shape[-1]).mean())


def maxima(maps: np.ndarray) -> np.ndarray:
    """Return the highest cell (K, 2) of maps (K, H, W)."""
    index = maps.reshape(len(maps), -1).argmax(1)
    return np.stack([index % maps.shape[-1], index // maps.shape[-1]], -1).astype(np.float32)


def decoded(output: np.ndarray, size: int) -> np.ndarray:
    """Return the points (K, 2) of a sample: the maxima, a quarter of a cell towards the higher neighbour."""
    if output.ndim == 2:  # coordinates
        return output * size
    cells, (K, H, W) = maxima(output), output.shape
    for k in range(K):
        x, y = cells[k].astype(int)
        if 0 < x < W - 1 and 0 < y < H - 1:
            slope = output[k, y, x + 1] - output[k, y, x - 1], output[k, y + 1, x] - output[k, y - 1, x]
            cells[k] += np.sign(slope) * 0.25
    return cells * size / W
