"""Points that have different weights in training."""

import numpy as np
from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS
from ..base import FaceRecord


@TRANSFORMS.register_module()
class WeighPoints(BaseTransform):
    """Multiplies `visible` by the weights of the landmark scheme (`Markup.weights`), which the loss then uses.

    This is MMPose's use_dataset_keypoint_weights. Use it in training only: metrics read `visible` as yes or no.
    """

    reads_pixels = False

    def transform(self, sample: FaceRecord) -> FaceRecord:
        if sample['markup'].weights:
            sample['visible'] = sample['visible'] * np.asarray(sample['markup'].weights, np.float32)
        return sample
