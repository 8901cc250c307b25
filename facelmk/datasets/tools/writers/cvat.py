"""Write CVAT's XML of images."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ....files.atomic import write_bytes
from ....markups import Markup
from ...as_text import point_names
from ...cvat_elements import CvatFace, image_element, labels_element
from ...images.decode import read_size
from ...records import FaceRecord
from .common import by_picture


def write_cvat(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str, markup: Markup) -> None:
    """Write one skeleton and one box for each face, which share a group_id; missing points are outside."""
    names, root = point_names(markup), Element('annotations')
    SubElement(root, 'version').text = '1.1'
    root.append(labels_element(names))
    for number, (name, some) in enumerate(by_picture(faces).items()):
        size = read_size(some[0]['path']) or (0, 0)
        own = [CvatFace(face['box'], face['landmarks'], face['visible']) for face in some]
        root.append(image_element(number, name, size, own, names))
    indent(root)
    write_bytes(out, b'<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, 'utf-8') + b'\n')
