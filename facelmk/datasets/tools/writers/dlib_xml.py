"""Write dlib's XML, from which dlib trains shape predictors (http://dlib.net/imaging.html)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np

from ....files.atomic import write_bytes
from ....markups import Markup
from ...records import FaceRecord
from ...xml_names import xml_name
from .common import by_picture


def write_dlib(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str, markup: Markup) -> None:
    """Write a box with its parts for each face, in whole pixels; missing points are left out."""
    root, names = Element('dataset'), list(map(xml_name, _part_names(markup)))
    images = SubElement(root, 'images')
    for name, some in by_picture(faces).items():
        image = SubElement(images, 'image', file=xml_name(name))
        for face in some:
            _add_box(image, face, names)
    indent(root)
    write_bytes(out, b"<?xml version='1.0' encoding='utf-8'?>\n" + tostring(root, 'utf-8') + b'\n')


def _part_names(markup: Markup) -> Iterator[str]:
    """Yield names, or indices from 0 with leading zeros: dlib sorts the parts by their names as texts."""
    digits = len(str(markup.size - 1))
    yield from markup.names or (f'{i:0{digits}d}' for i in range(markup.size))


def _add_box(image: Element, face: FaceRecord, names: Sequence[str]) -> None:
    """Add a face; dlib refuses a file with fractions."""
    left, top, right, bottom = np.rint(face['box']).astype(int).tolist()
    size = {'width': str(right - left), 'height': str(bottom - top)}
    box = SubElement(image, 'box', {'top': str(top), 'left': str(left)} | size)
    points = np.rint(face['landmarks']).astype(int).tolist()
    for name, (x, y), visible in zip(names, points, face['visible'], strict=True):
        if visible > 0:
            SubElement(box, 'part', name=name, x=str(x), y=str(y))
