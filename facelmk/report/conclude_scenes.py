"""Finish a test of a detector: print the figures of the scenes and write them."""

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ..errors import FacelmkError
from ..files.atomic import write_bytes
from .record import versions

OF_LANDMARKS = ('dump', 'report', 'badcase', 'detail', 'baseline', 'jitter', 'boxes', 'bbox_file', 'show', 'show_dir')


def refuse_options_of_landmarks(options: argparse.Namespace) -> None:
    """Refuse options of `facelmk test` that a detector, which predicts boxes, cannot follow."""
    for name in OF_LANDMARKS:
        if getattr(options, name, None):
            raise FacelmkError(
                f'--{name.replace("_", "-")} needs landmarks, and {options.config} is the config of a face detector, '
                'which predicts boxes. Leave the option out'
            )


def conclude_scenes(
    runner: Runner, metrics: Mapping[str, float], source: str, out: str | None = None, as_json: bool = False
) -> None:
    """Print the figures in the main process, and write them into metrics.json and into `out`."""
    if not is_main_process():
        return
    entry = {
        'config': Path(runner.cfg.filename or '').stem,
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
