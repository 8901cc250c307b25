"""300W-LP as published: a .mat with the points beside each picture.

http://www.cbsr.ia.ac.cn/users/xiangyuzhu/projects/3DDFA/main.htm
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import MissingResource
from ...files.progress import track
from ...registry import DATASETS
from ..annotated import AnnotatedFaces, Detected
from ..columns import FaceColumns
from ..records import IMAGE_SUFFIXES, split_fraction
from .matlab_variables import read_points

FOLDERS = ('AFW', 'HELEN', 'IBUG', 'LFPW')


@DATASETS.register_module()
class Mat300WLP(AnnotatedFaces):
    """The pictures of 300W-LP's folders, with points from .mat files.

    `points='pt2d'` reads the .mat beside each picture; 'pts_2d' the files of the folder `landmarks`, which MMPose
    converts to its json. `flipped` adds the folders of mirrored pictures (AFW_Flip, ...). `part='train'|'val'|'test'`
    splits by a hash of seed and photograph: all views of one photograph, mirrored ones too, are in the same part.
    About `share` of the photographs are 'val', and as many 'test'. The box is the rectangle of the points, as in
    MMPose's json.
    """

    boxes = ('points', 'tight')
    own_tags = True
    layout = 'a folder of 300W-LP'
    ranges = {'share': (0, 1), 'seed': (0, 2**32 - 1)}

    def __init__(
        self,
        image_root: str = '',
        data_root: str = '',
        markup: str = '300wlp',
        points: str = 'pt2d',
        part: str = 'all',
        share: float = 0.1,
        seed: int = 0,
        flipped: bool = False,
        **options: Any,
    ) -> None:
        self.points = self._choice('points', points, ('pt2d', 'pts_2d'))
        self.part = self._choice('part', part, ('all', 'train', 'val', 'test'))
        self.share, self.seed = share, seed
        self.folders = FOLDERS + tuple(f'{name}_Flip' for name in FOLDERS if flipped)
        super().__init__('', data_root, image_root, markup, **options)

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> list[Path]:
        """Return the folders that a reader with these arguments cannot do without."""
        root = Path(options.get('data_root', ''), options.get('image_root', ''))
        source = [root / 'landmarks'] if options.get('points') == 'pts_2d' else []
        return [root / name for name in FOLDERS] + source

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        if any(next((path / name).glob('*.mat'), None) for name in FOLDERS):
            return Detected({'image_root': str(path), 'markup': '300wlp'}, 68)
        return None

    def sources(self) -> list[Path]:
        return [path for name in (*self.folders, 'landmarks') if (path := self.image_root / name).is_dir()]

    def read(self, file: Path) -> FaceColumns:
        """Return the faces of all folders that exist, by name."""
        folders = [self.image_root / name for name in self.folders if (self.image_root / name).is_dir()]
        if not folders:
            raise MissingResource(
                f'{self.image_root} holds none of {", ".join(self.folders)}. Check data_root and image_root'
            )
        pictures = [
            path
            for folder in folders
            for path in sorted(folder.iterdir())
            if path.suffix.lower() in IMAGE_SUFFIXES and self._in_part(path.stem) and self._source(path).is_file()
        ]
        names = [path.relative_to(self.image_root).as_posix() for path in pictures]
        read = [
            read_points(self._source(path), self.points, self.markup.size, self.defects)
            for path in track(pictures, 'reading annotations', unit='files/s')
        ]
        points = {name: xy for name, xy in zip(names, read, strict=True) if xy is not None}
        stacked = np.array(list(points.values())).reshape(-1, self.markup.size, 2)
        return self.rows(self.image_root, list(points), stacked, np.concatenate([stacked.min(1), stacked.max(1)], -1))

    def _source(self, picture: Path) -> Path:
        if self.points == 'pt2d':
            return picture.with_suffix('.mat')
        return self.image_root / 'landmarks' / picture.parent.name / f'{picture.stem}_pts.mat'

    def _in_part(self, stem: str) -> bool:
        """Return whether a picture is in this part; views of one photograph are AFW_134212_1_0, AFW_134212_1_1, ..."""
        fraction = split_fraction(re.sub(r'_\d+$', '', stem), self.seed)
        part = 'val' if fraction < self.share else 'test' if fraction >= 1 - self.share else 'train'
        return self.part in ('all', part)
