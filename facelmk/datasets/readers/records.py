"""Annotation files as arrays: read, refuse what is defective by the record's name, put boxes around points."""

import collections
import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DataDefect, FacelmkError, MissingResource
from ..defects import are_collected, refuse, short

FaceRecord = dict[str, Any]
Array = NDArray[np.float64]
PICTURES = ('.png', '.jpg', '.jpeg', '.bmp')
LARGEST = 1e7  # pixels of a coordinate; no photograph is so large, and sums of larger ones lose their fractions
ALREADY_REPORTED = np.inf  # stands, while defects are collected, for the numbers of a record that is listed already


def read_text(file: Path) -> str:
    """The text of an annotation file; what is no ordinary file is refused before it is opened: a pipe never ends."""
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            raise DataDefect(f'{file} is no file (a folder, a pipe or a device); check data_root and ann_file')
        text = file.read_text(encoding='utf-8-sig')
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingResource(f'{file} cannot be read ({error.strerror}); check data_root and ann_file') from error
    except UnicodeDecodeError as error:
        raise DataDefect(
            f'{file} is no text file in UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8'
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, 'strerror', None) or error
        raise DataDefect(f'{short(str(file))} cannot be read ({reason}); check its name and its rights') from error
    if '\0' in text:
        raise DataDefect(
            f'{file} is no text file in UTF-8 (a zero at letter {text.index(chr(0))}: UTF-16, perhaps); '
            'save it as UTF-8'
        )
    return text


def text_of(file: Path) -> str | None:
    """The text of one annotation file among many; None where it cannot be read, which is its defect."""
    try:
        return read_text(file)
    except FacelmkError as error:
        refuse(file, [('the file', str(error).removeprefix(f'{file} '))])
        return None


def numbers(file: Path, records: Sequence[str], rows: Sequence[Sequence[Any]], width: int) -> Array:
    """Rows of `width` texts or numbers as (N, width); what does not fit is refused by its record's name."""
    refuse(
        file,
        [
            (record, f'{len(row)} numbers, {width} expected')
            for record, row in zip(records, rows, strict=True)
            if len(row) != width
        ],
    )
    rows = [row if len(row) == width else [ALREADY_REPORTED] * width for row in rows]
    try:
        table = np.array(rows, np.float64)
    except (TypeError, ValueError, OverflowError):
        table = np.empty(0)
    if table.shape != (len(rows), width):  # a text, an object or a list among the numbers
        odd = {i: value for i, row in enumerate(rows) for value in reversed(row) if not _is_number(value)}
        refuse(file, [(records[i], f'{short(repr(value))} is no number') for i, value in odd.items()])
        table = np.array([[ALREADY_REPORTED] * width if i in odd else row for i, row in enumerate(rows)], np.float64)
    return table.reshape(-1, width)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def refuse_defects(
    file: Path, names: Sequence[str], landmarks: Array, boxes: Array, visible: Array, norms: Sequence[float | None]
) -> NDArray[np.bool_]:
    """Refuse faces by name whose name, coordinates, box, flags or normaliser are none; tells which these are (N,)."""
    told = (landmarks == ALREADY_REPORTED).all((1, 2)) & are_collected()
    plain = np.concatenate(
        [
            landmarks.reshape(len(names), 2 * landmarks.shape[1]),
            boxes,
            visible,
            np.array([0 if norm is None else norm for norm in norms], np.float64).reshape(-1, 1),
        ],
        1,
    )
    sound = (np.abs(plain) <= LARGEST).all(1) & (plain[:, -1] >= 0) & (boxes[:, 2:] > boxes[:, :2]).all(1)
    odd = [i for i in np.flatnonzero(~told) if not sound[i] or not _is_name(names[i])]
    refuse(file, [(f'record {i + 1} ({short(names[i])})', _wrong(plain[i], boxes[i])) for i in odd])
    told[odd] = True
    return told


def _wrong(numbers: Array, box: Array) -> str:
    """What is wrong with a face's numbers, of which the last is its normaliser."""
    if not np.isfinite(numbers[:-1]).all():
        return 'a coordinate is not finite'
    if np.abs(numbers[:-1]).max() > LARGEST:
        return f'a coordinate of {np.abs(numbers).max():.3g} pixels'
    if not (box[2:] > box[:2]).all():
        return f'its box {box.round(1).tolist()} is empty'
    return 'it names no picture' if 0 <= numbers[-1] <= LARGEST else f'its normaliser is {numbers[-1]}'


def _is_name(name: str) -> bool:
    """Whether a picture can have this name."""
    try:
        return bool(name.encode()) and '\0' not in name and not name.endswith('/')
    except UnicodeEncodeError:
        return False


def is_sound(face: FaceRecord) -> bool:
    """Whether a face has not been refused: those have no finite points."""
    return bool(np.isfinite(face['landmarks']).all())


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
    return int.from_bytes(hashlib.blake2b(f'{seed}/{name}'.encode(), digest_size=4).digest(), 'big') / 2**32


def picture_of(folder: Path, stem: str) -> Path | None:
    """The picture of that name in a folder, whatever its format; None if there is none."""
    places = (folder / f'{stem}{ending}' for ending in (*PICTURES, *(ending.upper() for ending in PICTURES)))
    return next((place for place in places if os.path.isfile(place)), None)


def name_faces(faces: list[FaceRecord]) -> list[FaceRecord]:
    """The faces with ids of their own: the picture's name, and a running number where a picture has several faces."""
    total = collections.Counter(face['id'] for face in faces)
    seen: collections.Counter[str] = collections.Counter()
    for face in faces:
        name = face['id']
        seen[name] += 1
        if total[name] > 1:
            face['id'] = f'{name}#{seen[name]}'
    return faces
