"""MediaPipe's face detectors. Their package is an extra: https://arxiv.org/abs/1907.05047."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...errors import DataDefect, MissingResource
from ...registry import DETECTORS
from .base import BoxRule, Detector, OnePerThread, Picture

SHORT, FULL = 'short', 'full'
RULES = {SHORT: BoxRule(), FULL: BoxRule()}


@DETECTORS.register_module()
class MediaPipe(Detector):
    """Finds faces with MediaPipe: `range` 'full' for those up to about five metres away, 'short' for near ones.

    mediapipe 0.10.14 to 0.10.21 hold both networks. For later versions give `weights`, the .tflite file of the short
    range. `score` is the lowest score.
    """

    endings = ('.tflite',)
    ranges = {'score': (0, 1), 'range': {SHORT, FULL}}

    def __init__(self, weights: str | Path | None = None, range: str = FULL, score: float = 0.5) -> None:
        self.weights, self.range, self.score = weights, range if weights is None else SHORT, score
        self.box_rule = RULES[self.range]
        self.search = OnePerThread(self._open)
        self.search()

    def _open(self) -> Any:
        """Return a function from an RGB picture to rows of x, y, width, height and score, in pixels."""
        try:
            import mediapipe
        except ImportError as error:
            raise MissingResource(
                f'the detector MediaPipe needs the package mediapipe ({error}): pip install "mediapipe==0.10.21"'
            ) from error
        return self._from_package(mediapipe) if self.weights is None else self._from_file(mediapipe, str(self.weights))

    def _from_package(self, mediapipe: Any) -> Any:
        try:
            network = mediapipe.solutions.face_detection.FaceDetection(
                model_selection=[SHORT, FULL].index(self.range), min_detection_confidence=self.score
            )
        except (AttributeError, FileNotFoundError, RuntimeError) as error:
            raise MissingResource(
                f'mediapipe {mediapipe.__version__} does not hold the networks of its face detectors. Install one that '
                'does, pip install "mediapipe==0.10.21", or give weights=blaze_face_short_range.tflite'
            ) from error

        def search(picture: Picture) -> list[tuple[float, ...]]:
            height, width = picture.shape[:2]
            found = network.process(picture).detections or ()
            boxes = [(one.location_data.relative_bounding_box, one.score[0]) for one in found]
            return [(b.xmin * width, b.ymin * height, b.width * width, b.height * height, s) for b, s in boxes]

        return search

    def _from_file(self, mediapipe: Any, file: str) -> Any:
        if not Path(file).is_file():
            raise MissingResource(
                f'there is no file {file} (from {Path.cwd()}). Expected blaze_face_short_range.tflite'
            )
        tasks = mediapipe.tasks
        options = tasks.vision.FaceDetectorOptions(
            base_options=tasks.BaseOptions(model_asset_path=file), min_detection_confidence=self.score
        )
        try:
            network = tasks.vision.FaceDetector.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise DataDefect(
                f'{file} is no face detector that MediaPipe can run. Expected blaze_face_short_range.tflite'
            ) from error

        def search(picture: Picture) -> list[tuple[float, ...]]:
            found = network.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture)).detections
            boxes = [(one.bounding_box, one.categories[0].score) for one in found]
            return [(b.origin_x, b.origin_y, b.width, b.height, score) for b, score in boxes]

        return search

    def find(self, image: Picture) -> np.ndarray:
        rows = np.array(self.search()(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)), np.float64).reshape(-1, 5)
        rows[:, 2:4] += rows[:, :2]
        return rows[(rows[:, 0] < rows[:, 2]) & (rows[:, 1] < rows[:, 3])]
