"""The last step of a pipeline: what the network reads, and the annotation beside it."""

from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform

from ...errors import FacelmkError
from ...registry import TRANSFORMS
from ..base import FaceRecord


@TRANSFORMS.register_module()
class PackFace(BaseTransform):
    """Returns {'inputs': uint8 tensor (3, S, S), 'data_samples': the annotation}, as `collate_faces` expects it.

    `detection` is the detected box of a face, NaN if a detector has missed it; without a detector it is its `box`.
    `path` is the photograph, '' if there is no file.
    """

    keys = ('id', 'points', 'visible', 'warp', 'landmarks', 'box', 'norm', 'tags')

    def transform(self, sample: FaceRecord) -> dict[str, Any]:
        if 'points' not in sample:
            raise FacelmkError(
                'PackFace got a face without points. Expected LoadImage and CropFace before it in the pipeline'
            )
        channels_first = np.stack(cv2.split(sample['image']))  # three times as fast as a transposed copy
        annotation = {key: sample[key] for key in self.keys}
        annotation |= {'detection': sample.get('detection', sample['box']), 'path': sample.get('path') or ''}
        return {'inputs': torch.from_numpy(channels_first), 'data_samples': annotation}
