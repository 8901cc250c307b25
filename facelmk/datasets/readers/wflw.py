"""WFLW as published (https://wywu.github.io/projects/LAB/WFLW.html): one line for each face."""

from itertools import islice
from pathlib import Path

from ...errors import FacelmkError
from ...registry import DATASETS
from ..annotated import AnnotatedFaces, Detected
from ..columns import FaceColumns
from ..defects import short
from ..records import numbers, read_text

ATTRIBUTES = ('pose', 'expression', 'illumination', 'makeup', 'occlusion', 'blur')


@DATASETS.register_module()
class WflwTxt(AnnotatedFaces):
    """WFLW's text lists: 196 coordinates, a rectangle (4), six attributes (0 or 1) and the picture, 207 fields in all.

    The box is the tight one, as in the tables that others made from these lists; `box='provided'` is the rectangle.
    The attributes become the tags pose, expression, illumination, makeup, occlusion and blur.
    """

    boxes = ('tight', 'provided')
    subsets = ATTRIBUTES
    own_tags = True
    layout = 'a .txt (WFLW)'

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        if path.suffix.lower() != '.txt':
            return None
        rows = [line.split() for line in islice(read_text(path).splitlines(), 20) if line.strip()]
        if rows and max(map(len, rows)) < 100:
            raise FacelmkError(
                f'{path} is no list of WFLW: its lines have fewer than 207 fields. If it is one of the files of LaPa, '
                'give the folder that contains `landmarks` and `images`'
            )
        return Detected({'ann_file': str(path)}, 98, [row[-1] for row in rows])

    def read(self, file: Path) -> FaceColumns:
        lines = {i + 1: line.split() for i, line in enumerate(read_text(file).split('\n')) if line.strip()}
        names = [row[-1] for row in lines.values()]
        records = [f'line {i} ({short(name)})' for i, name in zip(lines, names, strict=True)]
        table, defective = numbers(file, records, [row[:-1] for row in lines.values()], 206, self.defects)
        tags = [tuple(name for name, flag in zip(ATTRIBUTES, flags, strict=True) if flag) for flags in table[:, 200:]]
        points = table[:, :196].reshape(-1, 98, 2)
        return self.rows(file, names, points, table[:, 196:200], tags=tags, defective=defective)
