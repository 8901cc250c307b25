"""Data sets as they are published, in whichever layout is on the disk."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import MissingResource, UnknownName, did_you_mean
from ...files.notes import log_for_file
from ...registry import DATASETS
from ..annotated import AnnotatedFaces
from ..base import FaceDataset, Transform
from ..records import FaceRecord


@DATASETS.register_module()
class PublishedFaces(FaceDataset):
    """The first of several layouts that is complete on the disk; the log says which.

    `layouts` are configs of readers without root, landmark scheme and pipeline. '{split}' in their paths is replaced by
    `split`; if a value is a dict, its entry for this split is used.
    `subset_files` are the names of subsets in file names, for readers whose files do not contain the subsets:
    {'pose': 'largepose'} joins the file of the split 'test_largepose' to the split 'test' as the tag 'pose'.
    `counts` are the published numbers of faces by split and subset; `facelmk data check` compares them.
    `defects`, `bbox_file`, `bbox_iou` and `packed` are arguments of the reader.
    """

    is_reader = True
    ranges = {'counts': {'*': (0, 1_000_000_000)}, 'bbox_iou': (0, 1)}

    def __init__(
        self,
        root: str,
        split: str,
        layouts: Sequence[dict],
        markup: str,
        pipeline: Sequence[dict | Transform] = (),
        subset_files: Mapping[str, str] | None = None,
        only: str | None = None,
        whole: str | None = None,
        counts: Mapping[str, int] | None = None,
        defects: str = 'stop',
        bbox_file: str | None = None,
        bbox_iou: float = 0.3,
        packed: bool | str = True,
    ) -> None:
        self.split, self.subset_files, self.only = split, dict(subset_files or {}), only
        self.counts = dict(counts or {})
        shared: dict[str, Any] = {'data_root': root, 'markup': markup, 'defects': defects}
        shared |= {'bbox_file': bbox_file, 'bbox_iou': bbox_iou} if bbox_file else {}
        shared |= {} if packed is True else {'packed': packed}
        self.reader = self._build_first_complete(
            [_fill(layout, split, self.subset_files) | shared for layout in layouts], only
        )
        super().__init__(markup, pipeline, tuple(self.subset_files) or self.reader.subsets, whole=whole)

    @classmethod
    def absent(cls, options: Mapping[str, Any]) -> list[Path]:
        """Return the folder of the data set if it is not on the disk; raise an error if no layout in it is complete."""
        root = Path(options.get('root') or '')
        if not root.is_dir():
            return [root]
        split, layouts = options.get('split'), options.get('layouts')
        if isinstance(split, str) and layouts:
            configs = [_fill(layout, split, options.get('subset_files') or {}) for layout in layouts]
            _first_complete([config | {'data_root': str(root)} for config in configs], split)
        return []

    def __len__(self) -> int:
        return len(self.reader)

    def face(self, index: int) -> FaceRecord:
        return self.reader.face(index)

    def _build_first_complete(self, configs: Sequence[dict], only: str | None) -> AnnotatedFaces:
        config = _first_complete(configs, self.split)
        reader: AnnotatedFaces = DATASETS.build(config | {'only': only})
        needed = DATASETS.get(config['type']).needs(config)
        log_for_file(f'{config["type"]} reads {len(reader)} faces from {needed[0]}')
        return reader


def _fill(layout: Mapping[str, Any], split: str, subset_files: Mapping[str, str]) -> dict[str, Any]:
    """Return the config of a reader for a split, with the files of its subsets."""
    config = {key: _for_split(key, value, split) for key, value in layout.items()}
    reader = DATASETS.get(config['type'])
    if reader is None:
        raise UnknownName(f'{config["type"]!r} is no registered reader. {did_you_mean(config["type"], DATASETS)}')
    if not reader.own_tags:
        config['tags'] = {tag: layout['ann_file'].format(split=f'{split}_{name}') for tag, name in subset_files.items()}
    return config


def _for_split(key: str, value: Any, split: str) -> Any:
    if isinstance(value, Mapping):
        if split not in value:
            raise UnknownName(f'{key} of the layout has no split {split!r}. {did_you_mean(split, value)}')
        return value[split]
    return value.format(split=split) if isinstance(value, str) else value


def _first_complete(configs: Sequence[dict], split: str) -> dict:
    """Return the first config whose files are all on the disk; an error lists what each of them lacks."""
    missing = []
    for config in configs:
        absent = [path for path in DATASETS.get(config['type']).needs(config) if not path.exists()]
        if not absent:
            return config
        missing.append(f'  {config["type"]}: ' + ', '.join(map(str, absent)))
    root = Path(configs[0]['data_root']).absolute() if configs else ''
    raise MissingResource(
        f'no known layout of the {split!r} split is complete under {root}. Missing files, by layout:\n'
        + '\n'.join(missing)
        + '\nPut the files of one layout there, or change `root` in the data config.'
    )
