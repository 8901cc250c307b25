"""Time the targets and the loss of heatmaps, as they are and fused: the difference of output and target in one pass.

python docs/measure_fused_loss.py [--faces 8]: CPU milliseconds of one thread, the median of the rounds, forward and
backward. The fused form never holds the target in memory.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from facelmk.codecs import Heatmap  # noqa: E402  the package of this clone
from facelmk.files.allocator import reuse_freed_memory  # noqa: E402
from facelmk.models.losses import HeatmapMSELoss  # noqa: E402

K, SIDE, SIZE, ROUNDS = 98, 64, 256, 60


class FusedLoss(torch.autograd.Function):
    """The mean squared difference of maps and outer products of `rows` and `columns`, weighted for each map."""

    @staticmethod
    def forward(context: Any, output: Tensor, rows: Tensor, columns: Tensor, weight: Tensor) -> Tensor:
        error = torch.addcmul(output, rows[..., None], columns[..., None, :], value=-1.0)
        context.save_for_backward(error, weight)
        squares = torch.linalg.vector_norm(error.flatten(2), dim=-1) ** 2
        return (squares * weight.flatten(1)).sum() / output.numel()

    @staticmethod
    def backward(context: Any, *gradients: Any) -> Any:
        error, weight = context.saved_tensors
        return error * (weight * (2 * gradients[0] / error.numel())), None, None, None


def milliseconds(work: Callable[[], object]) -> float:
    """Return the CPU milliseconds of a call."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(1000 * (time.process_time() - began))
    return statistics.median(times)


def main() -> None:
    """Print a line for each form."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--faces', type=int, default=8)
    count = parser.parse_args().faces
    torch.set_num_threads(1)
    reuse_freed_memory()  # as in training
    generator = torch.Generator().manual_seed(0)
    points = 16 + torch.rand(count, K, 2, generator=generator) * (SIZE - 32)
    output = torch.rand(count, K, SIDE, SIDE, generator=generator).requires_grad_()
    visible, codec, loss = torch.ones(count, K), Heatmap(aligned=False, centre='cell'), HeatmapMSELoss()

    def separate() -> Tensor:
        output.grad = None
        value: Tensor = loss(output, *codec.encode(points, visible, output.detach(), SIZE))
        value.backward()
        return value

    def fused() -> Tensor:
        output.grad = None
        cells = codec.cells(points, (SIDE, SIDE), SIZE)
        (columns, _), (rows, _) = codec.gaussian_1d(cells[..., 0], SIDE), codec.gaussian_1d(cells[..., 1], SIDE)
        value: Tensor = FusedLoss.apply(output, rows, columns, visible[..., None, None])
        value.backward()
        return value

    assert torch.allclose(separate(), fused())
    print(
        f'{count} x {K} x {SIDE} x {SIDE}: {milliseconds(separate):.2f} ms as it is, {milliseconds(fused):.2f} ms fused'
    )


if __name__ == '__main__':
    main()
