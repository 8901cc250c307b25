"""Parameters of a model and its multiply-accumulates for one crop, by part."""

from dataclasses import dataclass

import torch
from mmengine import Config
from torch.utils.flop_counter import FlopCounterMode

from ..errors import FacelmkError
from ..registry import MODELS


@dataclass
class Cost:
    """The parameters and multiply-accumulates (MACs; twice as many FLOPs) of one part."""

    part: str
    parameters: int
    macs: int


def model_cost(config: Config, size: int = 256) -> list[Cost]:
    """Return the costs of a config's model for one crop of `size` pixels: first the model, then each part.

    Convolutions and matrix products count, as in papers; the flip test, which doubles them, does not.
    """
    model_size = {'size': size} if 'size' in config.model else {}
    model = MODELS.build(config.model | model_size).eval().to('meta')  # only shapes: nothing is computed
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        try:
            model(torch.empty(1, 3, size, size, device='meta'))
        except RuntimeError as error:
            raise FacelmkError(
                f'{config.filename}: the model takes no crop of {size} x {size} pixels ({error}). '
                'Choose another --shape'
            ) from error
    flops = counter.get_flop_counts()
    top = type(model).__name__
    rows = [Cost('model', _parameters(model), _macs(flops, top))]
    for name, child in model.named_children():
        if _parameters(child):
            rows.append(Cost(name, _parameters(child), _macs(flops, f'{top}.{name}')))
    return rows


def _parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _macs(flops: dict, name: str) -> int:
    return sum(flops.get(name, {}).values()) // 2
