"""How far the answers of an exported file are from those of the model in torch, in pixels of the crop."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import FacelmkError
from ..models import FaceDetector, FaceLandmarker

Crops = NDArray[np.uint8]  # (N, 3, S, S)
Run = Callable[[Crops], Mapping[str, NDArray[Any]]]
TOLERANCE_PX = 0.01
BATCHES = (1, 3, 8)  # sizes of batches, so that an exported file shows that it takes any


class Parity(NamedTuple):
    """Differences of points (of box corners for a detector), and of scores."""

    pictures: int
    mean_px: float
    p95_px: float
    largest_px: float
    share_within: float
    largest_score: float

    def __str__(self) -> str:
        return (
            f'{self.pictures} pictures: mean {self.mean_px:.5f}, 95 % {self.p95_px:.5f}, largest {self.largest_px:.5f} '
            f'px; {self.share_within:.2%} of the points within {TOLERANCE_PX} px; scores: {self.largest_score:.1e}'
        )


def measure(expected: Mapping[str, NDArray[Any]], actual: Mapping[str, NDArray[Any]]) -> Parity:
    """Compare the outputs of both for the same pictures."""
    if 'boxes' in expected:  # boxes count where one of both has a score
        faces = (expected['scores'] > 0.05) | (actual['scores'] > 0.05)
        distances = np.abs(expected['boxes'] - actual['boxes']).max(-1)[faces]
    else:
        distances = np.linalg.norm(expected['points'] - actual['points'], axis=-1)
    distances = np.where(np.isfinite(distances), distances, np.inf) if distances.size else np.zeros(1)
    return Parity(
        len(expected['scores']),
        float(distances.mean()),
        float(np.percentile(distances, 95)),
        float(distances.max()),
        float((distances <= TOLERANCE_PX).mean()),
        float(np.abs(expected['scores'] - actual['scores']).max()),
    )


@torch.no_grad()
def answers_of_torch(model: FaceLandmarker | FaceDetector, crops: Crops) -> dict[str, NDArray[Any]]:
    """Return the answers of the model itself, in evaluation mode and float32."""

    def run(batch: Crops) -> dict[str, NDArray[Any]]:
        inputs = model.data_preprocessor({'inputs': torch.from_numpy(batch)})['inputs']
        if isinstance(model, FaceDetector):
            output = model(inputs)[-1].float()
            heat, boxes = model.codec.peaks(output), model.codec.boxes(output)
            return {'boxes': boxes.flatten(2).mT.numpy(), 'scores': heat.flatten(1).numpy()}
        points, scores, errors = model.answer(inputs)
        return {'points': points.numpy(), 'scores': scores.numpy()} | (
            {} if errors is None else {'errors': errors.numpy()}
        )

    return in_batches(run, crops)


def in_batches(run: Run, crops: Crops) -> dict[str, NDArray[Any]]:
    """Return the outputs for all crops, which are given in batches of several sizes."""
    parts, start, number = [], 0, 0
    while start < len(crops):
        size = BATCHES[number % len(BATCHES)]
        parts.append(run(crops[start : start + size]))
        start, number = start + size, number + 1
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def check(parity: Parity, limit_px: float, what: str) -> None:
    """Refuse a file whose points differ by more than the limit."""
    if not parity.largest_px <= limit_px:
        raise FacelmkError(
            f'{what} differs from torch by up to {parity.largest_px:.4f} px ({parity}). Expected at most {limit_px} '
            'px, so no file was written. Maps without a clear maximum, as untrained networks make them, decode to '
            'another cell after the smallest rounding: export trained weights, compare on faces with --pictures, or '
            'set --tolerance'
        )
