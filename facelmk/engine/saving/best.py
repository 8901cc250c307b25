"""Whether a metric is better when it is less or greater."""

from collections.abc import Sequence
from typing import Any


def metric_directions(metrics: Sequence[Any]) -> dict[str, str]:
    """Return 'less' or 'greater', whichever is better, by the key of each metric."""
    return {
        f'{metric.prefix}/{metric.name}' if metric.prefix else metric.name: metric.direction
        for metric in metrics
        if hasattr(metric, 'direction')
    }


def metric_direction(key: str, metrics: Sequence[Any]) -> str | None:
    """Return 'less' or 'greater', whichever is better for a metric's key; None if none of the metrics has this key."""
    directions = metric_directions(metrics)
    if key == 'auto':  # mmengine takes the first key
        return next(iter(directions.values()), None)
    names = [name for name in directions if key.startswith(name)]  # 'NME/pose' belongs to NME, 'AP .5' to AP
    return directions[max(names, key=len)] if names else None
