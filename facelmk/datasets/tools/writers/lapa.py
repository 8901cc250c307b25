"""Write the folders of LaPa."""

from collections.abc import Sequence
from pathlib import Path

from ....files.atomic import write_bytes
from ....markups import Markup
from ...records import FaceRecord
from .common import add_picture, file_names, point_lines


def write_lapa(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str, markup: Markup) -> None:
    """Write landmarks/NAME.txt and images/NAME.jpg."""
    (out / 'images').mkdir(parents=True, exist_ok=True)
    for face, name in zip(faces, file_names(faces, '_'), strict=True):
        text = f'{len(face["landmarks"])}\n{point_lines(face)}\n'
        write_bytes(out / 'landmarks' / f'{name}.txt', text.encode())
        add_picture(face['path'], out / 'images' / f'{name}{Path(face["name"]).suffix}', pictures, out.parent)
