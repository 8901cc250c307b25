"""Export a model: make the graph, compare it with torch, and write the file only if both agree."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..errors import FacelmkError
from ..files.atomic import check_output, write_bytes
from ..inference.runtime.facts import Facts
from .graph import Graph, graph_of
from .parity import TOLERANCE_PX, Crops, Parity, answers_of_torch, check, in_batches, measure
from .source import Source

INT8_SHARE = 0.005  # of the side of the crop: the largest mean difference of an int8 file
Files = dict[Path, bytes]  # what is written where; OpenVINO has two files


class Exported(NamedTuple):
    """A written file, its facts, and its differences from torch; those of int8 come from fewer bits."""

    path: Path
    facts: Facts
    parity: Parity
    bytes: int


def export_model(
    source: Source,
    crops: Crops,
    path: Path,
    kind: str = 'onnx',
    int8: bool = False,
    tolerance_px: float = TOLERANCE_PX,
    report: Callable[[str], None] = lambda line: None,
) -> Exported:
    """Write a model as `kind`; refuse, without a file, if its answers for `crops` differ from those of torch.

    The limit is `tolerance_px` for each point. With `int8` it is a mean of 0.5 % of the side of the crop, because eight
    bits move every point a little.
    """
    if int8 and kind != 'onnx':
        raise FacelmkError(
            f'--int8 with --format {kind}. Expected --format onnx. OpenVINO runs the int8 ONNX file, too'
        )
    check_output(path)
    graph = graph_of(source.model)
    facts = source.facts(graph)
    expected = answers_of_torch(source.model, crops)
    write, run = _make(kind, graph, source, crops, path, int8)
    parity = measure(expected, in_batches(run, crops))
    report(f'{kind}{" int8" if int8 else ""} against torch on {parity}')
    if int8:
        _check_int8(parity, crops.shape[-1])
    else:
        check(parity, tolerance_px, path.name)
    facts = facts.with_parity(parity._asdict() | {'int8': int8, 'limit_px': tolerance_px})
    files = write(facts)
    for name, content in files.items():
        write_bytes(name, content)
    return Exported(path, facts, parity, sum(map(len, files.values())))


def _make(
    kind: str, graph: Graph, source: Source, crops: Crops, path: Path, int8: bool
) -> tuple[Callable[[Facts], Files], Callable[[Crops], Any]]:
    """Return a function from facts to files, and a function that runs the graph as these files hold it."""
    example = torch.from_numpy(crops[:2].repeat(2, 0)[:3])  # no dimension may be 1: torch would take it for fixed
    if kind == 'torchscript':
        from .torchscript_file import to_torchscript

        return to_torchscript(graph, example, path)
    from .onnx_file import to_onnx, with_facts

    model = to_onnx(graph, example, source.multiple)
    if kind == 'openvino':
        from .openvino_file import to_openvino

        return to_openvino(model, graph.names, path)
    if int8:
        from .int8 import quantise

        model = quantise(model, crops)
    from ..inference.runtime.session import Session

    session = Session(with_facts(model, source.facts(graph)))
    return lambda facts: {path: with_facts(model, facts)}, session.run


def _check_int8(parity: Parity, side: int) -> None:
    limit = INT8_SHARE * side
    if not parity.mean_px <= limit:
        raise FacelmkError(
            f'the int8 file differs from torch by {parity.mean_px:.3f} px on average ({parity}). Expected at most '
            f'{limit:.2f} px, {INT8_SHARE:.1%} of the crop. No file was written. Export without --int8'
        )
