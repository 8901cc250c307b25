"""Run a network over faces, and over boxes beside them: how far its maps spread, and how wrong its points are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...datasets import FaceDataset, collate_faces
from ...datasets.base import FaceRecord
from ...errors import DataDefect
from ...files.progress import track
from ...models import FaceLandmarker
from ...models.calibration import deviation

Array = NDArray[np.float64]
SHIFT = (0.65, 1.2)  # of a misplaced box, in sides of the face's box: at most a part of the face is in the crop
DETAIL = (0.3, 0.6)  # side of the box around a detail of the picture, in sides of the face's box
EYES_TO_CROP = 0.47  # the distance of the outer eye corners in a crop, for schemes without them


@dataclass
class Measured:
    """N faces: deviations of the maps and errors (N, K) in crop pixels, which errors count, and normalisers (N,)."""

    deviation: Array
    error: Array
    counts: NDArray[np.bool_]
    norm: Array
    size: int

    @property
    def face_error(self) -> Array:
        """The mean error (N,) of each face as a share of its normaliser; NaN if it has none."""
        number = self.counts.sum(1)
        mean = (self.error * self.counts).sum(1) / np.maximum(number, 1)
        return np.where((number > 0) & (self.norm > 0), mean / np.where(self.norm > 0, self.norm, 1), np.nan)


class MisplacedBoxes(FaceDataset):
    """The faces of a data set with boxes where no face is: beside the face, or around a detail of the picture."""

    def __init__(self, faces: FaceDataset, pipeline: Sequence[dict], seed: int = 0) -> None:
        super().__init__(faces.markup.name, pipeline)
        self.faces, self.seed = faces, seed

    def __len__(self) -> int:
        return len(self.faces)

    def face(self, index: int) -> FaceRecord:
        face, rng = self.faces.face(index), np.random.default_rng([self.seed, index])
        x1, y1, x2, y2 = np.asarray(face['box'], float)
        side, centre, angle = max(x2 - x1, y2 - y1), np.array([x1 + x2, y1 + y2]) / 2, rng.uniform(0, 2 * np.pi)
        direction = np.array([np.cos(angle), np.sin(angle)])
        if index % 2:
            centre, side = centre + rng.uniform(*SHIFT) * side * direction, side * rng.uniform(0.8, 1.2)
        else:
            centre, side = centre + rng.uniform(0, 0.8) * side * direction, side * rng.uniform(*DETAIL)
        box = np.concatenate([centre - side / 2, centre + side / 2]).astype(np.float32)
        return {key: value for key, value in face.items() if key != 'detection'} | {'box': box}


def measure(landmarker: FaceLandmarker, dataset: FaceDataset, batch_size: int = 32) -> Measured:
    """Run the network over all faces of a data set, with its pipeline."""
    if not len(dataset):
        raise DataDefect('the data for the calibration have no faces. Check calibration_data')
    rows = [_measure_batch(landmarker, batch) for batch in _batches(dataset, batch_size)]
    columns = {name: np.concatenate([row[name] for row in rows]) for name in rows[0] if name != 'size'}
    return Measured(**columns, size=rows[0]['size'])


def joined(parts: Sequence[Measured]) -> Measured:
    """Several measurements as one."""
    arrays = [field.name for field in fields(Measured) if field.name != 'size']
    return Measured(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in arrays}, size=parts[0].size)


def _batches(dataset: FaceDataset, batch_size: int) -> Iterator[dict[str, Any]]:
    for start in track(range(0, len(dataset), batch_size), 'measuring', unit='batches/s'):
        yield collate_faces([dataset[i] for i in range(start, min(start + batch_size, len(dataset)))])


@torch.no_grad()
def _measure_batch(landmarker: FaceLandmarker, batch: dict[str, Any]) -> dict[str, Any]:
    truth, visible = batch['data_samples']['points'], batch['data_samples']['visible']
    inputs = landmarker.data_preprocessor(batch)['inputs']
    output, size = landmarker.output(inputs), inputs.shape[-1]
    points, spread = landmarker.codec.decode(output, size)[0], landmarker.codec.spread(output, size)
    assert spread is not None  # FaceLandmarker refuses a calibration with a codec without a spread
    in_crop = ((truth >= 0) & (truth <= size - 1)).all(-1)
    eyes = list(landmarker.markup.eyes or ())
    if eyes:
        norm = (truth[:, eyes[0]] - truth[:, eyes[1]]).norm(dim=-1) * (visible[:, eyes] > 0.5).all(-1)
    else:
        norm = torch.full((len(truth),), size * EYES_TO_CROP)
    return {
        'deviation': _array(deviation(spread)),
        'error': _array((points.cpu() - truth).norm(dim=-1)),
        'counts': ((visible > 0.5) & in_crop).numpy(),
        'norm': _array(norm),
        'size': size,
    }


def _array(values: Tensor) -> Array:
    return values.double().cpu().numpy()
