"""A change of the light."""

import numpy as np
from mmcv.transforms import BaseTransform

from facelmk.registry import TRANSFORMS


@TRANSFORMS.register_module()
class Dusk(BaseTransform):
    """Darkens a crop by up to the share `most`."""

    def __init__(self, most=0.5):
        self.most = most

    def transform(self, sample):
        sample['image'] = (sample['image'] * (1 - self.most * sample['rng'].random())).astype(np.uint8)
        return sample
