"""The tables of the original HRNet (https://github.com/HRNet/HRNet-Facial-Landmark-Detection): one row a face."""

import csv
import io
from pathlib import Path

import numpy as np

from ...errors import DataDefect
from ...registry import DATASETS
from ..base import AnnotatedFaces, FaceRecord
from ..defects import short
from .records import centred_boxes, numbers, read_text

COLUMNS = 10_000  # a face of 98 points has 200


@DATASETS.register_module()
class CsvFaces(AnnotatedFaces):
    """HRNet's CSV of 300W, WFLW and AFLW: picture, scale, (box_size,) center_w, center_h, then x, y of every point.

    The box is the square of 200 * scale pixels around the centre. `norm` is AFLW's box_size, else 200 * scale.
    Columns are parted by commas; a name may stand in quotes.
    """

    def read(self, file: Path) -> list[FaceRecord]:
        """The faces of a CSV."""
        lines, head = _lines(file)
        wanted = ('scale', 'center_w', 'center_h')
        first = 4 if 'box_size' in head[:5] else 3
        missing = [name for name in wanted if name not in head[1 : first + 1]]
        if missing:
            apart = "; its columns are parted by ';', commas are expected" if ';' in ''.join(head[:1]) else ''
            raise DataDefect(
                f'{file}: the first line names no column {missing[0]!r} before the points{apart}; '
                f'expected are a picture, {", ".join(wanted)} (AFLW: box_size, too) and the points'
            )
        rows = list(lines.values())
        names = [row[0] for row in rows]
        records = [f'line {line} ({short(name)})' for line, name in zip(lines, names, strict=True)]
        table = numbers(file, records, [row[1:] for row in rows], len(head) - 1)
        columns = {name: table[:, i] for i, name in enumerate(head[1:])}
        side = 200 * columns['scale']
        count = (len(head) - 1 - first) // 2
        if not count:
            raise DataDefect(f'{file}: the first line names no points behind its first columns')
        return self.rows(
            file,
            names,
            table[:, first : first + 2 * count].reshape(-1, count, 2),
            centred_boxes(np.stack([columns['center_w'], columns['center_h']], -1), side),
            norms=columns.get('box_size', side).tolist(),
        )


def _lines(file: Path) -> tuple[dict[int, list[str]], list[str]]:
    """The rows below the head by the number of their (last) line, and the head."""
    text = read_text(file)
    for number, line in enumerate(text.split('\n'), 1):
        if line.count(',') > COLUMNS:
            raise DataDefect(f'{file}: line {number} has more than {COLUMNS} columns, which is no table of faces')
    reader = csv.reader(io.StringIO(text, newline=''))
    try:
        lines = {reader.line_num: row for row in reader if row}  # noqa: B035, it counts on
    except csv.Error as error:
        raise DataDefect(f'{file}: line {reader.line_num}: {error}; a quote that does not end, perhaps') from error
    first = next(iter(lines), None)
    head = lines.pop(first) if first is not None else []
    return lines, [name.strip() for name in head[:5]] + head[5:]
