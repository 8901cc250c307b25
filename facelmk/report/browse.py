"""Faces of a data set as pictures: in the photograph, and as the network sees them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine import Config
from numpy.typing import NDArray

from ..datasets import FaceDataset
from ..datasets.base import with_defects
from ..datasets.transforms.load import LoadImage
from ..errors import FacelmkError
from ..faces import draw, outline
from ..markups import Markup
from ..registry import DATASETS

Picture = NDArray[np.uint8]
SMALLEST = 320  # pixels that a drawn crop has at least


def dataset_of(config: Config, phase: str, defects: str | None = None) -> FaceDataset:
    """The data set of a phase ('train', 'val', 'test'), without PackFace; `defects` replaces that of its readers."""
    loader = config.get(f'{phase}_dataloader')
    if loader is None:
        raise FacelmkError(f'{config.filename}: there is no {phase}_dataloader; choose another --phase')
    part = loader.dataset.copy()
    part.pop('cache', None)  # a few faces are drawn sooner than a cache of all
    part['pipeline'] = [step for step in part.get('pipeline', ()) if step['type'].rpartition('.')[2] != 'PackFace']
    dataset = DATASETS.build(with_defects(part, defects) if defects else part)
    if not isinstance(dataset, FaceDataset):
        raise FacelmkError(
            f'{config.filename}: {part["type"]} of the {phase}_dataloader is no FaceDataset; name one '
            'that says what a `face` is'
        )
    return dataset


def browse(dataset: FaceDataset, mode: str, count: int | None = None) -> Iterator[tuple[str, Picture]]:
    """Names and pictures of `count` faces spread over a data set: mode 'original', 'augmented' or 'both'."""
    total = len(dataset)
    for index in np.unique(np.linspace(0, total - 1, min(count or total, total)).round().astype(int)).tolist():
        name = str(dataset.face(index)['id'])
        if mode in ('original', 'both'):
            yield f'{name}_original', original(dataset, index)
        if mode in ('augmented', 'both'):
            yield f'{name}_augmented', augmented(dataset, index)


def original(dataset: FaceDataset, index: int) -> Picture:
    """A face in its photograph: box, points (green where visible, red where not) and lines."""
    face = LoadImage()(dataset.face(index))
    return _dotted(outline(face['image'], face['box']), face, face['landmarks'], dataset.markup)


def augmented(dataset: FaceDataset, index: int) -> Picture:
    """A face as the pipeline gives it to the network."""
    sample: dict[str, Any] = dataset[index]
    if 'points' not in sample:
        raise FacelmkError('the pipeline makes no `points`: it has no CropFace; use --mode original')
    times = max(1, -(-SMALLEST // sample['image'].shape[0]))  # points of a small crop would hide it
    image = cv2.resize(sample['image'], None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    return _dotted(image, sample, (sample['points'] + 0.5) * times - 0.5, dataset.markup)


def _dotted(image: Picture, sample: dict[str, Any], points: NDArray, markup: Markup) -> Picture:
    """A face's points on a picture, with lines where every point has a place; joined sets lack some."""
    placed = (sample['visible'] > 0) | (sample['landmarks'] != 0).any(-1)
    return draw(image, points[placed], markup if placed.all() else None, visible=sample['visible'][placed])


def file_name(number: int, name: str) -> Path:
    """A face's name as a file's."""
    return Path(f'{number:04d}_' + ''.join(c if c.isalnum() or c in '-_.' else '_' for c in name)[-100:] + '.jpg')
