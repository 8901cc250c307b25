"""Faces become samples: what every data set shares, whatever file its annotations come from.

A face is a flat dict: id, path, box (4,), landmarks (K, 2), visible (K,), norm (a number of the file or None) and tags
(the subsets it belongs to). The pipeline adds to it and renames nothing.
"""
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from ..markups import MARKUPS
from ..registry import TRANSFORMS, DataDefect, UnknownName, near

Face = dict[str, Any]
Transform = Callable[[Face], Face]


class FaceDataset(Dataset):
    """Faces in one mark-up, run through a pipeline of transforms.

    Random draws come from (seed, epoch, id), so that neither the worker count nor a cache nor a resumed run changes
    them. The sampler hands both over with the index: `data[seed, epoch, index]`; a bare index means seed 0, epoch 0.
    `subsets` are the tags that a result table shows, in its order.
    """
    subsets: tuple[str, ...] = ()

    def __init__(self, markup: str, pipeline: Sequence[dict | Transform] = (),
                 subsets: Sequence[str] | None = None) -> None:
        self.markup = MARKUPS[markup]
        self.subsets = tuple(self.subsets if subsets is None else subsets)
        self.pipeline = [self._part(step) for step in pipeline]

    def _part(self, step: dict | Transform) -> Transform:
        return TRANSFORMS.build(step) if isinstance(step, dict) else step

    @property
    def metainfo(self) -> dict[str, Any]:
        """What the metrics are told: the mark-up's name and the subsets in the table's order."""
        return {'markup': self.markup.name, 'subsets': self.subsets}

    def __len__(self) -> int:
        raise TypeError(f'{type(self).__name__} must say how many faces it has')

    def face(self, index: int) -> Face:
        """A fresh row: id, path, box, landmarks, visible, norm, tags."""
        raise TypeError(f'{type(self).__name__} must say what a face is')

    def __getitem__(self, index: int | tuple[int, int, int]) -> Face:
        seed, epoch, index = index if isinstance(index, tuple) else (0, 0, index)
        sample = self.face(index)
        sample['markup'] = self.markup
        sample['rng'] = np.random.default_rng([seed, epoch, zlib.crc32(str(sample['id']).encode())])
        for transform in self.pipeline:
            sample = transform(sample)
        return sample


class AnnotatedFaces(FaceDataset):
    """Faces listed in annotation files; a reader of a format says only how to `read` them.

    `ann_file` and `image_root` are relative to `data_root`. `origin` is the number that the file gives the first
    pixel: published tables are read raw (0), `origin=1` subtracts one from boxes and landmarks alike. `tags` joins
    subset lists: {'pose': 'face_landmarks_wflw_test_largepose.csv'} marks the faces that are in that file too.
    `only` keeps the faces of one subset.
    """

    def __init__(self, ann_file: str = '', data_root: str = '', image_root: str = '', markup: str = 'wflw',
                 pipeline: Sequence[dict | Transform] = (), box: str = 'file', origin: int = 0,
                 tags: dict[str, str] | None = None, only: str | None = None,
                 subsets: Sequence[str] | None = None) -> None:
        super().__init__(markup, pipeline, subsets)
        if origin not in (0, 1):
            raise DataDefect(f'origin is {origin!r}; it is the number of the first pixel in the file, 0 or 1')
        self.data_root, self.image_root = Path(data_root), Path(data_root, image_root)
        self.ann_file = Path(data_root, ann_file)
        self.box, self.origin = box, origin
        self.faces = self.read(self.ann_file)
        self._check()
        for tag, file in (tags or {}).items():
            self._join(tag, Path(data_root, file))
        if only is not None:
            self._keep(only)
        if origin:
            self._shift()

    def read(self, file: Path) -> list[Face]:
        """The faces of `file`, in its order, coordinates raw."""
        raise TypeError(f'{type(self).__name__} must say how it reads {file}')

    def __len__(self) -> int:
        return len(self.faces)

    def face(self, index: int) -> Face:
        return dict(self.faces[index])

    def _check(self) -> None:
        wrong = [f for f in self.faces if f['landmarks'].shape != (self.markup.size, 2)]
        if wrong:
            raise DataDefect(f'{self.ann_file}: face {wrong[0]["id"]!r} has {len(wrong[0]["landmarks"])} landmarks; '
                             f'mark-up {self.markup.name!r} has {self.markup.size}')
        if not self.faces:
            raise DataDefect(f'{self.ann_file} holds no face; check that it is the right file for this reader')

    def _join(self, tag: str, file: Path) -> None:
        listed = {signature(face) for face in self.read(file)}
        found = 0
        for face in self.faces:
            if signature(face) in listed:
                face['tags'], found = (*face['tags'], tag), found + 1
        if found < len(listed):
            raise DataDefect(f'{file}: {len(listed) - found} of its {len(listed)} faces are not in {self.ann_file}; '
                             f'the subset {tag!r} must be part of it')

    def _keep(self, tag: str) -> None:
        known = {t for face in self.faces for t in face['tags']}
        if tag not in known:
            raise UnknownName(f'{self.ann_file}: no face is in subset {tag!r}. {near(tag, known)}')
        self.faces = [face for face in self.faces if tag in face['tags']]

    def _shift(self) -> None:
        for face in self.faces:
            face['landmarks'] = face['landmarks'] - np.float32(self.origin)
            face['box'] = face['box'] - np.float32(self.origin)


def signature(face: Face) -> tuple[str, bytes]:
    """What makes two rows the same face: the picture's name and where the landmarks are, to a tenth of a pixel."""
    return Path(face['path']).name, np.round(face['landmarks'] * 10).astype(np.int64).tobytes()
