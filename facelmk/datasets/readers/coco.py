"""COCO-style json, as MMPose's face annotations and COCO-WholeBody have it."""

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...registry import DATASETS
from ..annotated import AnnotatedFaces, Detected
from ..columns import FaceColumns, join
from ..defects import DefectList
from ..records import CHUNK, centred_boxes, check_lengths, numbers, read_text, tight_boxes
from ..schemes import MAX_FACES, Points
from .coco_json import Row, parse, record_name

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
        if path.suffix.lower() != '.json' or not path.is_file():
            return None
        options: dict[str, Any] = {'ann_file': str(path)}
        try:
            content = json.loads(read_text(path))
            faces, images = content['annotations'], content['images']
            pictures = [name for image in islice(images, 20) if isinstance(name := image.get('file_name'), str)]
            size = next((len(face['keypoints']) // 3 for face in faces if face.get('keypoints')), None)
            if any('face_kpts' in face for face in islice(faces, 20)):
                return Detected(options | {'markup': 'coco_wholebody_face'}, 68, pictures)
            if size in BODIES:
                return Detected(options | {'markup': '300w', 'first': BODIES[size]}, 68, pictures)
            info = content.get('info')
            root = info.get('image_root') if isinstance(info, dict) else None
            points = None if size is None else _points(content, size)
            return Detected(options, size, pictures, points, root if isinstance(root, str) else None)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            return Detected(options, None)  # the reader will say what is wrong

    def read(self, file: Path) -> FaceColumns:
        content = parse(file, self.defects)
        self.subsets = self.subsets or content.subsets
        faces = [face for face in map(self._select_points, content.faces) if face and _is_labelled(face)]
        for face in faces:
            face['keypoints'] = self._with_flags(face['keypoints'])
        check_lengths(file, [len(face['keypoints']) for face in faces], 3 * self.markup.size)
        firsts = range(0, max(len(faces), 1), CHUNK)
        return join([self._read_some(file, faces[i : i + CHUNK], content.pictures, i) for i in firsts])

    def _read_some(self, file: Path, faces: list[Row], images: Mapping[Any, Row], first: int) -> FaceColumns:
        """Return the faces of some annotations; `first` is the index of the first of them."""
        pictures = [images[face['image_id']] for face in faces]
        names, rows = [record_name(face) for face in faces], [face['keypoints'] for face in faces]
        table, defective = numbers(file, names, rows, 3 * self.markup.size, self.defects, are_all=False)
        table = table.reshape(-1, self.markup.size, 3)
        visible = np.clip(table[..., 2], 0, 1)
        sides = [_side(face) for face in faces]
        return self.rows(
            file,
            [picture['file_name'] for picture in pictures],
            table[..., :2],
            self._boxes(faces, pictures, sides, tight_boxes(table[..., :2], visible)),
            visible,
            [face.get('box_size') or side for face, side in zip(faces, sides, strict=True)],
            [tuple(face.get('tags') or ()) for face in faces],
            defective,
            first,
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

    def _with_flags(self, keypoints: Any) -> Any:
        """Return the numbers x, y, v of an annotation; if v is left out, all points are visible."""
        if len(keypoints) != 2 * self.markup.size:
            return keypoints
        if isinstance(keypoints, np.ndarray):
            return np.insert(keypoints.reshape(-1, 2), 2, 1, axis=1).ravel()
        return [value for x, y in zip(keypoints[::2], keypoints[1::2], strict=True) for value in (x, y, 1)]

    def _select_points(self, face: Row) -> Row | None:
        """Return an annotation with only the points of the landmark scheme, or None if it is to be skipped."""
        plain = _plain(face)
        if plain is None or not self.first:
            return plain
        points = plain.get('keypoints')
        points = points if isinstance(points, (list, np.ndarray)) else []
        points = points[3 * self.first : 3 * (self.first + self.markup.size)]
        if 2 * sum(isinstance(flag, (int, float)) and flag > 0 for flag in points[2::3]) < self.markup.size:
            return None
        return _reference(face) | {'keypoints': points}

    def _boxes(self, faces: list[Row], pictures: list[Row], sides: list[float | None], boxes: NDArray) -> NDArray:
        """Replace the tight boxes of faces that have the box of `self.box`."""
        squares, clipped = [], []
        for i, (face, side) in enumerate(zip(faces, sides, strict=True)):
            if self.box == 'file' and face.get('center') and side:
                squares.append(i)
            elif self.box != 'tight' and face.get('bbox'):
                clipped.append(i)
        if squares:
            boxes[squares] = centred_boxes([faces[i]['center'] for i in squares], [sides[i] or 0 for i in squares])
        if clipped:
            boxes[clipped] = clip_boxes([faces[i]['bbox'] for i in clipped], [pictures[i] for i in clipped])
        return boxes


def _points(content: Row, size: int) -> Points:
    """Return what a file says of its points: names and skeleton of the category, the points of some faces."""
    categories = [row for row in content.get('categories') or [] if isinstance(row, dict)]
    names = next((names for row in categories if len(names := row.get('keypoints') or []) == size), [])
    lines = next((row.get('skeleton') or [] for row in categories if row.get('keypoints') == names), [])
    rows = [face['keypoints'] for face in content['annotations'] if len(face.get('keypoints') or []) == 3 * size]
    try:
        table = np.array(rows[:MAX_FACES], np.float64).reshape(-1, size, 3)
    except (ValueError, TypeError, OverflowError):
        return Points(size)  # the reader will say which record is wrong
    pairs = tuple((int(a) - 1, int(b) - 1) for a, b in lines)  # the format counts from 1
    known = len(set(names)) == size and all(isinstance(name, str) for name in names)
    inside = all(0 <= i < size for pair in pairs for i in pair)
    return Points(size, tuple(names) if known else (), pairs if inside else (), table[..., :2], table[..., 2])


def _is_labelled(face: Row) -> bool:
    """Return whether an annotation has a number that is not 0."""
    points = face.get('keypoints')
    return bool(points.any()) if isinstance(points, np.ndarray) else any(points or ())


def _plain(face: Row) -> Row | None:
    """Return an annotation with COCO's usual key names, or None if it is to be skipped."""
    if face.get('iscrowd'):
        return None
    if 'face_kpts' not in face:
        return face
    if not face.get('face_valid'):
        return None
    return _reference(face) | {'keypoints': face['face_kpts'], 'bbox': face.get('face_box')}


def _reference(face: Row) -> Row:
    return {key: face.get(key) for key in ('id', 'image_id', 'index')}


def _side(face: Mapping[str, Any]) -> float | None:
    """Return the side of a box in pixels; the files give it in units of 200."""
    scale = face.get('scale')
    return 200 * float(scale if isinstance(scale, (int, float)) else np.max(scale)) if scale else None


def clip_boxes(boxes: ArrayLike, pictures: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return boxes x, y, width, height as (N, 4) of x1, y1, x2, y2, clipped to pictures whose size is known."""
    corners = np.asarray(boxes, np.float64).reshape(-1, 4)
    corners = np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], 1)
    limits = [[(picture.get(side) or np.inf) - 1 for side in ('width', 'height') * 2] for picture in pictures]
    return np.clip(corners, 0, np.reshape(limits, (-1, 4)))
