"""SyntheticFaces: drawn faces as a data set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import facelmk.synthetic.landmarks as face_landmarks

from ..datasets.base import FaceDataset, FaceRecord, Transform
from ..errors import DataDefect
from ..registry import DATASETS
from .cache import cache_faces, draw_one, open_cache
from .faces import TAGS
from .scanned import check_exists


@DATASETS.register_module()
class SyntheticFaces(FaceDataset):
    """`count` faces from number `start` of stream `seed`, drawn on demand, or once into a folder `cache`.

    Images are `size` pixels wide. A cache holds the landmarks of all schemes. It is drawn by `workers` processes and
    memory-mapped, so that loader workers share it. Hidden points have labels and count as visible, as in WFLW;
    `hide_covered=True` makes them invisible. `head` is the path of ICT-FaceKit's scanned head, as its folder FaceXModel
    or packed; by default the faces have our own head.
    """

    subsets = TAGS
    ranges = {
        'count': (1, 10_000_000),
        'seed': (0, 2**32 - 1),
        'start': (0, 2**32 - 1),
        'size': (32, 2048),
        'workers': (1, 256),
    }

    def __init__(
        self,
        markup: str = 'wflw',
        count: int = 1000,
        seed: int = 0,
        start: int = 0,
        size: int = 256,
        cache: str | None = None,
        workers: int = 2,
        pipeline: Sequence[dict | Transform] = (),
        hide_covered: bool = False,
        subsets: Sequence[str] | None = None,
        head: str | None = None,
    ) -> None:
        super().__init__(markup, pipeline, subsets)
        self.hide_covered = hide_covered
        if self.markup.name not in face_landmarks.SIZES:
            raise DataDefect(
                f'SyntheticFaces: markup={markup!r}. Expected a scheme that it can draw: '
                f'{", ".join(face_landmarks.SIZES)}.'
            )
        if count < 1 or size < 32:
            raise DataDefect(f'SyntheticFaces: count={count}, size={size}. Expected count >= 1 and size >= 32 pixels.')
        self.count, self.seed, self.start, self.size = count, seed, start, size
        self.head = None if head is None else str(head)
        if self.head is not None:
            check_exists(Path(self.head))
        self.cache: Path | None = cache_faces(cache, seed, start, count, size, workers, self.head) if cache else None
        self._columns = open_cache(self.cache, count, size) if self.cache else {}

    def __len__(self) -> int:
        return self.count

    def face(self, index: int) -> FaceRecord:
        """One face with its image."""
        if not 0 <= index < self.count:
            raise IndexError(f'face {index} of {self.count}')
        number = self.start + index
        row = self._cached(self.cache, index) if self.cache else vars(draw_one(self.seed, number, self.size, self.head))
        visible = face_landmarks.visible_in_markup(row['visible'], self.markup.name)
        return dict(
            id=f'synthetic{"" if self.head is None else "-head"}/{self.seed}/{number}',
            path='',
            box=row['box'],
            norm=None,
            tags=row['tags'],
            image=row['image'],
            visible=visible if self.hide_covered else np.ones_like(visible),
            landmarks=face_landmarks.in_markup(row['landmarks'], self.markup.name),
        )

    def _cached(self, cache: Path, index: int) -> FaceRecord:
        if not self._columns:
            self._columns = open_cache(cache, self.count, self.size)
        row: FaceRecord = {name: np.array(column[index]) for name, column in self._columns.items()}
        row['tags'] = tuple(tag for tag, applies in zip(TAGS, row['tags'], strict=True) if applies)
        return row

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_columns': {}}  # each worker opens the memory maps again
