"""Data sets as they are published, in whichever layout is on the disk."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from ...errors import MissingResource, UnknownName, did_you_mean
from ...registry import DATASETS
from ..base import AnnotatedFaces, FaceDataset, FaceRecord, Transform


@DATASETS.register_module()
class PublishedFaces(FaceDataset):
    """The first of several layouts whose files are all there; the log says which.

    `layouts` are readers without root, mark-up and pipeline; '{split}' in their paths stands for `split`, and of a
    dict the entry of this split is taken.
    `subset_files` says how the subsets are called in file names: {'pose': 'largepose'} joins the file of the split
    'test_largepose' to the one of the split 'test' as the tag 'pose', for readers whose files do not tell subsets.
    `counts` are the published numbers of faces by split and subset, which `facelmk data check` compares.
    `defects`, 'stop' or 'skip', is that of every reader.
    """

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
    ) -> None:
        self.split, self.subset_files, self.only = split, dict(subset_files or {}), only
        self.counts = dict(counts or {})
        shared = {'data_root': root, 'markup': markup, 'defects': defects}
        candidates = [self._filled(layout) | shared for layout in layouts]
        self.reader = self._first(candidates, only)
        super().__init__(markup, pipeline, tuple(self.subset_files) or self.reader.subsets, whole=whole)

    def __len__(self) -> int:
        return len(self.reader)

    def face(self, index: int) -> FaceRecord:
        return self.reader.face(index)

    def _filled(self, layout: Mapping[str, Any]) -> dict[str, Any]:
        """A reader's config for this split, with the files of its subsets."""
        filled = {key: self._of_split(key, value) for key, value in layout.items()}
        reader = DATASETS.get(filled['type'])
        if reader is None:
            raise UnknownName(f'{filled["type"]!r} is no registered reader. {did_you_mean(filled["type"], DATASETS)}')
        if not reader.own_tags:
            filled['tags'] = {
                tag: layout['ann_file'].format(split=f'{self.split}_{name}') for tag, name in self.subset_files.items()
            }
        return filled

    def _of_split(self, key: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            if self.split not in value:
                raise UnknownName(f'{key} of the layout has no split {self.split!r}. {did_you_mean(self.split, value)}')
            return value[self.split]
        return value.format(split=self.split) if isinstance(value, str) else value

    def _first(self, candidates: Sequence[dict], only: str | None) -> AnnotatedFaces:
        wanted = []
        for config in candidates:
            needed = DATASETS.get(config['type']).needs(config)
            absent = [path for path in needed if not path.exists()]
            if not absent:
                reader = DATASETS.build(config | {'only': only})
                print_log(f'{config["type"]} reads {len(reader)} faces from {needed[0]}', logger='current')
                return reader
            wanted.append(f'  {config["type"]}: ' + ', '.join(map(str, absent)))
        root = Path(candidates[0]['data_root']).absolute() if candidates else ''
        raise MissingResource(
            '\n'.join(
                [
                    f'no known layout of the {self.split!r} split lies under {root}. Missing are, by layout:',
                    *wanted,
                    'Put one of them there, or change `root` in the data config.',
                ]
            )
        )
