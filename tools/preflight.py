"""Check the requirements of an installation before it starts. Each message names the command that solves the problem.

This file needs the standard library alone.
"""

import ctypes
import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator

OLDEST_PYTHON = (3, 10)
MIN_DISK_GB = 4
LIBRARIES = {'libGL.so.1': 'libgl1', 'libgthread-2.0.so.0': 'libglib2.0-0'}  # OpenCV's Linux wheels load them


def problems(keep_torch: bool) -> Iterator[str]:
    """Yield one line for each missing requirement, with the solution."""
    version = f'{sys.version_info.major}.{sys.version_info.minor}'
    if sys.version_info < OLDEST_PYTHON:
        yield (
            f'Python {version} is too old, 3.10 or later is needed: '
            'apt-get install python3.11 python3.11-venv, then make PYTHON=python3.11 ...'
        )
    for module in ('venv', 'ensurepip'):
        if importlib.util.find_spec(module) is None:
            yield f'this Python cannot make environments ({module} is missing): apt-get install python{version}-venv'
    if shutil.which('make') is None:
        yield 'make is missing: apt-get install make (or install by hand, see docs/install.md)'
    free = shutil.disk_usage('.').free / 1e9
    if free < MIN_DISK_GB:
        yield f'{free:.1f} GB of disk are free here, {MIN_DISK_GB} are needed: clone onto a larger disk'
    if platform.system() == 'Linux':
        yield from missing_libraries()
    if keep_torch and importlib.util.find_spec('torch') is None:
        yield f'TORCH=keep, but {sys.executable} has no torch: name a Python that has it, make PYTHON=... TORCH=keep'


def missing_libraries() -> Iterator[str]:
    """Yield one line for each system library that `import cv2` would not find."""
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            yield f'{library}, which OpenCV loads, is missing: apt-get install {package}'


def main() -> int:
    """Print the problems; return 3 if there are any, otherwise 0."""
    lines = list(problems('--keep-torch' in sys.argv))
    for line in lines:
        print(f'preflight: {line}', file=sys.stderr)
    return 3 if lines else 0


if __name__ == '__main__':
    sys.exit(main())
