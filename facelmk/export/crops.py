"""Crops to compare an exported file with torch on, and to calibrate int8: drawn faces, or pictures of the user."""

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..datasets import SyntheticFaces
from ..datasets.transforms.pixels import resample
from ..errors import FacelmkError
from ..geometry import box_to_square_crop
from ..inference.boxes import boxes_in
from ..inference.folders import find_pictures
from ..inference.pictures import read_picture
from .parity import Crops
from .source import Source

SEED = 7  # of the drawn faces; the training sets of our configs have other seeds
SCENE_PX = 224  # the side of the pictures for a detector
Row = tuple[Any, Any]  # a picture and a box


def drawn_crops(source: Source, count: int) -> Crops:
    """Return crops (N, 3, S, S), uint8 BGR, of `count` drawn faces, as the validation pipeline cuts them."""
    faces = SyntheticFaces('wflw', count, SEED)
    return crops_of(source, ((face['image'], face['box']) for face in map(faces.face, range(count))))


def picture_crops(source: Source, inputs: Sequence[str], boxes_of: Callable[[str], Any]) -> Crops:
    """Return a crop for each box in the pictures of files and folders; 'full' makes the full picture one box."""
    rows: list[Row] = []
    for picture in find_pictures(inputs, films=False)[0]:
        image = read_picture(picture.source)
        rows += [(image, box) for box in boxes_in(boxes_of(picture.source), *image.shape[1::-1])]
    if not rows:
        raise FacelmkError(f'--pictures {" ".join(inputs)}: there is no box in these pictures. Give --boxes full')
    return crops_of(source, rows)


def crops_of(source: Source, rows: Iterable[Row]) -> Crops:
    """Return the crops of pictures and boxes; for a detector the box with some surroundings."""
    if source.multiple is not None:
        scenes = [resample(image, box_to_square_crop(box, SCENE_PX, 2.5), SCENE_PX) for image, box in rows]
        return np.ascontiguousarray(np.stack(scenes).transpose(0, 3, 1, 2))
    dataset = copy.copy(source.predictor.dataset)
    dataset.rows = list(rows)
    return np.stack([dataset[i]['inputs'].numpy() for i in range(len(dataset))])
