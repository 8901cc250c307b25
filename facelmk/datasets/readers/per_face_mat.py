"""MATLAB's files, one a face: 300W-LP's points, and COFW's test faces in 68 points."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, MissingResource
from ...registry import DATASETS
from ..base import AnnotatedFaces, FaceRecord, Transform
from ..defects import refuse
from .cofw_mat import CofwMat
from .matlab_files import listed, reading, variables
from .records import ALREADY_REPORTED, PICTURES, chance_of

FOLDERS = ('AFW', 'HELEN', 'IBUG', 'LFPW')


@DATASETS.register_module()
class Mat300WLP(AnnotatedFaces):
    """300W-LP as published (http://www.cbsr.ia.ac.cn/users/xiangyuzhu/projects/3DDFA/main.htm): a .mat a picture.

    `points='pt2d'` reads the .mat beside each picture; 'pts_2d' the files of the folder `landmarks`, of which MMPose
    makes its json. `flipped` reads the folders of mirrored pictures (AFW_Flip), too. `part='train'|'val'|'test'` splits
    by a hash of seed and photograph, so that all views of one photograph, mirrored ones too, are on one side: about
    `share` of them are 'val', as many 'test'. The box is the rectangle of the points, as in MMPose's json.
    """

    boxes = ('points', 'tight')
    own_tags = True

    def __init__(
        self,
        image_root: str = '',
        data_root: str = '',
        markup: str = '300wlp',
        pipeline: Sequence[dict | Transform] = (),
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
        super().__init__('', data_root, image_root, markup, pipeline, **options)

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> list[Path]:
        """The folders without which a reader with these arguments cannot work."""
        root = Path(options.get('data_root', ''), options.get('image_root', ''))
        source = [root / 'landmarks'] if options.get('points') == 'pts_2d' else []
        return [root / name for name in FOLDERS] + source

    def read(self, file: Path) -> list[FaceRecord]:
        """The faces of all folders that are there, by name."""
        folders = [self.image_root / name for name in self.folders if (self.image_root / name).is_dir()]
        if not folders:
            raise MissingResource(
                f'{self.image_root} holds none of {", ".join(self.folders)}; check data_root and image_root'
            )
        pictures = [
            path
            for folder in folders
            for path in sorted(folder.iterdir())
            if path.suffix.lower() in PICTURES and self._in_part(path.stem) and self._source(path).is_file()
        ]
        names = [path.relative_to(self.image_root).as_posix() for path in pictures]
        landmarks = [_places(self._source(path), self.points, self.markup.size) for path in pictures]
        stacked = np.stack(landmarks) if landmarks else np.zeros((0, self.markup.size, 2))
        return self.rows(self.image_root, names, stacked, np.concatenate([stacked.min(1), stacked.max(1)], -1))

    def _source(self, picture: Path) -> Path:
        if self.points == 'pt2d':
            return picture.with_suffix('.mat')
        return self.image_root / 'landmarks' / picture.parent.name / f'{picture.stem}_pts.mat'

    def _in_part(self, stem: str) -> bool:
        """Views of a photograph are numbered: AFW_134212_1_0, AFW_134212_1_1, ..."""
        chance = chance_of(re.sub(r'_\d+$', '', stem), self.seed)
        place = 'val' if chance < self.share else 'test' if chance >= 1 - self.share else 'train'
        return self.part in ('all', place)


@DATASETS.register_module()
class Cofw68Mat(CofwMat):
    """COFW's 507 test faces in 68 points (https://github.com/golnazghiasi/cofw68-benchmark).

    `points` is the folder of the .mat files 1_points.mat, 2_points.mat, ..., in the order of COFW_test_color.mat, which
    holds the pictures and the boxes. Occluded points are annotated and count as visible. `origin=1` as for `CofwMat`.
    """

    def __init__(
        self,
        ann_file: str = 'COFW_test_color.mat',
        data_root: str = '',
        points: str = 'COFW68_Data/test_annotations',
        markup: str = '300w',
        **options: Any,
    ) -> None:
        self.folder = Path(data_root, points)
        super().__init__(ann_file, data_root, markup=markup, **options)

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> list[Path]:
        """The file and the folder without which the reader cannot work."""
        root = Path(options.get('data_root', ''))
        return [
            root / options.get('ann_file', 'COFW_test_color.mat'),
            root / options.get('points', 'COFW68_Data/test_annotations'),
        ]

    def _landmarks(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        files = [self.folder / f'{i + 1}_points.mat' for i in range(len(table))]
        if not self.folder.is_dir():
            raise MissingResource(
                f'{self.folder} is no folder; clone https://github.com/golnazghiasi/cofw68-benchmark '
                'and name its folder of _points.mat files in `points`'
            )
        refuse(self.folder, [(file.name, 'is not there; every face needs one') for file in files if not file.is_file()])
        return np.stack([_places(file, 'Points', self.markup.size) for file in files])


def _places(file: Path, key: str, size: int) -> NDArray[np.float64]:
    """The points (K, 2) stored under a name of a .mat as (K, 2) or (2, K); ALREADY_REPORTED if they are missing."""
    try:
        content = variables(file, (key,))
        with reading(file):
            found = np.asarray(content.get(key, ()), np.float64)
        wrong = _wrong(file, key, found, size)
    except DataDefect as error:
        wrong = str(error).removeprefix(f'{file} ')
    if wrong:
        refuse(file, [('the file', wrong)])
        return np.full((size, 2), ALREADY_REPORTED)
    return found.T if found.shape == (2, size) else found


def _wrong(file: Path, key: str, found: NDArray, size: int) -> str:
    if found.shape in ((size, 2), (2, size)):
        return ''
    if not found.size:
        return f'it holds no {key!r}, but {listed(file)}'
    return f'{key} is {"x".join(map(str, found.shape))}, {size}x2 expected'
