"""An exported file, opened in ONNX Runtime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, FacelmkError, MissingResource
from .facts import KEY, read_facts

PIP = 'pip install onnxruntime'
ERRORS_ONLY = 3  # ONNX Runtime's level of log messages


class Session:
    """A file or its bytes in ONNX Runtime, on the CPU; `facts` is what it says about itself.

    `threads` is the number of threads of one run; by default ONNX Runtime takes all cores.
    """

    def __init__(self, source: str | Path | bytes, threads: int | None = None) -> None:
        runtime = import_runtime()
        options = runtime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        options.intra_op_num_threads = threads or 0
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')  # idle threads would burn CPU time
        self.source = 'these bytes' if isinstance(source, bytes) else str(source)
        try:
            content = source if isinstance(source, bytes) else Path(source).read_bytes()
            self.session = runtime.InferenceSession(content, options, providers=['CPUExecutionProvider'])
        except OSError as error:
            raise MissingResource(
                f'{self.source} cannot be read ({error.strerror}). Write it with: facelmk export MODEL --out FILE.onnx'
            ) from error
        except Exception as error:  # ONNX Runtime's classes have no common base
            reason = str(error).partition('\n')[0][:200]
            raise DataDefect(f'{self.source} is no ONNX file that ONNX Runtime can run: {reason}') from error
        self.facts = read_facts(self.session.get_modelmeta().custom_metadata_map.get(KEY), self.source)
        self.input = self.session.get_inputs()[0].name
        self.outputs: Sequence[str] = [output.name for output in self.session.get_outputs()]

    def run(self, crops: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return the outputs by name for crops (B, 3, S, S), uint8 BGR."""
        return dict(zip(self.outputs, self.session.run(None, {self.input: crops}), strict=True))


def import_runtime() -> Any:
    """Return the module onnxruntime."""
    try:
        import onnxruntime  # optional
    except ImportError as error:
        raise MissingResource(f'exported files are run by ONNX Runtime, which is not installed: {PIP}') from error
    return onnxruntime


def check_kind(session: Session, kind: str) -> None:
    """Refuse a file that predicts something else."""
    if session.facts.kind != kind:
        raise FacelmkError(
            f'{session.source} predicts {session.facts.kind}. Expected a file that predicts {kind}. Choose another one'
        )
