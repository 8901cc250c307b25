"""facelmk's tools in processes of their own."""

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


PATIENCE = 150  # seconds; a run takes about five on a machine with nothing else to do


LOADERS = {'train': dict(count=36, batch=8), 'val': dict(count=17, batch=4)}


def tiny_options(epochs=2, workers=0, **others):
    """--cfg-options that make a quick start of seconds: 36 faces to train on, 17 to test, 64 pixels."""
    options = {
        'train_cfg.max_epochs': epochs,
        'train_cfg.val_interval': 1,
        'randomness.seed': 5,
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.checkpoint.max_keep_ckpts': 9,
    }
    for phase, numbers in LOADERS.items():
        loader = f'{phase}_dataloader'
        options |= {
            f'{loader}.dataset.count': numbers['count'],
            f'{loader}.dataset.cache': None,
            f'{loader}.dataset.size': 64,
            f'{loader}.dataset.pipeline.1.size': 64,
            f'{loader}.batch_size': numbers['batch'],
            f'{loader}.num_workers': workers,
        }
    return ['--cfg-options', *(f'{key}={value}' for key, value in (options | others).items())]


def environment(**others):
    """This process's environment, in which the tools find this facelmk, this Python, and one thread each."""
    bin_folder = str(Path(sys.executable).parent)
    return (
        os.environ
        | {'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1', 'PATH': f'{bin_folder}:{os.environ["PATH"]}'}
        | {key: str(value) for key, value in others.items()}
    )


def start_tool(name, *arguments, cwd, output, **variables):
    """Start tools/`name`; both its streams go to `output`."""
    path = ROOT / 'tools' / name
    start = [sys.executable, str(path)] if path.suffix == '.py' else ['bash', str(path)]
    return subprocess.Popen(
        [*start, *map(str, arguments)],
        cwd=cwd,
        env=environment(**variables),
        text=True,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def run_tool(name, *arguments, cwd, code=0, **variables):
    """Run tools/`name`; its exit code must be `code`. Returns what it printed, both streams."""
    with start_tool(name, *arguments, cwd=cwd, output=subprocess.PIPE, **variables) as process:
        try:
            printed = process.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            process.terminate()
            raise
    assert process.returncode == code, printed[-6000:]
    return printed


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]
