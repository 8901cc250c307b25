"""mmengine's Runner with the switches of `speed`, which are settled before it builds the network."""

import io
import math
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from mmengine import Config
from mmengine.device import get_device
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import nn

from ..checkpoint import meta_of, read_checkpoint
from ..config import config_of_text
from ..files.allocator import reuse_freed_memory
from ..registry import MODELS
from .console import quieten
from .fastest import choose_fastest
from .speed import (
    Speed,
    can_fuse,
    check_compiler,
    keep_layout,
    prepare_optimizer,
    speed_up,
    store,
    warnings_of,
    with_defaults,
)


class FaceRunner(Runner):
    """The Runner that applies the config's `speed` to the network, before ranks share it, and to the optimizer."""

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Apply precision and memory layout, then move the network to its device and wrap it for several ranks."""
        speed_up(model, Speed.of(self.cfg))
        return super().wrap_model(model_wrapper_cfg, model)

    def build_logger(self, *args: Any, **options: Any) -> MMLogger:
        """Build the log; on a quiet console it prints only what a person reads."""
        logger = super().build_logger(*args, **options)
        quieten(logger)
        return logger

    def load_checkpoint(self, *args: Any, **options: Any) -> dict:
        """Load a checkpoint; the log gets what mmengine prints of it."""
        printed = io.StringIO()
        with redirect_stdout(printed):
            checkpoint: dict = super().load_checkpoint(*args, **options)
        for line in printed.getvalue().splitlines():
            self.logger.info(line)
        return checkpoint

    def build_optim_wrapper(self, optim_wrapper: Any) -> OptimWrapper | OptimWrapperDict:
        """Build the optimizer; the state that it loads gets the memory layout of the weights."""
        built = super().build_optim_wrapper(optim_wrapper)
        for _, wrapper in built.items() if isinstance(built, OptimWrapperDict) else [('', built)]:
            wrapper.optimizer.register_load_state_dict_post_hook(keep_layout)
        return built


def settle_speed(config: Config, training: bool, resumed: str | None = None) -> list[str]:
    """Replace `speed` of a config by the switches that are used; return lines for the log.

    With `fast` they are measured. A run that is resumed takes those of its checkpoint, because others would train other
    weights. A training on a CPU keeps freed memory, unless `keep_memory` is False.
    """
    speed, device, lines = Speed.of(config), torch.device(get_device()), list[str]()
    if speed.keep_memory or (speed.keep_memory is None and training and device.type == 'cpu'):
        reuse_freed_memory()
    if replace(speed, keep_memory=None) == Speed():
        return []
    if speed.fast:
        speed, line = _fastest(config, speed, device, training, resumed)
        lines.append(line)
    speed = with_defaults(speed)
    if speed.compile:
        check_compiler(device)
    if training:
        prepare_optimizer(config, speed)
    store(config, speed)
    return lines + warnings_of(speed, device)


def _fastest(
    config: Config, speed: Speed, device: torch.device, training: bool, resumed: str | None
) -> tuple[Speed, str]:
    """Return the fastest switches, measured by the first rank, and a line that names them."""
    if resumed is not None:
        saved = Speed.of(config_of_text(str(meta_of(read_checkpoint(resumed)).get('cfg', '')), Path(resumed)))
        return replace(saved, fast=False), f'speed of the checkpoint, because this run is resumed: {saved}'
    chosen: list[Any] = [None]
    if is_main_process():
        network = MODELS.build(config.model)
        chosen = [choose_fastest(network, config.model.get('size', 256), speed, device, training)]
    broadcast_object_list(chosen)
    best, ratio = chosen[0]
    if training and speed.fused is None:
        best = replace(best, fused=can_fuse(config.optim_wrapper.optimizer.type, device))
    gain = '' if math.isnan(ratio) else f', {ratio:.2f} times as fast as fp32'
    return best, f'--fast: {best}{gain} on this {device.type}'
