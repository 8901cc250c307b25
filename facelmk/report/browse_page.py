"""The page of a data set: faces with their points coloured by part, mirrored, and as the network sees them."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import geometry
from ..datasets import FaceDataset, SceneDataset
from ..datasets.defects import short
from ..datasets.transforms.crop import CropFace
from ..datasets.transforms.load import LoadImage
from ..datasets.transforms.pixels import resample
from ..markups import Markup
from .baseline import even_indices, mean_face
from .browse import check_points, shrunk
from .page import Page, Section
from .page.parts import part_key
from .page.photos import (
    box_layer,
    hidden_layer,
    lines_layer,
    numbers_layer,
    photo,
    photo_again,
    points_layer,
    tick_boxes,
)

MOST_FACES = 60
FACES_A_PART = 12
MAX_FIGURES_BYTES = 4_500_000
MAX_PICTURES_BYTES = 1_900_000  # of the JPEGs, which are a third longer as text
PHOTO_PX, PADDING = 320, 1.5  # of the part of the photograph around a face
LAYERS = {'show-points': 'points', 'show-numbers': 'point numbers'}


def browse_page(
    dataset: FaceDataset | SceneDataset, mode: str, count: int | None, title: str, facts: Mapping[str, object]
) -> Page:
    """Return a page with up to `count` faces or scenes at even distances; mode 'original', 'augmented' or 'both'."""
    indices = even_indices(len(dataset), min(count or MOST_FACES, MOST_FACES))
    painter = ScenePainter(dataset, mode, len(indices)) if isinstance(dataset, SceneDataset) else None
    faces = painter or FacePainter(dataset, mode, len(indices))  # type: ignore[arg-type]
    figures = list(_up_to(MAX_FIGURES_BYTES, (faces.figure(number, i) for number, i in enumerate(indices, 1))))
    name = dataset.sample_name
    shown = {f'{name}s': f'{len(figures)} of {len(dataset)}, at even distances'}
    body = tick_boxes(f'{name}s', LAYERS, ('show-points',)) + faces.key() + _parts(figures, name)
    return Page(title, {**facts, **shown, **faces.facts()}, [Section(f'{name}s', f'{name}s'.title(), body, faces.note)])


def _up_to(limit: int, figures: Iterator[str]) -> Iterator[str]:
    """Yield figures until they have `limit` bytes together."""
    total = 0
    for figure in figures:
        total += len(figure)
        if total > limit:
            return
        yield figure


def _parts(figures: Sequence[str], name: str) -> str:
    """Return the figures in parts of FACES_A_PART, with links to each part."""
    starts = range(0, len(figures), FACES_A_PART)
    ends = {start: min(start + FACES_A_PART, len(figures)) for start in starts}
    links = ''.join(f'<a href="#{name}s-{start + 1}">{start + 1} to {ends[start]}</a>' for start in starts)
    parts = [
        f'<h3 id="{name}s-{start + 1}">{start + 1} to {ends[start]} <a href="#top">top</a></h3>'
        f'<div class="gallery wide">{"".join(figures[start : ends[start]])}</div>'
        for start in starts
    ]
    return f'<nav aria-label="Parts">{links if len(starts) > 1 else ""}</nav>{"".join(parts)}'


def _figure(anchor: str, photos: Sequence[str], caption: str, section: str) -> str:
    texts = f'<a href="#{anchor}">{caption}</a> <a class="close" href="#{section}">small again</a>'
    return f'<figure id="{anchor}"><div class="side">{"".join(photos)}</div><figcaption>{texts}</figcaption></figure>'


class FacePainter:
    """Draws faces of a data set: the part of the photograph around the box, this part mirrored, and the crop."""

    def __init__(self, dataset: FaceDataset, mode: str, count: int) -> None:
        self.dataset, self.mode, self.markup = dataset, mode, dataset.markup
        self.limit = min(30_000, MAX_PICTURES_BYTES // max(2 * count, 1))
        self.load, self.crop = LoadImage(), CropFace(PHOTO_PX, PADDING)
        self.seen = np.zeros(self.markup.size, bool)
        self.rows: list[tuple[NDArray, NDArray, NDArray]] = []

    @property
    def note(self) -> str:
        """How to read the pictures."""
        mirrored = (
            ' Beside it is the mirrored face with its points renumbered: each colour must stay on its side of the '
            'picture.'
            if self.markup.pairs and self.mode != 'augmented'
            else ''
        )
        crop = ' The last picture is the crop that the network sees.' if self.mode != 'original' else ''
        return (
            'The points are coloured by part. White lines join them in the order of the landmark scheme, so a wrong '
            f'scheme shows as a zigzag. Rings are points that are not visible.{mirrored}{crop}'
        )

    def key(self) -> str:
        """Return the colours of the parts that were drawn."""
        return part_key(self.markup, self.seen, on_photo=True)

    def facts(self) -> dict[str, str]:
        """Return the landmark scheme, and how much the mean face changes by the mirror."""
        scheme = f'{self.markup.name}, {self.markup.size} points, {len(self.markup.pairs)} mirror pairs'
        change = mirror_change(self.markup, self.rows)
        return {'landmark scheme': scheme} | ({'mirror': change} if change else {})

    def figure(self, number: int, index: int) -> str:
        """Return a face as a figure."""
        face = self.dataset.face(index)
        photos = self._original(face, number) if self.mode in ('original', 'both') else []
        if self.mode in ('augmented', 'both'):
            photos.append(self._augmented(index))
        tags = ', '.join(face['tags'])
        caption = escape(short(str(face['id']))) + (f' {escape(short(tags))}' if tags else '')
        return _figure(f'face-{number}', photos, caption, f'faces-{1 + (number - 1) // FACES_A_PART * FACES_A_PART}')

    def _original(self, face: Mapping[str, Any], number: int) -> list[str]:
        """Return the part of the photograph around a face, and the same mirrored."""
        image = self.load(dict(face))['image']
        warp = self.crop.warp(face['box'], image.shape[1])
        part = np.asarray(resample(image, warp, PHOTO_PX), np.uint8)
        points = geometry.apply(warp, face['landmarks'])
        corners = geometry.apply(warp, np.reshape(face['box'], (2, 2))).reshape(4)
        self.rows.append((face['landmarks'], face['visible'], face['box']))
        name, text = f'photo-{number}', f'face {face["id"]} with its points'
        layers = [box_layer(corners), *self._layers(points, face, PHOTO_PX)]
        photos = [photo(part, layers, text, name, self.limit)]
        if self.markup.pairs:
            mirrored = points[self.markup.mirror] * [-1, 1] + [PHOTO_PX - 1, 0]
            turned = {key: np.asarray(face[key])[self.markup.mirror] for key in ('visible', 'landmarks')}
            layers = self._layers(mirrored, turned, PHOTO_PX)
            photos.append(photo_again(name, PHOTO_PX, PHOTO_PX, layers, f'face {face["id"]}, mirrored'))
        return photos

    def _augmented(self, index: int) -> str:
        """Return the crop that the network sees."""
        sample = self.dataset[index]
        check_points(sample)
        image, factor = shrunk(sample['image'], PHOTO_PX)
        points = (sample['points'] + 0.5) * factor - 0.5
        layers = self._layers(points, sample, image.shape[0])
        return photo(image, layers, f'crop of face {sample["id"]}', limit=self.limit)

    def _layers(self, points: NDArray, face: Mapping[str, Any], size: int) -> list[str]:
        """Return lines, points and numbers; points (K, 2) are in pixels of the picture."""
        visible = np.asarray(face['visible']) > 0
        annotated = visible | (np.asarray(face['landmarks']) != 0).any(-1)
        self.seen |= annotated
        numbers = np.flatnonzero(annotated)
        return [
            lines_layer(points, self.markup, annotated),
            points_layer(points, self.markup, visible),
            hidden_layer(points[annotated & ~visible]),
            numbers_layer(points[annotated], numbers.tolist(), (size, size)),
        ]


def mirror_change(markup: Markup, rows: Sequence[tuple[NDArray, NDArray, NDArray]]) -> str:
    """Say how far the mean face of rows (landmarks, visible, box) lies from its mirrored self, and at which point most.

    It is small for a scheme with right mirror pairs, because the mean of many faces is nearly symmetric.
    """
    if not rows or not markup.pairs:
        return ''
    landmarks, visible, boxes = (np.stack(column) for column in zip(*rows, strict=True))
    known = (visible > 0).any(0) & (visible > 0).any(0)[markup.mirror]
    if not known.any():
        return ''
    face = mean_face(landmarks, visible, boxes)
    middle = face[known, 0].mean()
    change = np.linalg.norm(face - (face[markup.mirror] * [-1, 1] + [2 * middle, 0]), axis=-1)
    change = 100 * np.where(known, change, 0.0)
    worst = int(change.argmax())
    return (
        f'mirrored and renumbered, the mean of these faces moves by {change[known].mean():.1f} % of the box, point '
        f'{worst} most, by {change[worst]:.1f} %'
    )


class ScenePainter:
    """Draws scenes of a detector's data set with the boxes of their faces."""

    note = 'A white box is a face. A dashed box is ignored in training and test. The last picture is the crop.'

    def __init__(self, dataset: SceneDataset, mode: str, count: int) -> None:
        self.dataset, self.mode = dataset, mode
        self.limit = min(40_000, MAX_PICTURES_BYTES // max(2 * count, 1))

    def key(self) -> str:
        """Return nothing: boxes have no parts."""
        return ''

    def facts(self) -> dict[str, str]:
        """Return nothing: scenes have no landmark scheme."""
        return {}

    def figure(self, number: int, index: int) -> str:
        """Return a scene as a figure."""
        scene = LoadImage()(self.dataset.scene(index))
        photos = []
        if self.mode in ('original', 'both'):
            photos.append(self._photo(scene['image'], scene['boxes'], scene['ignored'], f'scene {scene["id"]}'))
        if self.mode in ('augmented', 'both'):
            sample: dict[str, Any] = self.dataset[index]
            text = f'crop of scene {scene["id"]}'
            photos.append(self._photo(sample['image'], sample['crop_boxes'], sample['ignored'], text))
        section = f'scenes-{1 + (number - 1) // FACES_A_PART * FACES_A_PART}'
        return _figure(f'scene-{number}', photos, escape(short(str(scene['id']))), section)

    def _photo(self, image: NDArray[np.uint8], boxes: NDArray, ignored: NDArray, text: str) -> str:
        image, factor = shrunk(image, 480)
        layers = [
            box_layer(np.asarray(box) * factor, 'ignored' if is_ignored else 'box')
            for box, is_ignored in zip(boxes, ignored, strict=True)
        ]
        return photo(image, layers, text, limit=self.limit)
