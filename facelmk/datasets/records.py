"""Annotation files as arrays: read, refuse what is defective by the record's name, put boxes around points."""
import collections
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..registry import DataDefect, MissingResource

Face = dict[str, Any]
Array = NDArray[np.float64]
PICTURES = ('.png', '.jpg', '.jpeg', '.bmp')
TOLD = np.inf  # stands, while defects are collected, for the numbers of a record that is listed already


class Defect(NamedTuple):
    """What is wrong with a record of a file."""
    file: str
    record: str
    wrong: str


_collected: ContextVar[list[Defect] | None] = ContextVar('collected', default=None)


@contextmanager
def collecting() -> Iterator[list[Defect]]:
    """Within it defects are listed instead of raised, and reading goes on behind them."""
    defects: list[Defect] = []
    token = _collected.set(defects)
    try:
        with np.errstate(invalid='ignore'):  # readers go on with numbers that are none
            yield defects
    finally:
        _collected.reset(token)


def read_text(file: Path) -> str:
    """The text of an annotation file."""
    try:
        return file.read_text(encoding='utf-8-sig')
    except OSError as error:
        raise MissingResource(f'{file} cannot be read ({error.strerror}); check data_root and ann_file') from error
    except UnicodeDecodeError as error:
        raise DataDefect(f'{file} is no text file ({error.reason} at byte {error.start})') from error


def refuse(file: Path, defects: Sequence[tuple[str, str]], shown: int = 5) -> None:
    """Raise DataDefect if there are any defects (record, what is wrong): their number, and the first few by name."""
    listing = _collected.get()
    if listing is not None:
        known = {(defect.file, defect.record) for defect in listing}
        listing += [Defect(str(file), record, wrong) for record, wrong in defects if (str(file), record) not in known]
    elif defects:
        listed = '; '.join(f'{record}: {wrong}' for record, wrong in defects[:shown])
        more = f'; and {len(defects) - shown} more' if len(defects) > shown else ''
        raise DataDefect(f'{file}: {len(defects)} defective record{"s"[:len(defects) > 1]}: {listed}{more}. '
                         'Mend or remove what is listed')


def numbers(file: Path, records: Sequence[str], rows: Sequence[Sequence[Any]], width: int) -> Array:
    """Rows of `width` texts or numbers as (N, width); what does not fit is refused by its record's name."""
    refuse(file, [(record, f'{len(row)} numbers, {width} expected')
                  for record, row in zip(records, rows, strict=True) if len(row) != width])
    rows = [row if len(row) == width else [TOLD] * width for row in rows]
    try:
        return np.array(rows, np.float64).reshape(-1, width)
    except (TypeError, ValueError):
        refuse(file, [(record, f'{value!r} is no number') for record, row in zip(records, rows, strict=True)
                      for value in row if not _is_number(value)])
        return np.array([row if all(map(_is_number, row)) else [TOLD] * width for row in rows], np.float64)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def refuse_defects(file: Path, names: Sequence[str], landmarks: Array, boxes: Array) -> None:
    """Refuse faces with a coordinate that is no finite number, and faces with an empty box."""
    finite = np.isfinite(landmarks).all((1, 2)) & np.isfinite(boxes).all(1)
    wide = (boxes[:, 2:] > boxes[:, :2]).all(1)
    told = (landmarks == TOLD).all((1, 2)) & (_collected.get() is not None)
    refuse(file, [(f'record {i + 1} ({names[i]})', 'a coordinate is not finite' if not finite[i] else
                   f'its box {boxes[i].round(1).tolist()} is empty') for i in np.flatnonzero(~(finite & wide | told))])


def tight_boxes(landmarks: Array, visible: Array) -> Array:
    """The square boxes (N, 4) of published tables: centre and longer side of the whole-pixel box around the points."""
    seen = (visible > 0) | ~(visible > 0).any(-1, keepdims=True)
    low = np.floor(np.where(seen[..., None], landmarks, np.inf).min(1))
    high = np.ceil(np.where(seen[..., None], landmarks, -np.inf).max(1))
    return centred_boxes((low + high) / 2, (high - low).max(-1))


def centred_boxes(centres: ArrayLike, sides: ArrayLike) -> Array:
    """Square boxes (N, 4) of centres (N, 2) and sides (N,)."""
    centres, half = np.asarray(centres, np.float64), np.asarray(sides, np.float64)[:, None] / 2
    return np.concatenate([centres - half, centres + half], -1)


def chance_of(name: str, seed: int) -> float:
    """A number in [0, 1) for a name: it splits a set so that a face never changes sides, whatever else is there."""
    # a checksum such as CRC would put numbered names on one side: 1 of 100 where 20 are wanted
    return int.from_bytes(hashlib.blake2b(f'{seed}/{name}'.encode(), digest_size=4).digest(), 'big') / 2 ** 32


def picture_of(folder: Path, stem: str) -> Path | None:
    """The picture of that name in a folder, whatever its format; None if there is none."""
    places = (folder / f'{stem}{ending}' for ending in (*PICTURES, *(ending.upper() for ending in PICTURES)))
    return next((place for place in places if place.is_file()), None)


def name_faces(faces: list[Face]) -> list[Face]:
    """The faces with ids of their own: the picture's name, and a running number where a picture has several faces."""
    total = collections.Counter(face['id'] for face in faces)
    seen: collections.Counter[str] = collections.Counter()
    for face in faces:
        name = face['id']
        seen[name] += 1
        if total[name] > 1:
            face['id'] = f'{name}#{seen[name]}'
    return faces
