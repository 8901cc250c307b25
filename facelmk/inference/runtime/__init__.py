"""Exported ONNX files, run with NumPy, OpenCV and ONNX Runtime alone: neither torch nor mmengine is imported."""

from .detector import ExportedDetector
from .find import find_exported, find_faster, is_available, is_exported
from .predictor import ExportedPredictor, load_exported

__all__ = [
    'ExportedDetector',
    'ExportedPredictor',
    'find_exported',
    'find_faster',
    'is_available',
    'is_exported',
    'load_exported',
]
