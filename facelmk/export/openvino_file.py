"""A graph as OpenVINO's two files, NAME.xml and NAME.bin."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..inference.runtime.facts import KEY, Facts
from .packages import check_packages
from .parity import Crops


def to_openvino(
    model: Any, names: Sequence[str], path: Path
) -> tuple[Callable[[Facts], dict[Path, bytes]], Callable[[Crops], Any]]:
    """Return a function from facts to the two files of an ONNX model, and a function that runs it in OpenVINO."""
    check_packages('openvino')
    import openvino  # optional

    core = openvino.Core()
    converted = core.read_model(model.SerializeToString())
    precise = {'INFERENCE_PRECISION_HINT': 'f32'}  # OpenVINO computes in bfloat16 where the processor can
    compiled = core.compile_model(converted, 'CPU', precise)

    def run(crops: Crops) -> dict[str, Any]:
        outputs = compiled(crops)
        return {name: outputs[name].copy() for name in names}

    def write(facts: Facts) -> dict[Path, bytes]:
        converted.set_rt_info(facts.to_text(), [KEY])
        with tempfile.TemporaryDirectory() as folder:
            draft = Path(folder, path.name)
            openvino.save_model(converted, draft, compress_to_fp16=False)
            weights = path.with_suffix('.bin')
            return {weights: draft.with_suffix('.bin').read_bytes(), path: draft.read_bytes()}

    return write, run
