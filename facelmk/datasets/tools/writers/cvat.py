"""Write CVAT's XML of images."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ....files.atomic import write_bytes
from ....markups import Markup
from ...images.decode import read_size
from ...records import FaceRecord
from .common import by_picture, point_names, to_floats


def write_cvat(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str, markup: Markup) -> None:
    """Write one skeleton and one box for each face, which share a group_id; missing points are outside."""
    names, root = point_names(markup), Element('annotations')
    SubElement(root, 'version').text = '1.1'
    _add_labels(SubElement(SubElement(SubElement(root, 'meta'), 'job'), 'labels'), names)
    for number, (name, some) in enumerate(by_picture(faces).items()):
        size = read_size(some[0]['path']) or (0, 0)
        image = SubElement(root, 'image', id=str(number), name=name, width=str(size[0]), height=str(size[1]))
        for group, face in enumerate(some, 1):
            _add_face(image, face, names, str(group))
    indent(root)
    write_bytes(out, b'<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, 'utf-8') + b'\n')


def _add_labels(labels: Element, names: Sequence[str]) -> None:
    for name, kind in (('face', 'skeleton'), *((name, 'points') for name in names)):
        label = SubElement(labels, 'label')
        SubElement(label, 'name').text = name
        SubElement(label, 'type').text = kind
        if kind == 'points':
            SubElement(label, 'parent').text = 'face'


def _add_face(image: Element, face: FaceRecord, names: Sequence[str], group: str) -> None:
    skeleton = SubElement(image, 'skeleton', label='face', source='manual', z_order='0', group_id=group)
    x1, y1, x2, y2 = map(str, to_floats(face['box']))
    SubElement(
        image, 'box', label='face', source='manual', occluded='0', xtl=x1, ytl=y1, xbr=x2, ybr=y2, group_id=group
    )
    values = zip(
        names, to_floats(face['landmarks'][:, 0]), to_floats(face['landmarks'][:, 1]), face['visible'], strict=True
    )
    for name, x, y, visible in values:
        state = {'outside': str(int(not visible > 0)), 'occluded': str(int(0 < visible < 1))}
        SubElement(skeleton, 'points', {'label': name, 'source': 'manual', **state, 'points': f'{x},{y}'})
