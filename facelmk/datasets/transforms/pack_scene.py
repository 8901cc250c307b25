"""The last step of a pipeline of scenes: what the detector reads, and the boxes beside it."""

from typing import Any

import torch
from mmcv.transforms import BaseTransform

from ...errors import FacelmkError
from ...registry import TRANSFORMS
from ..base import FaceRecord
from .pack import split_channels


@TRANSFORMS.register_module()
class PackScene(BaseTransform):
    """Returns {'inputs': uint8 tensor (3, S, S), 'data_samples': the boxes}, as `collate_scenes` expects it."""

    keys = ('id', 'boxes', 'crop_boxes', 'ignored', 'warp', 'tags')

    def transform(self, scene: FaceRecord) -> dict[str, Any]:
        if 'crop_boxes' not in scene:
            raise FacelmkError(
                'PackScene got a scene without crop_boxes. Expected LoadImage and FitScene before it in the pipeline'
            )
        channels_first = split_channels(scene['image'])
        return {'inputs': torch.from_numpy(channels_first), 'data_samples': {key: scene[key] for key in self.keys}}
