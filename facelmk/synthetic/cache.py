"""The cache of drawn faces on disk: one .npy column for images, landmarks, visible, boxes and tags each."""

import json
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

import facelmk.synthetic.landmarks as face_landmarks

from ..errors import DataDefect
from .faces import TAGS, VERSION, DrawnFace, draw_face
from .scanned import VERSION as SCANNED_VERSION
from .scanned import checksum, draw_scanned_face, load_head

BLOCK = 64  # faces that a worker draws before it reports progress
Job = tuple[Path, int, int, int, int, int, str | None]  # folder, seed, start, first row, end of rows, size, head


def draw_one(seed: int, index: int, size: int, head: str | None) -> DrawnFace:
    """Draw one face with the scanned head at the path `head`, by default with our own head."""
    return draw_face(seed, index, size) if head is None else draw_scanned_face(load_head(head), seed, index, size)


def cache_faces(
    folder: str | Path, seed: int, start: int, count: int, size: int, workers: int = 2, head: str | None = None
) -> Path:
    """The folder that holds these faces. If it does not exist, draw them, and create it by one atomic rename."""
    kind = '' if head is None else f'head{SCANNED_VERSION}-{checksum(Path(head)):08x}-'
    cache = Path(folder) / f'synthetic-v{VERSION}-{kind}{seed}-{start}-{count}-{size}'
    if (cache / 'about.json').exists():
        return cache
    cache.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f'.{cache.name}-', dir=cache.parent))
    try:
        _draw_into(draft, seed, start, count, size, workers, head)
        draft.chmod(cache.parent.stat().st_mode)  # mkdtemp gives access to its owner only
        try:
            os.replace(draft, cache)
        except OSError:
            if not (cache / 'about.json').exists():  # otherwise another process has drawn the same faces
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return cache


def open_columns(cache: Path, count: int, size: int) -> dict[str, np.ndarray]:
    """Memory-map the columns of a cache. A damaged column raises DataDefect."""
    columns = {}
    for name, (shape, dtype) in _column_types(size).items():
        try:
            column = np.load(cache / f'{name}.npy', mmap_mode='r')
            is_sound = column.shape == (count, *shape) and column.dtype == dtype
            finding = f'{column.shape} of {column.dtype}'
        except (OSError, ValueError, EOFError, SyntaxError) as error:
            is_sound, finding = False, f'{type(error).__name__}: {error}'
        if not is_sound:
            raise DataDefect(
                f'{cache / name}.npy is damaged ({finding}). Expected {(count, *shape)} of {np.dtype(dtype)}. '
                f'Remove the folder {cache}, and the faces are drawn again.'
            )
        columns[name] = column
    return columns


def _column_types(size: int) -> dict[str, tuple[tuple[int, ...], type]]:
    """The shape and type of one row of each column."""
    return dict(
        image=((size, size, 3), np.uint8),
        landmarks=((face_landmarks.ALL, 2), np.float32),
        visible=((face_landmarks.ALL,), np.float32),
        box=((4,), np.float32),
        tags=((len(TAGS),), bool),
    )


def _draw_into(draft: Path, seed: int, start: int, count: int, size: int, workers: int, head: str | None) -> None:
    for name, (shape, dtype) in _column_types(size).items():
        np.lib.format.open_memmap(draft / f'{name}.npy', 'w+', dtype, (count, *shape)).flush()
    jobs = [(draft, seed, start, low, min(low + BLOCK, count), size, head) for low in range(0, count, BLOCK)]
    began, done = time.perf_counter(), 0
    for drawn in _run(jobs, workers):
        done += drawn
        rate = done / (time.perf_counter() - began)
        print(f'\rdrawing synthetic faces {done}/{count}, {rate:.0f} a second', end='', flush=True)
    print()
    about = dict(version=VERSION, seed=seed, start=start, count=count, size=size, points=face_landmarks.ALL)
    (draft / 'about.json').write_text(json.dumps(about))


def _run(jobs: list[Job], workers: int) -> Iterator[int]:
    workers = min(workers, len(jobs))
    if workers < 2:
        yield from map(_draw_block, jobs)
        return
    method = 'fork' if 'fork' in multiprocessing.get_all_start_methods() else 'spawn'
    with multiprocessing.get_context(method).Pool(workers, cv2.setNumThreads, (0,)) as pool:
        yield from pool.imap_unordered(_draw_block, jobs)


def _draw_block(job: Job) -> int:
    draft, seed, start, low, high, size, head = job
    faces = [draw_one(seed, start + number, size, head) for number in range(low, high)]
    rows = {
        name: np.stack([getattr(face, name) for face in faces]) for name in ('image', 'landmarks', 'visible', 'box')
    }
    rows['tags'] = np.array([[tag in face.tags for tag in TAGS] for face in faces])
    for name, values in rows.items():
        column = np.load(draft / f'{name}.npy', mmap_mode='r+')
        column[low:high] = values
        column.flush()
    return high - low
