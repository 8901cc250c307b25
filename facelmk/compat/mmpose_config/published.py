"""Data sets of our configs by the json file of MMPose that they read: the same faces, with their subsets and counts."""

import copy
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...config.evaluate import evaluate
from ...config.folders import config_folder
from ...config.source import read_source
from .reading import Values, plain

Key = tuple[str, str, str]  # landmark scheme, annotation file and folder of pictures below the root
FILES = ('aflw', 'coco_wholebody_face', 'cofw', 'lapa', 'w300', 'w300lp', 'wflw')
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def published(markup: str, ann_file: str, folder: str, root: str) -> Values | None:
    """The data set of our configs that reads this file, below another root; None if there is none."""
    dataset = _datasets().get((markup, ann_file.strip('/'), folder.strip('/')))
    return None if dataset is None else _below(copy.deepcopy(dataset), root)


def _below(value: Any, root: str) -> Any:
    """The data set with another root, and with the subsets whose files are there if the file of all faces is."""
    if isinstance(value, list):
        return [_below(child, root) for child in value]
    if not isinstance(value, dict):
        return value
    moved: Values = {key: root if key == 'root' else _below(child, root) for key, child in value.items()}
    for _, ann_file, _ in _keys(moved) if 'subset_files' in moved else ():
        file = Path(root, ann_file)
        if file.is_file():
            names: dict[str, str] = moved['subset_files']
            moved['subset_files'] = {
                tag: name for tag, name in names.items() if file.with_name(f'{file.stem}_{name}{file.suffix}').is_file()
            }
    return moved


@functools.cache
def _datasets() -> dict[Key, Values]:
    found: dict[Key, Values] = {}
    for name in FILES:
        values = evaluate(read_source(config_folder() / '_base_' / 'data' / f'{name}.py'))
        for loader in filter(values.__contains__, LOADERS):
            dataset = plain(values[loader]['dataset'])
            for part in dataset.get('datasets', [dict(dataset=dataset, tags=[None])]):
                whole = dataset.get('headline') in part['tags']  # the headline member represents a joined set
                for key in _keys(part['dataset']):
                    found.setdefault(key, dataset if whole else part['dataset'])
    return found


def _keys(dataset: Values) -> Iterator[Key]:
    """The json files that a data set of our configs may read."""
    for layout in dataset['layouts']:
        if layout['type'] == 'CocoFaces':
            ann_file, folder = (_for_split(layout[key], dataset['split']) for key in ('ann_file', 'image_root'))
            yield dataset['markup'], ann_file, folder.strip('/')


def _for_split(value: Any, split: str) -> str:
    return value.get(split, '') if isinstance(value, Mapping) else value.format(split=split)
