"""Tables of the original HRNet (https://github.com/HRNet/HRNet-Facial-Landmark-Detection): one row for each face."""

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect
from ...files.progress import track_lines
from ...registry import DATASETS
from ..annotated import AnnotatedFaces, Detected
from ..columns import FaceColumns, join
from ..defects import short
from ..records import CHUNK, centred_boxes, check_lengths, numbers, read_text, translate_read_errors

MAX_COLUMNS = 10_000  # a face of 98 points has 200
NEEDED = ('scale', 'center_w', 'center_h')


@DATASETS.register_module()
class CsvFaces(AnnotatedFaces):
    """HRNet's CSV of 300W, WFLW and AFLW: picture, scale, (box_size,) center_w, center_h, then x, y of every point.

    The box is the square of 200 * scale pixels around the centre. `norm` is AFLW's box_size, else 200 * scale.
    Commas separate the columns; a name may be in quotes.
    """

    layout = 'a .csv (HRNet)'

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        if path.suffix.lower() != '.csv':
            return None
        try:
            rows = [row for row in islice(csv.reader(read_text(path).splitlines()), 21) if row]
        except csv.Error:
            rows = []  # the reader will say what is wrong
        head = rows[0] if rows else []
        size = (len(head) - (5 if 'box_size' in head else 4)) // 2 if 'scale' in head else None
        return Detected({'ann_file': str(path)}, size, [row[0] for row in rows[1:]])

    def read(self, file: Path) -> FaceColumns:
        table = _read_table(file)
        before, count = _columns_of(file, table.head)
        check_lengths(file, [len(row) for row in table.rows], len(table.head) - 1)
        firsts = range(0, max(len(table.rows), 1), CHUNK)
        return join([self._read_some(file, table, slice(i, i + CHUNK), before, count) for i in firsts])

    def _read_some(self, file: Path, table: '_Table', part: slice, before: int, count: int) -> FaceColumns:
        """Return the faces of some rows, which have `before` numbers before `count` points."""
        names, rows = table.names[part], table.rows[part]
        records = [f'line {line} ({short(name)})' for line, name in zip(table.lines[part], names, strict=True)]
        values, defective = numbers(file, records, rows, len(table.head) - 1, self.defects, are_all=False)
        columns = {name: values[:, i] for i, name in enumerate(table.head[1:])}
        side = 200 * columns['scale']
        return self.rows(
            file,
            names,
            values[:, before : before + 2 * count].reshape(-1, count, 2),
            centred_boxes(np.stack([columns['center_w'], columns['center_h']], -1), side),
            norms=columns.get('box_size', side).tolist(),
            defective=defective,
            first=part.start,
        )


class _Table(NamedTuple):
    """A file: its first line, and of each row its (last) line, its name, and its numbers as an array, or as texts."""

    head: list[str]
    lines: list[int]
    names: list[str]
    rows: list[NDArray[np.float64] | list[str]]


def _columns_of(file: Path, head: list[str]) -> tuple[int, int]:
    """Return how many numbers stand before the points, and the number of points."""
    first = 4 if 'box_size' in head[:5] else 3
    missing = [name for name in NEEDED if name not in head[1 : first + 1]]
    if missing:
        semicolons = '. Semicolons separate its columns' if ';' in ''.join(head[:1]) else ''
        raise DataDefect(
            f'{file}: the first line has no column {missing[0]!r} before the points{semicolons}. '
            f'Expected, with commas: picture, {", ".join(NEEDED)} (AFLW: box_size, too), points'
        )
    count = (len(head) - 1 - first) // 2
    if not count:
        raise DataDefect(f'{file}: the first line names no points after its first columns')
    return first, count


def _read_table(file: Path) -> _Table:
    """Return the rows of a file; each becomes an array at once, because texts take eight times the memory."""
    table = _Table([], [], [], [])
    with translate_read_errors(file), file.open(encoding='utf-8-sig') as stream:
        reader = csv.reader(_checked_lines(file, track_lines(stream, f'reading {file.name}')))
        try:
            rows = (row for row in reader if row)
            head = next(rows, [])
            table.head.extend([name.strip() for name in head[:5]] + head[5:])
            for row in rows:
                table.lines.append(reader.line_num)
                table.names.append(row[0])
                table.rows.append(_as_numbers(row[1:]))
        except csv.Error as error:
            raise DataDefect(f'{file}: line {reader.line_num}: {error}. A closing quote may be missing') from error
    return table


def _checked_lines(file: Path, stream: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a table; refuse a file that is no text or no table."""
    try:
        for number, line in enumerate(stream, 1):
            if line.count(',') > MAX_COLUMNS:
                raise DataDefect(f'{file}: line {number} has more than {MAX_COLUMNS} columns. It is no table of faces')
            if '\0' in line:
                read_text(file)  # raises and says so
            yield line
    except UnicodeDecodeError:
        read_text(file)  # raises and says where


def _as_numbers(texts: list[str]) -> NDArray[np.float64] | list[str]:
    try:
        return np.array(list(map(float, texts)), np.float64)
    except ValueError:
        return texts
