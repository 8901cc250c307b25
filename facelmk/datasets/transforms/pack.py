"""The last step of a pipeline: what the network reads, and the annotation beside it."""

from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from ...errors import FacelmkError
from ...registry import TRANSFORMS
from ..base import FaceRecord


def split_channels(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture (S, S, 3) as (3, S, S), eight times as fast as a transposed copy."""
    planes = np.empty((image.shape[2], *image.shape[:2]), np.uint8)
    made = cv2.split(image, list(planes))
    return planes if np.may_share_memory(made[0], planes) else np.stack(made)  # OpenCV may use other memory


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
        channels_first = split_channels(sample['image'])
        annotation = {key: sample[key] for key in self.keys}
        annotation |= {'detection': sample.get('detection', sample['box']), 'path': sample.get('path') or ''}
        return {'inputs': torch.from_numpy(channels_first), 'data_samples': annotation}
