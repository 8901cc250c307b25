"""Find faces in any picture and predict their landmarks. Prediction uses the validation pipeline."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine import Config

from ..datasets.base import FaceDataset, pipeline_of
from ..errors import FacelmkError
from ..models import FaceLandmarker
from ..registry import FUNCTIONS
from .detectors import Detector, find_detector
from .forks import use_one_thread_if_forked
from .stream import PicturePredictor, Row


class BoxedFaces(FaceDataset):
    """A data set of boxes in pictures: faces without known landmarks."""

    def __init__(self, markup: str, pipeline: Sequence[dict]) -> None:
        super().__init__(markup, pipeline)
        self.rows: Sequence[Row] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def face(self, index: int) -> dict[str, Any]:
        image, box = self.rows[index]
        K = self.markup.size
        return {
            'id': index,
            'path': '',
            'image': image,
            'box': box,
            'landmarks': np.zeros((K, 2), np.float32),
            'visible': np.zeros(K, np.float32),
            'norm': None,
            'tags': (),
        }


class Predictor(PicturePredictor):
    """Finds faces and predicts their landmarks, with the pipeline, collate and mode 'predict' of validation.

    `landmarker` is the network, `batch_size` the number of crops in one forward pass. `detector` finds the faces: see
    `find_detector`; it is built on first use. `speed` says how the network was made faster, if it was.
    """

    def __init__(
        self, landmarker: FaceLandmarker, config: Config, batch_size: int = 16, detector: Any = None, speed: Any = None
    ) -> None:
        super().__init__(landmarker.markup, batch_size, detector)
        self.landmarker, self.config, self.speed = landmarker, config, speed
        landmarker.eval()
        loader = config.get('val_dataloader') or config.get('test_dataloader')
        if loader is None:
            raise FacelmkError(f'{config.filename}: there is no val_dataloader, whose pipeline crops a face. Add one')
        self.dataset = BoxedFaces(landmarker.markup.name, pipeline_of(loader.get('dataset') or {}))
        collate = dict(loader.get('collate_fn') or {'type': 'collate_faces'})
        self.collate, self.collate_options = FUNCTIONS.get(collate.pop('type')), collate

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        return next(self.landmarker.parameters()).device

    def __repr__(self) -> str:
        parts = [Path(self.config.filename or 'config').stem, self.landmarker.markup.name, self.device]
        parts += [] if self.speed is None else [self.speed]
        return f'Predictor({", ".join(map(str, parts))})'

    def find_detector(self, spec: Any) -> Detector:
        return find_detector(spec)

    @torch.no_grad()
    def predict_boxes(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        use_one_thread_if_forked()
        dataset = copy.copy(self.dataset)  # several threads may predict at once
        dataset.rows = rows
        batch = self.collate([dataset[i] for i in range(len(rows))], **self.collate_options)
        return self.landmarker.test_step(batch)
