"""Find faces in any picture and predict their landmarks. Prediction uses the validation pipeline."""

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
from .boxes import AUTO, FULL, boxes_in, is_usable
from .detectors import Detector, find_detector
from .pictures import Picture, is_many, read_picture
from .refine import Candidate, passes_of, select, warn_if_not_full
from .refine import refine as refine_boxes

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
    """Finds faces and predicts their landmarks, with the pipeline, collate and mode 'predict' of validation.

    `landmarker` is the network, `batch_size` the number of crops in one forward pass. `detector` finds the faces: see
    `find_detector`; it is built on first use.
    """

    def __init__(self, landmarker: FaceLandmarker, config: Config, batch_size: int = 16, detector: Any = None) -> None:
        self.landmarker, self.config, self.batch_size = landmarker, config, batch_size
        self._detector: Any = detector
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

    @property
    def detector(self) -> Detector:
        """The detector for pictures without boxes."""
        if not isinstance(self._detector, Detector):
            self._detector = find_detector(self._detector)
        return self._detector

    @detector.setter
    def detector(self, detector: Any) -> None:
        self._detector = detector

    def __repr__(self) -> str:
        return f'Predictor({Path(self.config.filename or "config").stem}, {self.landmarker.markup.name}, {self.device})'

    def __call__(
        self,
        images: Any,
        boxes: Any = None,
        batch_size: int | None = None,
        detector: Any = None,
        refine: int | None = None,
        min_score: float | None = None,
    ) -> Faces | list[Faces]:
        """Return the faces of a picture, or of each of several.

        A picture is a path, a URL, the bytes of a file, an array (H, W, 3) BGR, a PIL image or a tensor (3, H, W) RGB;
        several are a list of them or a tensor (B, 3, H, W), with a list of boxes for each. Without `boxes`, or with
        'auto', the detector finds the faces; boxes (x1, y1, x2, y2) give one face each; 'full' makes the full picture
        one box. The other arguments are those of `stream`.
        """
        options = dict(detector=detector, refine=refine, min_score=min_score)
        one_for_all = boxes is None or isinstance(boxes, str)
        if is_many(images):
            if not (one_for_all or len(boxes) == len(images)):
                raise FacelmkError(
                    f'{len(images)} pictures, and boxes for {len(boxes)}. Give a list of boxes for each picture'
                )
            return list(self.stream(images, boxes, batch_size, **options))
        (faces,) = self.stream([images], boxes if one_for_all else [boxes], batch_size, **options)
        return faces

    def stream(
        self,
        images: Iterable[Any],
        boxes: Any = None,
        batch_size: int | None = None,
        skip: Callable[[Any, FacelmkError], None] | None = None,
        detector: Any = None,
        refine: int | None = None,
        min_score: float | None = None,
    ) -> Iterator[Faces]:
        """Yield the faces of one picture after the other, so that a folder need not fit into memory.

        A batch may join several pictures. A picture that cannot be used goes to `skip(picture, error)`; without `skip`
        its error is raised. `detector` replaces the model's own. `refine` is how often a face is cropped again around
        its landmarks (default: up to 2 times for detected faces, not at all for boxes that you give). Faces with a
        score below `min_score` are left out (default: 0.2 for detected faces of a network with a calibration).
        """
        size = batch_size or self.batch_size
        passes_of(refine, self.dataset.markup, detected=True)  # a wrong number is no fault of a picture
        find = None if detector is None else find_detector(detector)
        waiting: list[tuple[Faces, list[Candidate]]] = []
        boxes_of_pictures = repeat(boxes) if boxes is None or isinstance(boxes, str) else boxes
        for source, boxes_of_picture in zip(images, boxes_of_pictures):  # noqa: B905  repeat has no end
            try:
                image = read_picture(source)
                faces = Faces(image=image, source=source)
                waiting.append((faces, self._candidates(faces, image, boxes_of_picture, find, refine)))
            except FacelmkError as error:
                if skip is None:
                    raise
                skip(source, error)
            if max(len(waiting), sum(len(candidates) for _, candidates in waiting)) >= size:
                yield from self._fill(waiting, size, min_score)
                waiting = []
        yield from self._fill(waiting, size, min_score)

    def _candidates(
        self, faces: Faces, image: Picture, boxes: Any, find: Detector | None, refine: int | None
    ) -> list[Candidate]:
        """Return a candidate for each box of a picture: the detector's, those of the user, or the full picture."""
        height, width = image.shape[:2]
        detected = boxes is None or (isinstance(boxes, str) and boxes == AUTO)
        if find is not None and not detected:
            raise FacelmkError('boxes and a detector are given. Expected one of them alone')
        passes = passes_of(refine, self.dataset.markup, detected)
        if not detected:
            full = isinstance(boxes, str) and boxes == FULL
            return [Candidate(faces, box, passes, full=full) for box in boxes_in(boxes, width, height)]
        found = zip(*(find or self.detector)(image), strict=True)
        return [
            Candidate(faces, box, passes, float(score))
            for box, score in found
            if is_usable(box.tolist(), width, height)
        ]

    def _fill(
        self, pictures: Sequence[tuple[Faces, list[Candidate]]], size: int, min_score: float | None
    ) -> Iterator[Faces]:
        """Put the faces that are predicted and chosen into the `Faces` of their picture."""

        def predict(candidates: Sequence[Candidate]) -> None:
            for start in range(0, len(candidates), size):
                part = candidates[start : start + size]
                predictions = self._predict([(one.faces.image, one.box) for one in part])
                for one, prediction in zip(part, predictions, strict=True):
                    one.prediction = prediction

        everything = [one for _, candidates in pictures for one in candidates]
        predict(everything)
        refine_boxes(everything, predict)
        for faces, candidates in pictures:
            warn_if_not_full(candidates)
            faces.extend(map(self._face, select(candidates, min_score)))
            yield faces

    def _face(self, one: Candidate) -> Face:
        arrays = {
            name: one.prediction[name].numpy() for name in ('landmarks', 'scores', 'errors') if name in one.prediction
        }
        score = one.prediction.get('score')
        return Face(
            **arrays,
            box=one.box,
            markup=self.dataset.markup,
            image=one.faces.image,
            score=None if score is None else float(score),
        )

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
