"""The tables of the original HRNet (https://github.com/HRNet/HRNet-Facial-Landmark-Detection): one row a face."""
import csv
from pathlib import Path

import numpy as np

from ..registry import DATASETS, DataDefect
from .base import AnnotatedFaces, Face
from .records import centred_boxes, numbers, read_text


@DATASETS.register_module()
class CsvFaces(AnnotatedFaces):
    """HRNet's CSV of 300W, WFLW and AFLW: picture, scale, (box_size,) center_w, center_h, then x, y of every point.

    The box is the square of 200 * scale pixels around the centre. `norm` is AFLW's box_size, else 200 * scale.
    """

    def read(self, file: Path) -> list[Face]:
        """The faces of a CSV."""
        head, *rows = [row for row in csv.reader(read_text(file).splitlines()) if row] or [[]]
        wanted = ('scale', 'center_w', 'center_h')
        if missing := [name for name in wanted if name not in head]:
            raise DataDefect(f'{file}: the first line names no column {missing[0]!r}; expected are a picture, '
                             f'{", ".join(wanted)} (AFLW: box_size, too) and the points')
        names = [row[0] for row in rows]
        records = [f'line {i + 2} ({name})' for i, name in enumerate(names)]
        table = numbers(file, records, [row[1:] for row in rows], len(head) - 1)
        columns = {name: table[:, i] for i, name in enumerate(head[1:])}
        first = 4 if 'box_size' in head else 3
        side = 200 * columns['scale']
        count = (len(head) - 1 - first) // 2
        return self.rows(file, names, table[:, first:first + 2 * count].reshape(-1, count, 2),
                         centred_boxes(np.stack([columns['center_w'], columns['center_h']], -1), side),
                         norms=columns.get('box_size', side).tolist())
