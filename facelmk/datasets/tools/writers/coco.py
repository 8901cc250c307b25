"""Write COCO-style json."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ....files.atomic import write_bytes
from ....markups import Markup
from ...as_text import to_floats
from ...images.decode import read_size
from ...records import FaceRecord
from .common import is_square


def write_coco(
    faces: Sequence[FaceRecord],
    out: Path,
    subsets: Sequence[str],
    pictures: str,
    markup: Markup,
    image_root: str | None = None,
) -> None:
    """Write COCO-style json; square boxes also as center and scale, the subsets as `tags`.

    `image_root` is the folder of the pictures, seen from that of the file, if the file shall name it.
    """
    ids = {name: i + 1 for i, name in enumerate(dict.fromkeys(face['name'] for face in faces))}
    paths = {face['name']: face['path'] for face in faces}
    content = {
        'info': {'description': 'written by facelmk data convert'} | ({'image_root': image_root} if image_root else {}),
        'subsets': list(subsets),
        'images': [{'id': number, 'file_name': name} | _size(paths[name]) for name, number in ids.items()],
        'annotations': [_annotation(i + 1, face, ids[face['name']]) for i, face in enumerate(faces)],
        'categories': [_category(markup)],
    }
    write_bytes(out, (json.dumps(content) + '\n').encode())


def _category(markup: Markup) -> dict[str, Any]:
    """Return the category of a face with the names of its points, if they have names, and lines, counted from 1."""
    lines = [[a + 1, b + 1] for line in markup.lines for a, b in pairwise(line)] if markup.names else []
    category = {'id': 1, 'name': 'face', 'supercategory': 'person', 'keypoints': list(markup.names)}
    return category | {'skeleton': lines}


def _annotation(number: int, face: FaceRecord, image_id: int) -> dict[str, Any]:
    x1, y1, x2, y2 = to_floats(face['box'])
    flags = np.where(face['visible'] >= 1, 2, face['visible'])
    row = {
        'id': number,
        'image_id': image_id,
        'category_id': 1,
        'iscrowd': 0,
        'keypoints': to_floats(np.column_stack([face['landmarks'], flags])),
        'num_keypoints': int((face['visible'] > 0).sum()),
        'bbox': [x1, y1, x2 - x1, y2 - y1],
        'area': (x2 - x1) * (y2 - y1),
    }
    if is_square(face['box']):
        row |= {'center': [(x1 + x2) / 2, (y1 + y2) / 2], 'scale': (x2 - x1) / 200}
    if face['norm'] is not None:
        row['box_size'] = face['norm']
    return row | ({'tags': list(face['tags'])} if face['tags'] else {})


def _size(path: str) -> dict[str, int]:
    """Return width and height of the upright picture, or nothing if it cannot be read."""
    size = read_size(path)
    return {} if size is None else {'width': size[0], 'height': size[1]}
