"""Write the json files of labelme."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....files.atomic import write_bytes
from ....markups import Markup
from ...as_text import point_names, to_floats
from ...images.decode import read_size
from ...records import FaceRecord
from .common import add_picture, by_picture, file_names


def write_labelme(
    faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str, markup: Markup
) -> None:
    """Write a json for each picture, with the picture beside it; missing points are left out."""
    names, groups = point_names(markup), by_picture(faces)
    for stem, some in zip(file_names([some[0] for some in groups.values()], '/'), groups.values(), strict=True):
        picture = out / f'{stem}{Path(some[0]["name"]).suffix}'
        size = read_size(some[0]['path']) or (0, 0)
        content: dict[str, Any] = {
            'version': '5.4.1',
            'flags': {},
            'shapes': [shape for i, face in enumerate(some, 1) for shape in _shapes(face, names, i)],
            'imagePath': picture.name,
            'imageData': None,
            'imageHeight': size[1],
            'imageWidth': size[0],
        }
        write_bytes(picture.with_suffix('.json'), json.dumps(content, indent=1).encode())
        add_picture(some[0]['path'], picture, pictures, out.parent)


def _shapes(face: FaceRecord, names: Sequence[str], group: int) -> list[dict[str, Any]]:
    box = np.reshape(to_floats(face['box']), (2, 2)).tolist()
    points = np.reshape(to_floats(face['landmarks']), (-1, 2)).tolist()
    seen = [i for i, visible in enumerate(face['visible']) if visible > 0]
    rows = [('face', box, 'rectangle'), *((names[i], [points[i]], 'point') for i in seen)]
    return [
        {'label': label, 'points': some, 'group_id': group, 'description': '', 'shape_type': kind, 'flags': {}}
        for label, some, kind in rows
    ]
