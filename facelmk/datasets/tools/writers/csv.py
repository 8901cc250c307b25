"""Write the tables of the original HRNet."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from ....files.atomic import write_bytes
from ....markups import Markup
from ...as_text import to_floats
from ...records import FaceRecord
from .common import has_own_norm


def write_csv(faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str, markup: Markup) -> None:
    """Write a table, and one more for each subset beside it: NAME_subset.csv."""
    _write_table(faces, out)
    for subset in dict.fromkeys((*subsets, *(tag for face in faces for tag in face['tags']))):
        if members := [face for face in faces if subset in face['tags']]:
            _write_table(members, out.with_stem(f'{out.stem}_{subset}'))


def _write_table(faces: Sequence[FaceRecord], out: Path) -> None:
    with_norm = any(map(has_own_norm, faces))
    count = len(faces[0]['landmarks']) if faces else 0
    stream = io.StringIO(newline='')
    writer = csv.writer(stream)
    points = (f'original_{i}_{axis}' for i in range(count) for axis in 'xy')
    writer.writerow(['image_name', 'scale', *['box_size'] * with_norm, 'center_w', 'center_h', *points])
    for face in faces:
        x1, y1, x2, y2 = to_floats(face['box'])
        side = max(x2 - x1, y2 - y1)
        norm = [side if face['norm'] is None else face['norm']] * with_norm
        centre = (x1 + x2) / 2, (y1 + y2) / 2
        writer.writerow([face['name'], side / 200, *norm, *centre, *to_floats(face['landmarks'])])
    write_bytes(out, stream.getvalue().encode())
