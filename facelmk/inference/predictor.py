"""Landmarks of any picture and box, on the road that validation takes."""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine import Config

from ..checkpoint import load_checkpoint, load_pretrained
from ..config import config_names, load_config
from ..datasets import FaceDataset
from ..errors import FacelmkError, MissingResource
from ..faces import Face, Faces
from ..models import FaceLandmarker
from ..registry import FUNCTIONS, MODELS
from .boxes import Boxes, boxes_in
from .pictures import Picture, is_many, read_picture

Row = tuple[Picture | None, np.ndarray]  # a photograph and one box in it


class BoxedFaces(FaceDataset):
    """Boxes in photographs as a data set: faces whose landmarks nobody knows yet."""

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
    """Finds landmarks around given boxes, by the pipeline, collate and mode 'predict' of validation.

    `landmarker` is the network, `batch_size` how many crops it takes at once.
    """

    def __init__(self, landmarker: FaceLandmarker, config: Config, batch_size: int = 16) -> None:
        self.landmarker, self.config, self.batch_size = landmarker, config, batch_size
        landmarker.eval()
        loader = config.get('val_dataloader') or config.get('test_dataloader')
        if loader is None:
            raise FacelmkError(f'{config.filename}: there is no val_dataloader, whose pipeline says how to crop a face')
        self.dataset = BoxedFaces(landmarker.markup.name, pipeline_of(loader['dataset']))
        collate = dict(loader.get('collate_fn') or {'type': 'collate_faces'})
        self.collate, self.options = FUNCTIONS.get(collate.pop('type')), collate

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.landmarker.parameters()).device

    def __repr__(self) -> str:
        return f'Predictor({Path(self.config.filename or "config").stem}, {self.landmarker.markup.name}, {self.device})'

    def __call__(self, images: Any, boxes: Any = None, batch_size: int | None = None) -> Faces | list[Faces]:
        """The faces of a picture, or of each of several: one face a box (x1, y1, x2, y2).

        A picture is a path, a URL, the bytes of a file, an array (H, W, 3) BGR, a PIL image or a tensor (3, H, W) RGB;
        several are a list of them or a tensor (B, 3, H, W), with a list of boxes for each. boxes='full' takes a
        picture whole as one box.
        """
        if is_many(images):
            if not (boxes is None or isinstance(boxes, str) or len(boxes) == len(images)):
                raise FacelmkError(f'{len(images)} pictures, and boxes for {len(boxes)}; give each its list of boxes')
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
        """The faces of each picture in turn, so that a folder need not fit into memory; batches join pictures.

        A picture that cannot be used is told to `skip(picture, error)` and left out; without it the error is raised.
        """
        size = batch_size or self.batch_size
        held: list[tuple[Faces, Boxes]] = []
        around = repeat(boxes) if boxes is None or isinstance(boxes, str) else boxes
        for source, given in zip(images, around):  # noqa: B905  repeat has no end
            try:
                image = read_picture(source)
                held.append((Faces(image=image, source=source), boxes_in(given, *image.shape[1::-1])))
            except FacelmkError as error:
                if skip is None:
                    raise
                skip(source, error)
            if max(len(held), sum(len(found) for _, found in held)) >= size:
                yield from self._fill(held, size)
                held = []
        yield from self._fill(held, size)

    def _fill(self, held: Sequence[tuple[Faces, Boxes]], size: int) -> Iterator[Faces]:
        rows = [(faces, box) for faces, boxes in held for box in boxes]
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            for (faces, box), found in zip(
                part, self._predict([(faces.image, box) for faces, box in part]), strict=True
            ):
                faces.append(
                    Face(found['landmarks'].numpy(), found['scores'].numpy(), box, self.dataset.markup, faces.image)
                )
        yield from (faces for faces, _ in held)

    @torch.no_grad()
    def _predict(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        dataset = copy.copy(self.dataset)  # several threads may ask
        dataset.rows = rows
        batch = self.collate([dataset[i] for i in range(len(rows))], **self.options)
        return self.landmarker.test_step(batch)


def load(
    config: str | Path | Config,
    weights: str | Path | None = None,
    device: str | torch.device | None = None,
    flip_test: bool | None = None,
    pretrained: str | Path | bool | None = None,
    batch_size: int = 16,
) -> Predictor:
    """A Predictor of a config (a path, a name, or a loaded one) with weights (a path, a URL, a config's name).

    Without `weights` the config's published ones are fetched. `device` is a GPU where there is one. `flip_test`
    replaces the config's word on averaging with the mirrored crop. `pretrained` fills the backbone alone, with weights
    that it names, or nothing where it is False: for networks that are yet to be trained.
    """
    config = config if isinstance(config, Config) else load_config(config)
    place = find_device(device)
    landmarker = MODELS.build(config.model)
    if flip_test is not None:
        landmarker.flip_test = flip_test
    source = weights_for(config, weights) if weights is not None or pretrained is None else None
    if source is not None:
        load_checkpoint(landmarker, source)
    elif isinstance(pretrained, (str, Path)):
        load_pretrained(landmarker.backbone, pretrained)
    return Predictor(landmarker.to(place), config, batch_size)


def weights_for(config: Config, weights: str | Path | None = None) -> str | Path:
    """Where the weights are: as given, those of the config that is named, or those that the config publishes."""
    if weights is not None and (Path(weights).is_file() or str(weights) not in config_names()):
        return weights
    named = config if weights is None else load_config(weights)
    result = named.get('result') or {}
    if (published := result.get('checkpoint')) is None:
        name = named.filename or 'this config'
        if 'checkpoint_page' in result:
            raise MissingResource(
                f'the weights of {name} lie behind a page that no program can ask: '
                f'{result["checkpoint_page"]}. Fetch them there and give their path'
            )
        raise MissingResource(
            f'{name} names no published weights; give the path or URL of a checkpoint that '
            'was trained with it, or pretrained=False for a network that has learnt nothing'
        )
    return published


def find_device(device: str | torch.device | None = None) -> torch.device:
    """The device that is meant; the GPU if there is one where nothing is said."""
    try:
        place = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
    except RuntimeError as error:
        raise FacelmkError(f"device={device!r} is none; expected 'cpu', 'cuda' or 'cuda:0'") from error
    if place.type == 'cuda' and (place.index or 0) >= torch.cuda.device_count():
        raise MissingResource(f"device={device!r}: torch sees {torch.cuda.device_count()} GPUs here. Use device='cpu'")
    return place


def pipeline_of(dataset: Any) -> Sequence[dict]:
    """The pipeline of a data set's config, or of the first one inside a set of sets."""
    inside: Any = dataset
    while not inside.get('pipeline'):
        inside = inside.get('dataset') or next(iter(inside.get('datasets') or ()), None)
        if inside is None:
            raise FacelmkError(
                f'the data set {dataset.get("type")!r} of validation has no pipeline; its CropFace says '
                'how to crop a face'
            )
    return inside['pipeline']
