"""Drawn faces as a data set, with a cache on disk that is drawn once."""

import json
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

import facelmk.synthetic.points as points

from ..datasets.base import FaceDataset, FaceRecord, Transform
from ..errors import DataDefect
from ..registry import DATASETS
from .faces import TAGS, VERSION, one

BLOCK = 64  # faces that a worker draws before it tells


@DATASETS.register_module()
class SyntheticFaces(FaceDataset):
    """`count` faces from number `start` of stream `seed`, drawn on demand or once into a folder `cache`.

    Pictures are `size` pixels wide. A cache holds the points of all mark-ups; it is memory-mapped, so that loader
    workers share it, and is drawn by `workers` processes. Covered points are labelled and count, as in WFLW;
    `hide_covered=True` makes them invisible.
    """

    subsets = TAGS
    ranges = {'size': (1,)}

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
    ) -> None:
        super().__init__(markup, pipeline, subsets)
        self.hide_covered = hide_covered
        if self.markup.name not in points.SIZES:
            raise DataDefect(f'SyntheticFaces: no points in mark-up {markup!r}; it draws {", ".join(points.SIZES)}')
        if count < 1 or size < 32:
            raise DataDefect(f'SyntheticFaces: count={count}, size={size}; at least 1 face of at least 32 pixels')
        self.count, self.seed, self.start, self.size = count, seed, start, size
        self.cache = cache_faces(cache, seed, start, count, size, workers) if cache else None
        self._columns = open_columns(self.cache, count, size) if self.cache else {}

    def __len__(self) -> int:
        return self.count

    def face(self, index: int) -> FaceRecord:
        """One face, its picture included."""
        if not 0 <= index < self.count:
            raise IndexError(f'face {index} of {self.count}')
        number = self.start + index
        row = self._cached(index) if self.cache else vars(one(self.seed, number, self.size))
        name = f'synthetic/{self.seed}/{number}'
        visible = points.seen_in_markup(row['visible'], self.markup.name)
        if not self.hide_covered:
            visible = np.ones_like(visible)
        return dict(
            id=name,
            path='',
            box=row['box'],
            norm=None,
            tags=row['tags'],
            image=row['image'],
            visible=visible,
            landmarks=points.in_markup(row['landmarks'], self.markup.name),
        )

    def _cached(self, index: int) -> FaceRecord:
        if not self._columns:
            self._columns = open_columns(self.cache, self.count, self.size)
        row = {name: np.array(column[index]) for name, column in self._columns.items()}
        row['tags'] = tuple(tag for tag, told in zip(TAGS, row['tags'], strict=True) if told)
        return row

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_columns': {}}  # memory maps are opened anew, not copied to a worker


def cache_faces(folder: str | Path, seed: int, start: int, count: int, size: int, workers: int = 2) -> Path:
    """The folder that holds these faces as .npy columns; drawn now if it is not there, whole or not at all."""
    place = Path(folder) / f'synthetic-v{VERSION}-{seed}-{start}-{count}-{size}'
    if (place / 'about.json').exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f'.{place.name}-', dir=place.parent))
    try:
        _draw_into(draft, seed, start, count, size, workers)
        draft.chmod(place.parent.stat().st_mode)  # a temporary folder is its owner's alone
        try:
            os.replace(draft, place)
        except OSError:
            if not (place / 'about.json').exists():  # else another process was first: its faces are the same
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return place


def _columns_of(size: int) -> dict[str, tuple[tuple[int, ...], type]]:
    """The shape and type of a face's row in each column of a cache."""
    return dict(
        image=((size, size, 3), np.uint8),
        landmarks=((points.ALL, 2), np.float32),
        visible=((points.ALL,), np.float32),
        box=((4,), np.float32),
        tags=((len(TAGS),), bool),
    )


def open_columns(cache: Path, count: int, size: int) -> dict[str, np.ndarray]:
    """A cache's columns, memory-mapped; what is not as it was drawn is refused."""
    columns = {}
    for name, (shape, dtype) in _columns_of(size).items():
        try:
            columns[name] = np.load(cache / f'{name}.npy', mmap_mode='r')
            told = f'{columns[name].shape} of {columns[name].dtype}'
            sound = columns[name].shape == (count, *shape) and columns[name].dtype == dtype
        except (OSError, ValueError, EOFError, SyntaxError) as error:
            told, sound = f'{type(error).__name__}: {error}', False
        if not sound:
            raise DataDefect(
                f'{cache / name}.npy is no column of {count} drawn faces ({told}); remove the folder '
                f'{cache}, and they are drawn anew'
            )
    return columns


def _draw_into(draft: Path, seed: int, start: int, count: int, size: int, workers: int) -> None:
    for name, (shape, dtype) in _columns_of(size).items():
        np.lib.format.open_memmap(draft / f'{name}.npy', 'w+', dtype, (count, *shape)).flush()
    jobs = [(draft, seed, start, low, min(low + BLOCK, count), size) for low in range(0, count, BLOCK)]
    began, done = time.perf_counter(), 0
    for drawn in _spread(jobs, workers):
        done += drawn
        pace = done / (time.perf_counter() - began)
        print(f'\rdrawing synthetic faces {done}/{count}, {pace:.0f} a second', end='', flush=True)
    print()
    about = dict(version=VERSION, seed=seed, start=start, count=count, size=size, points=points.ALL)
    (draft / 'about.json').write_text(json.dumps(about))


def _spread(jobs: list, workers: int) -> Iterator[int]:
    workers = min(workers, len(jobs))
    if workers < 2:
        yield from map(_draw_block, jobs)
        return
    method = 'fork' if 'fork' in multiprocessing.get_all_start_methods() else 'spawn'
    with multiprocessing.get_context(method).Pool(workers, cv2.setNumThreads, (0,)) as pool:
        yield from pool.imap_unordered(_draw_block, jobs)


def _draw_block(job: tuple) -> int:
    draft, seed, start, low, high, size = job
    rows = [one(seed, start + number, size) for number in range(low, high)]
    for name in ('image', 'landmarks', 'visible', 'box'):
        column = np.load(draft / f'{name}.npy', mmap_mode='r+')
        column[low:high] = np.stack([getattr(row, name) for row in rows])
        column.flush()
    column = np.load(draft / 'tags.npy', mmap_mode='r+')
    column[low:high] = [[tag in row.tags for tag in TAGS] for row in rows]
    column.flush()
    return high - low
