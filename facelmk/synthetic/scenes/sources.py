"""Pictures of annotated faces, from which scenes take their faces, and regions that contain no face."""

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...datasets.base import FaceDataset
from ...datasets.images.decode import read_image
from ...geometry import exact_box
from .paste import Pyramid

Image = np.ndarray
FACE_PX = 144  # the longer side of a face that is kept in memory; larger pictures are reduced
KEPT_PICTURES = 4096  # in the memory of each process
MIN_SIDE_PX = 12  # of a region without a face


@dataclass(frozen=True)
class Portrait:
    """A picture (H, W, 3) of one face, its landmarks (K, 2) and the tight box (4,) around them."""

    image: Image
    landmarks: NDArray[np.float32]
    box: NDArray[np.float32]

    @functools.cached_property
    def pyramid(self) -> Pyramid:
        """The picture and its halves."""
        return Pyramid(self.image)

    @property
    def side(self) -> float:
        """The longer side of the face in pixels."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))


class Portraits:
    """The pictures of a data set of faces. Those from files are reduced to faces of `face_px` and kept in memory."""

    def __init__(self, dataset: FaceDataset, face_px: float = FACE_PX) -> None:
        self.dataset, self.face_px = dataset, face_px
        self._kept: dict[int, Portrait] = {}

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Portrait:
        if index in self._kept:
            return self._kept[index]
        face = self.dataset.face(index)
        if 'image' in face:
            return _portrait(face, face['image'])
        portrait = _reduced(_portrait(face, read_image(face['path'])), self.face_px)
        if len(self._kept) < KEPT_PICTURES:
            self._kept[index] = portrait
        return portrait

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_kept': {}}  # each worker fills its own memory


def _portrait(face: dict[str, Any], image: Image) -> Portrait:
    visible = face['visible'] > 0
    landmarks = face['landmarks'][visible] if visible.any() else face['landmarks']
    return Portrait(image, landmarks, exact_box(landmarks))


def _reduced(portrait: Portrait, face_px: float) -> Portrait:
    """Return a portrait whose face is not larger than scenes need it."""
    factor = face_px / max(portrait.side, 1)
    if factor >= 1:
        return portrait
    image = cv2.resize(portrait.image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    landmarks = ((portrait.landmarks + 0.5) * factor - 0.5).astype(np.float32)
    return Portrait(image, landmarks, exact_box(landmarks))


def clothes_or_hair(portrait: Portrait, rng: np.random.Generator) -> Image | None:
    """Return the clothes below a face or the hair above it; None if the picture shows too little of them."""
    height, width = portrait.image.shape[:2]
    side = portrait.box[3] - portrait.box[1]
    below, above = int(portrait.box[3] + 0.12 * side), int(portrait.box[1] - 0.22 * side)
    rows = slice(max(below, 0), height) if rng.random() < 0.75 else slice(0, max(above, 0))
    region = portrait.image[rows]
    if region.shape[0] < MIN_SIDE_PX or width < MIN_SIDE_PX:
        return None
    cut_h = int(rng.uniform(0.5, 1) * region.shape[0])
    cut_w = int(rng.uniform(0.3, 1) * width)
    top, left = int(rng.integers(0, region.shape[0] - cut_h + 1)), int(rng.integers(0, width - cut_w + 1))
    return region[top : top + max(cut_h, 1), left : left + max(cut_w, 1)]


def face_region(portrait: Portrait, low: tuple[float, float], high: tuple[float, float]) -> Image | None:
    """Return the part of a face between two corners, as shares of its tight box."""
    size = portrait.box[2:] - portrait.box[:2]
    x1, y1 = np.maximum(portrait.box[:2] + np.array(low) * size, 0).astype(int)
    x2, y2 = np.minimum(portrait.box[:2] + np.array(high) * size, portrait.image.shape[1::-1]).astype(int)
    return portrait.image[y1:y2, x1:x2] if min(x2 - x1, y2 - y1) >= 6 else None
