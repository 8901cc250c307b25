"""CVAT for images 1.1: one XML with the points or skeletons of all pictures (https://docs.cvat.ai)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from ...registry import DATASETS
from ..annotated import Detected
from ..defects import DefectList, short
from .labelled import LabelledFaces, LabelledPicture, Shape, box_shape
from .safe_xml import read_elements, root_of

ANNOTATIONS = 'annotations'
FILE = 'annotations.xml'  # as CVAT names it in its archive


@DATASETS.register_module()
class CvatXml(LabelledFaces):
    """CVAT's XML of images: a face is a <skeleton>, or the <points> of one group_id.

    Without a group, all <points> of a picture are one face, and a label that occurs again begins another one. Points
    with outside="1" are not annotated; occluded ones count, as in published sets. A <box> is the box of the face.
    """

    layout = 'an .xml (CVAT)'

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        if path.suffix.lower() != '.xml' or not path.is_file() or root_of(path) != ANNOTATIONS:
            return None
        return cls.detected(path, {'ann_file': str(path)})

    @classmethod
    def pictures(cls, path: Path, defects: DefectList) -> Iterator[LabelledPicture]:
        for number, image in enumerate(read_elements(path, 'image'), 1):
            name = image.get('name') or ''
            record = f'image {image.get("id") or number} ({short(name)})'
            picture = LabelledPicture(name, record)
            try:
                for i, element in enumerate(image):
                    picture.shapes += _shapes(element, i)
            except ValueError as error:
                defects.add(path, record, str(error))
                continue
            yield picture

    @classmethod
    def label_order(cls, path: Path) -> Sequence[str]:
        return [name.text or '' for label in read_elements(path, 'label') if (name := label.find('name')) is not None]


def _shapes(element: Element, number: int) -> list[Shape]:
    """Return the shapes of an element of a picture."""
    label, group = element.get('label') or '', element.get('group_id') or None
    group = None if group == '0' else group
    if element.tag == 'box':
        corners = [[_number(element, f'{axis}{end}') for axis in ('x', 'y')] for end in ('tl', 'br')]
        return [box_shape(label, np.array(corners), group)]
    if element.tag == 'skeleton':
        inner = [one for child in element if child.tag == 'points' for one in _shapes(child, number)]
        for one in inner:
            one.group = group or f'skeleton {number}'
        return inner
    if element.tag != 'points':
        return []
    points = _points(element)
    return [Shape(label, points, np.full(len(points), float(element.get('outside') != '1')), group)]


def _number(element: Element, key: str) -> float:
    text: Any = element.get(key)
    try:
        return float(text)
    except (TypeError, ValueError):
        raise ValueError(f'{key}={text!r} of <{element.tag}> is no number') from None


def _points(element: Element) -> np.ndarray:
    text = element.get('points') or ''
    try:
        points = np.array([[float(part) for part in pair.split(',')] for pair in text.split(';') if pair.strip()])
        return points.reshape(-1, 2) if points.size == 0 or points.shape[1:] == (2,) else points.reshape(-1, 0)
    except ValueError:
        raise ValueError(f'points={short(text)!r} of <{element.tag}> are not x,y;x,y;...') from None
