"""What the readers of annotation tools share: faces of named points, found in pictures with shapes.

A tool saves shapes: a point with a label, or a line of several points. A group joins the shapes of one face.
Without groups the labels do: a label that occurs again begins another face.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect
from ..annotated import AnnotatedFaces, Detected
from ..columns import FaceColumns
from ..defects import DefectList, short
from ..records import tight_boxes
from ..schemes import MAX_FACES, Points

RARE = 0.02  # a label with less than this share of the most usual one's faces is misspelt
Label = tuple[str, int]  # the label of a shape, and the number of the point in it


@dataclass
class Shape:
    """Points (N, 2) with one label, or the corners of a box (2, 2). `visible` (N,) is 0 for absent points."""

    label: str
    points: NDArray[np.float64]
    visible: NDArray[np.float64]
    group: Any = None
    is_box: bool = False


@dataclass
class LabelledPicture:
    """One picture and its shapes. `record` is its name in messages."""

    name: str
    record: str
    shapes: list[Shape] = field(default_factory=list)


@dataclass
class LabelledFace:
    """The points of a face by label, and its box if the file has one."""

    picture: str
    record: str
    points: dict[Label, tuple[float, float, float]] = field(default_factory=dict)
    box: NDArray[np.float64] | None = None

    @property
    def is_one_label(self) -> bool:
        """Whether all points have the same label, so that only their order distinguishes them."""
        return len(self.points) > 1 and len({label for label, _ in self.points}) == 1


class LabelledFaces(AnnotatedFaces):
    """Faces of an annotation tool. `labels` are the labels of the points, in the order of the landmark scheme.

    Without `labels`, the points of each face are read in the order of the file. A face may lack points: they are not
    visible. `box='file'` is the box that the file has for a face, else the tight one.
    """

    boxes = ('file', 'tight')

    def __init__(self, *args: Any, labels: Sequence[str] | None = None, **options: Any) -> None:
        self.labels = None if labels is None else tuple(labels)
        self._places = {label: i for i, label in enumerate(self.labels or ())}
        super().__init__(*args, **options)

    @classmethod
    def pictures(cls, path: Path, defects: DefectList) -> Iterable[LabelledPicture]:
        """Yield the pictures of a file or folder; add what is wrong to `defects`."""
        raise TypeError(f'{cls.__name__} must define pictures(path, defects)')

    @classmethod
    def label_order(cls, path: Path) -> Sequence[str]:
        """Return the labels in the order in which the file defines them; () if it defines none."""
        return ()

    @classmethod
    def detected(
        cls, path: Path, options: dict[str, Any], pictures: Iterable[LabelledPicture] | None = None
    ) -> Detected:
        """Return what the labels of all faces say; `pictures` are those of the file, if it has been read already."""
        try:
            read = cls.pictures(path, DefectList()) if pictures is None else pictures
            faces = [face for picture in read for face in faces_of(picture)]
        except DataDefect:
            return Detected(options, None)  # the reader will say what is wrong
        if not faces:
            return Detected(options, None)
        names = list(dict.fromkeys(face.picture for face in faces))[:20]
        if any(face.is_one_label for face in faces):
            size = Counter(len(face.points) for face in faces).most_common(1)[0][0]
            return Detected(options, size, names, _by_order(faces, size))
        labels = _ordered(_usual_labels(faces), cls.label_order(path))
        texts = tuple(_text(label, labels) for label in labels)
        table = np.array([_row(face, labels) for face in faces[:MAX_FACES]])
        return Detected(
            options | {'labels': texts},
            len(labels),
            names,
            Points(len(labels), texts, (), table[..., :2], table[..., 2]),
        )

    def read(self, file: Path) -> FaceColumns:
        """Return the faces of all pictures."""
        faces = [face for picture in self.pictures(file, self.defects) for face in faces_of(picture)]
        rows = [self._points(face) for face in faces]
        wrong = {i: row for i, row in enumerate(rows) if isinstance(row, str)}
        self.defects.add_all(file, ((faces[i].record, text) for i, text in wrong.items()))
        K = self.markup.size
        table = np.array([np.full((K, 3), np.nan) if isinstance(row, str) else row for row in rows]).reshape(-1, K, 3)
        boxes = tight_boxes(np.nan_to_num(table[..., :2]), table[..., 2])
        for i, face in enumerate(faces):
            if face.box is not None:
                boxes[i] = face.box
        defective = np.isin(np.arange(len(faces)), list(wrong))
        names = [face.picture for face in faces]
        return self.rows(file, names, table[..., :2], boxes, np.nan_to_num(table[..., 2]), defective=defective)

    def _points(self, face: LabelledFace) -> NDArray[np.float64] | str:
        """Return the points (K, 3) of a face in the order of the landmark scheme, or what is wrong with them."""
        K = self.markup.size
        if self.labels is None:
            if len(face.points) != K:
                return f'{len(face.points)} points, {K} expected'
            return np.array(list(face.points.values()), np.float64)
        row = np.zeros((K, 3))
        for label, values in face.points.items():
            place = self._places.get(f'{label[0]}_{label[1]}', self._places.get(label[0]) if not label[1] else None)
            if place is None or place >= K:
                return f'the label {short(label[0])} is none of the {K} of the landmark scheme {self.markup.name!r}'
            row[place] = values
        return row


def faces_of(picture: LabelledPicture) -> list[LabelledFace]:
    """Return the faces of a picture: the shapes of each group, or a new face where a label occurs again."""
    points = [shape for shape in picture.shapes if not shape.is_box]
    groups: dict[Any, list[Shape]] = {}
    for shape in points:
        groups.setdefault(shape.group, []).append(shape)
    faces = []
    for group, shapes in groups.items():
        some = [LabelledFace(picture.name, '', one) for one in _split_group(shapes)]
        faces += [(group, face) for face in some]
    _give_boxes([shape for shape in picture.shapes if shape.is_box], faces)
    for i, (_, face) in enumerate(faces):
        face.record = picture.record + (f', face {i + 1}' if len(faces) > 1 else '')
    return [face for _, face in faces]


def _split_group(shapes: Sequence[Shape]) -> Iterator[dict[Label, tuple[float, float, float]]]:
    """Yield the points of each face among shapes of one group."""
    singles = [shape for shape in shapes if len(shape.points) == 1]
    one_label = len({shape.label for shape in singles}) == 1 and len(singles) > 1
    if one_label and len(singles) == len(shapes):  # points without a name of their own: one face, in their order
        yield {(shapes[0].label, i): _values(shape, 0) for i, shape in enumerate(singles)}
        return
    face: dict[Label, tuple[float, float, float]] = {}
    for shape in shapes:
        if (shape.label, 0) in face:
            yield face
            face = {}
        face |= {(shape.label, i): _values(shape, i) for i in range(len(shape.points))}
    if face:
        yield face


def _values(shape: Shape, i: int) -> tuple[float, float, float]:
    x, y = shape.points[i].tolist()
    return (x, y, float(shape.visible[i])) if shape.visible[i] > 0 else (0.0, 0.0, 0.0)


def _give_boxes(boxes: Sequence[Shape], faces: Sequence[tuple[Any, LabelledFace]]) -> None:
    """Give each face its box: that of its group, else the smallest that holds the mean of its points."""
    for group, face in faces:
        points = np.array([values[:2] for values in face.points.values() if values[2] > 0])
        if not len(points) or not boxes:
            continue
        of_group = [box for box in boxes if group is not None and box.group == group]
        centre = points.mean(0)
        around = [box for box in boxes if box.group is None and (box.points[0] <= centre).all()]
        around = [box for box in around if (centre <= box.points[1]).all()]
        if chosen := of_group or sorted(around, key=lambda box: float(np.prod(box.points[1] - box.points[0])))[:1]:
            face.box = chosen[0].points.reshape(4)


def box_shape(label: str, corners: NDArray, group: Any = None) -> Shape:
    """Return a box from two opposite corners (2, 2)."""
    low_high = np.stack([corners.min(0), corners.max(0)])
    return Shape(label, low_high, np.ones(2), group, is_box=True)


def _usual_labels(faces: Sequence[LabelledFace]) -> list[Label]:
    """Return the labels of the points, without those that nearly no face has: they are misspelt."""
    counts = Counter(label for face in faces for label in face.points)
    most = max(counts.values(), default=0)
    return [label for label, count in counts.items() if count >= RARE * most]


def _by_order(faces: Sequence[LabelledFace], size: int) -> Points:
    whole = [list(face.points.values()) for face in faces if len(face.points) == size][:MAX_FACES]
    table = np.array(whole, np.float64).reshape(-1, size, 3)
    return Points(size, (), (), table[..., :2], table[..., 2])


def _ordered(found: Sequence[Label], defined: Sequence[str]) -> list[Label]:
    """Return labels in order: numbers by value, else as the file defines them, else as they occur."""
    if all(label.isdecimal() and len(label) < 10 for label, _ in found):
        return sorted(found, key=lambda label: (int(label[0]), label[1]))
    place = {name: i for i, name in enumerate(defined)}
    return sorted(found, key=lambda label: (place.get(label[0], len(place)), label[1])) if place else list(found)


def _text(label: Label, labels: Sequence[Label]) -> str:
    """Return the name of a point: its label, with a number if the label has several points."""
    several = (label[0], 1) in labels
    return f'{label[0]}_{label[1]}' if several else label[0]


def _row(face: LabelledFace, labels: Sequence[Label]) -> list[tuple[float, float, float]]:
    return [face.points.get(label, (0.0, 0.0, 0.0)) for label in labels]
