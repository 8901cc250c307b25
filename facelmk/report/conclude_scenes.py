"""Finish a test of a detector: print the figures of the scenes and write them."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ..config.folders import name_of_config
from ..files.atomic import write_bytes
from .record import versions


def conclude_scenes(
    runner: Runner, metrics: Mapping[str, float], source: str, out: str | None = None, as_json: bool = False
) -> None:
    """Print the figures in the main process, and write them into metrics.json and into `out`."""
    if not is_main_process():
        return
    entry = {
        'config': name_of_config(runner.cfg.filename),
        'checkpoint': source,
        'scenes': len(runner.test_loop.dataloader.dataset),
        'metrics': {name: value if math.isfinite(value) else None for name, value in metrics.items()},
        'versions': versions(),
    }
    text = json.dumps(entry, indent=2)
    for path in [Path(runner.work_dir, 'metrics.json'), *([Path(out)] if out else [])]:
        write_bytes(path, f'{text}\n'.encode())
    lines = (f'{name:<16}{value:8.2f}' for name, value in metrics.items())
    print(text if as_json else '\n'.join([f'{entry["scenes"]} scenes', *lines]), flush=True)
