"""dlib's XML of imglab and of its shape predictor: boxes with numbered parts (http://dlib.net/imaging.html)."""

from xml.etree.ElementTree import Element

import numpy as np

from ...registry import DATASETS
from .labelled import Shape, box_shape
from .labelled_xml import LabelledXml, number_in


@DATASETS.register_module()
class DlibXml(LabelledXml):
    """The faces of dlib's XML: each <box> with its <part>s, whose names are numbers or labels."""

    layout = 'an .xml (dlib)'
    root = 'dataset'

    @classmethod
    def name_of(cls, image: Element) -> str:
        return (image.get('file') or '').replace('\\', '/')

    @classmethod
    def shapes_of(cls, image: Element) -> list[Shape]:
        return [shape for i, box in enumerate(image.iter('box')) for shape in _shapes(box, i)]


def _shapes(box: Element, group: int) -> list[Shape]:
    if box.get('ignore') == '1':
        return []
    parts = [
        Shape(part.get('name') or '', np.array([[number_in(part, 'x'), number_in(part, 'y')]]), np.ones(1), group)
        for part in box.iter('part')
    ]
    if not parts:
        return []
    left, top, width, height = (number_in(box, key) for key in ('left', 'top', 'width', 'height'))
    return [*parts, box_shape('', np.array([[left, top], [left + width, top + height]]), group)]
