"""Check a COCO-style json row by row, so that its reader only sees values of the expected types."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import DataDefect
from ..defects import DefectList, short
from ..records import read_text, translate_read_errors
from .json_stream import read_object

Row = dict[str, Any]
FACE = 'face'  # if a category has this name, annotations of all others are skipped


class CocoContent(NamedTuple):
    """The valid rows of a file: pictures by id, annotations with `index`, their position in the file, and subsets."""

    pictures: dict[Any, Row]
    faces: list[Row]
    subsets: tuple[str, ...]


def parse(file: Path, defects: DefectList) -> CocoContent:
    """Return the valid rows of a json and list the others. Only the standard library's json reads the file."""
    content = _load(file)
    images = _valid_rows(file, 'image', content['images'] or [], _check_picture, defects)
    pictures = {row['id']: row for row in images}
    names = _category_names(content.get('categories') or [])
    annotations = content['annotations'] or []
    faces = _valid_rows(file, 'annotation', annotations, lambda row: _check_face(row, pictures, names), defects)
    others = {number for number, name in names.items() if name != FACE} if FACE in names.values() else set()
    subsets = tuple(name for name in content.get('subsets') or () if _is_text(name))
    return CocoContent(pictures, [row for row in faces if row.get('category_id') not in others], subsets)


def _load(file: Path) -> Row:
    """Return the object in a json, with lists under COCO's keys."""
    with translate_read_errors(file):
        content = read_object(file, {'annotations': _compact_face, 'images': lambda row: _with_keys(row, PICTURE)})
    try:
        content = json.loads(read_text(file)) if content is None else content
    except RecursionError as error:
        raise DataDefect(f'{file} is no json of annotations: its brackets are nested too deep') from error
    except ValueError as error:
        raise DataDefect(f'{file} is no json: {error}. Correct it, or download it again') from error
    if not isinstance(content, dict) or not {'images', 'annotations'} <= set(content):
        raise DataDefect(f"{file} is no COCO-style json. Expected an object with 'images' and 'annotations'")
    for key in ('images', 'annotations', 'categories', 'subsets'):
        if not isinstance(content.get(key) or [], list):
            raise DataDefect(f'{file}: {key!r} is {short(repr(content[key]))}. Expected a list')
    return content


def _compact_face(row: Any) -> Any:
    """Return an annotation with the keys that are read, and its points as one array if all of them are numbers.

    A list of numbers takes four times the memory, in objects that the garbage collector visits again and again.
    """
    row = _with_keys(row, ANNOTATION)
    for key in {'keypoints', 'face_kpts'}.intersection(row) if isinstance(row, dict) else ():
        values = row[key]
        if isinstance(values, list) and values and set(map(type, values)) <= {int, float}:
            with suppress(OverflowError):  # an integer of hundreds of digits
                row[key] = np.array(values, np.float64)
    return row


def _with_keys(row: Any, keys: Mapping[str, Any]) -> Any:
    return {key: row[key] for key in keys if key in row} if isinstance(row, dict) else row


def record_name(row: Mapping[str, Any]) -> str:
    """Return the name of an annotation in messages."""
    return f'annotation {short(row["id"])}' if row.get('id') is not None else f'annotations[{row["index"]}]'


def _valid_rows(file: Path, kind: str, rows: list[Any], check: Callable[[Row], str], defects: DefectList) -> list[Row]:
    """Return the valid rows of a list with their `index`; `check` returns what is wrong with a row, or ''."""
    problems = [check(row) if isinstance(row, dict) else f'{short(repr(row))} is no object in braces' for row in rows]
    first: dict[Any, int] = {}
    for i, row in enumerate(rows):
        if not problems[i] and row.get('id') is not None and first.setdefault(row['id'], i) != i:
            problems[i] = f'its id is that of {kind}s[{first[row["id"]]}], too'
    defects.add_all(file, ((_name(kind, i, rows[i], wrong), wrong) for i, wrong in enumerate(problems) if wrong))
    valid = [i for i, wrong in enumerate(problems) if not wrong]
    for i in valid:
        rows[i]['index'] = i
    return [rows[i] for i in valid]


def _name(kind: str, index: int, row: Any, wrong: str) -> str:
    """Return the name of a defective row: its id, or its index if the id does not identify it."""
    number = row.get('id') if isinstance(row, dict) else None
    unique = isinstance(number, (int, str)) and not wrong.startswith('its id')
    return f'{kind} {short(number)}' if unique else f'{kind}s[{index}]'


def _check_picture(row: Row) -> str:
    missing = next((key for key in ('id', 'file_name') if key not in row), None)
    return f'it has no {missing!r}' if missing else _check_fields(row, PICTURE)


def _check_face(row: Row, pictures: Mapping[Any, Row], categories: Mapping[Any, Any]) -> str:
    if 'image_id' not in row:
        return "it has no 'image_id'"
    if wrong := _check_fields(row, ANNOTATION):
        return wrong
    if row['image_id'] not in pictures:
        return f'its picture {short(repr(row["image_id"]))} is not listed'
    category = row.get('category_id')
    if categories and category is not None and category not in categories:
        return f'its category {short(repr(category))} is not listed'
    return ''


def _check_fields(row: Row, fields: Mapping[str, tuple[Callable[[Any], bool], str]]) -> str:
    """Return which field has a wrong type, or ''. All fields but ids and names may be empty."""
    for key, (is_type, expected) in fields.items():
        value = row.get(key)
        if (value is not None or key in NEEDED) and not is_type(value) and (value or (key in NEEDED and key in row)):
            return f'its {key!r} is {short(repr(value))}. Expected {expected}'
    return ''


def _category_names(rows: list[Any]) -> dict[Any, Any]:
    return {row['id']: row.get('name') for row in rows if isinstance(row, dict) and _is_key(row.get('id'))}


def _is_key(value: Any) -> bool:
    return isinstance(value, (int, str))


def _is_text(value: Any) -> bool:
    halves = '\ud800', '\udfff'  # of surrogate pairs
    return isinstance(value, str) and not any(halves[0] <= letter <= halves[1] for letter in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) < 1e300)


def _are_numbers(count: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and len(value) == count and all(map(_is_number, value))


def _is_scale(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, list) and bool(value) and all(map(_is_number, value)))


NEEDED = ('id', 'file_name', 'image_id')
SIZE = (lambda value: _is_number(value) and 0 < value < 1e6, 'a number of pixels')
KEY = (_is_key, 'an integer or a string')
POINTS = (lambda value: isinstance(value, (list, np.ndarray)), 'a list x, y, v, x, y, v, ...')
PICTURE = {'id': KEY, 'file_name': (_is_text, 'a string'), 'width': SIZE, 'height': SIZE}
BOX = (_are_numbers(4), 'x, y, width, height')
ANNOTATION = {
    **dict.fromkeys(('image_id', 'id', 'category_id'), KEY),
    **dict.fromkeys(('keypoints', 'face_kpts'), POINTS),
    **dict.fromkeys(('bbox', 'face_box'), BOX),
    'center': (_are_numbers(2), 'x, y'),
    'scale': (_is_scale, 'a number'),
    'box_size': (_is_number, 'a number'),
    'tags': (lambda value: isinstance(value, list) and all(map(_is_text, value)), 'a list of strings'),
    **dict.fromkeys(('iscrowd', 'face_valid'), (lambda value: True, 'a flag')),
}
