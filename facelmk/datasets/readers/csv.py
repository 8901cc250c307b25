"""Tables of the original HRNet (https://github.com/HRNet/HRNet-Facial-Landmark-Detection): one row for each face."""

import csv
import io
from itertools import islice
from pathlib import Path

import numpy as np

from ...errors import DataDefect
from ...registry import DATASETS
from ..annotated import AnnotatedFaces, Detected
from ..defects import short
from ..records import FaceRecord, centred_boxes, numbers, read_text

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

    def read(self, file: Path) -> list[FaceRecord]:
        lines, head = _read_lines(file)
        first, count = _columns_of(file, head)
        rows = list(lines.values())
        names = [row[0] for row in rows]
        records = [f'line {line} ({short(name)})' for line, name in zip(lines, names, strict=True)]
        table, defective = numbers(file, records, [row[1:] for row in rows], len(head) - 1, self.defects)
        columns = {name: table[:, i] for i, name in enumerate(head[1:])}
        side = 200 * columns['scale']
        return self.rows(
            file,
            names,
            table[:, first : first + 2 * count].reshape(-1, count, 2),
            centred_boxes(np.stack([columns['center_w'], columns['center_h']], -1), side),
            norms=columns.get('box_size', side).tolist(),
            defective=defective,
        )


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


def _read_lines(file: Path) -> tuple[dict[int, list[str]], list[str]]:
    """Return the rows below the head, by the number of their (last) line, and the head."""
    text = read_text(file)
    for number, line in enumerate(text.split('\n'), 1):
        if line.count(',') > MAX_COLUMNS:
            raise DataDefect(f'{file}: line {number} has more than {MAX_COLUMNS} columns. It is no table of faces')
    reader = csv.reader(io.StringIO(text, newline=''))
    try:
        lines = {reader.line_num: row for row in reader if row}  # noqa: B035, the number changes with each row
    except csv.Error as error:
        raise DataDefect(f'{file}: line {reader.line_num}: {error}. A closing quote may be missing') from error
    first = next(iter(lines), None)
    head = lines.pop(first) if first is not None else []
    return lines, [name.strip() for name in head[:5]] + head[5:]
