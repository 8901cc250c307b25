"""Small films with discs for faces, and a predictor that finds the discs."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facelmk.inference.detectors.base import OtherDetector
from facelmk.inference.stream import PicturePredictor
from facelmk.markups import MARKUPS

WIDTH, HEIGHT, RADIUS = 160, 120, 15
COLOURS = ((40, 40, 220), (220, 40, 40))  # of discs, BGR
Disc = tuple[float, float] | None


def frame(*discs: Disc, background: int = 90) -> np.ndarray:
    """A picture (120, 160, 3) with a disc of each colour at its place, or without it."""
    image = np.full((HEIGHT, WIDTH, 3), background, np.uint8)
    image[::8] += 20
    for disc, colour in zip(discs, COLOURS):  # noqa: B905, one disc is enough
        if disc is not None:
            cv2.circle(image, (round(disc[0]), round(disc[1])), RADIUS, colour, -1)
    return image


def write_film(path: Path, frames: Iterable[np.ndarray], fps: float = 20, codec: str = 'mp4v') -> Path:
    """Write a film as OpenCV does."""
    writer = None
    for image in frames:
        writer = writer or cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, image.shape[1::-1])
        writer.write(image)
    assert writer is not None
    writer.release()
    return path


def discs(image: np.ndarray) -> list[tuple[int, np.ndarray, float]]:
    """The number of the colour, the centre and the visible share of each disc."""
    found = []
    for i, colour in enumerate(COLOURS):
        ys, xs = np.nonzero((abs(image.astype(int) - colour) < 70).all(2))
        if len(xs) > 60:
            found.append((i, np.array([xs.mean(), ys.mean()]), len(xs) / (np.pi * RADIUS**2)))
    return found


class DiscPredictor(PicturePredictor):
    """Its landmarks lie on the disc whose centre is nearest to the box; the score is the share that is visible."""

    def __init__(self, markup: str = 'wflw') -> None:
        super().__init__(MARKUPS[markup], 4)
        self.detections = 0
        self.noise = 0.0
        self.random = np.random.default_rng(0)

    def find_detector(self, spec: Any) -> OtherDetector:
        def find(image: np.ndarray) -> list[list[float]]:
            self.detections += 1
            return [[*(centre - RADIUS), *(centre + RADIUS)] for _, centre, share in discs(image) if share > 0.6]

        return OtherDetector(spec or find)

    def predict_boxes(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        return [self._predict_one(image, box) for image, box in rows]

    def _predict_one(self, image: np.ndarray, box: np.ndarray) -> dict[str, Any]:
        K = self.markup.size
        angles = np.linspace(0, 2 * np.pi, K, endpoint=False)
        middle = (box[:2] + box[2:]) / 2
        near = sorted((float(np.linalg.norm(centre - middle)), *centre, share) for _, centre, share in discs(image))
        distance, x, y, share = near[0] if near else (np.inf, *middle, 0.0)
        good = distance < 1.5 * RADIUS
        points = np.column_stack([x + RADIUS * np.cos(angles), y + RADIUS * np.sin(angles)])
        points += self.random.normal(0, self.noise, points.shape) if self.noise else 0
        score = min(1.0, share) if good else 0.0
        ones = np.ones(K, np.float32)
        return dict(landmarks=points.astype(np.float32), scores=ones * score, errors=ones, score=score)
