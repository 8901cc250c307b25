"""Run a detector over the pictures of a data set, and write its boxes as `bbox_file` expects them."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..datasets import FaceDataset
from ..datasets.box_file import FACE_CATEGORY, overlaps
from ..datasets.transforms.load import LoadImage
from ..errors import FacelmkError

Detections = NDArray[np.float64]  # (N, 5): x1, y1, x2, y2, score


class BoxRow(NamedTuple):
    """One detected box, x, y, width and height, in MMPose's bbox_file."""

    category_id: int
    image_id: Any
    score: float
    bbox: list[float]


def detect_faces(
    dataset: FaceDataset, detector: Any, least_score: float, most_overlap: float
) -> Iterator[list[BoxRow]]:
    """Yield the boxes of each picture of a data set, those with the highest scores first."""
    load, names = LoadImage(), picture_names(dataset)
    for face, name in names:
        boxes = as_detections(detector(load(dict(face))['image']), detector)
        boxes = suppress(boxes[boxes[:, 4] > least_score], most_overlap)
        yield [
            BoxRow(FACE_CATEGORY, name, float(score), [float(v) for v in (x1, y1, x2 - x1, y2 - y1)])
            for x1, y1, x2, y2, score in boxes.tolist()
        ]


def picture_names(dataset: FaceDataset) -> list[tuple[Mapping[str, Any], Any]]:
    """Return a face of each picture, and the name of the picture: its id in the annotations, or its path."""
    reader = getattr(dataset, 'reader', dataset)
    ids = {path: number for number, path in getattr(reader, 'picture_ids', dict)().items()}
    faces: dict[str, Mapping[str, Any]] = {}
    for i in range(len(dataset)):
        face = dataset.face(i)
        faces.setdefault(str(face.get('path') or ''), face)
    if '' in faces:
        raise FacelmkError(
            f'{type(dataset).__name__} has faces without a picture file, so no bbox_file can name them. Choose a data '
            'set that is read from files'
        )
    return [(face, ids.get(path, path)) for path, face in faces.items()]


def as_detections(boxes: Any, detector: Any) -> Detections:
    """Return what a detector returns, boxes (N, 4) or boxes and scores (N, 5), as boxes and scores; 1 by default."""
    array = np.asarray(boxes.tolist() if hasattr(boxes, 'tolist') else boxes, np.float64)
    if not array.size:
        return np.zeros((0, 5))
    if array.ndim != 2 or array.shape[1] not in (4, 5):
        raise FacelmkError(
            f'{type(detector).__name__} returned boxes of shape {array.shape}. Expected (N, 4): x1, y1, x2, y2, or '
            '(N, 5) with a score'
        )
    return array if array.shape[1] == 5 else np.column_stack((array, np.ones(len(array))))


def suppress(boxes: Detections, most_overlap: float) -> Detections:
    """Return boxes by descending score, without those that overlap a better one by more than `most_overlap`."""
    boxes = boxes[np.argsort(-boxes[:, 4], kind='stable')]
    overlap, chosen = overlaps(boxes[:, :4], boxes[:, :4]), list[int]()
    for i in range(len(boxes)):
        if not chosen or overlap[i, chosen].max() <= most_overlap:
            chosen.append(i)
    return boxes[chosen]
