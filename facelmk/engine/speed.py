"""The switches that make a network faster: `speed = dict(precision='bf16', channels_last=True)` in a config.

This module alone applies them, for training, test and prediction, on a CPU and on a GPU. Checkpoints are the same with
every switch: float32 weights in the usual order.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from mmengine import Config, ConfigDict
from torch import nn
from torch.optim import Optimizer

from ..errors import FacelmkError, MissingResource, UnknownName, did_you_mean
from ..models.crop_network import CropNetwork
from ..registry import OPTIMIZERS

Precision = Literal['fp32', 'bf16', 'fp16']
DTYPES: dict[str, torch.dtype] = {'bf16': torch.bfloat16, 'fp16': torch.float16}
INSTRUCTIONS = {  # of CPUs, as Linux names them, that compute in a precision
    'bf16': {'avx512_bf16', 'amx_bf16', 'avx_ne_convert', 'bf16', 'svebf16'},
    'fp16': {'avx512_fp16', 'amx_fp16', 'asimdhp', 'fphp'},
}


@dataclass(frozen=True)
class Speed:
    """The switches. `fast` measures precision and channels_last on this device, where they are None."""

    precision: Precision | None = None
    channels_last: bool | None = None
    compile: bool | None = None
    fused: bool | None = None
    keep_memory: bool | None = None
    fast: bool = False

    @classmethod
    def of(cls, config: Config | Mapping[str, Any]) -> 'Speed':
        """Return the switches of a config."""
        return cls(**(config.get('speed') or {}))

    @classmethod
    def read(cls, values: 'str | Mapping[str, Any] | Speed') -> 'Speed':
        """Return the switches that an argument of a function names: 'fast', a precision, or a dict."""
        if isinstance(values, Speed):
            return values
        if isinstance(values, str):
            values = {'fast': True} if values == 'fast' else {'precision': values}
        known = {field.name for field in fields(cls)}
        for name in values:
            if name not in known:
                raise UnknownName(f'speed has no switch {name!r}. {did_you_mean(name, known)}')
        speed = cls(**values)
        if speed.precision not in (None, *get_args(Precision)):
            names = [*get_args(Precision), 'fast']
            raise UnknownName(f'speed={speed.precision!r}. {did_you_mean(str(speed.precision), names)}')
        return speed

    @property
    def dtype(self) -> torch.dtype | None:
        """The type in which layers compute, None for float32."""
        return DTYPES.get(self.precision or '')

    def to_dict(self) -> dict[str, Any]:
        """Return the switches that are set, as a config holds them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None and (name, value) != ('fast', False)}

    def __str__(self) -> str:
        names = ('channels_last', 'compile', 'fused', 'keep_memory')
        return ' + '.join([self.precision or 'fp32', *(name for name in names if getattr(self, name))])


def speed_up(network: nn.Module, speed: Speed) -> None:
    """Apply precision, memory layout and compilation to a network."""
    if not isinstance(network, CropNetwork):
        if speed.dtype or speed.channels_last or speed.compile:
            raise FacelmkError(
                f'speed: the network is a {type(network).__name__}. Expected a FaceLandmarker or FaceDetector. Remove '
                'precision, channels_last and compile'
            )
        return
    network.precision = speed.dtype
    for part in (network.backbone, network.head):
        if speed.channels_last:
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if speed.compile:
            part.compile()


def convert_weights(network: nn.Module) -> None:
    """Convert the weights of a network that only predicts to its precision, once instead of in each call.

    The results are those of autocast, which converts the same weights; BatchNorm stays float32.
    """
    precision = getattr(network, 'precision', None)
    for module in network.modules() if precision is not None else ():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            module.to(precision)


def check_compiler(device: torch.device) -> None:
    """Refuse to compile for a CPU without a C++ compiler; torch would fail in the first step."""
    names = (os.environ.get('CXX'), 'g++', 'clang++', 'c++', 'cl')
    if device.type == 'cpu' and not any(name and shutil.which(name) for name in names):
        raise MissingResource(
            'speed.compile: torch compiles with a C++ compiler, and there is none. Install g++, or omit compile'
        )


def prepare_optimizer(config: Config, speed: Speed) -> None:
    """Put the fused optimizer, and the loss scale that fp16 needs, into a config that is trained."""
    wrapper = config.optim_wrapper
    if speed.fused:
        wrapper.optimizer.fused = True
        wrapper.optimizer.pop('foreach', None)
    if speed.precision == 'fp16' and wrapper.get('type', 'OptimWrapper') == 'OptimWrapper':
        wrapper.type = 'ScaledOptimWrapper'
        wrapper.setdefault('loss_scale', 'dynamic')


def can_fuse(optimizer: Any, device: torch.device) -> bool:
    """Return whether torch has a fused form of an optimizer for a device: it tries one step."""
    kind = OPTIMIZERS.get(optimizer) if isinstance(optimizer, str) else optimizer
    weight = nn.Parameter(torch.zeros(1, device=device))
    weight.grad = torch.zeros_like(weight)
    try:
        kind([weight], lr=0.1, fused=True).step()
    except (TypeError, RuntimeError):  # the class has no such argument; the device is not supported
        return False
    return True


def keep_layout(optimizer: Optimizer) -> None:
    """Give the state of an optimizer the memory layout of its weights, whenever a checkpoint is loaded.

    A fused optimizer on a CPU takes the numbers in the order of the memory. With state and weights in different
    orders, torch 2.13 trains other weights without an error.
    """
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            if torch.is_tensor(value) and value.shape == weight.shape and value.stride() != weight.stride():
                state[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


def half_precision(device: torch.device) -> Precision:
    """Return what `--amp` means on a device: bf16, or fp16 on a GPU that has no bf16."""
    return 'fp16' if device.type == 'cuda' and not has_instructions('bf16', device) else 'bf16'


def has_instructions(precision: str, device: torch.device) -> bool | None:
    """Return whether a device computes in a precision by instructions of its own; None if it does not say."""
    if device.type == 'cuda':
        return precision == 'fp16' or torch.cuda.get_device_capability(device) >= (8, 0)
    flags = _cpu_flags() if device.type == 'cpu' else set()
    return bool(flags & INSTRUCTIONS[precision]) if flags else None


def _cpu_flags() -> set[str]:
    """Return the names of the instructions of this CPU; none where the system has no /proc/cpuinfo."""
    path = Path('/proc/cpuinfo')
    lines = path.read_text(encoding='utf-8').splitlines() if sys.platform == 'linux' and path.is_file() else []
    return next((set(line.split()) for line in lines if line.startswith(('flags', 'Features'))), set())


def warnings_of(speed: Speed, device: torch.device) -> list[str]:
    """Return a line about a precision that this device has no instructions for."""
    if speed.precision not in INSTRUCTIONS or has_instructions(speed.precision, device) is not False:
        return []
    what = f'this {"GPU" if device.type == "cuda" else "CPU"} has no instructions for {speed.precision}'
    return [f'{what}, so it may be slower than fp32. --fast measures which precision is the fastest']


def with_defaults(speed: Speed) -> Speed:
    """Return the switches, with False and fp32 for those that are not set."""
    return replace(
        speed,
        precision=speed.precision or 'fp32',
        channels_last=bool(speed.channels_last),
        compile=bool(speed.compile),
        fused=bool(speed.fused),
        fast=False,
    )


def store(config: Config, speed: Speed) -> None:
    """Write the switches into a config, so that its log and checkpoints name what was used."""
    config['speed'] = ConfigDict(speed.to_dict())
