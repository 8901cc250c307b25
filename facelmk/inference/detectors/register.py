"""Imports the file of each detector, so that all of them are registered."""

import importlib
import pkgutil
from pathlib import Path

from .base import BoxRule, Detector, OtherDetector
from .find import find_detector

__all__ = ['BoxRule', 'Detector', 'OtherDetector', 'find_detector']

for _module in pkgutil.iter_modules([str(Path(__file__).parent)]):
    importlib.import_module(f'{__package__}.{_module.name}')
