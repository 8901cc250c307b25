"""Faces drawn with a few strokes."""

import cv2
import numpy as np

from facelmk.datasets import FaceDataset
from facelmk.geometry import tight_box
from facelmk.registry import DATASETS

MEAN = np.array(
    [[-0.5, -0.3], [-0.2, -0.3], [0.2, -0.3], [0.5, -0.3], [0, 0.1], [-0.3, 0.45], [0.3, 0.45], [0, 0.4], [0, 0.9]]
)


@DATASETS.register_module()
class StrokeFaces(FaceDataset):
    """`count` faces of stream `seed` in mark-up 'nine', on pictures of 96 x 96 pixels."""

    subsets = ('large',)

    def __init__(self, count, seed=0, **others):
        super().__init__('nine', **others)
        self.count, self.seed = count, seed

    def __len__(self):
        return self.count

    def face(self, index):
        rng = np.random.default_rng([self.seed, index])
        radius = rng.uniform(18, 30)
        landmarks = (48 + rng.uniform(-8, 8, 2) + radius * (MEAN + rng.normal(0, 0.03, MEAN.shape))).astype(np.float32)
        image = np.full((96, 96, 3), rng.integers(40, 120, 3), np.uint8)
        centre = landmarks[4].round().astype(int).tolist()
        cv2.ellipse(image, (centre, (2 * radius, 2.4 * radius), 0), (150, 180, 220), -1)
        for x, y in landmarks.round().astype(int).tolist():
            cv2.circle(image, (x, y), 2, (30, 30, 60), -1)
        return dict(
            id=f'stroke/{self.seed}/{index}',
            path='',
            image=image,
            box=tight_box(landmarks),
            norm=None,
            landmarks=landmarks,
            visible=np.ones(9, np.float32),
            tags=('large',) if radius > 24 else (),
        )
