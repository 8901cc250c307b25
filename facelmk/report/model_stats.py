"""What a model costs: parameters, and multiply-accumulates of one crop, by part."""

from dataclasses import dataclass

import torch
from mmengine import Config
from torch.utils.flop_counter import FlopCounterMode

from ..errors import FacelmkError
from ..registry import MODELS


@dataclass
class Cost:
    """Of one part: its parameters and its multiply-accumulates (MACs; a FLOP count is twice that)."""

    part: str
    parameters: int
    macs: int


def model_cost(config: Config, size: int = 256) -> list[Cost]:
    """The costs of a config's model for one crop of `size` pixels: the whole, then each part.

    Counted are convolutions and matrix products, as papers do; the flip test, which doubles them, is not.
    """
    told = {'size': size} if 'size' in config.model else {}
    model = MODELS.build(config.model | told).eval().to('meta')  # shapes only: nothing is computed
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        try:
            model(torch.empty(1, 3, size, size, device='meta'))
        except RuntimeError as error:
            raise FacelmkError(
                f'{config.filename}: the model takes no crop of {size} x {size} pixels ({error}); '
                'choose another --shape'
            ) from error
    counted = counter.get_flop_counts()
    top = type(model).__name__
    rows = [Cost('model', _parameters(model), _macs(counted, top))]
    for name, child in model.named_children():
        if _parameters(child):
            rows.append(Cost(name, _parameters(child), _macs(counted, f'{top}.{name}')))
    return rows


def _parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _macs(counted: dict, name: str) -> int:
    return sum(counted.get(name, {}).values()) // 2
