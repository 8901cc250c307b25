"""Run a detector over the pictures of a data set, and write its boxes as `bbox_file` expects them."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..datasets import FaceDataset
from ..datasets.box_file import FACE_CATEGORY
from ..datasets.transforms.load import LoadImage
from ..errors import FacelmkError
from ..files.progress import track
from .detectors.base import Detector, suppress


class BoxRow(NamedTuple):
    """One detected box, x, y, width and height, in MMPose's bbox_file."""

    category_id: int
    image_id: Any
    score: float
    bbox: list[float]


def detect_faces(
    dataset: FaceDataset, detector: Detector, least_score: float, most_overlap: float
) -> Iterator[list[BoxRow]]:
    """Yield the boxes of each picture of a data set, those with the highest scores first."""
    load, names = LoadImage(), picture_names(dataset)
    for face, name in track(names, 'detecting', unit='pictures/s'):
        boxes, scores = detector(load(dict(face))['image'])
        sure = scores > least_score
        boxes, scores = boxes[sure], scores[sure]
        yield [
            BoxRow(FACE_CATEGORY, name, float(scores[i]), _corner_and_size(boxes[i].tolist()))
            for i in suppress(boxes, scores, most_overlap)
        ]


def _corner_and_size(box: list[float]) -> list[float]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]


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
