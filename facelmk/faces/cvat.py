"""Predicted faces as CVAT's XML of images, to be corrected by hand, made of the rows that `to_row` returns."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, indent, tostring

import numpy as np

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
    names = _names(row['faces'][0]['markup']) if row['faces'] else []
    return _text(image_element(number, name, (row['width'] or 0, row['height'] or 0), faces, names))


def cvat_labels(markup: str | None) -> str:
    """Return <meta> with the labels of a face and its points: their names, or their indices from 0."""
    return '' if markup is None else _text(labels_element(_names(markup)))


def cvat(rows: Iterable[Row]) -> str:
    """Return rows as one XML; the labels follow the images, because the first picture may have no face."""
    images, markup = '', None
    for number, row in enumerate(rows):
        images += cvat_image(row, number)
        markup = row['faces'][0]['markup'] if row['faces'] else markup
    return HEAD + images + cvat_labels(markup) + END


def _names(markup: str) -> list[str]:
    scheme = MARKUPS[markup]
    return list(scheme.names) or list(map(str, range(scheme.size)))


def _text(element: Element) -> str:
    indent(element, level=1)
    return f'  {tostring(element, "unicode").rstrip()}\n'
