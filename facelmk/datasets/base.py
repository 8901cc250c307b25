"""Faces become samples: what every data set shares, whatever file its annotations come from.

A face is a flat dict: id, path, box (4,), landmarks (K, 2), visible (K,), norm (a number of the file or None) and tags
(the subsets it belongs to). The pipeline adds to it and renames nothing.
"""

import collections
import functools
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch.utils.data import Dataset

from ..errors import DataDefect, FacelmkError, UnknownName, did_you_mean
from ..markups import MARKUPS
from ..registry import TRANSFORMS
from .defects import Defect, are_collected, collecting, leave_out, refuse, short, stop
from .readers.records import ALREADY_REPORTED, FaceRecord, is_sound, name_faces, refuse_defects, tight_boxes

Transform = Callable[[FaceRecord], FaceRecord]


class FaceDataset(Dataset):
    """Faces in one mark-up, run through a pipeline of transforms.

    Random draws come from (seed, epoch, id), so that neither the worker count nor a cache nor a resumed run changes
    them. The sampler hands both over with the index: `data[seed, epoch, index]`; a bare index means seed 0, epoch 0.
    `subsets` are the tags that a result table shows, in its order. `whole` is what it calls the whole set; where the
    whole set is no figure of its own, `headline` is the subset whose figure stands for it.
    """

    subsets: tuple[str, ...] = ()

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
            raise UnknownName(
                f'headline={headline!r} is no subset of this data set. {did_you_mean(headline, self.subsets)}'
            )
        self.pipeline = [self._part(step) for step in pipeline]

    def _part(self, step: dict | Transform) -> Transform:
        return TRANSFORMS.build(step) if isinstance(step, dict) else step

    @property
    def metainfo(self) -> dict[str, Any]:
        """What the metrics are told: the mark-up's name, the subsets in the table's order, and what the whole is."""
        told = {'headline': self.headline, 'whole': self.whole}
        return {'markup': self.markup.name, 'subsets': self.subsets} | {key: name for key, name in told.items() if name}

    def __len__(self) -> int:
        raise TypeError(f'{type(self).__name__} must say how many faces it has')

    def face(self, index: int) -> FaceRecord:
        """A fresh row: id, path, box, landmarks, visible, norm, tags."""
        raise TypeError(f'{type(self).__name__} must say what a face is')

    def drawn(self, seed: int, epoch: int, index: int) -> FaceRecord:
        """The row behind an index in one epoch of a run; it is `face(index)` but where a set draws its faces."""
        return self.face(index)

    def __getitem__(self, index: int | tuple[int, int, int]) -> FaceRecord:
        seed, epoch, index = index if isinstance(index, tuple) else (0, 0, index)
        sample = self.drawn(seed, epoch, index)
        sample['markup'], sample['epoch'] = self.markup, epoch
        sample['rng'] = np.random.default_rng([seed, epoch, zlib.crc32(str(sample['id']).encode())])
        told = f'while it made face {sample["id"]!r} of {sample.get("path", "no file")}'
        try:
            for transform in self.pipeline:
                sample = transform(sample)
        except Exception as error:
            if hasattr(error, 'add_note') and not isinstance(error, FacelmkError):  # Python 3.11
                error.add_note(told)
            raise
        return sample


class AnnotatedFaces(FaceDataset):
    """Faces listed in annotation files; a reader of a format says only how to `read` them.

    `ann_file` and `image_root` are relative to `data_root`. `box` is one of the reader's `boxes`, its first if left
    out; 'tight' is the square box of published tables around the landmarks. `origin` is the number that the file
    gives the first pixel: published tables are read raw (0), `origin=1` subtracts one from boxes and landmarks alike.
    `tags` joins subset lists: {'pose': 'face_landmarks_wflw_test_largepose.csv'} marks the faces that are in that file
    too. `only` keeps the faces of one subset. `check_pictures` asks at once whether every picture is there.
    Defective records stop the reading, and the error names them; with `defects='skip'` they are left out, counted in
    the log and kept as `skipped`. A file that cannot be read as a whole stops in any case.
    """

    boxes: tuple[str, ...] = ('file', 'tight')
    own_tags = False  # whether the annotation itself tells the subsets

    def __init__(
        self,
        ann_file: str = '',
        data_root: str = '',
        image_root: str = '',
        markup: str = 'wflw',
        pipeline: Sequence[dict | Transform] = (),
        box: str | None = None,
        origin: int = 0,
        tags: Mapping[str, str] | None = None,
        only: str | None = None,
        subsets: Sequence[str] | None = None,
        check_pictures: bool = False,
        whole: str | None = None,
        defects: str = 'stop',
    ) -> None:
        tags = dict(tags or {})
        super().__init__(markup, pipeline, tuple(tags) if subsets is None and tags else subsets, whole=whole)
        self.box = self._choice('box', self.boxes[0] if box is None else box, self.boxes)
        self.origin = self._choice('origin', origin, (0, 1))
        self.data_root, self.image_root = Path(data_root), Path(data_root, image_root)
        self.ann_file = Path(data_root, ann_file)
        self.defects = self._choice('defects', defects, ('stop', 'skip'))
        self.skipped: list[Defect] = []
        self.faces: list[FaceRecord] = []
        load = functools.partial(self._load, tags, only, check_pictures)
        load() if are_collected() else self._judged(load)
        if not self.faces:
            left = f', but for {len(self.skipped)} defective ones' if self.skipped else ''
            raise DataDefect(f'{self.ann_file} holds no face{left}; check that it is the right file for this reader')

    def _load(self, tags: Mapping[str, str], only: str | None, check_pictures: bool) -> None:
        self.faces = name_faces(self.read(self.ann_file))
        for tag, file in tags.items():
            self._join(tag, Path(self.data_root, file))
        if only is not None and self.faces:
            self._keep(only)
        if check_pictures:
            self._find_pictures()

    def _judged(self, load: Callable[[], None]) -> None:
        """Load, and stop at all defects at once, or go on without the records that have them."""
        with collecting() as defects:
            load()
        if self.defects == 'stop':
            stop(defects)
        leave_out(defects)
        self.skipped = defects
        self.faces = [face for face in self.faces if is_sound(face)]

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> list[Path]:
        """The files and folders without which a reader with these arguments cannot work."""
        files = (options.get('ann_file'), *(options.get('tags') or {}).values(), options.get('image_root'))
        return [Path(options.get('data_root', ''), file) for file in files if file]

    def read(self, file: Path) -> list[FaceRecord]:
        """The faces of `file`, in its order."""
        raise TypeError(f'{type(self).__name__} must say how it reads {file}')

    def __len__(self) -> int:
        return len(self.faces)

    def face(self, index: int) -> FaceRecord:
        return dict(self.faces[index])

    def rows(
        self,
        file: Path,
        names: Sequence[str],
        landmarks: ArrayLike,
        boxes: ArrayLike | None = None,
        visible: ArrayLike | None = None,
        norms: Sequence[float | None] | None = None,
        tags: Sequence[tuple[str, ...]] | None = None,
    ) -> list[FaceRecord]:
        """Faces of N records: pictures' names, landmarks (N, K, 2), boxes (N, 4) or none, visible (N, K) or all."""
        points = np.asarray(landmarks, np.float64) - self.origin
        self._check_size(file, names, points)
        seen = np.ones(points.shape[:2]) if visible is None else np.asarray(visible, np.float64)
        tight = boxes is None or self.box == 'tight'
        around = tight_boxes(points, seen) if tight else np.asarray(boxes, np.float64) - self.origin
        norms = [norm or None for norm in norms or [None] * len(names)]
        points[refuse_defects(file, names, points, around, seen, norms)] = ALREADY_REPORTED
        columns = zip(
            names,
            around.astype(np.float32),
            points.astype(np.float32),
            seen.astype(np.float32),
            norms,
            tags or [()] * len(names),
            strict=True,
        )
        return [
            {
                'id': name,
                'path': str(self.image_root / name),
                'box': box,
                'landmarks': places,
                'visible': flags,
                'norm': norm,
                'tags': tag,
            }
            for name, box, places, flags, norm, tag in columns
        ]

    def _choice(self, what: str, value: Any, choices: Sequence[Any]) -> Any:
        if value not in choices:
            raise FacelmkError(f'{type(self).__name__}: {what}={value!r}; choose from {", ".join(map(repr, choices))}')
        return value

    def _check_size(self, file: Path, names: Sequence[str], landmarks: NDArray) -> None:
        if len(names) and landmarks.shape[1:] != (self.markup.size, 2):
            raise DataDefect(
                f'{file}: {short(repr(names[0]))} has {landmarks.shape[1]} landmarks; mark-up '
                f'{self.markup.name!r} has {self.markup.size}. Choose the mark-up of this file'
            )

    def _join(self, tag: str, file: Path) -> None:
        pictures = collections.defaultdict(list)
        for face in self.faces:
            pictures[Path(face['path']).name].append(face)
        lost = []
        for row in name_faces(self.read(file)):
            near_by = [face for face in pictures[Path(row['path']).name] if tag not in face['tags']]
            apart = [np.abs(face['landmarks'] - row['landmarks']).max() for face in near_by]
            if apart and min(apart) < 1:
                face = near_by[int(np.argmin(apart))]
                face['tags'] = (*face['tags'], tag)
            else:
                lost.append((row['id'], f'not in {self.ann_file}, of which the subset {tag!r} must be a part'))
        refuse(file, lost)

    def _keep(self, tag: str) -> None:
        known = {t for face in self.faces for t in face['tags']}
        if tag not in known:
            raise UnknownName(f'{self.ann_file}: no face is in subset {tag!r}. {did_you_mean(tag, known)}')
        self.faces = [face for face in self.faces if tag in face['tags']]

    def _find_pictures(self) -> None:
        missing = [path for path in dict.fromkeys(face['path'] for face in self.faces) if not os.path.isfile(path)]
        refuse(self.ann_file, [(path, 'no such picture') for path in missing])
        if self.defects == 'skip':
            lost = set(missing)
            self.faces = [face for face in self.faces if face['path'] not in lost]
