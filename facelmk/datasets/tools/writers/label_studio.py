"""Write the json of Label Studio."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ....errors import FacelmkError
from ....files.atomic import write_bytes
from ....markups import Markup
from ...as_text import point_names, to_floats
from ...images.decode import read_size
from ...records import FaceRecord
from .common import by_picture


def write_label_studio(
    faces: Sequence[FaceRecord], out: Path, subsets: Sequence[str], pictures: str, markup: Markup
) -> None:
    """Write a task for each picture: a rectangle for each face and, below it, the points that are not missing."""
    names = point_names(markup)
    tasks = [_task(i, name, some, names) for i, (name, some) in enumerate(by_picture(faces).items(), 1)]
    write_bytes(out, (json.dumps(tasks) + '\n').encode())


def _task(number: int, name: str, faces: Sequence[FaceRecord], names: Sequence[str]) -> dict[str, Any]:
    size = read_size(faces[0]['path'])
    if size is None:
        raise FacelmkError(
            f'{faces[0]["path"]} cannot be read, and Label Studio needs the size of each picture: its points are in '
            'per cent. Give the folder of the pictures with --image-root'
        )
    result = [region for i, face in enumerate(faces, 1) for region in _regions(face, names, size, f'face{i}')]
    data = {'image': f'/data/local-files/?d={quote(name)}'}
    return {'id': number, 'data': data, 'annotations': [{'id': number, 'was_cancelled': False, 'result': result}]}


def _regions(face: FaceRecord, names: Sequence[str], size: tuple[int, int], group: str) -> list[dict[str, Any]]:
    width, height = size
    about = {'original_width': width, 'original_height': height, 'to_name': 'image', 'image_rotation': 0}
    x1, y1, x2, y2 = to_floats(face['box'])
    corner = {'x': 100 * x1 / width, 'y': 100 * y1 / height}
    box = corner | {'width': 100 * (x2 - x1) / width, 'height': 100 * (y2 - y1) / height, 'rectanglelabels': ['face']}
    regions: list[dict[str, Any]] = [about | {'id': group, 'from_name': 'box', 'type': 'rectanglelabels', 'value': box}]
    for name, x, y, visible in zip(names, *map(to_floats, face['landmarks'].T), face['visible'], strict=True):
        if visible > 0:
            value = {'x': 100 * x / width, 'y': 100 * y / height, 'width': 0.5, 'keypointlabels': [name]}
            ids = {'id': f'{group}-{name}', 'parentID': group, 'from_name': 'point', 'type': 'keypointlabels'}
            regions.append(about | ids | {'value': value})
    return regions
