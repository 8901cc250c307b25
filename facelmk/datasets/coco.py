"""COCO-style json, as MMPose's face annotations have it (and COCO-WholeBody's, whose faces stand beside bodies)."""
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..registry import DATASETS, DataDefect
from .base import AnnotatedFaces, Face, Transform
from .records import centred_boxes, numbers, read_text, refuse, tight_boxes


@DATASETS.register_module()
class CocoFaces(AnnotatedFaces):
    """Annotations with keypoints x, y, v; v = 0 is not labelled, 1 and 2 are.

    `box='file'` is the square of 200 * scale around the center where an annotation has them, else its bbox clipped
    to the picture, else the tight box; `box='bbox'` takes the bbox first. Crowds and faces without a labelled point
    are passed over. `norm` is box_size, else 200 * scale. Of COCO-WholeBody the faces marked as valid are read.
    `first` is the number of the mark-up's first point in longer lists, as 26 is that of Halpe's 68 among 136; there
    the file's box is the body's, the tight box is taken, and faces with fewer than half of their points are passed
    over. `tags` of an annotation, and `subsets` of the file, are those that `facelmk data convert` writes.
    """
    boxes = ('file', 'bbox', 'tight')

    def __init__(self, ann_file: str = '', data_root: str = '', image_root: str = '', markup: str = 'wflw',
                 pipeline: Sequence[dict | Transform] = (), first: int = 0, **options: Any) -> None:
        self.first = first
        super().__init__(ann_file, data_root, image_root, markup, pipeline, **options)

    def read(self, file: Path) -> list[Face]:
        """The faces of a json."""
        content = _parse(file)
        self.subsets = self.subsets or tuple(content.get('subsets', ()))
        pictures = {picture['id']: picture for picture in content['images']}
        faces = [face for face in map(self._own, content['annotations']) if face and any(face.get('keypoints', ()))]
        records = [f'annotation {face.get("id")}' for face in faces]
        refuse(file, [(record, f'its picture {face.get("image_id")!r} is not listed')
                      for record, face in zip(records, faces, strict=True) if face.get('image_id') not in pictures])
        faces = [face for face in faces if face.get('image_id') in pictures]
        records = [f'annotation {face.get("id")}' for face in faces]
        table = numbers(file, records, [face['keypoints'] for face in faces], 3 * self.markup.size)
        table = table.reshape(-1, self.markup.size, 3)
        of = [pictures[face['image_id']] for face in faces]
        visible = np.minimum(table[..., 2], 1)
        return self.rows(file, [picture['file_name'] for picture in of], table[..., :2],
                         self._boxes(faces, of, table[..., :2], visible), visible,
                         [face.get('box_size') or _side(face) for face in faces],
                         [tuple(face.get('tags', ())) for face in faces])

    def _own(self, face: dict[str, Any]) -> dict[str, Any] | None:
        """An annotation with the mark-up's points alone, or None where it is not to be used."""
        plain = _plain(face)
        if plain is None or not self.first:
            return plain
        points = plain.get('keypoints', ())[3 * self.first:3 * (self.first + self.markup.size)]
        if 2 * sum(flag > 0 for flag in points[2::3]) < self.markup.size:
            return None
        return {'id': face.get('id'), 'image_id': face.get('image_id'), 'keypoints': points}

    def _boxes(self, faces: list[dict], pictures: list[dict], landmarks: NDArray, visible: NDArray) -> NDArray:
        boxes = tight_boxes(landmarks, visible)
        for i, (face, picture) in enumerate(zip(faces, pictures, strict=True)):
            side = _side(face)
            if self.box == 'file' and face.get('center') and side:
                boxes[i] = centred_boxes([face['center']], [side])[0]
            elif self.box != 'tight' and face.get('bbox'):
                boxes[i] = clipped(face['bbox'], picture)
        return boxes


def _parse(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise DataDefect(f'{file} is no json: {error}') from error
    if not isinstance(content, dict) or not {'images', 'annotations'} <= set(content):
        raise DataDefect(f"{file} is no COCO-style json: it must hold 'images' and 'annotations'")
    return content


def _plain(face: dict[str, Any]) -> dict[str, Any] | None:
    """An annotation under COCO's plain names, or None where it is not to be used."""
    if face.get('iscrowd'):
        return None
    if 'face_kpts' not in face:
        return face
    if not face.get('face_valid'):
        return None
    return {'id': face.get('id'), 'image_id': face.get('image_id'), 'keypoints': face['face_kpts'],
            'bbox': face['face_box']}


def _side(face: dict[str, Any]) -> float | None:
    """The side of a box in pixels; the tables give it in units of 200."""
    return 200 * float(np.max(face['scale'])) if face.get('scale') else None


def clipped(bbox: list[float], picture: dict[str, Any]) -> list[float]:
    """x, y, width, height as (x1, y1, x2, y2) inside the picture, where its size is known."""
    x, y, width, height = bbox
    right, bottom = picture.get('width', np.inf) - 1, picture.get('height', np.inf) - 1
    return [min(max(x, 0), right), min(max(y, 0), bottom), min(max(x + width, 0), right),
            min(max(y + height, 0), bottom)]
