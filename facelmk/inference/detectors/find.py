"""Find the detector that a name, a file, a config or a function means."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...errors import FacelmkError, UnknownName, did_you_mean
from ...registry import DETECTORS
from ...zoo import FACES, find_model, is_model
from ..boxes import AUTO
from .base import Detector, OtherDetector

SHIPPED = 'FacelmkDetector'  # the class of the detector that comes with facelmk


def find_detector(spec: Any = None, **arguments: Any) -> Detector:
    """Return the detector that `spec` means: None or 'auto' (the shipped one), a name, a file of weights, and others.

    It may also be a config, dict(type=NAME, ...), or a function, which takes a picture (H, W, 3) BGR and returns boxes
    (N, 4), boxes with scores (N, 5), or a tuple of both. `arguments` are arguments of a named detector.
    """
    if spec is None:
        spec = AUTO
    if isinstance(spec, (str, Path)):
        spec = _config_of(spec)
    if isinstance(spec, Mapping):
        spec = DETECTORS.build(dict(spec) | arguments)
    if isinstance(spec, type) or not callable(spec):
        raise FacelmkError(
            f"detector={spec!r}. Expected 'auto', a name ({', '.join(DETECTORS)}), a file of weights, "
            'dict(type=NAME, ...), or a function from a picture to boxes'
        )
    return spec if isinstance(spec, Detector) else OtherDetector(spec)


def _config_of(spec: str | Path) -> dict[str, Any]:
    """Return the config of a name, in capital or small letters, or of a file or URL of weights.

    A text never names a module to import, unlike the type of a config.
    """
    text = str(spec)
    if text == AUTO:
        return {'type': SHIPPED}
    names = {name.lower(): name for name in DETECTORS}
    if text.lower() in names:
        return {'type': names[text.lower()]}
    if is_model(text) and find_model(text).task == FACES:
        return {'type': SHIPPED, 'weights': text}
    readers = {ending: name for name in names.values() for ending in getattr(DETECTORS.get(name), 'endings', ())}
    ending = Path(urlsplit(text).path).suffix.lower()
    if ending in readers:
        return {'type': readers[ending], 'weights': text}
    if os.path.exists(text) or '/' in text:
        raise FacelmkError(f'detector={text!r}. Expected a file of weights that ends in {" or ".join(readers)}')
    raise UnknownName(
        f'detector={text!r} is no detector. {did_you_mean(text, DETECTORS)} Or give a file of weights, which ends in '
        f'{" or ".join(readers)}'
    )
