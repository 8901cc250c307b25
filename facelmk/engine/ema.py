"""An exponential moving average of the weights, for mmengine's EMAHook."""

import math

import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn

from ..errors import FacelmkError
from ..registry import MODELS


@MODELS.register_module()
class ExpMomentumEMA(ExponentialMovingAverage):
    """An average that follows the weights closely at first.

    At update t the new weights have the weight (1 - momentum) * exp(-(1 + t) / gamma) + momentum. RTMPose uses it as
    `dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=2e-4, update_buffers=True, priority=49)`.
    """

    ranges = {'gamma': (0, 1_000_000, True)}

    def __init__(
        self,
        model: nn.Module,
        momentum: float = 2e-4,
        gamma: float = 2000,
        interval: int = 1,
        device: torch.device | None = None,
        update_buffers: bool = False,
    ) -> None:
        if gamma <= 0:
            raise FacelmkError(f'ExpMomentumEMA.gamma={gamma}. Expected a number of updates above 0. RTMPose uses 2000')
        super().__init__(model, momentum, interval, device, update_buffers)
        self.gamma, self.new_weight = gamma, 1.0

    def update_parameters(self, model: nn.Module) -> None:
        steps = int(self.steps)  # read here, once: each read waits for the GPU
        self.new_weight = (1 - self.momentum) * math.exp(-(1 + steps) / self.gamma) + self.momentum
        super().update_parameters(model)

    def avg_func(self, averaged_param: torch.Tensor, source_param: torch.Tensor, steps: int) -> None:
        averaged_param.lerp_(source_param, self.new_weight)
