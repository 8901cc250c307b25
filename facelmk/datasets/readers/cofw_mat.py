"""COFW as published (http://www.vision.caltech.edu/xpburgos/ICCV13/): pictures and points in one .mat."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, MissingResource
from ...registry import DATASETS
from ..annotated import AnnotatedFaces, Detected
from ..records import FaceRecord, Mask
from .coco import clip_boxes
from .matlab_variables import (
    MAX_PICTURE_VALUES,
    hdf5,
    is_hdf5,
    read_array,
    read_points,
    read_variables,
    translate_matlab_errors,
    variable_names,
)

PICTURES_68, POINTS_68 = 'COFW_test_color.mat', 'COFW68_Data/test_annotations'


@DATASETS.register_module()
class CofwMat(AnnotatedFaces):
    """COFW's MATLAB files: 29 points with occlusion flags and a rectangle for each face; a face contains its `image`.

    Occluded points are annotated and count as visible, as in all published tables. MATLAB counts pixels from 1:
    `origin=1` gives the numbers of MMPose's json, where one is subtracted from points but not from rectangles, and
    negative results become 0; `origin=0` gives the unchanged numbers, as in the original HRNet.
    """

    layout = 'a .mat (COFW)'

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        return Detected({'ann_file': str(path), 'origin': 1}, 29) if path.suffix.lower() == '.mat' else None

    def read(self, file: Path) -> list[FaceRecord]:
        if not file.is_file():
            raise MissingResource(f'{file} is not there. Check data_root and ann_file')
        split, tables = self._read_tables(file)
        with translate_matlab_errors(file):
            table = np.asarray(tables[f'phis{split}'], np.float64)
            rectangles = np.maximum(np.asarray(tables[f'bboxes{split}'], np.float64), 0)
        if table.shape[1:] != (87,) or rectangles.shape != (len(table), 4):
            raise DataDefect(
                f'{file} is no COFW file: phis{split} is {table.shape}, bboxes{split} {rectangles.shape}. '
                'Expected N x 87 and N x 4'
            )
        sizes = self._read_sizes(file, f'Is{split}', len(table))
        landmarks, defective = self._landmarks(table.reshape(-1, 3, 29))
        if self.origin:
            landmarks = np.maximum(landmarks, self.origin)
        pictures = [{'width': width, 'height': height} for height, width in sizes]
        corners = clip_boxes(rectangles, pictures) + self.origin
        faces = self.rows(file, [file.name] * len(table), landmarks, corners, defective=defective)
        return [face | {'path': str(file), 'record': i} for i, face in enumerate(faces)]

    def _read_tables(self, file: Path) -> tuple[str, dict[str, NDArray]]:
        """Return 'Tr' for the training file or 'T' for the test file, and its tables."""
        tables = read_variables(file, ('phisTr', 'phisT', 'bboxesTr', 'bboxesT'))
        for split in ('Tr', 'T'):
            if {f'phis{split}', f'bboxes{split}'} <= set(tables):
                return split, tables
        raise DataDefect(
            f'{file} holds neither phisTr nor phisT with its bboxes, but {variable_names(file)}. It is no COFW file'
        )

    def _read_sizes(self, file: Path, name: str, count: int) -> list[tuple[int, int]]:
        """Return height and width of each picture; the pictures of a v7.3 file are not read yet."""
        self.pictures = name
        self.cells: list[NDArray] | None = None
        with translate_matlab_errors(file):
            if not is_hdf5(file):
                self.cells = list(_check_cells(file, name, read_variables(file, (name,)).get(name), count))
                return [_check_picture(file, i, cell.shape, cell.dtype) for i, cell in enumerate(self.cells)]
            with hdf5().File(file) as content:
                cells = [content[key] for key in _check_cells(file, name, read_array(content[name]), count)]
                return [_check_picture(file, i, cell.shape[::-1], cell.dtype) for i, cell in enumerate(cells)]

    def _landmarks(self, table: NDArray[np.float64]) -> tuple[NDArray[np.float64], Mask | None]:
        """Return points (N, 29, 2) and defective records; the table (N, 3, 29) holds x, y and occlusion."""
        return table[:, :2].transpose(0, 2, 1), None

    def face(self, index: int) -> FaceRecord:
        """Return a face with its `image` (H, W, 3), uint8 BGR; a v7.3 file is opened each time, for workers."""
        face = super().face(index)
        image = self._read_picture(Path(face['path']), face.pop('record'))
        face['image'] = cv2.cvtColor(
            np.ascontiguousarray(image), cv2.COLOR_GRAY2BGR if image.ndim == 2 else cv2.COLOR_RGB2BGR
        )
        return face

    def _read_picture(self, file: Path, record: int) -> NDArray[np.uint8]:
        """Return the picture (H, W, 3) or (H, W) of a face."""
        if self.cells is not None:
            return self.cells[record]
        with translate_matlab_errors(file), hdf5().File(file) as content:
            dataset = content[np.ravel(content[self.pictures])[record]]
            return read_array(dataset, MAX_PICTURE_VALUES).T  # MATLAB writes columns first


def _check_cells(file: Path, name: str, cells: NDArray | None, count: int) -> NDArray:
    if cells is None or cells.dtype != object or cells.size != count:
        raise DataDefect(f'{file}: {name} is missing or no cell array. Expected {count} pictures, one for each face')
    return cells.ravel()


def _check_picture(file: Path, record: int, shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, int]:
    """Return height and width of a picture in grey or in three colours."""
    flat = len(shape) == 2 or shape[2:] == (3,)
    if dtype != np.uint8 or not flat or not 0 < math.prod(shape) <= MAX_PICTURE_VALUES:
        raise DataDefect(
            f'{file}: picture {record + 1} is {"x".join(map(str, shape))} of {dtype}. Expected HxWx3 or HxW of uint8'
        )
    return shape[0], shape[1]


@DATASETS.register_module()
class Cofw68Mat(CofwMat):
    """COFW's 507 test faces with 68 points (https://github.com/golnazghiasi/cofw68-benchmark).

    `points` is the folder of 1_points.mat, 2_points.mat, ..., in the order of COFW_test_color.mat, which holds the
    pictures and the boxes. Occluded points are annotated and count as visible. `origin=1` as in `CofwMat`.
    """

    layout = ''

    def __init__(
        self,
        ann_file: str = PICTURES_68,
        data_root: str = '',
        points: str = POINTS_68,
        markup: str = '300w',
        **options: Any,
    ) -> None:
        self.folder = Path(data_root, points)
        super().__init__(ann_file, data_root, markup=markup, **options)

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> list[Path]:
        """Return the file and the folder that the reader cannot do without."""
        root = Path(options.get('data_root', ''))
        return [root / options.get('ann_file', PICTURES_68), root / options.get('points', POINTS_68)]

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        return None  # `CofwMat` finds this folder next to its own file

    def sources(self) -> list[Path]:
        return [self.ann_file, self.folder]

    def _landmarks(self, table: NDArray[np.float64]) -> tuple[NDArray[np.float64], Mask | None]:
        if not self.folder.is_dir():
            raise MissingResource(
                f'{self.folder} is no folder. Clone https://github.com/golnazghiasi/cofw68-benchmark '
                'and set `points` to its folder of _points.mat files'
            )
        points = [self._read_face(self.folder / f'{i + 1}_points.mat') for i in range(len(table))]
        missing = np.full((self.markup.size, 2), np.nan)
        stacked = np.stack([missing if xy is None else xy for xy in points])
        return stacked, np.array([xy is None for xy in points])

    def _read_face(self, file: Path) -> NDArray[np.float64] | None:
        if file.is_file():
            return read_points(file, 'Points', self.markup.size, self.defects)
        self.defects.add(self.folder, file.name, 'is not there; every face needs one')
        return None
