"""CVAT for images 1.1: one XML with the points or skeletons of all pictures (https://docs.cvat.ai)."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from ...registry import DATASETS
from ..defects import short
from .labelled import Shape, box_shape
from .labelled_xml import LabelledXml, number_in
from .safe_xml import read_elements


@DATASETS.register_module()
class CvatXml(LabelledXml):
    """CVAT's XML of images: a face is a <skeleton>, or the <points> of one group_id.

    Without a group, all <points> of a picture are one face, and a label that occurs again begins another one. Points
    with outside="1" are not annotated; occluded ones count, as in published sets. A <box> is the box of the face.
    """

    layout = 'an .xml (CVAT)'
    root = 'annotations'

    @classmethod
    def name_of(cls, image: Element) -> str:
        return image.get('name') or ''

    @classmethod
    def shapes_of(cls, image: Element) -> list[Shape]:
        return [shape for i, element in enumerate(image) for shape in _shapes(element, i)]

    @classmethod
    def label_order(cls, path: Path) -> Sequence[str]:
        return [name.text or '' for label in read_elements(path, 'label') if (name := label.find('name')) is not None]


def _shapes(element: Element, number: int) -> list[Shape]:
    """Return the shapes of an element of a picture."""
    label, group = element.get('label') or '', element.get('group_id') or None
    group = None if group == '0' else group
    if element.tag == 'box':
        corners = [[number_in(element, f'{axis}{end}') for axis in ('x', 'y')] for end in ('tl', 'br')]
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


def _points(element: Element) -> np.ndarray:
    text = element.get('points') or ''
    try:
        points = np.array([[float(part) for part in pair.split(',')] for pair in text.split(';') if pair.strip()])
        return points.reshape(-1, 2) if points.size == 0 or points.shape[1:] == (2,) else points.reshape(-1, 0)
    except ValueError:
        raise ValueError(f'points={short(text)!r} of <{element.tag}> are not x,y;x,y;...') from None
