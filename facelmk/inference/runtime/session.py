"""An exported file, opened in ONNX Runtime."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, FacelmkError, MissingResource
from .facts import KEY, Facts, read_facts

PIP = 'pip install onnxruntime'
FATAL_ONLY = 4  # ONNX Runtime's level of log messages: it raises what it logs below that


class Session:
    """A file or its bytes in ONNX Runtime, on the CPU; `facts` is what it says about itself.

    `threads` is the number of threads of one run; by default ONNX Runtime takes all cores.
    """

    def __init__(self, source: str | Path | bytes, threads: int | None = None) -> None:
        runtime = import_runtime()
        options = runtime.SessionOptions()
        options.log_severity_level = FATAL_ONLY
        options.intra_op_num_threads = threads or 0
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')  # idle threads would burn CPU time
        self.arguments = source, threads
        self.source = 'these bytes' if isinstance(source, bytes) else str(source)
        try:
            content = source if isinstance(source, bytes) else Path(source).read_bytes()
            self.session = runtime.InferenceSession(content, options, providers=['CPUExecutionProvider'])
        except OSError as error:
            raise MissingResource(
                f'{self.source} cannot be read ({error.strerror}). Write it with: facelmk export MODEL --out FILE.onnx'
            ) from error
        except Exception as error:  # ONNX Runtime's classes have no common base
            raise DataDefect(f'{self.source} is no ONNX file that ONNX Runtime can run: {reason_of(error)}') from error
        self.facts = read_facts(self.session.get_modelmeta().custom_metadata_map.get(KEY), self.source)
        inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
        self.input = inputs[0].name if inputs else ''
        self.outputs: Sequence[str] = [output.name for output in outputs]
        check_graph(self.facts, inputs, outputs, self.source)

    def __reduce__(self) -> tuple[type['Session'], tuple[str | Path | bytes, int | None]]:
        """Another process opens the file again: ONNX Runtime's session cannot be pickled."""
        return Session, self.arguments

    def run(self, crops: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return the outputs by name for crops (B, 3, S, S), uint8 BGR."""
        try:
            outputs = dict(zip(self.outputs, self.session.run(None, {self.input: crops}), strict=True))
        except Exception as error:  # ONNX Runtime's classes have no common base
            raise DataDefect(f'ONNX Runtime cannot run {self.source} on {crops.shape}: {reason_of(error)}') from error
        check_outputs(outputs, self.facts, len(crops), self.source)
        return outputs


def reason_of(error: Exception) -> str:
    """Return the first line of an error of a runtime, shortened."""
    return str(error).partition('\n')[0][:200]


def check_outputs(outputs: Mapping[str, Any], facts: Facts, count: int, source: str) -> None:
    """Refuse arrays that a graph whose shapes are not fixed has returned for `count` crops, and that fit none."""
    if facts.kind == 'landmarks' and facts.markup is not None:
        K = facts.markup.size
        expected = {'points': (count, K, 2), 'scores': (count, K), 'errors': (count, K), 'face_scores': (count,)}
    else:
        N = outputs['scores'].shape[-1:]
        expected = {'boxes': (count, *N, 4), 'scores': (count, *N)}
    for name in outputs.keys() & expected:
        if outputs[name].shape != expected[name]:
            raise DataDefect(
                f'{source} returns {name} of shape {outputs[name].shape} for {count} crops. Expected {expected[name]}. '
                'Export the model again'
            )


def check_graph(facts: Facts, inputs: Sequence[Any], outputs: Sequence[Any], source: str) -> None:
    """Refuse a graph that takes or gives other arrays than its metadata say."""
    shapes = {output.name: output.shape for output in outputs}
    sides: list[Any] = list(inputs[0].shape[2:]) if inputs else []
    points = [*(shapes.get('points') or ()), None, None]
    fits = len(inputs) == 1 and inputs[0].type == 'tensor(uint8)' and {facts.kind, 'scores'} <= {'landmarks', *shapes}
    fits &= ('errors' in shapes) == ('face_scores' in shapes)
    if facts.crop is not None and facts.markup is not None:
        fits &= 'points' in shapes and all(side in (facts.crop.size, None) or isinstance(side, str) for side in sides)
        fits &= points[1] == facts.markup.size or not isinstance(points[1], int)
    if not fits:
        taken = [(one.name, one.type, one.shape) for one in inputs]
        raise DataDefect(
            f'{source}: its graph takes {taken} and returns {shapes}, which does not fit its metadata. Expected a file '
            'that `facelmk export` wrote. Export the model again'
        )


def import_runtime() -> Any:
    """Return the module onnxruntime."""
    try:
        import onnxruntime  # optional
    except ImportError as error:
        raise MissingResource(f'exported files are run by ONNX Runtime, which is not installed: {PIP}') from error
    return onnxruntime


def check_kind(session: Any, kind: str) -> None:
    """Refuse a file that predicts something else."""
    if session.facts.kind != kind:
        raise FacelmkError(
            f'{session.source} predicts {session.facts.kind}. Expected a file that predicts {kind}. Choose another one'
        )
