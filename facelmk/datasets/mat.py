"""COFW as its authors publish it (http://www.vision.caltech.edu/xpburgos/ICCV13/): pictures and points in one .mat."""
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
from numpy.typing import NDArray

from ..registry import DATASETS, DataDefect, MissingResource
from .base import AnnotatedFaces, Face
from .coco import clipped


@DATASETS.register_module()
class CofwMat(AnnotatedFaces):
    """COFW's MATLAB v7.3 files: 29 points with occlusion flags and a rectangle a face; a face carries its picture.

    Occluded points are annotated and count as visible, as in every published table. MATLAB counts pixels from 1:
    `origin=1` gives the numbers of MMPose's json, in which one is subtracted from points, not from rectangles, and
    what is then negative is 0; `origin=0` gives the raw ones, as the original HRNet takes them.
    """

    def read(self, file: Path) -> list[Face]:
        """The faces of a .mat."""
        if not file.is_file():
            raise MissingResource(f'{file} is not there; check data_root and ann_file')
        with hdf5().File(file) as content:
            kind = next((kind for kind in ('Tr', 'T') if f'phis{kind}' in content), None)
            if kind is None:
                raise DataDefect(f'{file} holds neither phisTr nor phisT; it is no COFW file')
            self.pictures = f'Is{kind}'
            landmarks = self._landmarks(np.array(content[f'phis{kind}'], np.float64).T.reshape(-1, 3, 29))
            rectangles = np.maximum(np.array(content[f'bboxes{kind}'], np.float64).T, 0)
            sizes = [content[reference].shape for reference in content[self.pictures][0]]
        if self.origin:
            landmarks = np.maximum(landmarks, self.origin)
        boxes = [clipped(box, {'width': size[-2], 'height': size[-1]})
                 for box, size in zip(rectangles, sizes, strict=True)]
        faces = self.rows(file, [file.name] * len(landmarks), landmarks, np.array(boxes) + self.origin)
        return [face | {'path': str(file), 'record': i} for i, face in enumerate(faces)]

    def _landmarks(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """The points (N, 29, 2) of rows that hold x, y and occlusion of each, (N, 3, 29)."""
        return table[:, :2].transpose(0, 2, 1)

    def face(self, index: int) -> Face:
        """A row with its `image` (H, W, 3), uint8 BGR; the file is opened for each, so that workers share nothing."""
        face = super().face(index)
        with hdf5().File(face['path']) as content:
            stored = np.array(content[content[self.pictures][0][face.pop('record')]])
        upright = stored.T  # MATLAB writes columns first
        face['image'] = cv2.cvtColor(np.ascontiguousarray(upright),
                                     cv2.COLOR_GRAY2BGR if upright.ndim == 2 else cv2.COLOR_RGB2BGR)
        return face


def hdf5() -> ModuleType:
    """The package that reads MATLAB's files from version 7.3 on."""
    try:
        import h5py  # optional: only this format needs it
    except ImportError as error:
        raise MissingResource('COFW .mat files need h5py: pip install facelmk[mat]') from error
    return h5py
