"""WFLW as its authors publish it (https://wywu.github.io/projects/LAB/WFLW.html): one line a face."""

from pathlib import Path

from ...registry import DATASETS
from ..base import AnnotatedFaces, FaceRecord
from ..defects import short
from .records import numbers, read_text

ATTRIBUTES = ('pose', 'expression', 'illumination', 'makeup', 'occlusion', 'blur')


@DATASETS.register_module()
class WflwTxt(AnnotatedFaces):
    """WFLW's text lists: 196 coordinates, a rectangle (4), six attributes (0 or 1) and the picture in 207 fields.

    The box is the tight one, as in the tables that others made of these lists; `box='provided'` takes the rectangle.
    The attributes become the tags pose, expression, illumination, makeup, occlusion and blur.
    """

    boxes = ('tight', 'provided')
    subsets = ATTRIBUTES
    own_tags = True

    def read(self, file: Path) -> list[FaceRecord]:
        """The faces of a list."""
        lines = {i + 1: line.split() for i, line in enumerate(read_text(file).split('\n')) if line.strip()}
        rows = list(lines.values())
        names = [row[-1] for row in rows]
        records = [f'line {i} ({short(name)})' for i, name in zip(lines, names, strict=True)]
        table = numbers(file, records, [row[:-1] for row in rows], 206)
        tags = [tuple(name for name, flag in zip(ATTRIBUTES, flags, strict=True) if flag) for flags in table[:, 200:]]
        return self.rows(file, names, table[:, :196].reshape(-1, 98, 2), table[:, 196:200], tags=tags)
