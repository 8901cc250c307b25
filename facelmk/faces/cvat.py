"""Predicted faces as CVAT's XML of images, to be corrected by hand, made of the rows that `to_row` returns."""

from xml.etree.ElementTree import Element, indent, tostring

import numpy as np

from ..datasets.as_text import point_names
from ..datasets.cvat_elements import CvatFace, image_element, labels_element
from ..markups import MARKUPS
from .tables import Row

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
END = '</annotations>\n'


def cvat_image(row: Row, number: int) -> str:
    """Return the <image> of a picture or a frame; a frame is called as CVAT calls it, below the name of its film."""
    name = str(row.get('path') or '')
    if row.get('frame') is not None:
        name, number = f'{name}/frame_{row["frame"]:06d}', row['frame']
    faces = [
        CvatFace(face['box'], np.asarray(face['landmarks']), np.ones(len(face['landmarks']))) for face in row['faces']
    ]
    names = point_names(MARKUPS[row['faces'][0]['markup']]) if row['faces'] else []
    return _text(image_element(number, name, (row['width'] or 0, row['height'] or 0), faces, names))


def cvat_labels(markup: str | None) -> str:
    """Return <meta> with the labels of a face and its points: their names, or their indices from 0."""
    return '' if markup is None else _text(labels_element(point_names(MARKUPS[markup])))


def cvat(row: Row) -> str:
    """Return one picture and its faces as an XML."""
    markup = row['faces'][0]['markup'] if row['faces'] else None
    return HEAD + cvat_image(row, 0) + cvat_labels(markup) + END


def _text(element: Element) -> str:
    indent(element, level=1)
    return f'  {tostring(element, "unicode").rstrip()}\n'
