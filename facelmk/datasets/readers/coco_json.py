"""What a COCO-style json must be for its reader, row by row: plain data of the right kinds, whatever the file says."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import DataDefect
from ..defects import refuse, short
from .records import read_text

Row = dict[str, Any]
FACE = 'face'  # the name of a category that leaves the others out


class Content(NamedTuple):
    """The sound rows of a file: pictures by their id, annotations, whose `place` is their number, and subsets."""

    pictures: dict[Any, Row]
    faces: list[Row]
    subsets: tuple[str, ...]


def parse(file: Path) -> Content:
    """The sound rows of a json; rows that are not are refused. Nothing but the standard library's json reads it."""
    try:
        content = json.loads(read_text(file))
    except RecursionError as error:
        raise DataDefect(f'{file} is no json of annotations: brackets in brackets, too deep to follow') from error
    except ValueError as error:
        raise DataDefect(f'{file} is no json: {error}; mend it, or fetch it anew') from error
    if not isinstance(content, dict) or not {'images', 'annotations'} <= set(content):
        raise DataDefect(f"{file} is no COCO-style json: it must hold 'images' and 'annotations'")
    for key in ('images', 'annotations', 'categories', 'subsets'):
        if not isinstance(content.get(key) or [], list):
            raise DataDefect(f'{file}: {key!r} is {short(repr(content[key]))}; expected is a list')
    images = _sound(file, 'image', content['images'] or [], _wrong_picture)
    pictures = {row['id']: row for row in images}
    names = _categories(content.get('categories') or [])
    faces = _sound(file, 'annotation', content['annotations'] or [], lambda row: _wrong_face(row, pictures, names))
    others = {number for number, name in names.items() if name != FACE} if FACE in names.values() else set()
    subsets = tuple(name for name in content.get('subsets') or () if _is_text(name))
    return Content(pictures, [row for row in faces if row.get('category_id') not in others], subsets)


def record_of(row: Mapping[str, Any]) -> str:
    """What an annotation is called in messages."""
    return f'annotation {short(row["id"])}' if row.get('id') is not None else f'annotations[{row["place"]}]'


def _sound(file: Path, kind: str, rows: list[Any], judge: Callable[[Row], str]) -> list[Row]:
    """The rows of a list that are right, with their place in it; the others are refused."""
    judged = [(row, _judged(row, judge)) for row in rows]
    earlier: dict[Any, int] = {}
    for i, (row, wrong) in enumerate(judged):
        if not wrong and row.get('id') is not None and earlier.setdefault(row['id'], i) != i:
            judged[i] = row, f'its id is that of {kind}s[{earlier[row["id"]]}], too'
    refuse(file, list(_told(kind, judged)))
    return [row | {'place': i} for i, (row, wrong) in enumerate(judged) if not wrong]


def _judged(row: Any, judge: Callable[[Row], str]) -> str:
    return judge(row) if isinstance(row, dict) else f'{short(repr(row))} is no object in braces'


def _told(kind: str, judged: list[tuple[Any, str]]) -> Iterator[tuple[str, str]]:
    """The records of what is wrong: a double id needs its place, for others the id is what one looks for."""
    for i, (row, wrong) in enumerate(judged):
        if wrong:
            number = row.get('id') if isinstance(row, dict) else None
            own = isinstance(number, (int, str)) and not wrong.startswith('its id')
            yield f'{kind} {short(number)}' if own else f'{kind}s[{i}]', wrong


def _wrong_picture(row: Row) -> str:
    missing = next((key for key in ('id', 'file_name') if key not in row), None)
    return f'it has no {missing!r}' if missing else _wrong_field(row, PICTURE)


def _wrong_face(row: Row, pictures: Mapping[Any, Row], categories: Mapping[Any, Any]) -> str:
    if 'image_id' not in row:
        return "it has no 'image_id'"
    if wrong := _wrong_field(row, ANNOTATION):
        return wrong
    if row['image_id'] not in pictures:
        return f'its picture {short(repr(row["image_id"]))} is not listed'
    category = row.get('category_id')
    if categories and category is not None and category not in categories:
        return f'its category {short(repr(category))} is not listed'
    return ''


def _wrong_field(row: Row, fields: Mapping[str, tuple[Callable[[Any], bool], str]]) -> str:
    """Which field is of another kind than it must be; all but ids and names may be empty."""
    for key, (fits, expected) in fields.items():
        value = row.get(key)
        if not fits(value) and (value or key in NEEDED and key in row):
            return f'its {key!r} is {short(repr(value))}; expected {expected}'
    return ''


def _categories(rows: list[Any]) -> dict[Any, Any]:
    return {row['id']: row.get('name') for row in rows if isinstance(row, dict) and _is_key(row.get('id'))}


def _is_key(value: Any) -> bool:
    return isinstance(value, (int, str))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not any('\ud800' <= letter <= '\udfff' for letter in value)  # halves of letters


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or type(value) is int and abs(value) < 1e300


def _are_numbers(count: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and len(value) == count and all(map(_is_number, value))


def _is_scale(value: Any) -> bool:
    return _is_number(value) or isinstance(value, list) and bool(value) and all(map(_is_number, value))


NEEDED = ('id', 'file_name', 'image_id')
SIZE = (lambda value: _is_number(value) and 0 < value < 1e6, 'a number of pixels')
PICTURE = {
    'id': (_is_key, 'a whole number or a text'),
    'file_name': (_is_text, 'a text'),
    'width': SIZE,
    'height': SIZE,
}
BOX = (_are_numbers(4), 'x, y, width, height')
ANNOTATION = {
    'image_id': (_is_key, 'a whole number or a text'),
    'id': (_is_key, 'a whole number or a text'),
    'category_id': (_is_key, 'a whole number or a text'),
    'keypoints': (lambda value: isinstance(value, list), 'a list x, y, v, x, y, v, ...'),
    'face_kpts': (lambda value: isinstance(value, list), 'a list x, y, v, x, y, v, ...'),
    'bbox': BOX,
    'face_box': BOX,
    'center': (_are_numbers(2), 'x, y'),
    'scale': (_is_scale, 'a number'),
    'box_size': (_is_number, 'a number'),
    'tags': (lambda value: isinstance(value, list) and all(map(_is_text, value)), 'a list of texts'),
}
