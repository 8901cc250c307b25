"""labelme: one json beside each picture (https://github.com/wkentaro/labelme)."""

import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ...files.drafts import paths_below
from ...registry import DATASETS
from ..annotated import Detected
from ..defects import DefectList, short
from ..records import find_picture, try_read_text
from .labelled import LabelledFaces, LabelledPicture, Shape, box_shape

PROBE = 20  # json files of a folder of which one must be labelme's
HEAD = 1 << 16


@DATASETS.register_module()
class LabelmeJson(LabelledFaces):
    """The json files of labelme in a folder and all folders below it, or a single one.

    Points are the shapes 'point', and the points of lines and polygons; shapes of one group_id are one face. A
    rectangle is the box of the face. `imagePath` is relative to the json.
    """

    layout = 'a folder of .json (labelme)'
    one_file_a_picture = True

    def __init__(self, ann_file: str = '', data_root: str = '', image_root: str | None = None, **options: Any) -> None:
        folder = Path(data_root, ann_file)
        own = str(folder.parent if folder.suffix.lower() == '.json' else folder)
        super().__init__(ann_file, data_root, own if image_root is None else image_root, **options)

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        files = islice(paths_below(path, '*.json'), PROBE) if path.is_dir() else [path]
        if not any(_is_labelme(file) for file in files):
            return None
        return cls.detected(path, {'ann_file': str(path)})

    @classmethod
    def pictures(cls, path: Path, defects: DefectList) -> Iterator[LabelledPicture]:
        root = path if path.is_dir() else path.parent
        files = sorted(paths_below(path, '*.json')) if path.is_dir() else [path]
        for file in files:
            if not path.is_dir() or _is_labelme(file) or find_picture(file.parent, file.stem):
                text = try_read_text(file, defects)
                try:
                    if text is not None:
                        yield _picture(file, root, json.loads(text))
                except (ValueError, RecursionError, TypeError, KeyError) as error:
                    reason = f'it has no {error}' if isinstance(error, KeyError) else str(error)
                    defects.add(file, 'the file', f'is no json of labelme: {reason}')

    def sources(self) -> list[Path]:
        return [self.ann_file]


def _is_labelme(file: Path) -> bool:
    """Whether a json looks like one of labelme."""
    if file.suffix.lower() != '.json':
        return False
    try:
        with file.open('rb') as stream:
            head = stream.read(HEAD)
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - HEAD))
            both = head + stream.read(HEAD)
    except OSError:
        return False
    return b'"shapes"' in both and (b'"imagePath"' in both or b'"imageHeight"' in both or b'"shape_type"' in both)


def _picture(file: Path, root: Path, content: Any) -> LabelledPicture:
    """Return the picture of a json; its name is below `root`."""
    if not isinstance(content, dict) or not isinstance(content.get('shapes'), list):
        raise ValueError("expected an object with a list 'shapes'")
    name = content.get('imagePath')
    if not isinstance(name, str) or not name:
        raise ValueError(f"its 'imagePath' is {short(repr(name))}. Expected the path of a picture")
    name = name.replace('\\', '/')
    below = name if os.path.isabs(name) or ':' in name else os.path.normpath(file.parent.relative_to(root) / name)
    record = file.name
    picture = LabelledPicture(Path(below).as_posix(), record)
    for i, shape in enumerate(content['shapes']):
        picture.shapes += _shape(shape, i)
    return picture


def _shape(shape: Any, number: int) -> list[Shape]:
    if not isinstance(shape, dict):
        raise ValueError(f'shapes[{number}] is {short(repr(shape))}. Expected an object')
    label, kind, group = str(shape.get('label', '')), shape.get('shape_type') or 'point', shape.get('group_id')
    group = None if group is None else str(group)
    try:
        points = np.array(shape.get('points'), np.float64)
    except (TypeError, ValueError, OverflowError):
        points = np.zeros(0)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f'the points of shapes[{number}] ({short(label)}) are not [[x, y], ...]')
    if kind == 'rectangle':
        return [box_shape(label, points, group)]
    if kind in ('circle', 'mask'):
        return []
    return [Shape(label, points, np.ones(len(points)), group)]
