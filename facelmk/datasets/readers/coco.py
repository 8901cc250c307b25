"""COCO-style json, as MMPose's face annotations and COCO-WholeBody have it."""

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...registry import DATASETS
from ..annotated import AnnotatedFaces, Detected
from ..defects import DefectList
from ..records import FaceRecord, centred_boxes, numbers, read_text, tight_boxes
from .coco_json import parse, record_name

BODIES = {136: 26, 133: 23}  # number of points of a whole body: index of the first of the 68 points of its face


@DATASETS.register_module()
class CocoFaces(AnnotatedFaces):
    """Annotations with keypoints x, y, v: v = 0 is not labelled, 1 and 2 are; without v all points are labelled.

    `box='file'` is the square of 200 * scale around the center if an annotation has them, else its bbox clipped to the
    picture, else the tight box; `box='bbox'` prefers the bbox. `norm` is box_size, else 200 * scale.
    Crowds and faces without a labelled point are skipped. If one of the categories is 'face', annotations of all others
    are skipped, too. In COCO-WholeBody, faces that are marked as valid are read.
    `first` is the index of the landmark scheme's first point in a longer list, such as 26 for the 68 face points among
    Halpe's 136. Then the tight box is used, because the file's box is the body's, and faces with fewer than half of
    their points are skipped. `facelmk data convert` writes `tags` of an annotation and `subsets` of the file.
    """

    boxes = ('file', 'bbox', 'tight')
    layout = 'a .json (COCO style)'
    ranges = {'first': (0, 100_000)}

    def __init__(self, *args: Any, first: int = 0, **options: Any) -> None:
        self.first = first
        super().__init__(*args, **options)

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        if path.suffix.lower() != '.json':
            return None
        options: dict[str, Any] = {'ann_file': str(path)}
        try:
            content = json.loads(read_text(path))
            faces, images = content['annotations'], content['images']
            pictures = [name for image in islice(images, 20) if isinstance(name := image.get('file_name'), str)]
            size = next((len(face['keypoints']) // 3 for face in faces if face.get('keypoints')), None)
            if any('face_kpts' in face for face in islice(faces, 20)):
                return Detected(options | {'markup': 'coco_wholebody_face'}, 68, pictures)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return Detected(options, None)  # the reader will say what is wrong
        if size in BODIES:
            return Detected(options | {'markup': '300w', 'first': BODIES[size]}, 68, pictures)
        return Detected(options, size, pictures)

    def read(self, file: Path) -> list[FaceRecord]:
        content = parse(file, self.defects)
        self.subsets = self.subsets or content.subsets
        faces = [face for face in map(self._select_points, content.faces) if face and any(face.get('keypoints') or ())]
        pictures = [content.pictures[face['image_id']] for face in faces]
        table, defective = numbers(
            file,
            [record_name(face) for face in faces],
            [self._with_flags(face['keypoints']) for face in faces],
            3 * self.markup.size,
            self.defects,
        )
        table = table.reshape(-1, self.markup.size, 3)
        visible = np.clip(table[..., 2], 0, 1)
        return self.rows(
            file,
            [picture['file_name'] for picture in pictures],
            table[..., :2],
            self._boxes(faces, pictures, table[..., :2], visible),
            visible,
            [face.get('box_size') or _side(face) for face in faces],
            [tuple(face.get('tags') or ()) for face in faces],
            defective,
        )

    def picture_ids(self) -> dict[Any, str]:
        """Return the path of each picture by its id in the file."""
        rows = parse(self.ann_file, DefectList()).pictures
        return {number: str(self.image_root / row['file_name']) for number, row in rows.items()}

    def picture_sizes(self) -> dict[str, tuple[int, int]]:
        """Return the width and height that the file states for each picture, by the path of the picture."""
        return {
            str(self.image_root / row['file_name']): (row['width'], row['height'])
            for row in parse(self.ann_file, DefectList()).pictures.values()
            if row.get('width') and row.get('height')
        }

    def _with_flags(self, keypoints: list[Any]) -> list[Any]:
        """Return the numbers x, y, v of an annotation; if v is left out, all points are visible."""
        if len(keypoints) != 2 * self.markup.size:
            return keypoints
        return [value for x, y in zip(keypoints[::2], keypoints[1::2], strict=True) for value in (x, y, 1)]

    def _select_points(self, face: dict[str, Any]) -> dict[str, Any] | None:
        """Return an annotation with only the points of the landmark scheme, or None if it is to be skipped."""
        plain = _plain(face)
        if plain is None or not self.first:
            return plain
        points = (plain.get('keypoints') or [])[3 * self.first : 3 * (self.first + self.markup.size)]
        if 2 * sum(isinstance(flag, (int, float)) and flag > 0 for flag in points[2::3]) < self.markup.size:
            return None
        return _reference(face) | {'keypoints': points}

    def _boxes(self, faces: list[dict], pictures: list[dict], landmarks: NDArray, visible: NDArray) -> NDArray:
        boxes = tight_boxes(landmarks, visible)
        for i, (face, picture) in enumerate(zip(faces, pictures, strict=True)):
            side = _side(face)
            if self.box == 'file' and face.get('center') and side:
                boxes[i] = centred_boxes([face['center']], [side])[0]
            elif self.box != 'tight' and face.get('bbox'):
                boxes[i] = clip_box(face['bbox'], picture)
        return boxes


def _plain(face: dict[str, Any]) -> dict[str, Any] | None:
    """Return an annotation with COCO's usual key names, or None if it is to be skipped."""
    if face.get('iscrowd'):
        return None
    if 'face_kpts' not in face:
        return face
    if not face.get('face_valid'):
        return None
    return _reference(face) | {'keypoints': face['face_kpts'], 'bbox': face.get('face_box')}


def _reference(face: dict[str, Any]) -> dict[str, Any]:
    return {key: face.get(key) for key in ('id', 'image_id', 'index')}


def _side(face: Mapping[str, Any]) -> float | None:
    """Return the side of a box in pixels; the files give it in units of 200."""
    return 200 * float(np.max(face['scale'])) if face.get('scale') else None


def clip_box(bbox: Sequence[float], picture: Mapping[str, Any]) -> list[float]:
    """Return x, y, width, height as (x1, y1, x2, y2), clipped to the picture if its size is known."""
    x, y, width, height = bbox
    right, bottom = (picture.get('width') or np.inf) - 1, (picture.get('height') or np.inf) - 1
    return np.clip([x, y, x + width, y + height], 0, [right, bottom, right, bottom]).tolist()
