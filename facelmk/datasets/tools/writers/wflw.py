"""Write WFLW's list."""

from collections.abc import Sequence
from pathlib import Path

from ....errors import FacelmkError
from ....files.atomic import write_bytes
from ....markups import Markup
from ...as_text import to_floats
from ...readers.wflw import ATTRIBUTES
from ...records import FaceRecord


def write_wflw(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str, markup: Markup) -> None:
    """Write one line for each face; the box is its rectangle."""
    if spaced := [face['name'] for face in faces if len(face['name'].split()) > 1]:
        raise FacelmkError(
            f'{len(spaced)} pictures have spaces in their names (the first is {spaced[0]!r}), but spaces separate the '
            'fields of a WFLW list. Rename the pictures, or write another format'
        )
    write_bytes(out, ('\n'.join(map(_line, faces)) + '\n').encode())


def _line(face: FaceRecord) -> str:
    numbers = map(str, to_floats(face['landmarks']) + to_floats(face['box']))
    attributes = (str(int(name in face['tags'])) for name in ATTRIBUTES)
    return ' '.join([*numbers, *attributes, face['name']])
