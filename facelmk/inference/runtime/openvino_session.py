"""An exported pair of files, NAME.xml and NAME.bin, opened in OpenVINO."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, MissingResource
from ..detectors.base import OnePerThread
from .facts import KEY, read_facts
from .session import check_graph, check_outputs, reason_of

PIP = 'pip install openvino'


class _Port(NamedTuple):
    """An input or output, described as ONNX Runtime describes it; a free dimension is None."""

    name: str
    type: str
    shape: Sequence[int | None]


class OpenVINOSession:
    """An exported .xml file in OpenVINO, on the CPU, with the same answers as `Session` for the ONNX file.

    `threads` is the number of threads of one run (default: all cores). With `bfloat16` it computes in that type, which
    is faster on processors with AMX or AVX-512 BF16 and moves points by hundredths of a pixel or more: measure it.
    """

    def __init__(self, source: str | Path, threads: int | None = None, bfloat16: bool = False) -> None:
        openvino = import_openvino()
        self.arguments, self.source = (source, threads, bfloat16), str(source)
        core = openvino.Core()
        options = {'INFERENCE_PRECISION_HINT': 'bf16' if bfloat16 else 'f32', 'PERFORMANCE_HINT': 'LATENCY'}
        try:
            model = core.read_model(self.source)
            compiled = core.compile_model(
                model, 'CPU', options | ({'INFERENCE_NUM_THREADS': threads} if threads else {})
            )
        except RuntimeError as error:  # OpenVINO's errors for missing and damaged files
            reason = str(error).strip().rpartition('\n')[2][:200]
            raise DataDefect(
                f'{self.source} is no file that OpenVINO can run: {reason}. Export the model again'
            ) from error
        text = model.get_rt_info([KEY]).astype(str) if model.has_rt_info([KEY]) else None
        self.facts = read_facts(text, self.source)
        inputs, outputs = ([_port(one) for one in ports] for ports in (compiled.inputs, compiled.outputs))
        self.outputs: Sequence[str] = [output.name for output in outputs]
        check_graph(self.facts, inputs, outputs, self.source)
        self.request = OnePerThread(compiled.create_infer_request)

    def __reduce__(self) -> tuple[type['OpenVINOSession'], tuple[str | Path, int | None, bool]]:
        """Another process opens the file again: OpenVINO's compiled model cannot be pickled."""
        return OpenVINOSession, self.arguments

    def run(self, crops: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return the outputs by name for crops (B, 3, S, S), uint8 BGR."""
        try:
            results = self.request().infer([crops], share_inputs=True)
        except RuntimeError as error:
            raise DataDefect(f'OpenVINO cannot run {self.source} on {crops.shape}: {reason_of(error)}') from error
        outputs = dict(zip(self.outputs, results.to_tuple(), strict=True))
        check_outputs(outputs, self.facts, len(crops), self.source)
        return outputs


def _port(port: Any) -> _Port:
    shape = [None if side.is_dynamic else side.get_length() for side in port.get_partial_shape()]
    kind = 'uint8' if port.get_element_type().get_type_name() == 'u8' else port.get_element_type().get_type_name()
    return _Port(port.get_any_name(), f'tensor({kind})', shape)


def import_openvino() -> Any:
    """Return the module openvino."""
    try:
        import openvino  # optional
    except ImportError as error:
        raise MissingResource(f'.xml files are run by OpenVINO, which is not installed: {PIP}') from error
    return openvino
