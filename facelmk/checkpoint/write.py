"""Write checkpoints of plain data by an atomic write."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import FacelmkError
from ..files.atomic import atomic_write
from .dialects import translate
from .read import FORMAT, FORMAT_KEY, read_checkpoint, weights_of
from .unpickle import Stub


def save_checkpoint(data: Mapping[str, Any], path: str | Path) -> None:
    """Write tensors and plain data; arrays become tensors, NumPy's numbers Python's."""
    content = plain({FORMAT_KEY: FORMAT} | dict(data))
    atomic_write(Path(path), lambda file: torch.save(content, file))


def plain(value: Any, key: str = 'data') -> Any:
    """Copy a value into types that every reader takes without running code; `key` is its name in an error."""
    if value is None or type(value) in (bool, int, float, str, bytes) or isinstance(value, Tensor):
        return value.detach() if isinstance(value, nn.Parameter) else value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, Mapping):
        return {name: plain(child, f'{key}[{name!r}]') for name, child in value.items()}
    if isinstance(value, (list, tuple)):
        items = [plain(child, f'{key}[{i}]') for i, child in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    kind = value.qualified_name if isinstance(value, Stub) else type(value).__name__
    raise FacelmkError(
        f'{key} is a {kind}, which a checkpoint does not hold. Give it as tensors, numbers, text, lists and dicts'
    )


def publish(source: str | Path, target: str | Path) -> Path:
    """Write the weights alone, under our keys, as target-<first 8 of the sha256>.pth, and return that path."""
    checkpoint, target = read_checkpoint(source), Path(target)
    weights, _ = translate(weights_of(checkpoint, source))
    meta = {key: value for key, value in (checkpoint.get('meta') or {}).items() if isinstance(value, (str, int, float))}
    temporary = target.with_name(f'.{target.stem}.pth')
    save_checkpoint({'meta': meta, 'state_dict': weights}, temporary)
    digest = hashlib.sha256(temporary.read_bytes()).hexdigest()[:8]
    return temporary.replace(target.with_name(f'{target.stem}-{digest}.pth'))
