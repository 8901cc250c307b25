"""Photographs made of noise, with faces in their middle, at their borders and partly outside."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from facelmk.datasets.base import FaceDataset

BOXES = [  # in a photograph of 120 x 90 pixels
    [40, 30, 70, 60],
    [0, 0, 25, 30],
    [95, 60, 119, 89],
    [-20, 50, 20, 100],
    [50, 40, 60, 48],
    [10, 10, 110, 85],
    [200, 200, 230, 240],
]


def noise(width: int = 120, height: int = 90, seed: int = 0) -> Image.Image:
    """A picture with structure of all sizes, as a photograph has it."""
    rng = np.random.default_rng(seed)
    layers = [
        np.asarray(Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).resize((width, height)), float)
        for side in (3, 9, 40)
    ]
    return Image.fromarray(np.mean(layers, 0).astype(np.uint8))


def encode(picture: Image.Image, kind: str = 'JPEG', **options) -> bytes:
    """The bytes of a picture file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


class Photographed(FaceDataset):
    """Faces with WFLW's points in four JPEGs; some of them have the box of a detector."""

    def __init__(self, folder: Path, pipeline=()) -> None:
        self.folder = folder
        super().__init__('wflw', pipeline)

    @staticmethod
    def write(folder: Path) -> None:
        for number in range(4):
            (folder / f'{number}.jpg').write_bytes(encode(noise(seed=number), quality=85))

    def __len__(self) -> int:
        return len(BOXES)

    def face(self, index: int) -> dict:
        box = np.array(BOXES[index], np.float32)
        landmarks = np.random.default_rng(index).uniform(box[:2], box[2:], (98, 2)).astype(np.float32)
        face = dict(id=f'{index}', path=str(self.folder / f'{index % 4}.jpg'), box=box, landmarks=landmarks)
        face |= dict(visible=np.ones(98, np.float32), norm=None, tags=())
        if index % 3 == 1:
            face['detection'] = box + np.float32([3, -4, 5, 2])
        if index % 3 == 2:
            face['detection'] = np.full(4, np.nan, np.float32)
        return face
