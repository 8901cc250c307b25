"""Eight-bit weights and activations for the convolutions of an ONNX model, by ONNX Runtime's static quantisation."""

import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .parity import Crops

CALIBRATION_FACES = 32  # more of them change the ranges of activations little


def quantise(model: Any, crops: Crops) -> Any:
    """Return the ONNX model with int8 convolutions; the ranges of activations come from `crops`."""
    import onnx  # optional, as all of these
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(quantization.CalibrationDataReader):
        """Gives one crop after the other."""

        def __init__(self) -> None:
            self.rows = iter(np.split(crops[:CALIBRATION_FACES], len(crops[:CALIBRATION_FACES])))

        def get_next(self) -> dict[str, Any] | None:
            row = next(self.rows, None)
            return None if row is None else {model.graph.input[0].name: row}

    logging.getLogger().setLevel(max(logging.getLogger().level, logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        source, prepared, target = (Path(folder, f'{name}.onnx') for name in ('source', 'prepared', 'int8'))
        source.write_bytes(model.SerializeToString())
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            prepared,
            target,
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=['Conv'],
            per_channel=True,
            reduce_range=True,  # seven bits of weights: processors without VNNI overflow with eight
        )
        return onnx.load(target)
