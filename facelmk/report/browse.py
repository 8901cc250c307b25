"""Draw faces or scenes of a data set: in the photograph, and as the network sees them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine import Config
from numpy.typing import NDArray

from ..datasets import FaceDataset, SceneDataset
from ..datasets.base import build_steps, with_reader_options
from ..datasets.transforms.load import LoadImage
from ..errors import FacelmkError
from ..faces import RED, draw, outline
from ..markups import Markup
from ..registry import DATASETS
from .baseline import even_indices

Picture = NDArray[np.uint8]
PACKING = ('PackFace', 'PackScene')  # the last step of a pipeline
MIN_SIDE_PX = 320  # of a drawn crop


def dataset_of(config: Config, phase: str, defects: str | None = None) -> FaceDataset:
    """Build the faces of a phase ('train', 'val', 'test') without PackFace; `defects` replaces its readers' own."""
    dataset = samples_of(config, phase, defects)
    if not isinstance(dataset, FaceDataset):
        raise FacelmkError(
            f'{config.filename}: {phase}_dataloader.dataset is a {type(dataset).__name__}. Expected a FaceDataset, '
            'which has a method `face`. Choose another --phase'
        )
    return dataset


def samples_of(config: Config, phase: str, defects: str | None = None) -> FaceDataset | SceneDataset:
    """Build the faces or scenes of a phase without the step that packs them."""
    loader = config.get(f'{phase}_dataloader')
    if loader is None:
        raise FacelmkError(f'{config.filename}: there is no {phase}_dataloader. Choose another --phase')
    config_part = loader.dataset.copy()
    config_part.pop('cache', None)  # a cache of all faces takes longer than drawing a few
    steps = config_part.get('pipeline', ())
    config_part['pipeline'] = [step for step in steps if step['type'].rpartition('.')[2] not in PACKING]
    dataset = DATASETS.build(with_reader_options(config_part, defects=defects) if defects else config_part)
    if not isinstance(dataset, (FaceDataset, SceneDataset)):
        raise FacelmkError(
            f'{config.filename}: {phase}_dataloader.dataset is a {config_part["type"]}. Expected a FaceDataset or '
            'a SceneDataset. Choose another --phase'
        )
    return dataset


def with_usual_crop(dataset: FaceDataset) -> FaceDataset:
    """Return faces of a file with a pipeline that shows them as a training could see them."""
    turn = dict(flip=0.5 if dataset.markup.pairs else 0.0, rotate=20, scale=(0.85, 1.2), shift=0.06)
    dataset.pipeline = build_steps([dict(type='LoadImage'), dict(type='CropFace', size=MIN_SIDE_PX, **turn)])
    return dataset


def browse(dataset: FaceDataset | SceneDataset, mode: str, count: int | None = None) -> Iterator[tuple[str, Picture]]:
    """Yield names and pictures of `count` faces or scenes at even distances; mode 'original', 'augmented' or 'both'."""
    for index in even_indices(len(dataset), count or len(dataset)):
        name = str(_record(dataset, index)['id'])
        if mode in ('original', 'both'):
            yield f'{name}_original', original(dataset, index)
        if mode in ('augmented', 'both'):
            yield f'{name}_augmented', augmented(dataset, index)


def shrunk(image: Picture, side: int) -> tuple[Picture, float]:
    """Return an image whose longer side has at most `side` pixels, and the factor to its size."""
    factor = min(1.0, side / max(image.shape[:2]))
    smaller = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else image
    return np.asarray(smaller, np.uint8), factor


def check_points(sample: dict[str, Any]) -> None:
    """Refuse a sample of a pipeline that makes no crop."""
    if 'points' not in sample:
        raise FacelmkError('the pipeline has no CropFace, so there are no `points`. Add one, or use --mode original')


def _record(dataset: FaceDataset | SceneDataset, index: int) -> dict[str, Any]:
    return dataset.face(index) if isinstance(dataset, FaceDataset) else dataset.scene(index)


def original(dataset: FaceDataset | SceneDataset, index: int) -> Picture:
    """Draw a face in its photograph: box, lines, and points (green if visible, red if not); or a scene with boxes."""
    if isinstance(dataset, SceneDataset):
        scene = LoadImage()(dataset.scene(index))
        return _draw_boxes(scene['image'], scene['boxes'], scene['ignored'])
    face = LoadImage()(dataset.face(index))
    return _draw_points(outline(face['image'], face['box']), face, face['landmarks'], dataset.markup)


def augmented(dataset: FaceDataset | SceneDataset, index: int) -> Picture:
    """Draw a face or a scene as the network sees it."""
    sample: dict[str, Any] = dataset[index]
    if isinstance(dataset, SceneDataset):
        return _draw_boxes(sample['image'], sample['crop_boxes'], sample['ignored'])
    check_points(sample)
    scale = max(1, -(-MIN_SIDE_PX // sample['image'].shape[0]))  # in a small crop, the points would hide the face
    image = cv2.resize(sample['image'], None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    return _draw_points(image, sample, (sample['points'] + 0.5) * scale - 0.5, dataset.markup)


def _draw_boxes(image: Picture, boxes: NDArray, ignored: NDArray) -> Picture:
    """Draw the boxes of faces in white, and those of ignored ones in red."""
    for box, is_ignored in zip(boxes, ignored, strict=True):
        image = outline(image, box, *([RED] if is_ignored else []))
    return image


def _draw_points(image: Picture, sample: dict[str, Any], points: NDArray, markup: Markup) -> Picture:
    """Draw a face's points, with lines if every point is annotated; in joined data sets some are not."""
    annotated = (sample['visible'] > 0) | (sample['landmarks'] != 0).any(-1)
    return draw(image, points[annotated], markup if annotated.all() else None, visible=sample['visible'][annotated])


def file_name(number: int, name: str) -> Path:
    """Return a file name for a face."""
    return Path(f'{number:04d}_' + ''.join(c if c.isalnum() or c in '-_.' else '_' for c in name)[-100:] + '.jpg')
