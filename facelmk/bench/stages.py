"""Where the time of one photograph goes: reading, detection, crop, network, points of its maps, drawing."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..datasets.images.decode import decode
from ..inference import load
from ..inference.runtime import find_exported, is_available, load_exported
from ..inference.runtime.crops import crop_box
from ..zoo import DEFAULT
from .photographs import HEIGHT, WIDTH, write_photographs
from .row import Options, Row, Work, measure, not_measured


def rows(options: Options) -> Iterator[Row]:
    """Time each stage alone, with the default model and the detector that comes with it."""
    with tempfile.TemporaryDirectory(prefix='facelmk-bench-') as folder:
        (photograph,) = write_photographs(Path(folder), 1)
        content = Path(photograph.path).read_bytes()
    image, box = decode(content), photograph.box
    stages: dict[str, Work] = {f'read a JPEG of {WIDTH} x {HEIGHT}': lambda: decode(content)}
    stages |= _in_torch(image, box)
    if find_exported(DEFAULT) is not None and is_available():
        stages |= _exported(image, box, options.threads)
    else:
        yield not_measured('network, exported', 'onnxruntime is not installed, or the exported file is missing')
    for name, work in stages.items():
        yield measure(name, work, seconds=options.seconds / 4)


def _in_torch(image: np.ndarray, box: np.ndarray) -> dict[str, Work]:
    """Return the stages in torch, without the crop, and the drawing of the face."""
    predictor: Any = load(DEFAULT, device='cpu')
    landmarker, size = predictor.landmarker, predictor.config.model.size
    inputs = torch.zeros(1, 3, size, size)
    with torch.inference_mode():
        maps = landmarker.output(inputs)
    faces = predictor(image, box[None])

    def network() -> None:
        with torch.inference_mode():
            landmarker.output(inputs)

    return {
        'find faces, torch': lambda: predictor.detector(image),
        'network, torch': network,
        'points of its maps, torch': lambda: landmarker.codec.decode(maps, size),
        'draw the landmarks of a face': faces.plot,
    }


def _exported(image: np.ndarray, box: np.ndarray, threads: int) -> dict[str, Work]:
    """Return the stages of exported files; their graph contains the points of the maps."""
    model: Any = load_exported(DEFAULT, threads=threads)
    crops = np.zeros((1, 3, model.crop.size, model.crop.size), np.uint8)
    return {
        'find faces, ONNX Runtime': lambda: model.detector(image),
        'crop': lambda: crop_box(image, box, model.crop),
        'network and points, ONNX Runtime': lambda: model.session.run(crops),
    }
