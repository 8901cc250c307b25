"""Make a crop cache, or complete it: a stopped build continues, and only what has changed is read again."""

import os
import random
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import cv2
import numpy as np

from ...errors import FacelmkError, UnwritableOutput
from ...files.allocator import reuse_freed_memory
from ...files.atomic import translate_output_errors
from ...files.lock import locked_folder
from ...files.processes import run_in_processes
from ...files.progress import Progress, track
from ..base import FaceDataset
from ..images.decode import read_file
from ..records import FaceRecord
from .forms import Photograph
from .index import ABOUT, DATA, ROW, About, key_of, read_about, read_index, write_about, write_index
from .part import covers
from .reach import check_steps, reach, union
from .store import is_current

LOCK = '.cache.lock'
COMMIT_S = 10.0  # after so many seconds, what is written is kept even if the process is killed
PROBE = 64  # pictures, from all over the set, from whose sizes the size of the cache is estimated
_X1 = (ROW.names or ()).index('x1') - 2  # its place in a row without the two keys
Key = tuple[int, int]
Parts = list[tuple[Key, tuple[int, ...], bytes]]  # of a picture: key, row without its offset, and bytes of each face
Pipelines = Sequence[Sequence[Any]]


class Job(NamedTuple):
    """A picture, and its faces by their keys."""

    path: str
    faces: list[tuple[Key, int]]


class Report(NamedTuple):
    """What a cache holds for a data set: faces that are stored, that have changed, that are missing, and errors."""

    total: int  # different faces with a picture file
    current: int
    stale: int
    missing: int
    drawn: int  # faces without a picture file, which need no cache
    bytes: int
    errors: list[str]


class CropCacheBuilder:
    """Writes the crop cache of a data set into a folder; `pipelines` are all that the training may use."""

    def __init__(
        self, folder: Path, dataset: FaceDataset, pipelines: Pipelines, about: About, max_pixels: int | None = None
    ) -> None:
        for pipeline in pipelines:
            check_steps(pipeline, always=True)
        self.folder, self.dataset, self.pipelines = folder, dataset.each_face_once(), pipelines
        self.about, self.max_pixels = about, max_pixels
        self.rows: dict[Key, tuple[int, ...]] = {}
        self.states: Counter[str] = Counter()
        self.errors: list[str] = []

    def check(self) -> Report:
        """Compare the cache with the data set; nothing is written."""
        self._read_rows()
        list(self._jobs())
        return self._report()

    def build(self, workers: int = 1, say: Callable[[str], object] = print) -> Report:
        """Write what is missing or has changed."""
        with _locked(self.folder):
            if not (self.folder / ABOUT).exists():
                write_about(self.folder, self.about)
            self._read_rows()
            jobs = list(self._jobs())
            random.Random(0).shuffle(jobs)  # the first ones then are a fair sample
            if jobs:
                self._run(jobs, workers, say)
            self.states.clear()
            list(self._jobs())
        return self._report()

    def _read_rows(self) -> None:
        stored = read_about(self.folder)
        if (stored.kind, stored.resize) != (self.about.kind, self.about.resize):
            raise FacelmkError(
                f'{self.folder} holds another kind of cache ({stored.describe()}; asked for {self.about.describe()}). '
                'Choose another folder by --out, or delete this one'
            )
        same = stored.opencv == self.about.opencv or stored.kind == 'packed'
        rows = read_index(self.folder) if same else np.empty(0, ROW)
        self.rows = {(key, check): tuple(row) for key, check, *row in rows.tolist()}
        if not same:
            write_about(self.folder, self.about)

    def _jobs(self) -> Iterator[Job]:
        """Yield the pictures with faces that are missing, or stored for another file or smaller crops."""
        by_picture: dict[str, list[tuple[Key, int]]] = defaultdict(list)
        seen: set[Key] = set()
        for index in track(range(len(self.dataset)), 'comparing', unit='faces/s'):
            face = self.dataset.face(index)
            if 'image' in face or not face.get('path'):
                self.states['drawn'] += 1
                continue
            key = key_of(face)
            if key in seen:
                continue
            seen.add(key)
            state = self._state(key, face)
            self.states[state] += 1
            if state != 'current':
                by_picture[face['path']].append((key, index))
        yield from (Job(path, faces) for path, faces in by_picture.items())

    def _state(self, key: Key, face: FaceRecord) -> str:
        values = self.rows.get(key)
        if values is None:
            return 'missing'
        row = dict(zip(ROW.names or (), key + values, strict=True))
        is_enough = covers(stored_box(values), self._reach(face, row['width'], row['height']))
        return 'current' if is_enough and is_current(row, face['path']) else 'stale'

    def _reach(self, face: FaceRecord, width: int, height: int) -> tuple[int, int, int, int]:
        shape = np.broadcast_to(np.zeros((), np.uint8), (height, width, 3))
        sample = face | {'image': shape, 'markup': self.dataset.markup, 'epoch': 0}
        return union(reach(pipeline, sample, width, height) for pipeline in self.pipelines)

    def _run(self, jobs: list[Job], workers: int, say: Callable[[str], object]) -> None:
        faces = sum(len(job.faces) for job in jobs)
        committed, done = time.monotonic(), 0
        with (
            translate_output_errors(self.folder / DATA),
            open(self.folder / DATA, 'ab') as file,
            Progress('writing crops', faces, unit='faces/s') as progress,
        ):
            begin = self._used()
            file.truncate(begin)  # without what a killed process wrote after its last commit
            file.seek(begin)
            try:
                results = run_in_processes(self._write_picture, jobs, workers, _start_worker)
                for number, (rows, error) in enumerate(results, 1):
                    done += self._add(file, rows, error)
                    if number == min(PROBE, len(jobs)):
                        self._check_room((file.tell() - begin) / max(done, 1), done, faces, say)
                    if time.monotonic() - committed > COMMIT_S:
                        self._commit(file)
                        committed = time.monotonic()
                    progress.show(done)
            finally:
                self._commit(file)

    def _write_picture(self, job: Job) -> tuple[Parts, tuple[str, int] | None]:
        """Return the rows and bytes of the faces of a picture, or why it cannot be read."""
        try:
            status = os.stat(job.path)
            photograph = Photograph(read_file(job.path), job.path, self.max_pixels)
        except (FacelmkError, OSError, ValueError) as error:
            return [], (str(error), len(job.faces))
        rows: Parts = []
        for key, index in job.faces:
            face = self.dataset.face(index)
            box = self._reach(face, photograph.width, photograph.height)
            if (stored := self.rows.get(key)) is not None and photo_size(stored) == (
                photograph.width,
                photograph.height,
            ):
                box = union([box, stored_box(stored)])  # so that several configs can share a cache
            part = photograph.write(box, self.about)
            facts = len(part.content), status.st_size, status.st_mtime_ns, part.form, part.left, part.top
            rows.append(
                (key, (*facts, *box, photograph.width, photograph.height, part.rows, part.columns), part.content)
            )
        return rows, None

    def _add(
        self, file: IO[bytes], rows: list[tuple[Key, tuple[int, ...], bytes]], error: tuple[str, int] | None
    ) -> int:
        """Append the parts of a picture, and return how many faces are done."""
        for key, row, content in rows:
            offset = file.tell()
            file.write(content)
            self.rows[key] = (offset, *row)
        if error is not None:
            self.errors.append(error[0])
            return error[1]
        return len(rows)

    def _commit(self, file: IO[bytes]) -> None:
        """Make what is written so far last, also if the process is killed or the machine stops."""
        file.flush()
        os.fsync(file.fileno())
        write_index(self.folder, self.rows)

    def _used(self) -> int:
        return max((row[0] + row[1] for row in self.rows.values()), default=0)

    def _check_room(self, each: float, done: int, faces: int, say: Callable[[str], object]) -> None:
        """Print the size that is to be expected, and refuse a disk without room for it."""
        rest, free = each * (faces - done), shutil.disk_usage(self.folder).free
        say(f'expected: {gigabytes(each * faces)} ({each / 1000:.0f} kB a face)')
        if rest > free:
            raise FacelmkError(
                f'{self.folder}: {gigabytes(rest)} more are needed, and {gigabytes(free)} are free. Free some room, '
                'name a folder on another disk by --out, or use --kind packed'
            )

    def _report(self) -> Report:
        states = self.states
        total = states['current'] + states['stale'] + states['missing']
        return Report(
            total, states['current'], states['stale'], states['missing'], states['drawn'], self._used(), self.errors
        )


def stored_box(row: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the box of a row without its keys."""
    x1, y1, x2, y2 = row[_X1 : _X1 + 4]
    return x1, y1, x2, y2


def photo_size(row: tuple[int, ...]) -> tuple[int, int]:
    """Return width and height of the photograph of a row without its keys."""
    width, height = row[_X1 + 4 : _X1 + 6]
    return width, height


def gigabytes(number: float) -> str:
    """Return a number of bytes for people."""
    return f'{number / 1e9:.2f} GB' if number >= 1e9 else f'{number / 1e6:.1f} MB'


def _start_worker() -> None:
    cv2.setNumThreads(0)
    reuse_freed_memory()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a cache; a second process that wants to write is refused."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked_folder(folder, LOCK))
        except UnwritableOutput:
            raise
        except FacelmkError as error:
            owner = str(error).partition('another run: ')[2].partition('. Two runs')[0] or 'another process'
            raise FacelmkError(f'{folder} is being written by {owner}. Wait until it has ended') from error
        yield
