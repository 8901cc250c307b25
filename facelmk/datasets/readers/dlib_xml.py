"""dlib's XML of imglab and of its shape predictor: boxes with numbered parts (http://dlib.net/imaging.html)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from ...registry import DATASETS
from ..annotated import Detected
from ..defects import DefectList, short
from .labelled import LabelledFaces, LabelledPicture, Shape, box_shape
from .safe_xml import read_elements, root_of

DATASET = 'dataset'


@DATASETS.register_module()
class DlibXml(LabelledFaces):
    """The faces of dlib's XML: each <box> with its <part>s, whose names are numbers or labels."""

    layout = 'an .xml (dlib)'

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        if path.suffix.lower() != '.xml' or not path.is_file() or root_of(path) != DATASET:
            return None
        return cls.detected(path, {'ann_file': str(path)})

    @classmethod
    def pictures(cls, path: Path, defects: DefectList) -> Iterator[LabelledPicture]:
        for number, image in enumerate(read_elements(path, 'image'), 1):
            name = (image.get('file') or '').replace('\\', '/')
            picture = LabelledPicture(name, f'image {number} ({short(name)})')
            try:
                for i, box in enumerate(image.iter('box')):
                    picture.shapes += _shapes(box, i)
            except ValueError as error:
                defects.add(path, picture.record, str(error))
                continue
            yield picture


def _shapes(box: Element, group: int) -> list[Shape]:
    if box.get('ignore') == '1':
        return []
    parts = [
        Shape(part.get('name') or '', np.array([[_number(part, 'x'), _number(part, 'y')]]), np.ones(1), group)
        for part in box.iter('part')
    ]
    if not parts:
        return []
    left, top, width, height = (_number(box, key) for key in ('left', 'top', 'width', 'height'))
    return [*parts, box_shape('', np.array([[left, top], [left + width, top + height]]), group)]


def _number(element: Element, key: str) -> float:
    text: Any = element.get(key)
    try:
        return float(text)
    except (TypeError, ValueError):
        raise ValueError(f'{key}={text!r} of <{element.tag}> is no number') from None
