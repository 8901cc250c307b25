"""Mixed precision, on a CPU too."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine import optim
from torch import nn

from ..registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(optim.AmpOptimWrapper):
    """mmengine's wrapper, extended to CPUs, which 0.10.7 refuses.

    On a CPU, layers compute in bfloat16; `loss_scale` means the same as on a GPU.
    """

    def __init__(
        self,
        loss_scale: str | float | dict = 'dynamic',
        dtype: str | torch.dtype | None = None,
        use_fsdp: bool = False,
        **options: Any,
    ) -> None:
        if torch.cuda.is_available():
            super().__init__(loss_scale, dtype, use_fsdp, **options)
            return
        optim.OptimWrapper.__init__(self, **options)
        fixed = isinstance(loss_scale, (int, float))
        self._scale_update_param = loss_scale if fixed else None
        settings = {'init_scale': loss_scale} if fixed else loss_scale if isinstance(loss_scale, dict) else {}
        self.loss_scaler = torch.amp.GradScaler('cpu', **settings)
        self.cast_dtype = getattr(torch, dtype) if isinstance(dtype, str) else dtype


@OPTIM_WRAPPERS.register_module()
class ScaledOptimWrapper(AmpOptimWrapper):
    """Scale the loss, so that small gradients are not 0 in float16. The network itself computes in its precision.

    `speed.precision='fp16'` uses it. Loss and targets are float32, which `AmpOptimWrapper` may round.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enable what accumulated gradients need, and no autocast."""
        with optim.OptimWrapper.optim_context(self, model):
            yield
