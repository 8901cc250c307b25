"""LaPa as its authors publish it (https://github.com/JDAI-CV/lapa-dataset): one text file of 106 points a picture."""

from pathlib import Path
from typing import Any

import numpy as np

from ...errors import MissingResource
from ...registry import DATASETS
from ..base import AnnotatedFaces, FaceRecord
from .records import numbers, picture_of, text_of


@DATASETS.register_module()
class LapaTxt(AnnotatedFaces):
    """A folder of text files: the number of points, then x and y of each; the pictures have the same names.

    `ann_file` is the folder of a split, such as train/landmarks, `image_root` that of its pictures. The box is the
    rectangle of the points, as in MMPose's json.
    """

    boxes = ('points', 'tight')

    def __init__(
        self, ann_file: str = '', data_root: str = '', image_root: str = '', markup: str = 'lapa', **options: Any
    ) -> None:
        super().__init__(ann_file, data_root, image_root, markup, **options)

    def read(self, file: Path) -> list[FaceRecord]:
        """The faces of a folder, by name."""
        if not file.is_dir():
            raise MissingResource(f'{file} is no folder; check data_root and ann_file')
        texts = {path: text_of(path) for path in sorted(file.glob('*.txt'))}
        lists = {path: text.split() for path, text in texts.items() if text is not None}
        names = [(picture_of(self.image_root, path.stem) or Path(f'{path.stem}.jpg')).name for path in lists]
        table = numbers(file, [path.name for path in lists], [row[1:] for row in lists.values()], 2 * self.markup.size)
        points = table.reshape(-1, self.markup.size, 2)
        return self.rows(file, names, points, np.concatenate([points.min(1), points.max(1)], -1))
