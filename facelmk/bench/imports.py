"""The start of commands, each in a process of its own: CPU seconds from the shell to the end, and the memory."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ..faces import save
from ..inference.runtime import find_exported, is_available
from ..registry import DATASETS
from ..zoo import DEFAULT
from .row import Amount, Options, Row, Work, compare_all, not_measured

COMMAND = [sys.executable, '-m', 'facelmk.cli']
MEMORY = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
try:
    exec(sys.argv[1]) if sys.argv[0] == '-c' else runpy.run_module('facelmk.cli', run_name='__main__')
except SystemExit:
    pass
print('BYTES', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
QUICK_ROUNDS, ROUNDS = 3, 7


def rows(options: Options) -> Iterator[Row]:
    """Imports, answers and predictions, beside the import of torch, or of mmpose.apis where it is installed."""
    peer_code, peer_name = ('import torch', 'import torch')
    if find_spec('mmpose'):
        peer_code, peer_name = 'import mmpose.apis', f'import mmpose.apis, MMPose {version("mmpose")}'
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    measured = partial(compare_all, peer=_python(peer_code), peer_name=peer_name, rounds=rounds)
    yield from measured(
        {
            'import facelmk': _python('import facelmk'),
            'facelmk --help': _facelmk('--help'),
            'a misspelt option': _facelmk('predict', '--hlep'),
            'a config that does not exist': _facelmk('train', 'quickstrat'),
            'a picture that does not exist': _facelmk('predict', 'none.jpg'),
            'facelmk models list': _facelmk('models', 'list'),
        }
    )
    with tempfile.TemporaryDirectory(prefix='facelmk-bench-') as folder:
        picture = Path(folder, 'face.png')
        save(DATASETS.build(dict(type='SyntheticFaces', markup='wflw', count=1, size=256)).face(0)['image'], picture)
        words = ['predict', str(picture), '--out', str(Path(folder, 'out.png')), '--device', 'cpu']
        quantity = 'predict one picture, without torch'
        if is_available() and find_exported(DEFAULT) is not None:
            yield from measured({quantity: _facelmk(*words)})
            yield _memory(quantity, words, peer_code, peer_name)
        else:
            yield not_measured(quantity, 'onnxruntime is not installed')
        with_torch = [*words, '--no-flip']  # an exported file has no such option
        yield from measured({'predict one picture, with torch': _facelmk(*with_torch)})
        yield _memory('predict one picture, with torch', with_torch, peer_code, peer_name)


def _facelmk(*words: str) -> Work:
    return partial(_run, [*COMMAND, *words])


def _python(code: str) -> Work:
    return partial(_run, [sys.executable, '-c', code])


def _run(words: Sequence[str]) -> str:
    """Run a command to its end, also one that reports a mistake, and return what it printed."""
    return subprocess.run(words, capture_output=True, text=True, env=_environment()).stdout


def _environment() -> dict[str, str]:
    """Return the environment, with this facelmk, and with the compiled modules that an installation has."""
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get('PYTHONPATH', ''))))
    return {name: text for name, text in os.environ.items() if name != 'PYTHONDONTWRITEBYTECODE'} | {'PYTHONPATH': path}


def _memory(quantity: str, words: Sequence[str], peer_code: str, peer_name: str) -> Row:
    ours, peer = (
        Amount(int(_run([sys.executable, '-c', MEMORY, *arguments]).rpartition('BYTES')[2]), 'B')
        for arguments in (['facelmk', *words], ['-c', peer_code])
    )
    return Row(f'{quantity}, memory', ours, peer, peer_name)
