"""Test the same faces in other boxes: tight ones, those of a detector, or several boxes a face."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.runner import Runner
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from ..datasets.base import FaceDataset, Transform
from ..datasets.box_file import as_boxes
from ..datasets.crops.part import whole_picture
from ..datasets.records import FaceRecord, tight_boxes
from ..datasets.transforms.crop import crop_box
from ..datasets.transforms.load import LoadImage
from ..errors import FacelmkError
from ..files.progress import track
from ..geometry import overlaps
from ..metrics.batch import column
from ..metrics.merging import gather, merge
from .faults.workers import shield_workers_from_signals, translate_worker_errors

Array = NDArray[np.float64]
BoxesOf = Callable[[Array, str], Array]  # from a face's box (4,) and id to its boxes (C, 4)
LEAST_OVERLAP = 0.5  # of a detected box with the tight box, as intersection over union


class TightBox:
    """Sets `detection`, which CropFace uses, to the tight square box of the visible true landmarks."""

    reads_pixels = False

    def __call__(self, sample: FaceRecord) -> FaceRecord:
        return sample | {'detection': tight_box_of(sample)}


class DetectedBox:
    """Sets `detection` to the box of a detector that overlaps the tight box most; to NaN if none overlaps enough.

    `detector` takes a picture (H, W, 3), uint8 BGR, and returns boxes (N, 4) and scores (N,).
    """

    def __init__(self, detector: Callable[[NDArray[np.uint8]], Any], least_overlap: float = LEAST_OVERLAP) -> None:
        self.detector, self.least_overlap = detector, least_overlap

    def __call__(self, sample: FaceRecord) -> FaceRecord:
        found = self.detector(whole_picture(sample))
        boxes = as_boxes(found[0] if isinstance(found, tuple) else found)
        overlap = overlaps(tight_box_of(sample)[None], boxes)[0]
        is_found = len(boxes) > 0 and overlap.max() >= self.least_overlap
        return sample | {'detection': boxes[overlap.argmax()] if is_found else np.full(4, np.nan, np.float32)}


def tight_box_of(face: FaceRecord) -> NDArray[np.float32]:
    """Return the tight square box (4,) of a face's visible landmarks."""
    landmarks = np.asarray(face['landmarks'], np.float64)
    return tight_boxes(landmarks[None], np.asarray(face['visible'])[None])[0].astype(np.float32)


def crop_by(dataset: FaceDataset, step: Transform) -> None:
    """Let a step choose the box of each face of a data set, as soon as the picture is loaded."""
    index_of_crop(dataset.pipeline)
    loads = [i for i, other in enumerate(dataset.pipeline) if isinstance(other, LoadImage)]
    dataset.pipeline.insert(loads[0] + 1 if loads else 0, step)


def index_of_crop(pipeline: Sequence[Transform]) -> int:
    """Return the index of the transform that crops the face."""
    crops = [i for i, step in enumerate(pipeline) if hasattr(step, 'crop_argument')]
    if not crops:
        names = ', '.join(type(step).__name__ for step in pipeline) or 'empty'
        raise FacelmkError(
            f'the pipeline of test_dataloader ({names}) has no CropFace, so no other box can be tested. Add one'
        )
    return crops[0]


class RecroppedFaces(FaceDataset):
    """Each face of a data set in `count` boxes, one sample after the other; its picture is loaded once.

    `boxes_of` returns these boxes (count, 4) for the box that the data set crops. `box_step` replaces this box; a tight
    one replaces that of a detector.
    """

    def __init__(self, dataset: FaceDataset, boxes_of: BoxesOf, count: int, box_step: Transform | None = None) -> None:
        self.dataset, self.boxes_of, self.count, self.markup = dataset, boxes_of, count, dataset.markup
        self.pipeline = [TightBox() if isinstance(step, DetectedBox) else step for step in dataset.pipeline]
        if box_step is not None:
            self.pipeline.insert(index_of_crop(self.pipeline), box_step)
        self.pipeline.insert(index_of_crop(self.pipeline), self._choose_box)
        self.load = next((step for step in self.pipeline if isinstance(step, LoadImage)), None)
        self.current: tuple[int, FaceRecord] | None = None

    def __len__(self) -> int:
        return len(self.dataset) * self.count

    def face(self, index: int) -> FaceRecord:
        """Return a face with the number of its box."""
        row, number = divmod(index, self.count)
        if self.current is None or self.current[0] != row:
            face = self.dataset.face(row)
            self.current = row, face if self.load is None else self.load(face)
        return self.current[1] | {'number': number}

    def _choose_box(self, sample: FaceRecord) -> FaceRecord:
        boxes = self.boxes_of(np.asarray(crop_box(sample), np.float64), str(sample['id']))
        return sample | {'detection': boxes[sample['number']]}


@torch.no_grad()
def predict_in_boxes(runner: Runner, boxes_of: BoxesOf, count: int, box_step: Transform | None = None) -> Array:
    """Return the landmarks (N, count, K, 2) of the test's faces in `count` boxes each, in the order of their ids.

    The arguments are those of `RecroppedFaces`. All ranks must call it: each predicts its share of the faces.
    """
    loader: Any = runner.test_loop.dataloader
    crops = RecroppedFaces(loader.dataset, boxes_of, count, box_step)
    faces = range(get_rank(), len(loader.dataset), get_world_size())
    share = max(1, (loader.batch_size or 1) // count)
    batches = [
        [face * count + number for face in faces[start : start + share] for number in range(count)]
        for start in range(0, len(faces), share)
    ]
    options = dict(num_workers=loader.num_workers, collate_fn=loader.collate_fn, timeout=loader.timeout)
    recropped: Any = DataLoader(crops, batch_sampler=batches, **options)
    shield_workers_from_signals(recropped)
    runner.model.eval()
    rows: list[tuple[str, Array]] = []
    with translate_worker_errors():
        for batch in track(recropped, 'testing other boxes', len(batches), 'batches/s'):
            predictions = runner.model.test_step(batch)
            landmarks = np.stack([column(prediction['landmarks']) for prediction in predictions])
            landmarks = landmarks.reshape(-1, count, *landmarks.shape[1:])
            rows += zip(batch['data_samples']['id'][::count], landmarks, strict=True)
    return np.stack([landmarks for _, landmarks in merge(gather(rows))])


def only_box(box: Array, name: str) -> Array:
    """Return a box (4,) as the one box (1, 4) of a face."""
    return box[None]
