"""Faces become samples: what all data sets share, whatever file their annotations come from.

A face is a flat dict: id, path, box (4,), landmarks (K, 2), visible (K,), norm (a number from the file, or None) and
tags (the subsets that it belongs to). The pipeline adds keys to it and renames none.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from ..errors import FacelmkError, UnknownName, did_you_mean
from ..markups import MARKUPS
from ..registry import DATASETS, TRANSFORMS, Ranges
from .crops.reach import check_steps, loads_for_crop
from .records import FaceRecord as FaceRecord

Transform = Callable[[FaceRecord], FaceRecord]


class SampleDataset(Dataset):
    """Samples with an id, run through a pipeline of transforms.

    Random draws depend on (seed, epoch, id) alone, so the number of workers, a cache or a resumed run do not change
    them. The sampler passes seed and epoch with the index: `data[seed, epoch, index]`; a plain index means seed 0,
    epoch 0.
    """

    ranges: Ranges = {}
    sample_name = 'sample'  # in messages

    def __init__(self, pipeline: Sequence[dict | Transform] = ()) -> None:
        self.pipeline = build_steps(pipeline)

    def __len__(self) -> int:
        raise TypeError(f'{type(self).__name__} must define __len__: how many {self.sample_name}s it has')

    def sample(self, seed: int, epoch: int, index: int) -> FaceRecord:
        """Return a new dict with `id`: the sample at an index, in one epoch of a run, before the pipeline."""
        raise TypeError(f'{type(self).__name__} must define sample(seed, epoch, index)')

    def __getitem__(self, index: int | tuple[int, int, int]) -> FaceRecord:
        seed, epoch, index = index if isinstance(index, tuple) else (0, 0, index)
        sample = self.sample(seed, epoch, index)
        sample['epoch'] = epoch
        sample['rng'] = np.random.default_rng([seed, epoch, zlib.crc32(str(sample['id']).encode())])
        note = f'in the pipeline, at {self.sample_name} {sample["id"]!r} of {sample.get("path") or "no file"}'
        try:
            sample = run_steps(self.pipeline, sample)
        except Exception as error:
            if hasattr(error, 'add_note') and not isinstance(error, FacelmkError):  # Python 3.11
                error.add_note(note)
            raise
        return sample


class FaceDataset(SampleDataset):
    """Faces of one landmark scheme, run through a pipeline of transforms.

    `subsets` are the tags that a result table shows, in its order. `whole` is the name of the complete set in that
    table. If the complete set has no figure of its own, `headline` is the subset that stands for it.
    """

    subsets: tuple[str, ...] = ()
    is_reader = False  # whether the arguments `defects` and `bbox_file` exist
    sample_name = 'face'

    def __init__(
        self,
        markup: str,
        pipeline: Sequence[dict | Transform] = (),
        subsets: Sequence[str] | None = None,
        headline: str | None = None,
        whole: str | None = None,
    ) -> None:
        self.markup = MARKUPS[markup]
        self.subsets = tuple(self.subsets if subsets is None else subsets)
        self.headline, self.whole = headline, whole
        if headline is not None and headline not in self.subsets:
            raise UnknownName(f'headline={headline!r} is no subset of the data. {did_you_mean(headline, self.subsets)}')
        super().__init__(pipeline)

    @property
    def metainfo(self) -> dict[str, Any]:
        """What the metrics need to know: the landmark scheme, the subsets in the order of the table, their names."""
        names = {key: name for key, name in (('headline', self.headline), ('whole', self.whole)) if name}
        return {'markup': self.markup.name, 'subsets': self.subsets} | names

    def face(self, index: int) -> FaceRecord:
        """Return a new dict: id, path, box, landmarks, visible, norm, tags."""
        raise TypeError(f'{type(self).__name__} must define face(index): what a face is')

    def each_face_once(self) -> 'FaceDataset':
        """Return a data set with all faces, each of them once; only sets that repeat or sample their faces differ."""
        return self

    def face_in_epoch(self, seed: int, epoch: int, index: int) -> FaceRecord:
        """Return the face at an index in one epoch of a run; only a set that samples its faces differs from `face`."""
        return self.face(index)

    def sample(self, seed: int, epoch: int, index: int) -> FaceRecord:
        sample = self.face_in_epoch(seed, epoch, index)
        sample['markup'] = self.markup
        return sample


def build_steps(pipeline: Sequence[dict | Transform]) -> list[Transform]:
    """Return the transforms of a pipeline; dicts are built from the registry."""
    steps = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline]
    check_steps(steps)
    return steps


def run_steps(steps: Sequence[Transform], sample: FaceRecord) -> FaceRecord:
    """Run a sample through the steps of a pipeline; where they need no more, a picture is decoded for its crop only."""
    for number, step in enumerate(steps):
        load: Any = step
        sample = load.load_for_crop(sample) if loads_for_crop(steps[number:]) else step(sample)
    return sample


def with_reader_options(config: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Return the config of a data set with `defects` or `bbox_file` set in all its readers, also in joined sets."""
    config = dict(config)
    for key, part in config.items():
        if key == 'dataset' and isinstance(part, Mapping):
            config[key] = with_reader_options(part, **options)
        elif key == 'datasets':
            config[key] = [with_reader_options(one, **options) if isinstance(one, Mapping) else one for one in part]
    reader = DATASETS.get(config['type']) if isinstance(config.get('type'), str) else None
    return config | (options if getattr(reader, 'is_reader', False) else {})


def pipeline_of(dataset: Any) -> Sequence[dict]:
    """Return the pipeline of a data set's config; if it joins others and has none, that of its first member."""
    inner: Any = dataset
    while not inner.get('pipeline'):
        inner = inner.get('dataset') or next(iter(inner.get('datasets') or ()), None)
        if inner is None:
            raise FacelmkError(
                f'val_dataloader.dataset ({dataset.get("type")!r}) has no pipeline. Its CropFace is needed to crop a '
                'face. Define val_pipeline in the config'
            )
    return inner['pipeline']
