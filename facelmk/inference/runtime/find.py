"""Where exported files are: at a path, or among those that come with facelmk."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...zoo.index import DEFAULT, FOLDER

ENDING, OPENVINO = '.onnx', '.xml'
GPU = '/dev/nvidiactl'  # NVIDIA's driver makes it; torch would need a second to look for a GPU


def find_exported(name: str | Path) -> Path | None:
    """Return the exported file at a path or, by its name, the one that comes with facelmk; None if there is none."""
    path = Path(name).expanduser()
    if path.suffix.lower() in (ENDING, OPENVINO):
        return path if path.is_file() else None
    shipped = FOLDER / f'{path.name}{ENDING}'
    return shipped if str(name) == path.name and shipped.is_file() else None


def is_available() -> bool:
    """Whether ONNX Runtime is installed; it is not imported."""
    return find_spec('onnxruntime') is not None


def is_exported(model: Any) -> bool:
    """Whether a model is named by its exported file."""
    return isinstance(model, str) and Path(model).suffix.lower() in (ENDING, OPENVINO)


def find_faster(model: str | None, device: str | None) -> Path | None:
    """Return the exported file that replaces a model of the zoo (None: the default) on a CPU with ONNX Runtime."""
    on_cpu = device == 'cpu' or (device is None and not os.path.exists(GPU))
    return find_exported(model or DEFAULT) if on_cpu and is_available() else None
