"""A graph as a TorchScript file. It needs torch to run, but none of our code."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import FacelmkError
from ..inference.runtime.facts import KEY, Facts
from .graph import Graph
from .parity import Crops


def to_torchscript(
    graph: Graph, example: Tensor, path: Path
) -> tuple[Callable[[Facts], dict[Path, bytes]], Callable[[Crops], Any]]:
    """Return a function from facts to the file, and a function that runs the traced graph."""
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter('ignore')  # torch announces the end of TorchScript, and notes each fixed size
            traced = torch.jit.freeze(torch.jit.trace(graph, example, check_trace=False))
    except Exception as error:  # torch's classes for this have no common base
        reason = str(error).strip().partition('\n')[0][:300]
        raise FacelmkError(f'torch.jit.trace cannot trace this model: {reason}. Try --format onnx') from error

    @torch.no_grad()
    def run(crops: Crops) -> dict[str, Any]:
        return {name: part.numpy() for name, part in zip(graph.names, traced(torch.from_numpy(crops)), strict=True)}

    def write(facts: Facts) -> dict[Path, bytes]:
        return {path: traced.save_to_buffer(_extra_files={f'{KEY}.json': facts.to_text()})}

    return write, run
