"""The cache of drawn faces on disk. An interrupted drawing is continued, and several processes may share one."""

import functools
import json
import os
import random
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

import facelmk.synthetic.landmarks as face_landmarks

from ..errors import DataDefect, FacelmkError, MissingResource, TrainingFault
from ..files.atomic import write_bytes
from ..files.processes import run_in_processes
from ..files.progress import Progress
from .columns import Types, column_types, create_columns, open_columns, write_rows
from .faces import TAGS, VERSION, DrawnFace, draw_face
from .scanned import VERSION as SCANNED_VERSION
from .scanned import checksum, draw_scanned_face, load_head

BLOCK = 64  # faces that a worker draws before it writes them
DRAWN: Types = {'drawn': ((), bool)}  # the column that says which rows are complete


@dataclass(frozen=True)
class Faces:
    """Which faces a cache holds: `count` from number `start` of stream `seed`, `size` pixels wide."""

    seed: int
    start: int
    count: int
    size: int
    head: str | None


def draw_one(seed: int, index: int, size: int, head: str | None) -> DrawnFace:
    """Draw one face with the scanned head at the path `head`, by default with our own head."""
    return draw_face(seed, index, size) if head is None else draw_scanned_face(load_head(head), seed, index, size)


def cache_faces(
    folder: str | Path, seed: int, start: int, count: int, size: int, workers: int = 2, head: str | None = None
) -> Path:
    """The folder that holds these faces. If it does not exist, draw them, and create it by one atomic rename.

    The faces are drawn in a folder beside it, `.NAME.part`, block by block. An interrupted drawing continues
    there, and processes that draw the same faces at once share the blocks.
    """
    kind = '' if head is None else f'head{SCANNED_VERSION}-{checksum(Path(head)):08x}-'
    cache = Path(folder) / f'synthetic-v{VERSION}-{kind}{seed}-{start}-{count}-{size}'
    if _is_complete(cache):
        return cache
    if cache.exists():
        raise DataDefect(f'{cache} has no about.json, so it is no complete cache. Remove it, and it is drawn again')
    part = cache.with_name(f'.{cache.name}.part')
    try:
        _complete(cache, part, Faces(seed, start, count, size, head), workers)
    except (OSError, FacelmkError) as error:
        if not _is_complete(cache):  # otherwise another process has completed it
            raise _explain(error, cache, part, count) from error
    shutil.rmtree(part, ignore_errors=True)
    return cache


def _complete(cache: Path, part: Path, faces: Faces, workers: int) -> None:
    """Draw what is missing in the folder `part`, and rename it to `cache`."""
    _open_part(part, faces)
    if not _is_complete(cache):
        _draw_missing(part, faces, workers)
        about = {key: value for key, value in asdict(faces).items() if key != 'head'}  # its name has the checksum
        about |= dict(version=VERSION, points=face_landmarks.ALL)
        write_bytes(part / 'about.json', json.dumps(about).encode())
        os.rename(part, cache)


def _explain(error: Exception, cache: Path, part: Path, count: int) -> Exception:
    """The error with the folder, and with what is kept."""
    try:
        drawn = int(open_columns(part, count, DRAWN, '')['drawn'].sum())
    except DataDefect:
        drawn = 0
    kept = f'{drawn} of {count} faces are drawn and kept'
    if isinstance(error, OSError):
        return MissingResource(
            f'the faces cannot be drawn into {cache}: {error}. Free some room, or name another folder as '
            f'SyntheticFaces.cache. {kept}'
        )
    if isinstance(error, TrainingFault):
        return TrainingFault(
            f'the drawing of {cache} stopped: {error}. Start the same command again. If it stops again, use fewer '
            f'processes (SyntheticFaces.workers). {kept}'
        )
    return error


def open_cache(cache: Path, count: int, size: int) -> dict[str, np.ndarray]:
    """Memory-map the columns of a complete cache. A damaged column raises DataDefect."""
    return open_columns(cache, count, column_types(size), f'Remove the folder {cache}, and the faces are drawn again.')


def _is_complete(cache: Path) -> bool:
    return (cache / 'about.json').exists()


def _open_part(part: Path, faces: Faces) -> None:
    """Create the folder of an unfinished cache, unless a sound one is there."""
    types = column_types(faces.size) | DRAWN
    part.parent.mkdir(parents=True, exist_ok=True)
    if part.exists():
        try:
            open_columns(part, faces.count, types, '')
        except DataDefect:
            shutil.rmtree(part)
        else:
            return
    draft = Path(tempfile.mkdtemp(prefix=f'{part.name}-', dir=part.parent))
    try:
        create_columns(draft, faces.count, types)
        draft.chmod(part.parent.stat().st_mode)  # mkdtemp gives access to its owner only
        os.rename(draft, part)
    except OSError:
        if not part.exists():  # otherwise another process has created it
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _draw_missing(part: Path, faces: Faces, workers: int) -> None:
    """Draw the blocks that are missing, in another order in each process, so that two processes share them."""
    drawn = open_columns(part, faces.count, DRAWN, '')['drawn']
    blocks = [low for low in range(0, faces.count, BLOCK) if not drawn[low : low + BLOCK].all()]
    _check_room(part, faces, int(len(drawn) - drawn.sum()))
    random.Random().shuffle(blocks)  # the run's own generator stays as it is
    draw = functools.partial(_draw_block, part, faces)
    with Progress('drawing synthetic faces', faces.count, int(drawn.sum()), 'faces/s') as progress:
        for _ in run_in_processes(draw, blocks, workers, functools.partial(cv2.setNumThreads, 0)):
            progress.show(int(drawn.sum()))


def _check_room(part: Path, faces: Faces, missing: int) -> None:
    """Refuse a disk without room for the missing faces before the first one is drawn."""
    row = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in column_types(faces.size).values())
    free = shutil.disk_usage(part).free
    if free < missing * row:
        raise OSError(f'they need {missing * row / 2**20:.0f} MiB, and {free / 2**20:.0f} MiB are free')


def _draw_block(part: Path, faces: Faces, low: int) -> None:
    """Draw a block of faces and mark it as complete, unless another process has done so."""
    high = min(low + BLOCK, faces.count)
    if np.load(part / 'drawn.npy', mmap_mode='r')[low:high].all():
        return
    rows = [draw_one(faces.seed, faces.start + number, faces.size, faces.head) for number in range(low, high)]
    for name in ('image', 'landmarks', 'visible', 'box'):
        write_rows(part, name, low, np.stack([getattr(face, name) for face in rows]))
    write_rows(part, 'tags', low, np.array([[tag in face.tags for tag in TAGS] for face in rows]))
    write_rows(part, 'drawn', low, np.ones(high - low, bool))
