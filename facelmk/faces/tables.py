"""Predicted faces in other formats, made of the rows that `to_dict` returns: csv, .pts and COCO's json.

A row is a picture or a frame: `path`, `width`, `height`, `faces`, and of a frame also `frame` and `time`.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..markups import MARKUPS

Row = Mapping[str, Any]
BOX = ('box_x1', 'box_y1', 'box_x2', 'box_y2')
FIRST_COLUMNS = ('path', 'frame', 'time', 'width', 'height', 'face', 'id', 'markup', *BOX, 'score')
CATEGORY = 1  # COCO's id of a face


def short(values: ArrayLike) -> list[float]:
    """Return numbers with as few digits as float32 needs."""
    return [float(text) for text in np.asarray(values, np.float32).ravel().astype(str)]


def columns(count: int) -> list[str]:
    """Return the names of the columns of a table of faces with `count` landmarks."""
    return [*FIRST_COLUMNS, *(f'{name}{i}' for i in range(count) for name in ('x', 'y', 'score'))]


def table_rows(rows: Iterable[Row]) -> Iterator[list[Any]]:
    """Yield the values of `columns` for each face; None where a face has no such value."""
    for row in rows:
        picture = [row.get(name) for name in ('path', 'frame', 'time', 'width', 'height')]
        for number, face in enumerate(row['faces']):
            points = np.column_stack([face['landmarks'], face['scores']])
            score = None if face.get('score') is None else short([face['score']])[0]
            yield [*picture, number, face.get('id'), face['markup'], *short(face['box']), score, *short(points)]


def csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows of values as lines of a csv file."""
    stream = io.StringIO(newline='')
    csv.writer(stream, lineterminator='\n').writerows(rows)
    return stream.getvalue()


def pts_text(landmarks: NDArray) -> str:
    """Return landmarks (K, 2) as the text of a .pts file; the first pixel is 0."""
    lines = '\n'.join(f'{x} {y}' for x, y in np.array(short(landmarks)).reshape(-1, 2).tolist())
    return f'version: 1\nn_points:  {len(landmarks)}\n{{\n{lines}\n}}\n'


def coco_image(row: Row, number: int) -> dict[str, Any]:
    """Return the entry of a picture or a frame in COCO's `images`."""
    image = {'id': number, 'file_name': str(row.get('path') or ''), 'width': row['width'], 'height': row['height']}
    return image | ({'frame': row['frame'], 'time': row['time']} if 'frame' in row else {})


def coco_annotations(row: Row, image: int, first: int) -> list[dict[str, Any]]:
    """Return the faces of a row as COCO's `annotations`, with ids from `first`."""
    return [_annotation(face, image, first + i) for i, face in enumerate(row['faces'])]


def _annotation(face: Row, image: int, number: int) -> dict[str, Any]:
    x1, y1, x2, y2 = short(face['box'])
    points = np.column_stack([face['landmarks'], np.full(len(face['landmarks']), 2)])  # 2 means visible
    score = face.get('score')
    return {
        'id': number,
        'image_id': image,
        'category_id': CATEGORY,
        'iscrowd': 0,
        'keypoints': short(points),
        'num_keypoints': len(points),
        'bbox': short([x1, y1, x2 - x1, y2 - y1]),
        'area': short([(x2 - x1) * (y2 - y1)])[0],
        'score': float(np.mean(face['scores']) if score is None else score),
    } | ({'track_id': face['id']} if face.get('id') is not None else {})


def coco_categories(markup: str | None) -> list[dict[str, Any]]:
    """Return COCO's `categories`: the numbers of the landmarks as names, and the lines between them."""
    scheme = None if markup is None else MARKUPS[markup]
    names = [] if scheme is None else [str(i) for i in range(scheme.size)]
    lines = () if scheme is None else scheme.lines
    skeleton = [[a + 1, b + 1] for line in lines for a, b in pairwise(line)]  # COCO counts from 1
    return [{'id': CATEGORY, 'name': 'face', 'supercategory': 'person', 'keypoints': names, 'skeleton': skeleton}]


def coco(rows: Iterable[Row]) -> dict[str, Any]:
    """Return rows as one COCO dict."""
    images, annotations, markup = [], list[dict[str, Any]](), None
    for number, row in enumerate(rows, 1):
        images.append(coco_image(row, number))
        annotations += coco_annotations(row, number, len(annotations) + 1)
        markup = row['faces'][0]['markup'] if row['faces'] else markup
    return {'images': images, 'annotations': annotations, 'categories': coco_categories(markup)}
