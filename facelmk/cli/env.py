"""facelmk env."""

import argparse
import importlib
import json
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from .options import example

MODULES = {'mmcv-lite': 'mmcv', 'opencv-python': 'cv2', 'json-tricks': 'json_tricks'}  # import names
ALTERNATIVES = {  # packages with the same modules
    'mmcv-lite': ('mmcv',),
    'opencv-python': ('opencv-python-headless', 'opencv-contrib-python', 'opencv-contrib-python-headless'),
}
OPTIONAL = ('matplotlib', 'tensorboard', 'h5py', 'scipy')


def arguments(parser: argparse.ArgumentParser) -> None:
    example(parser, 'facelmk env --json')
    parser.add_argument('--json', action='store_true', help='print it as json')


def run(options: argparse.Namespace) -> int:
    """Return 0, or 3 if there is a problem."""
    environment = report()
    print(json.dumps(environment, indent=2) if options.json else _text(environment))
    return 3 if environment['problems'] else 0


def report() -> dict[str, Any]:
    """Return machine, packages and problems, each problem with the command that solves it."""
    problems: list[str] = []
    packages = {need.name: _package(need, problems) for need in requirements()}
    packages |= {f'{name} (optional)': _version(name) for name in OPTIONAL}
    return {'machine': _machine(), 'torch': _torch(problems), 'packages': packages, 'problems': problems}


def requirements() -> list[Requirement]:
    """Return the requirements on this machine, of the installed package or of the clone."""
    try:
        lines = metadata.requires('facelmk') or []
    except metadata.PackageNotFoundError:
        file = Path(__file__).parents[2] / 'requirements' / 'runtime.txt'
        lines = file.read_text(encoding='utf-8').splitlines() if file.is_file() else []
    needs = [Requirement(line) for line in lines if line.strip() and not line.startswith('#')]
    return [need for need in needs if need.marker is None or need.marker.evaluate({'extra': ''})]


def _package(need: Requirement, problems: list[str]) -> str | None:
    """Return a package's version, and append its problems to `problems`."""
    names = [name for name in (need.name, *ALTERNATIVES.get(need.name, ())) if _version(name)]
    if not names:
        problems.append(f'{need.name} is not installed: pip install "{need}"')
        return None
    if len(names) > 1:
        problems.append(
            f'{" and ".join(names)} overwrite each other: pip uninstall -y {" ".join(names)}, then pip install "{need}"'
        )
    version = _version(names[0])
    if version and version not in need.specifier:
        problems.append(f'{names[0]} {version} is installed, {need.specifier} is needed: pip install "{need}"')
    try:
        importlib.import_module(MODULES.get(need.name, need.name))
    except ImportError as error:
        problems.append(f'{names[0]} cannot be imported ({error}): {_solution(need, str(error))}')
    return version if names[0] == need.name else f'{version} ({names[0]})'


def _solution(need: Requirement, error: str) -> str:
    if 'libGL' in error or 'libgthread' in error or 'libglib' in error:
        return (
            'apt-get install -y libgl1 libglib2.0-0, or without a screen: pip uninstall -y opencv-python; '
            'pip install opencv-python-headless'
        )
    return f'pip install --force-reinstall "{need}"'


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _machine() -> dict[str, Any]:
    from .. import __version__
    from ..files.processes import cores

    return {
        'facelmk': __version__,
        'python': platform.python_version(),
        'system': platform.platform(),
        'cores': cores(),
        'memory_gb': _memory(),
        'free_disk_gb': round(shutil.disk_usage('.').free / 1e9, 1),
    }


def _memory() -> float | None:
    try:
        return round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _torch(problems: list[str]) -> dict[str, Any]:
    """Return what torch can use here. `_package` checks the package itself."""
    try:
        import torch
    except ImportError:
        return {}
    cuda = torch.cuda.is_available()
    if not cuda and shutil.which('nvidia-smi'):
        problems.append(
            f'there is an NVIDIA driver, but torch {torch.__version__} sees no GPU: install the build for '
            'your CUDA version from https://pytorch.org/get-started/locally'
        )
    return {
        'version': torch.__version__,
        'cuda': torch.version.cuda,
        'threads': torch.get_num_threads(),
        'gpus': [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else [],
        'nccl': torch.distributed.is_available() and torch.distributed.is_nccl_available(),
        'gloo': torch.distributed.is_available() and torch.distributed.is_gloo_available(),
    }


def _text(environment: dict[str, Any]) -> str:
    lines = []
    for title in ('machine', 'torch', 'packages'):
        lines.append(title)
        lines += [f'  {name:<24}{_value_text(value)}' for name, value in environment[title].items()]
    lines.append('problems' if environment['problems'] else 'no problem found')
    return '\n'.join([*lines, *(f'  {problem}' for problem in environment['problems'])])


def _value_text(value: Any) -> str:
    if value is None or value == []:
        return 'none'
    return ', '.join(value) if isinstance(value, list) else str(value)
