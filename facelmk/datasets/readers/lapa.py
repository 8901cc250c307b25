"""LaPa as published (https://github.com/JDAI-CV/lapa-dataset): a text file of 106 points for each picture."""

from pathlib import Path
from typing import Any

import numpy as np

from ...errors import MissingResource
from ...files.progress import track
from ...registry import DATASETS
from ..annotated import AnnotatedFaces, Detected
from ..columns import FaceColumns
from ..records import find_picture, numbers, read_text, try_read_text


@DATASETS.register_module()
class LapaTxt(AnnotatedFaces):
    """A folder of text files: the number of points, then x and y of each; the pictures have the same names.

    `ann_file` is the folder of a split, such as train/landmarks, `image_root` the folder of its pictures. The box is
    the rectangle of the points, as in MMPose's json.
    """

    boxes = ('points', 'tight')
    layout = 'a folder of LaPa'

    def __init__(
        self, ann_file: str = '', data_root: str = '', image_root: str = '', markup: str = 'lapa', **options: Any
    ) -> None:
        super().__init__(ann_file, data_root, image_root, markup, **options)

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        folder = path / 'landmarks' if (path / 'landmarks').is_dir() else path
        first = min(folder.glob('*.txt'), default=None) if path.is_dir() else None
        if first is None:
            return None
        pictures = folder.parent / 'images'
        size = next(iter(read_text(first).split()), '')[:9]
        if folder == path and not size.isdecimal():
            return None  # a text of another kind, such as README.txt
        options = {'ann_file': str(folder), 'image_root': str(pictures if pictures.is_dir() else folder)}
        return Detected(options, int(size) if size.isascii() and size.isdecimal() else None)

    def sources(self) -> list[Path]:
        return [self.ann_file, self.image_root]

    def read(self, file: Path) -> FaceColumns:
        """Return the faces of a folder, by name."""
        if not file.is_dir():
            raise MissingResource(f'{file} is no folder. Check data_root and ann_file')
        paths = track(sorted(file.glob('*.txt')), 'reading annotations', unit='files/s')
        texts = {path: try_read_text(path, self.defects) for path in paths}
        rows = {path: text.split()[1:] for path, text in texts.items() if text is not None}
        names = [(find_picture(self.image_root, path.stem) or Path(f'{path.stem}.jpg')).name for path in rows]
        records = [path.name for path in rows]
        table, defective = numbers(file, records, list(rows.values()), 2 * self.markup.size, self.defects)
        points = table.reshape(-1, self.markup.size, 2)
        return self.rows(file, names, points, np.concatenate([points.min(1), points.max(1)], -1), defective=defective)
