"""The optional packages of each format."""

from importlib.util import find_spec

from ..errors import MissingResource

CLONE = 'in the clone, pip install -e ".[export]"'
NEEDED = {
    'onnx': ('onnx', 'onnxscript', 'onnxruntime'),
    'openvino': ('onnx', 'onnxscript', 'openvino'),
    'torchscript': (),
}


def check_packages(kind: str) -> None:
    """Refuse a format whose packages are not installed; none of them is imported."""
    missing = [name for name in NEEDED[kind] if find_spec(name) is None]
    if missing:
        raise MissingResource(
            f'the format {kind} needs {", ".join(missing)}. Install: pip install {" ".join(missing)}; or, {CLONE}'
        )
