"""A graph as an ONNX file, in memory."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import FacelmkError
from ..inference.runtime.facts import KEY, Facts
from .graph import Graph
from .packages import check_packages

LEAST_VALUES = 256  # of a tensor that is worth a Cast
Model = Any  # onnx.ModelProto


def to_onnx(graph: Graph, example: Tensor, multiple: int | None = None) -> Model:
    """Return the ONNX model of a graph for crops like `example` (B, 3, H, W), B > 1, in batches of any size.

    With `multiple`, height and width are free, too, as multiples of that number. Weights that float16 holds exactly
    are stored as such.
    """
    check_packages('onnx')
    import onnx  # optional, as all of these
    import onnxscript.optimizer

    sides = {}
    if multiple is not None:
        sides = {axis: multiple * torch.export.Dim(name, min=2) for axis, name in ((2, 'rows'), (3, 'columns'))}
    shapes = {0: torch.export.Dim('batch', min=1), **sides}
    name = 'crops' if multiple is None else 'scenes'
    try:
        with _quiet(), torch.no_grad():
            program = torch.export.export(graph, (example,), dynamic_shapes=(shapes,))
            exported = torch.onnx.export(
                program, (), dynamo=True, optimize=False, verbose=False, input_names=[name],
                output_names=list(graph.names),
            )  # fmt: skip
            assert exported is not None  # it is only for a path
            onnxscript.optimizer.optimize_ir(exported.model)
    except Exception as error:  # torch's classes for this have no common base
        reason = f'{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:300]}'
        codec = type(graph.model.codec).__name__
        raise FacelmkError(
            f'this model cannot be written as a graph ({reason}). Its parts, also decode() of its codec {codec}, must '
            'not branch on values of tensors. Try --format torchscript, or change the part'
        ) from error
    model = exported.model_proto
    store_half(onnx, model)
    strip(model)
    return model


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's notes on torchvision, and on functions that torch is about to rename."""
    logger = logging.getLogger('torch.onnx')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter('ignore')
            yield
    finally:
        logger.setLevel(level)


def store_half(onnx: Any, model: Model) -> None:
    """Store weights that float16 holds exactly as float16, each with a Cast back: half the bytes, the same numbers.

    A runtime computes the Casts once, when it loads the file.
    """
    casts = []
    for tensor in list(model.graph.initializer):
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LEAST_VALUES:
            continue
        with np.errstate(over='ignore'):
            half = values.astype(np.float16)
        if np.array_equal(half.astype(np.float32), values):
            model.graph.initializer.remove(tensor)
            model.graph.initializer.append(onnx.numpy_helper.from_array(half, f'{tensor.name}_half'))
            casts.append(
                onnx.helper.make_node('Cast', [f'{tensor.name}_half'], [tensor.name], to=onnx.TensorProto.FLOAT)
            )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def strip(model: Model) -> None:
    """Remove the exporter's notes: they hold the folders of this machine, and a third of a small file."""
    for function in (model.graph, *model.functions):
        del function.metadata_props[:], function.value_info[:]
        for part in (*function.node, *getattr(function, 'input', ()), *getattr(function, 'output', ())):
            if hasattr(part, 'metadata_props'):
                del part.metadata_props[:]
                part.doc_string = ''
    for tensor in model.graph.initializer:
        del tensor.metadata_props[:]


def with_facts(model: Model, facts: Facts) -> bytes:
    """Return the file of a model, with its facts and its card in the metadata."""
    del model.metadata_props[:]
    for key, value in ((KEY, facts.to_text()), ('card', facts.card)):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    model.producer_name, model.producer_version = 'facelmk', facts.version
    model.doc_string = f'{facts.name}: {facts.kind}'
    content: bytes = model.SerializeToString()
    return content
