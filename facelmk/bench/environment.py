"""What the figures of a benchmark depend on: versions, processor, threads, load."""

import os
import platform
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import __version__
from ..files.processes import cores
from .row import Options

PACKAGES = {  # each with the packages that hold the same modules
    'torch': (),
    'mmengine': (),
    'numpy': (),
    'opencv-python': ('opencv-python-headless', 'opencv-contrib-python', 'opencv-contrib-python-headless'),
    'onnxruntime': (),
    'openvino': (),
    'mmpose': (),
    'albumentations': (),
}
FLAGS = ('avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_bf16', 'amx_int8')  # what speeds networks up


def environment(options: Options) -> dict[str, Any]:
    """Return versions, processor, threads, and the load of the last minute."""
    versions = {'facelmk': __version__, 'python': platform.python_version()}
    versions |= {name: version for name, others in PACKAGES.items() if (version := _version(name, *others))}
    return {
        'date': date.today().isoformat(),
        'versions': versions,
        'cpu': _processor(),
        'cores': cores(),
        'threads': options.threads,
        'quick': options.quick,
        'load_before': load(),
    }


def environment_lines(facts: dict[str, Any]) -> str:
    """Return the environment as text for people."""
    cpu = facts['cpu']
    flags = ', '.join(cpu['flags']) or 'none of ' + ', '.join(FLAGS)
    return '\n'.join(
        [
            ', '.join(f'{name} {version}' for name, version in facts['versions'].items()),
            f'{cpu["model"]} ({flags}); {facts["cores"]} cores, {facts["threads"]} of them used',
            f'load before {_load_text(facts["load_before"])}, after {_load_text(facts["load_after"])}',
        ]
    )


def load() -> float | None:
    """Return how many programs wanted a core in the last minute, on average; None where the system does not count."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def _load_text(value: float | None) -> str:
    return 'not known' if value is None else f'{value:.1f}'


def _version(*names: str) -> str | None:
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def _processor() -> dict[str, Any]:
    """Return the name of the processor, and which of FLAGS it has."""
    file = Path('/proc/cpuinfo')
    lines = file.read_text(encoding='utf-8').splitlines() if file.is_file() else []
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(':') for line in lines)}
    known = facts.get('flags', '').split()
    return {
        'model': facts.get('model name') or platform.processor() or platform.machine(),
        'flags': [flag for flag in FLAGS if flag in known],
    }
