"""Predict landmarks in any picture and box. Prediction uses the validation pipeline."""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine import Config

from ..datasets import FaceDataset
from ..errors import FacelmkError
from ..faces import Face, Faces
from ..models import FaceLandmarker
from ..registry import FUNCTIONS
from .boxes import Boxes, boxes_in
from .pictures import Picture, is_many, read_picture

Row = tuple[Picture | None, np.ndarray]  # a picture and one box in it


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


class Predictor:
    """Predicts landmarks inside of boxes, with the pipeline, collate and mode 'predict' of validation.

    `landmarker` is the network, `batch_size` the number of crops in one forward pass, `detector` what finds the faces.
    """

    def __init__(self, landmarker: FaceLandmarker, config: Config, batch_size: int = 16, detector: Any = None) -> None:
        self.landmarker, self.config, self.batch_size, self.detector = landmarker, config, batch_size, detector
        landmarker.eval()
        loader = config.get('val_dataloader') or config.get('test_dataloader')
        if loader is None:
            raise FacelmkError(f'{config.filename}: there is no val_dataloader, whose pipeline crops a face. Add one')
        self.dataset = BoxedFaces(landmarker.markup.name, pipeline_of(loader['dataset']))
        collate = dict(loader.get('collate_fn') or {'type': 'collate_faces'})
        self.collate, self.collate_options = FUNCTIONS.get(collate.pop('type')), collate

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        return next(self.landmarker.parameters()).device

    def __repr__(self) -> str:
        return f'Predictor({Path(self.config.filename or "config").stem}, {self.landmarker.markup.name}, {self.device})'

    def __call__(self, images: Any, boxes: Any = None, batch_size: int | None = None) -> Faces | list[Faces]:
        """Return the faces of a picture, or of each of several: one face for each box (x1, y1, x2, y2).

        A picture is a path, a URL, the bytes of a file, an array (H, W, 3) BGR, a PIL image or a tensor (3, H, W) RGB;
        several are a list of them or a tensor (B, 3, H, W), with a list of boxes for each. boxes='full' makes the
        full picture one box.
        """
        if is_many(images):
            if not (boxes is None or isinstance(boxes, str) or len(boxes) == len(images)):
                raise FacelmkError(
                    f'{len(images)} pictures, and boxes for {len(boxes)}. Give a list of boxes for each picture'
                )
            return list(self.stream(images, boxes, batch_size))
        (faces,) = self.stream([images], boxes if boxes is None or isinstance(boxes, str) else [boxes], batch_size)
        return faces

    def stream(
        self,
        images: Iterable[Any],
        boxes: Any = None,
        batch_size: int | None = None,
        skip: Callable[[Any, FacelmkError], None] | None = None,
    ) -> Iterator[Faces]:
        """Yield the faces of one picture after the other, so that a folder need not fit into memory.

        A batch may join several pictures. A picture that cannot be used goes to `skip(picture, error)`; without `skip`
        its error is raised.
        """
        size = batch_size or self.batch_size
        waiting: list[tuple[Faces, Boxes]] = []
        boxes_of_pictures = repeat(boxes) if boxes is None or isinstance(boxes, str) else boxes
        for source, boxes_of_picture in zip(images, boxes_of_pictures):  # noqa: B905  repeat has no end
            try:
                image = read_picture(source)
                waiting.append((Faces(image=image, source=source), boxes_in(boxes_of_picture, *image.shape[1::-1])))
            except FacelmkError as error:
                if skip is None:
                    raise
                skip(source, error)
            if max(len(waiting), sum(len(checked) for _, checked in waiting)) >= size:
                yield from self._fill(waiting, size)
                waiting = []
        yield from self._fill(waiting, size)

    def _fill(self, pictures: Sequence[tuple[Faces, Boxes]], size: int) -> Iterator[Faces]:
        """Put a predicted face for each box into the `Faces` of its picture."""
        rows = [(faces, box) for faces, boxes in pictures for box in boxes]
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            predictions = self._predict([(faces.image, box) for faces, box in part])
            for (faces, box), prediction in zip(part, predictions, strict=True):
                landmarks, scores = prediction['landmarks'].numpy(), prediction['scores'].numpy()
                faces.append(Face(landmarks, scores, box, self.dataset.markup, faces.image))
        yield from (faces for faces, _ in pictures)

    @torch.no_grad()
    def _predict(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        dataset = copy.copy(self.dataset)  # several threads may predict at once
        dataset.rows = rows
        batch = self.collate([dataset[i] for i in range(len(rows))], **self.collate_options)
        return self.landmarker.test_step(batch)


def pipeline_of(dataset: Any) -> Sequence[dict]:
    """Return the pipeline of a data set's config; if it joins others and has none, that of its first member."""
    inner: Any = dataset
    while not inner.get('pipeline'):
        inner = inner.get('dataset') or next(iter(inner.get('datasets') or ()), None)
        if inner is None:
            raise FacelmkError(
                f'val_dataloader.dataset ({dataset.get("type")!r}) has no pipeline. Its CropFace is needed to crop a '
                'face. Define val_pipeline in the config'
            )
    return inner['pipeline']
