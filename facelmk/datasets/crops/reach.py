"""The part of a photograph that a pipeline can reach: the union of all crops that it may make of one face."""

from collections.abc import Iterable, Sequence
from typing import Any

from ...errors import FacelmkError
from ..records import FaceRecord
from .part import EMPTY, Box


def reach(pipeline: Sequence[Any], face: FaceRecord, width: int, height: int) -> Box:
    """Return the box that the crops of a face can reach in a photograph of `width` x `height` pixels."""
    faces = [face]
    for step in pipeline:
        if hasattr(step, 'reach'):  # CropFace
            return union(step.reach(one, width, height) for one in faces)
        if hasattr(step, 'before'):  # FromEpoch: the rest of the pipeline is in its stages
            stages = (step.pipeline, step.before)
            return union(reach(stage, one, width, height) for stage in stages for one in faces)
        if hasattr(step, 'variants'):  # HalfBody
            faces = [variant for one in faces for variant in step.variants(one)]
        elif not hasattr(step, 'crop_cache'):
            faces = [step(dict(one)) for one in faces]
    raise FacelmkError('The pipeline has no CropFace, so a crop cache cannot know what it needs. Add one')


def union(boxes: Iterable[Box]) -> Box:
    """Return the smallest box around boxes that are not empty."""
    full = [box for box in boxes if box != EMPTY]
    if not full:
        return EMPTY
    x1, y1, x2, y2 = zip(*full, strict=True)
    return min(x1), min(y1), max(x2), max(y2)


def loads_for_crop(steps: Sequence[Any]) -> bool:
    """Return whether the first of these steps loads a picture, and the others need only the pixels of its crop."""
    if not hasattr(steps[0], 'load_for_crop') or not _knows_parts(steps[0]):
        return False
    for step in steps[1:]:
        if hasattr(step, 'reach'):
            return _knows_parts(step)
        if getattr(step, 'reads_pixels', True):
            return False
    return False


def _knows_parts(step: Any) -> bool:
    return getattr(getattr(step, 'transform', None), 'uses_parts', False)


def check_steps(pipeline: Sequence[Any], always: bool = False) -> None:
    """Refuse a pipeline that uses a crop cache (or `always`) and needs more of a picture than its crops."""
    loads = ((i, step) for i, step in enumerate(pipeline) if hasattr(step, 'makes_parts'))
    load = next((i for i, step in loads if always or step.makes_parts), None)
    if load is None:
        return None
    for step in pipeline[load + 1 :]:
        name = type(step).__name__
        if hasattr(step, 'reach'):
            return _check_crop(step, pipeline[load], name)
        if getattr(step, 'reads_pixels', True):
            raise FacelmkError(
                f'{name} stands between LoadImage and CropFace and may read the whole picture, but LoadImage gives '
                'parts of pictures only (crop_cache or reduced). Put it after CropFace, or leave these options out. A '
                'transform of yours that reads no pixels says so by its attribute reads_pixels = False'
            )
    raise FacelmkError(
        'LoadImage has crop_cache or reduced, and no CropFace follows. These options are for crops of faces: '
        'leave them out'
    )


def _check_crop(crop: Any, load: Any, name: str) -> None:
    if crop.integer and load.may_reduce:
        raise FacelmkError(
            f'{name}(integer=True) cuts whole pixels, and LoadImage gives reduced pictures. Use a crop cache without '
            '--resize, and leave out LoadImage(reduced=...)'
        )
