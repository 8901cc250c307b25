"""Annotation files as arrays: read texts and numbers, list defective records, put boxes around landmarks."""

import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataDefect, FacelmkError, MissingResource
from ..markups import MARKUPS
from .defects import DefectList, short

FaceRecord = dict[str, Any]
Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp')
CHUNK = 2048  # records of a large file that become arrays at once
MAX_COORDINATE_PX = 1e7  # no photograph is so large; float32 sums of larger numbers lose their fractions


IS_MISSING = (
    'Check the path, or data_root, ann_file and image_root of the data set (for a file of annotations: --image-root)'
)


@contextmanager
def translate_read_errors(path: str | Path, advice: str = IS_MISSING) -> Iterator[os.stat_result]:
    """Turn the errors of reading a file into ours; refuse pipes and devices, which may never end, before opening.

    `advice` is what to do about a missing file.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            kind = 'a folder' if stat.S_ISDIR(status.st_mode) else 'a device or a pipe'
            raise DataDefect(f'{path} is {kind}. Give a file')
        yield status
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingResource(f'{path} cannot be read ({error.strerror}), from {Path.cwd()}. {advice}') from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, 'strerror', None) or error
        raise DataDefect(f'{short(str(path))} cannot be read ({reason}). Check its name and permissions') from error


def read_text(file: Path, advice: str = IS_MISSING) -> str:
    """Return the text of an annotation file; `advice` is what to do about a missing one."""
    with translate_read_errors(file, advice):
        try:
            text = file.read_text(encoding='utf-8-sig')
        except UnicodeDecodeError as error:
            what = f'{error.reason} at byte {error.start}'
            raise DataDefect(f'{file} is no text file in UTF-8 ({what}). Save it as UTF-8') from error
    if '\0' in text:
        raise DataDefect(
            f'{file} is no text file in UTF-8 (letter {text.index(chr(0))} is a zero: it may be UTF-16). '
            'Save it as UTF-8'
        )
    return text


def try_read_text(file: Path, defects: DefectList) -> str | None:
    """Return the text of one of many annotation files, or None and a defect if it cannot be read."""
    try:
        return read_text(file)
    except FacelmkError as error:
        defects.add(file, 'the file', str(error).removeprefix(f'{file} '))
        return None


def numbers(
    file: Path,
    records: Sequence[str],
    rows: Sequence[Sequence[Any] | Array],
    width: int,
    defects: DefectList,
    are_all: bool = True,
) -> tuple[Array, Mask]:
    """Return rows of texts or numbers as a table (N, width), and which of them are defective (N,).

    `records` are the names of the rows in messages. A defective row holds NaN. If all rows have the length of another
    landmark scheme, one error for the file says so, unless they are not all rows of the file.
    """
    if are_all:
        check_lengths(file, [len(row) for row in rows], width)
    wrong = {i: f'{len(row)} numbers, {width} expected' for i, row in enumerate(rows) if len(row) != width}
    table = _to_array(rows, wrong, width)
    if table.shape != (len(rows), width):  # a text, an object or a list among the numbers
        for i, row in enumerate(rows):
            strange = [value for value in row if not _is_number(value)]
            if strange and i not in wrong:
                wrong[i] = f'{short(repr(strange[0]))} is no number'
        table = _to_array(rows, wrong, width)
    defects.add_all(file, ((records[i], wrong[i]) for i in sorted(wrong)))
    return table.reshape(-1, width), np.isin(np.arange(len(rows)), list(wrong))


def check_lengths(file: Path, lengths: Sequence[int], width: int) -> None:
    """Refuse a file in which all rows have the length of another landmark scheme."""
    if len(lengths) > 1 and len(set(lengths)) == 1 and lengths[0] != width:
        length = lengths[0]
        schemes = [name for name, markup in MARKUPS.items() if length in (2 * markup.size, 3 * markup.size)]
        if schemes:
            raise DataDefect(
                f'{file}: all {len(lengths)} records have {length} numbers, {width} expected. Set markup= to the '
                f'landmark scheme of this file ({", ".join(schemes)})'
            )


def _to_array(rows: Sequence[Sequence[Any] | Array], wrong: Collection[int], width: int) -> Array:
    """Return the rows as an array, the wrong ones as NaN; an empty array if a row holds something else than numbers."""
    try:
        return np.array([[np.nan] * width if i in wrong else row for i, row in enumerate(rows)], np.float64)
    except (TypeError, ValueError, OverflowError):
        return np.empty(0)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def find_defective(
    file: Path,
    names: Sequence[str],
    landmarks: Array,
    boxes: Array,
    visible: Array,
    norms: Sequence[float | None],
    known: Mask,
    defects: DefectList,
    first: int = 0,
) -> Mask:
    """Return which faces (N,) have a wrong name, coordinate, box, flag or normaliser; those not `known` are listed.

    `first` is the index of the first of them in the file.
    """
    lengths = np.array([0 if norm is None else norm for norm in norms], np.float64)
    flat = landmarks.reshape(len(names), 2 * landmarks.shape[1])
    values = np.concatenate([flat, boxes, visible, lengths[:, None]], 1)
    valid = (np.abs(values) <= MAX_COORDINATE_PX).all(1) & (values[:, -1] >= 0) & (boxes[:, 2:] > boxes[:, :2]).all(1)
    defective = ~valid | ~np.array([_is_file_name(name) for name in names], bool)
    for i in np.flatnonzero(defective & ~known):
        defects.add(file, f'record {first + i + 1} ({short(names[i])})', _what_is_wrong(values[i], boxes[i]))
    return defective | known


def _what_is_wrong(values: Array, box: Array) -> str:
    if not np.isfinite(values[:-1]).all():
        return 'a coordinate is not finite'
    if np.abs(values[:-1]).max() > MAX_COORDINATE_PX:
        return f'a coordinate of {np.abs(values).max():.3g} pixels'
    if not (box[2:] > box[:2]).all():
        return f'its box {box.round(1).tolist()} is empty'
    return 'it names no picture' if 0 <= values[-1] <= MAX_COORDINATE_PX else f'its normaliser is {values[-1]}'


def _is_file_name(name: str) -> bool:
    try:
        return bool(name.encode()) and '\0' not in name and not name.endswith('/')
    except UnicodeEncodeError:
        return False


def is_valid(face: FaceRecord) -> bool:
    """Return whether a face is free of defects: the landmarks of a defective one are NaN."""
    return bool(np.isfinite(face['landmarks']).all())


def tight_boxes(landmarks: Array, visible: Array) -> Array:
    """Return the square boxes (N, 4) of published tables, around the whole-pixel boxes of the points."""
    used = (visible > 0) | ~(visible > 0).any(-1, keepdims=True)
    low = np.floor(np.where(used[..., None], landmarks, np.inf).min(1))
    high = np.ceil(np.where(used[..., None], landmarks, -np.inf).max(1))
    return centred_boxes((low + high) / 2, (high - low).max(-1))


def centred_boxes(centres: ArrayLike, sides: ArrayLike) -> Array:
    """Return square boxes (N, 4) with centres (N, 2) and sides (N,)."""
    centres, half = np.asarray(centres, np.float64), np.asarray(sides, np.float64)[:, None] / 2
    return np.concatenate([centres - half, centres + half], -1)


def split_fraction(name: str, seed: int) -> float:
    """Return a number in [0, 1) that depends on name and seed alone, so a face never changes to another split."""
    # not a checksum such as CRC: of 100 numbered names it puts 1 on one side where 20 are expected
    return int.from_bytes(hashlib.blake2b(f'{seed}/{name}'.encode(), digest_size=4).digest(), 'big') / 2**32


def join_paths(root: Path, names: Sequence[str]) -> tuple[str, list[str]]:
    """Return how the paths of names below a folder begin, and these paths, as `root / name` writes them."""
    start = str(root / '_')[:-1]
    return start, [start + name if _is_plain(name) else str(root / name) for name in names]


def _is_plain(name: str) -> bool:
    """Return whether pathlib would not change a relative path, which takes it ten times as long to find out."""
    return os.sep == '/' and name[:1] not in '/' and name[-1] not in '/.' and './' not in name and '//' not in name


def find_picture(folder: Path, stem: str) -> Path | None:
    """Return the picture `stem` in a folder, whatever its format, or None."""
    suffixes = (*IMAGE_SUFFIXES, *(suffix.upper() for suffix in IMAGE_SUFFIXES))
    return next((path for suffix in suffixes if os.path.isfile(path := folder / f'{stem}{suffix}')), None)
