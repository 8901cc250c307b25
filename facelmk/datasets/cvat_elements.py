"""Elements of CVAT's XML of images, which data sets and predicted faces are written as (https://docs.cvat.ai)."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from numpy.typing import NDArray

from .as_text import to_floats
from .xml_names import xml_name


class CvatFace(NamedTuple):
    """A face: its box (4,), landmarks (K, 2), and which of them are visible (K,)."""

    box: NDArray
    landmarks: NDArray
    visible: NDArray


def labels_element(names: Sequence[str]) -> Element:
    """Return <meta> with the label of a face, a skeleton, and those of its points."""
    meta = Element('meta')
    labels = SubElement(SubElement(meta, 'job'), 'labels')
    for name, kind in (('face', 'skeleton'), *((name, 'points') for name in names)):
        label = SubElement(labels, 'label')
        SubElement(label, 'name').text = xml_name(name)
        SubElement(label, 'type').text = kind
        if kind == 'points':
            SubElement(label, 'parent').text = 'face'
    return meta


def image_element(
    number: int, name: str, size: tuple[int, int], faces: Sequence[CvatFace], names: Sequence[str]
) -> Element:
    """Return <image> with a skeleton and a box for each face, which share a group_id; missing points are outside."""
    image = Element('image', id=str(number), name=xml_name(name), width=str(size[0]), height=str(size[1]))
    for group, face in enumerate(faces, 1):
        _add_face(image, face, names, str(group))
    return image


def _add_face(image: Element, face: CvatFace, names: Sequence[str], group: str) -> None:
    same = {'label': 'face', 'source': 'manual', 'occluded': '0', 'z_order': '0', 'group_id': group}
    skeleton = SubElement(image, 'skeleton', same)
    SubElement(image, 'box', same | dict(zip(('xtl', 'ytl', 'xbr', 'ybr'), map(str, to_floats(face.box)), strict=True)))
    columns = (to_floats(face.landmarks[:, axis]) for axis in (0, 1))
    for name, x, y, visible in zip(names, *columns, face.visible, strict=True):
        state = {'outside': str(int(not visible > 0)), 'occluded': str(int(0 < visible < 1))}
        SubElement(skeleton, 'points', {'label': name, 'source': 'manual', **state, 'points': f'{x},{y}'})
