"""Weights averaged while they are trained, for mmengine's EMAHook."""

import math

import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn

from ..errors import FacelmkError
from ..registry import MODELS


@MODELS.register_module()
class ExpMomentumEMA(ExponentialMovingAverage):
    """An average that follows closely at first: at update t the new weights count (1 - m) exp(-(1 + t) / gamma) + m.

    `dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=2e-4, update_buffers=True, priority=49)` is RTMPose's.
    """

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
            raise FacelmkError(f'ExpMomentumEMA: gamma={gamma}; it is a number of updates and must be above 0')
        super().__init__(model, momentum, interval, device, update_buffers)
        self.gamma, self.share = gamma, 1.0

    def update_parameters(self, model: nn.Module) -> None:
        steps = int(self.steps)  # once: a GPU that is asked for each of its parameters would be waited for each time
        self.share = (1 - self.momentum) * math.exp(-(1 + steps) / self.gamma) + self.momentum
        super().update_parameters(model)

    def avg_func(self, averaged_param: torch.Tensor, source_param: torch.Tensor, steps: int) -> None:
        averaged_param.lerp_(source_param, self.share)
