"""COCO-style json, as MMPose's face annotations have it (and COCO-WholeBody's, whose faces stand beside bodies)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...registry import DATASETS
from ..base import AnnotatedFaces, FaceRecord, Transform
from .coco_json import parse, record_of
from .records import centred_boxes, numbers, tight_boxes


@DATASETS.register_module()
class CocoFaces(AnnotatedFaces):
    """Annotations with keypoints x, y, v; v = 0 is not labelled, 1 and 2 are; without v all are.

    `box='file'` is the square of 200 * scale around the center where an annotation has them, else its bbox clipped
    to the picture, else the tight box; `box='bbox'` takes the bbox first. `norm` is box_size, else 200 * scale.
    Crowds and faces without a labelled point are passed over, and, where one of the categories is called face, all
    annotations of others. Of COCO-WholeBody the faces marked as valid are read.
    `first` is the number of the mark-up's first point in longer lists, as 26 is that of Halpe's 68 among 136; there
    the file's box is the body's, the tight box is taken, and faces with fewer than half of their points are passed
    over. `tags` of an annotation, and `subsets` of the file, are those that `facelmk data convert` writes.
    """

    boxes = ('file', 'bbox', 'tight')

    def __init__(
        self,
        ann_file: str = '',
        data_root: str = '',
        image_root: str = '',
        markup: str = 'wflw',
        pipeline: Sequence[dict | Transform] = (),
        first: int = 0,
        **options: Any,
    ) -> None:
        self.first = first
        super().__init__(ann_file, data_root, image_root, markup, pipeline, **options)

    def read(self, file: Path) -> list[FaceRecord]:
        """The faces of a json."""
        content = parse(file)
        self.subsets = self.subsets or content.subsets
        faces = [face for face in map(self._own, content.faces) if face and any(face.get('keypoints') or ())]
        of = [content.pictures[face['image_id']] for face in faces]
        table = numbers(
            file,
            [record_of(face) for face in faces],
            [self._flagged(face['keypoints']) for face in faces],
            3 * self.markup.size,
        ).reshape(-1, self.markup.size, 3)
        visible = np.clip(table[..., 2], 0, 1)
        return self.rows(
            file,
            [picture['file_name'] for picture in of],
            table[..., :2],
            self._boxes(faces, of, table[..., :2], visible),
            visible,
            [face.get('box_size') or _side(face) for face in faces],
            [tuple(face.get('tags') or ()) for face in faces],
        )

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Width and height that the file gives each picture, by the picture's path."""
        return {
            str(self.image_root / row['file_name']): (row['width'], row['height'])
            for row in parse(self.ann_file).pictures.values()
            if row.get('width') and row.get('height')
        }

    def _flagged(self, row: list[Any]) -> list[Any]:
        """The numbers x, y, v of an annotation; where v is left out, all points are visible."""
        if len(row) != 2 * self.markup.size:
            return row
        return [value for x, y in zip(row[::2], row[1::2], strict=True) for value in (x, y, 1)]

    def _own(self, face: dict[str, Any]) -> dict[str, Any] | None:
        """An annotation with the mark-up's points alone, or None where it is not to be used."""
        plain = _plain(face)
        if plain is None or not self.first:
            return plain
        points = (plain.get('keypoints') or [])[3 * self.first : 3 * (self.first + self.markup.size)]
        if 2 * sum(isinstance(flag, (int, float)) and flag > 0 for flag in points[2::3]) < self.markup.size:
            return None
        return {key: face.get(key) for key in ('id', 'image_id', 'place')} | {'keypoints': points}

    def _boxes(self, faces: list[dict], pictures: list[dict], landmarks: NDArray, visible: NDArray) -> NDArray:
        boxes = tight_boxes(landmarks, visible)
        for i, (face, picture) in enumerate(zip(faces, pictures, strict=True)):
            side = _side(face)
            if self.box == 'file' and face.get('center') and side:
                boxes[i] = centred_boxes([face['center']], [side])[0]
            elif self.box != 'tight' and face.get('bbox'):
                boxes[i] = clipped(face['bbox'], picture)
        return boxes


def _plain(face: dict[str, Any]) -> dict[str, Any] | None:
    """An annotation under COCO's plain names, or None where it is not to be used."""
    if face.get('iscrowd'):
        return None
    if 'face_kpts' not in face:
        return face
    if not face.get('face_valid'):
        return None
    return {key: face.get(key) for key in ('id', 'image_id', 'place')} | {
        'keypoints': face['face_kpts'],
        'bbox': face.get('face_box'),
    }


def _side(face: dict[str, Any]) -> float | None:
    """The side of a box in pixels; the tables give it in units of 200."""
    return 200 * float(np.max(face['scale'])) if face.get('scale') else None


def clipped(bbox: list[float], picture: dict[str, Any]) -> list[float]:
    """x, y, width, height as (x1, y1, x2, y2) inside the picture, where its size is known."""
    x, y, width, height = bbox
    right, bottom = (picture.get('width') or np.inf) - 1, (picture.get('height') or np.inf) - 1
    return [
        min(max(x, 0), right),
        min(max(y, 0), bottom),
        min(max(x + width, 0), right),
        min(max(y + height, 0), bottom),
    ]
