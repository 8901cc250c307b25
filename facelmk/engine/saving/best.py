"""Which way a figure gets better, as its metric says."""

from collections.abc import Sequence
from typing import Any


def direction(key: str, metrics: Sequence[Any]) -> str | None:
    """Whether 'less' or 'greater' is better of a figure; None where it belongs to none of these metrics."""
    named = {
        f'{metric.prefix}/{metric.name}' if metric.prefix else metric.name: metric.direction
        for metric in metrics
        if hasattr(metric, 'direction')
    }
    if key == 'auto':  # mmengine takes the first figure
        return next(iter(named.values()), None)
    own = [name for name in named if key.startswith(name)]  # 'NME/pose' is NME's, 'AP .5' is AP's
    return named[max(own, key=len)] if own else None
