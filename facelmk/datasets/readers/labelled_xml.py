"""What the readers of XML share: pictures that are <image> elements, and numbers in attributes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar
from xml.etree.ElementTree import Element

from ..annotated import Detected
from ..defects import DefectList, short
from .labelled import LabelledFaces, LabelledPicture, Shape
from .safe_xml import read_elements, root_of


class LabelledXml(LabelledFaces):
    """Faces of an XML with the first element `root`, whose <image> elements hold the shapes."""

    root: ClassVar[str]

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        if path.suffix.lower() != '.xml' or not path.is_file() or root_of(path) != cls.root:
            return None
        return cls.detected(path, {'ann_file': str(path)})

    @classmethod
    def pictures(cls, path: Path, defects: DefectList) -> Iterator[LabelledPicture]:
        for number, image in enumerate(read_elements(path, 'image'), 1):
            name = cls.name_of(image)
            picture = LabelledPicture(name, f'image {image.get("id") or number} ({short(name)})')
            try:
                picture.shapes += cls.shapes_of(image)
            except ValueError as error:
                defects.add(path, picture.record, str(error))
                continue
            yield picture

    @classmethod
    def name_of(cls, image: Element) -> str:
        """Return the path of the picture."""
        raise TypeError(f'{cls.__name__} must define name_of(image)')

    @classmethod
    def shapes_of(cls, image: Element) -> Sequence[Shape]:
        """Return the points and boxes of the picture; raise ValueError if something is wrong with one."""
        raise TypeError(f'{cls.__name__} must define shapes_of(image)')


def number_in(element: Element, key: str) -> float:
    """Return the number of an attribute."""
    text: Any = element.get(key)
    try:
        return float(text)
    except (TypeError, ValueError):
        raise ValueError(f'{key}={text!r} of <{element.tag}> is no number') from None
