"""Face detectors behind one call: detector(image) returns boxes (N, 4) and scores (N,). One file each."""

import importlib
import pkgutil

from .base import BoxRule, Detector, OtherDetector
from .find import AUTO, find_detector

__all__ = ['AUTO', 'BoxRule', 'Detector', 'OtherDetector', 'find_detector']

for _module in pkgutil.iter_modules(__path__):  # each file registers its detector
    importlib.import_module(f'{__name__}.{_module.name}')
