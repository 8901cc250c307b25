"""Make source archive and wheel, check them, and try the wheel in a bare environment: `make release`.

Nothing is uploaded. Exit code 2 if versions disagree or the packages are not right, 3 if a step cannot run.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_WHEEL_BYTES = 8_000_000
DRAW_A_FACE = """
import sys

import cv2
import facelmk
from facelmk.datasets import SyntheticFaces

assert facelmk.__file__.startswith(sys.prefix), facelmk.__file__
cv2.imwrite('face.png', SyntheticFaces('wflw', 1, size=160).face(0)['image'])
"""


class Problem(Exception):
    """What is wrong with the release, and its exit code."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def run(*words: str | Path, cwd: Path = ROOT, **variables: str) -> str:
    """Run a command that must succeed, without this clone on Python's path, and return its output."""
    hidden = {'PYTHONPATH', 'MAKEFLAGS', 'MAKELEVEL', 'MFLAGS'}
    environment = {key: value for key, value in os.environ.items() if key not in hidden} | variables
    done = subprocess.run([*map(str, words)], cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Problem(f'{" ".join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}', 3)
    return done.stdout


def version() -> str:
    """The version in facelmk/__init__.py, once changes, citation and tag agree with it."""
    text = (ROOT / 'facelmk/__init__.py').read_text(encoding='utf-8')
    number = re.findall(r"^__version__ = '(.+)'$", text, re.M)[0]
    for name, line in [
        ('CHANGELOG.md', rf'^## {re.escape(number)} - \d{{4}}-\d\d-\d\d$'),
        ('CITATION.cff', rf'^version: {re.escape(number)}$'),
    ]:
        if not re.search(line, (ROOT / name).read_text(encoding='utf-8'), re.M):
            raise Problem(f'facelmk/__init__.py has version {number}, {name} does not. Expected a line {line!r}')
    tags = [tag for tag in tags_here() if tag.startswith('v')]
    if tags and f'v{number}' not in tags:
        raise Problem(f'this commit has the tag {tags[0]}, facelmk/__init__.py has version {number}. Set one of them')
    return number


def tags_here() -> list[str]:
    """The tags of this commit; none outside of a git clone."""
    done = subprocess.run(['git', 'tag', '--points-at', 'HEAD'], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else []


def packages(folder: Path, number: str) -> Path:
    """Make source archive and wheel in `folder`, check them, and return the wheel."""
    for old in folder.glob('facelmk-*'):  # --out may hold other files
        old.unlink()
    # the wheel is made from the source archive, so what the archive lacks is missing here, too
    run(sys.executable, '-m', 'build', '--no-isolation', '--outdir', folder, ROOT)
    wheel, archive = folder / f'facelmk-{number}-py3-none-any.whl', folder / f'facelmk-{number}.tar.gz'
    for path in (wheel, archive):
        if not path.is_file():
            raise Problem(f'{path} was not made; {folder} holds {[file.name for file in folder.iterdir()]}')
    if wheel.stat().st_size > MAX_WHEEL_BYTES:
        raise Problem(f'{wheel.name} has {wheel.stat().st_size} bytes. Expected at most {MAX_WHEEL_BYTES}')
    print(run(sys.executable, '-m', 'twine', 'check', '--strict', wheel, archive).strip())
    return wheel


def offline() -> list[str]:
    """The words before a command that take its network away, if this system allows it."""
    words = ['unshare', '--net', '--map-root-user']
    usable = shutil.which('unshare') and subprocess.run([*words, 'true'], capture_output=True).returncode == 0
    return words if usable else []


def try_wheel(wheel: Path, number: str, constraints: Path) -> None:
    """Install the wheel in a bare environment, and find landmarks with it, without a network."""
    with tempfile.TemporaryDirectory(prefix='facelmk-release-') as name:
        folder = Path(name)
        run(sys.executable, '-m', 'venv', folder / 'venv', cwd=folder)
        python, command = folder / 'venv/bin/python', folder / 'venv/bin/facelmk'
        run(python, '-m', 'pip', 'install', '--quiet', '-c', constraints, wheel, cwd=folder)
        printed = run(command, '--version', cwd=folder).strip()
        if printed != number:
            raise Problem(f'facelmk --version prints {printed}. Expected {number}')
        run(python, '-c', DRAW_A_FACE, cwd=folder)
        alone = offline()
        words = ['predict', 'face.png', '--boxes', 'full', '--out', 'out.png']
        answer = run(*alone, command, *words, cwd=folder, FACELMK_OFFLINE='1', FACELMK_HOME=str(folder / 'home'))
        if not (folder / 'out.png').is_file():
            raise Problem(f'facelmk {" ".join(words)} wrote no picture: {answer}')
        print(f'{wheel.name} in a bare environment, {"no network" if alone else "FACELMK_OFFLINE=1"}: {answer.strip()}')


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the release of this clone and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT / 'dist', help='the folder of the packages (default: dist)')
    parser.add_argument(
        '--constraints', type=Path, default=ROOT / 'requirements/constraints.txt', help='the pinned set'
    )
    options = parser.parse_args(arguments)
    try:
        number = version()
        print(f'facelmk {number}: versions agree')
        wheel = packages(options.out.resolve(), number)
        try_wheel(wheel, number, options.constraints.resolve())
    except Problem as problem:
        print(f'release: {problem}', file=sys.stderr)
        return problem.exit_code
    print(f'{options.out}: ready. Nothing was uploaded')
    return 0


if __name__ == '__main__':
    sys.exit(main())
