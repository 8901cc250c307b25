"""The ranges of numbers in a config.

A part of facelmk, or of a project that builds on it, names those of its arguments in a class attribute, as
`ranges = {'prob': (0, 1)}`. Those of mmengine's and torch's classes stand here; derived classes inherit them.
"""

import math
from typing import Any, NamedTuple

from mmengine.hooks import CheckpointHook, LoggerHook
from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler.param_scheduler import CosineAnnealingParamScheduler, StepParamScheduler
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch.optim import Optimizer
from torch.utils.data import DataLoader


class Range(NamedTuple):
    """Numbers from `low` to `high`; without `low` itself if `above`; and the numbers in `also`."""

    low: float
    high: float = math.inf
    above: bool = False
    also: tuple[float, ...] = ()

    def expected(self, value: Any) -> str | None:
        """The range in words, where `value` is a number outside of it."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value in self.also:
            return None
        if self.low <= value <= self.high and not (self.above and value == self.low):
            return None
        start = f'a number above {self.low}' if self.above else f'a number from {self.low}'
        words = start + (f' to {self.high}' if self.high < math.inf else '' if self.above else ' on')
        return ', or '.join([words, *map(str, self.also)])


COUNT = Range(1)
COUNT_OR_NEVER = Range(1, also=(-1,))
RANGES: dict[type, dict[str, Range]] = {
    DataLoader: dict(batch_size=COUNT, num_workers=Range(0), timeout=Range(0), prefetch_factor=COUNT),
    EpochBasedTrainLoop: dict(max_epochs=COUNT, val_interval=COUNT),
    IterBasedTrainLoop: dict(max_iters=COUNT, val_interval=COUNT),
    OptimWrapper: dict(accumulative_counts=COUNT),
    Optimizer: dict(lr=Range(0, above=True)),
    CosineAnnealingParamScheduler: dict(T_max=Range(0, above=True)),
    StepParamScheduler: dict(step_size=COUNT),
    CheckpointHook: dict(interval=COUNT_OR_NEVER, max_keep_ckpts=COUNT_OR_NEVER),
    LoggerHook: dict(interval=COUNT),
}


def ranges_of(part: Any) -> dict[str, Range]:
    """The ranges of a part's arguments, those of its bases included."""
    ranges: dict[str, Range] = {}
    for owner in reversed(getattr(part, '__mro__', (part,))):
        ranges |= RANGES.get(owner, {})
        ranges |= {name: Range(*limits) for name, limits in getattr(owner, '__dict__', {}).get('ranges', {}).items()}
    return ranges
