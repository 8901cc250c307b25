"""What FaceLandmarker and FaceDetector share: normalised pictures in, a backbone and a head, mmengine's three modes."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from ..registry import FUNCTIONS, Range, Ranges
from .copying import CopiesWhatIsRead, Keys

Stages = list[Tensor]


class CropNetwork(BaseModel):
    """A backbone and a head over square RGB pictures, whose pixels `mean` and `std` normalise.

    A subclass builds `backbone` and `head`, and defines `loss` and `predict`. With a `precision`, such as
    torch.bfloat16, the layers compute in it where torch's autocast allows; weights, loss and decoding stay float32.
    """

    training_keys: Keys | None = None  # the columns of data_samples that a training step reads; None is all of them
    test_keys: Keys | None = None  # and those of a prediction
    precision: torch.dtype | None = None
    backbone: nn.Module
    head: nn.Module
    ranges: Ranges = {
        'size': (16, 4096),
        'mean': Range(0, 255, length=3),
        'std': Range(1, 255, length=3),  # of levels from 0 to 255, not of shares
    }

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        keys = dict(training_keys=self.training_keys, test_keys=self.test_keys)
        super().__init__(CopiesWhatIsRead(mean, std, bgr_to_rgb=True, **keys))

    def init_weights(self) -> None:
        """Load the backbone's `pretrained` weights, if the config names any. The Runner calls this before training."""
        if source := getattr(self.backbone, 'pretrained', None):
            FUNCTIONS.get('load_pretrained')(self.backbone, source)

    def forward(
        self, inputs: Tensor, data_samples: dict[str, Any] | None = None, mode: str = 'tensor'
    ) -> Stages | dict[str, Tensor] | list[dict[str, Any]]:
        """Run normalised pictures (B, 3, H, W): head stages ('tensor'), losses ('loss') or predictions ('predict')."""
        if mode == 'loss':
            return self.loss(inputs, data_samples or {})
        if mode == 'predict':
            return self.predict(inputs, data_samples or {})
        return self.stages(inputs)

    def stages(self, inputs: Tensor) -> Stages:
        """The stages of the head for normalised pictures."""
        if self.precision is None:
            stages: Stages = self.head(self.backbone(inputs))
            return stages
        with torch.autocast(inputs.device.type, self.precision):
            stages = self.head(self.backbone(inputs))
        return [stage.float() for stage in stages]

    def loss(self, inputs: Tensor, data_samples: dict[str, Any]) -> dict[str, Tensor]:
        """Each term of the loss by name."""
        raise TypeError(f'{type(self).__name__} must define loss()')

    def predict(self, inputs: Tensor, data_samples: dict[str, Any]) -> list[dict[str, Any]]:
        """A dict with the id and the prediction of each picture."""
        raise TypeError(f'{type(self).__name__} must define predict()')
