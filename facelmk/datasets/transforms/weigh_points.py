"""Points that count more than others in training."""

import numpy as np
from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS
from ..base import FaceRecord


@TRANSFORMS.register_module()
class WeighPoints(BaseTransform):
    """Lets each visible point count in the loss as much as its mark-up says (`Markup.weights`), by its `visible`.

    MMPose's use_dataset_keypoint_weights. For training alone: metrics ask whether a point is visible, not how much.
    """

    def transform(self, sample: FaceRecord) -> FaceRecord:
        if sample['markup'].weights:
            sample['visible'] = sample['visible'] * np.asarray(sample['markup'].weights, np.float32)
        return sample
