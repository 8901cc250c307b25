"""COFW as its authors publish it (http://www.vision.caltech.edu/xpburgos/ICCV13/): pictures and points in one .mat."""

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect, MissingResource
from ...registry import DATASETS
from ..base import AnnotatedFaces, FaceRecord
from .coco import clipped
from .matlab_files import PICTURE, hdf5, is_hdf5, listed, reading, variables, whole


@DATASETS.register_module()
class CofwMat(AnnotatedFaces):
    """COFW's MATLAB files: 29 points with occlusion flags and a rectangle a face; a face carries its picture.

    Occluded points are annotated and count as visible, as in every published table. MATLAB counts pixels from 1:
    `origin=1` gives the numbers of MMPose's json, in which one is subtracted from points, not from rectangles, and
    what is then negative is 0; `origin=0` gives the raw ones, as the original HRNet takes them.
    """

    def read(self, file: Path) -> list[FaceRecord]:
        """The faces of a .mat."""
        if not file.is_file():
            raise MissingResource(f'{file} is not there; check data_root and ann_file')
        kind, tables = self._tables(file)
        with reading(file):
            table = np.asarray(tables[f'phis{kind}'], np.float64)
            rectangles = np.maximum(np.asarray(tables[f'bboxes{kind}'], np.float64), 0)
        if table.shape[1:] != (87,) or rectangles.shape != (len(table), 4):
            raise DataDefect(
                f'{file} is no COFW file: phis{kind} is {table.shape}, bboxes{kind} {rectangles.shape}; '
                'N x 87 and N x 4 are expected'
            )
        sizes = self._pictures(file, f'Is{kind}', len(table))
        landmarks = self._landmarks(table.reshape(-1, 3, 29))
        if self.origin:
            landmarks = np.maximum(landmarks, self.origin)
        boxes = [
            clipped(box, {'width': width, 'height': height})
            for box, (height, width) in zip(rectangles, sizes, strict=True)
        ]
        faces = self.rows(
            file, [file.name] * len(landmarks), landmarks, np.reshape(boxes, (len(landmarks), 4)) + self.origin
        )
        return [face | {'path': str(file), 'record': i} for i, face in enumerate(faces)]

    def _tables(self, file: Path) -> tuple[str, dict[str, NDArray]]:
        """Whether it is the file of the training or of the test faces, and its tables."""
        tables = variables(file, ('phisTr', 'phisT', 'bboxesTr', 'bboxesT'))
        for kind in ('Tr', 'T'):
            if {f'phis{kind}', f'bboxes{kind}'} <= set(tables):
                return kind, tables
        raise DataDefect(
            f'{file} holds neither phisTr nor phisT with its bboxes, but {listed(file)}; it is no COFW file'
        )

    def _pictures(self, file: Path, name: str, count: int) -> list[tuple[int, int]]:
        """Height and width of each picture; of a v7.3 file none is read yet."""
        self.pictures = name
        self.cells: list[NDArray] | None = None
        with reading(file):
            if not is_hdf5(file):
                self.cells = list(_cells(file, name, variables(file, (name,)).get(name), count))
                return [_size(file, i, cell.shape, cell.dtype) for i, cell in enumerate(self.cells)]
            with hdf5().File(file) as content:
                stored = [content[place] for place in _cells(file, name, whole(content[name]), count)]
                return [_size(file, i, cell.shape[::-1], cell.dtype) for i, cell in enumerate(stored)]

    def _landmarks(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """The points (N, 29, 2) of rows that hold x, y and occlusion of each, (N, 3, 29)."""
        return table[:, :2].transpose(0, 2, 1)

    def face(self, index: int) -> FaceRecord:
        """A row with its `image` (H, W, 3), uint8 BGR; a v7.3 file is opened for each: workers share nothing."""
        face = super().face(index)
        upright = self._picture(Path(face['path']), face.pop('record'))
        face['image'] = cv2.cvtColor(
            np.ascontiguousarray(upright), cv2.COLOR_GRAY2BGR if upright.ndim == 2 else cv2.COLOR_RGB2BGR
        )
        return face

    def _picture(self, file: Path, record: int) -> NDArray[np.uint8]:
        """The picture (H, W, 3) or (H, W) of a face."""
        if self.cells is not None:
            return self.cells[record]
        with reading(file), hdf5().File(file) as content:
            return whole(content[np.ravel(content[self.pictures])[record]], PICTURE).T  # MATLAB writes columns first


def _cells(file: Path, name: str, found: NDArray | None, count: int) -> NDArray:
    """The cells of a variable, one a face."""
    if found is None or found.dtype != object or found.size != count:
        raise DataDefect(f'{file}: {name} is missing or no cell array of {count} pictures, one a face')
    return found.ravel()


def _size(file: Path, record: int, shape: tuple[int, ...], kind: np.dtype) -> tuple[int, int]:
    """Height and width of a picture, which must be grey or of three colours."""
    flat = len(shape) == 2 or shape[2:] == (3,)
    if kind != np.uint8 or not flat or not 0 < math.prod(shape) <= PICTURE:
        raise DataDefect(
            f'{file}: picture {record + 1} is {"x".join(map(str, shape))} of {kind}; expected is HxWx3 or HxW of uint8'
        )
    return shape[0], shape[1]
