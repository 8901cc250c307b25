"""Write a .pts file for each face."""

from collections.abc import Sequence
from pathlib import Path

from ....files.atomic import write_bytes
from ....markups import Markup
from ...records import FaceRecord
from .common import add_picture, file_names, point_lines


def write_pts(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str, markup: Markup) -> None:
    """Write a .pts for each face, with the picture beside it, in the same folders as the pictures."""
    for face, name in zip(faces, file_names(faces, '/'), strict=True):
        picture = out / f'{name}{Path(face["name"]).suffix}'
        text = f'version: 1\nn_points:  {len(face["landmarks"])}\n{{\n{point_lines(face)}\n}}\n'
        write_bytes(picture.with_suffix('.pts'), text.encode())
        add_picture(face['path'], picture, pictures, out.parent)
