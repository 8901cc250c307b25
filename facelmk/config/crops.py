"""The transforms that make the image of a network, and the side of that image."""

from collections.abc import Iterable
from typing import Any

CROPS = {'CropFace': 256, 'FitScene': 192}  # and their default side in pixels


def crop_size(pipeline: Iterable[Any]) -> int | None:
    """Return the side in pixels of what a pipeline makes; None if no step of it makes a crop."""
    steps = [step for step in pipeline if isinstance(step, dict) and step.get('type') in CROPS]
    return steps[-1].get('size', CROPS[steps[-1]['type']]) if steps else None
