"""Label Studio: a json export of key points in per cent of the picture (https://labelstud.io/guide/export)."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataDefect
from ...registry import DATASETS
from ..annotated import Detected
from ..defects import DefectList, short
from ..records import read_text
from .labelled import LabelledFaces, LabelledPicture, Shape, box_shape

POINTS, BOXES = 'keypointlabels', 'rectanglelabels'
TASK = ('annotations', 'completions')  # keys of a task's results, now and before 1.0
HEAD = 4096


@DATASETS.register_module()
class LabelStudioJson(LabelledFaces):
    """The export JSON or JSON-MIN of Label Studio with KeyPointLabels; RectangleLabels are boxes.

    Points below a rectangle (parentID) are the points of that face. Of several annotations of a picture, the first that
    was not cancelled is read.
    """

    layout = 'a .json (Label Studio)'

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        if path.suffix.lower() != '.json' or not path.is_file():
            return None
        with path.open('rb') as stream:
            if not stream.read(HEAD).lstrip(b'\xef\xbb\xbf \t\r\n').startswith(b'['):
                return None
        try:
            tasks = json.loads(read_text(path))
        except (ValueError, RecursionError, DataDefect):
            return None
        if not any(isinstance(task, dict) and _results(task) is not None for task in tasks):
            return None
        return cls.detected(path, {'ann_file': str(path)}, cls._pictures(path, tasks, DefectList()))

    @classmethod
    def pictures(cls, path: Path, defects: DefectList) -> Iterator[LabelledPicture]:
        try:
            tasks = json.loads(read_text(path))
        except (ValueError, RecursionError) as error:
            raise DataDefect(f'{path} is no json: {error}. Export it again') from error
        yield from cls._pictures(path, tasks, defects)

    @classmethod
    def _pictures(cls, path: Path, tasks: Any, defects: DefectList) -> Iterator[LabelledPicture]:
        if not isinstance(tasks, list):
            raise DataDefect(f'{path} is no export of Label Studio. Expected a list of tasks')
        for i, task in enumerate(tasks):
            record = f'task {task.get("id", i + 1)}' if isinstance(task, dict) else f'tasks[{i}]'
            try:
                yield _picture(task, record)
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
                reason = f'it has no {error}' if isinstance(error, KeyError) else str(error)
                defects.add(path, record, reason)


def _results(task: Mapping[str, Any]) -> list[Any] | None:
    """Return the regions of a task; None if it is no task of Label Studio."""
    for key in TASK:
        if isinstance(task.get(key), list):
            used = [one for one in task[key] if isinstance(one, dict) and not one.get('was_cancelled')]
            regions = used[0].get('result') if used else []
            return regions if isinstance(regions, list) else None
    values = [row for value in task.values() if isinstance(value, list) for row in value if isinstance(row, dict)]
    minimal = [row for row in values if POINTS in row or BOXES in row]
    return [{'value': row, **row} for row in minimal] or None


def _picture(task: Any, record: str) -> LabelledPicture:
    regions = _results(task)
    if regions is None:
        raise ValueError('it has no annotations')
    data = task['data'] if isinstance(task.get('data'), dict) else task
    names = [value for value in data.values() if isinstance(value, str) and value]
    name = data.get('image') or data.get('img') or next((one for one in names if '.' in one.rpartition('/')[2]), None)
    if not isinstance(name, str):
        raise ValueError("its data name no picture. Expected a key 'image'")
    picture = LabelledPicture(name, f'{record} ({short(name)})')
    inside = {region.get('id') for region in regions if BOXES in (region.get('value') or {})}
    for region in regions:
        picture.shapes += _shape(region, inside)
    return picture


def _shape(region: Mapping[str, Any], boxes: set[Any]) -> list[Shape]:
    value = region.get('value') or {}
    kind = POINTS if POINTS in value else BOXES if BOXES in value else None
    if kind is None:
        return []
    width, height = (float(region[f'original_{side}']) for side in ('width', 'height'))
    x, y = float(value['x']) / 100 * width, float(value['y']) / 100 * height
    label = str((value[kind] or [''])[0])
    if kind == BOXES:
        far = [x + float(value['width']) / 100 * width, y + float(value['height']) / 100 * height]
        return [box_shape(label, np.array([[x, y], far]), region.get('id'))]
    parent = region.get('parentID')
    return [Shape(label, np.array([[x, y]]), np.ones(1), parent if parent in boxes else None)]
