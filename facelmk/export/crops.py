"""Crops to compare an exported file with torch on, and to calibrate int8: drawn faces, or pictures of the user."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..datasets import SyntheticFaces
from ..inference import Predictor
from ..inference.boxes import boxes_in
from ..inference.folders import find_pictures
from ..inference.pictures import read_picture
from .parity import Crops

SEED = 7  # of the drawn faces; the training sets of our configs have other seeds


def drawn_crops(predictor: Predictor, count: int) -> Crops:
    """Return crops of `count` drawn faces, as the validation pipeline cuts them."""
    faces = SyntheticFaces('wflw', count, SEED)
    return crops_of(predictor, ((face['image'], face['box']) for face in map(faces.face, range(count))))


def picture_crops(predictor: Predictor, inputs: Sequence[str], boxes_of: Callable[[str], Any]) -> Crops:
    """Return a crop for each box in the pictures of files and folders; 'full' makes the full picture one box."""
    rows = []
    for picture in find_pictures(inputs)[0]:
        image = read_picture(picture.source)
        rows += [(image, box) for box in boxes_in(boxes_of(picture.source), *image.shape[1::-1])]
    return crops_of(predictor, rows)


def crops_of(predictor: Predictor, rows: Iterable[tuple[Any, Any]]) -> Crops:
    """Return the crops (N, 3, S, S), uint8 BGR, of pictures and boxes."""
    dataset = predictor.dataset
    dataset.rows = list(rows)
    return np.stack([dataset[i]['inputs'].numpy() for i in range(len(dataset))])
