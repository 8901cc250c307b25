"""Where exported files are: at a path, or among those that come with facelmk."""

from importlib.util import find_spec
from pathlib import Path

from ...zoo.index import FOLDER

ENDING, OPENVINO = '.onnx', '.xml'


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
