"""torchrun --max-restarts: after a rank is killed inside an epoch, the result is the same, bit for bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = [pytest.mark.slow, pytest.mark.skipif(torch.cuda.is_available(), reason='with GPUs the ranks use NCCL')]
ROOT = Path(__file__).parents[2]
CONFIG = """
from mmengine.config import read_base

with read_base():
    from facelmk.configs.quickstart import *

custom_imports = dict(imports=['dying'])
custom_hooks = [dict(type='DieOnce')]
"""
HOOK = """
import os
import signal
from pathlib import Path

from mmengine.hooks import Hook
from facelmk.registry import HOOKS


@HOOKS.register_module()
class DieOnce(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        mark = Path('died')
        if str(runner.rank) == os.environ['DYING'] and runner.iter == 4 and not mark.exists():
            mark.write_text(os.environ['TORCHELASTIC_RESTART_COUNT'])
            os.kill(os.getpid(), signal.SIGKILL)
"""


def train(folder, options, port, dying=''):
    """Train on two ranks and return the output. Rank `dying` is killed once, before the fifth of six steps."""
    (folder / 'mine.py').write_text(CONFIG)
    (folder / 'dying.py').write_text(HOOK)
    command = [
        sys.executable,
        '-m',
        'torch.distributed.run',
        '--max-restarts',
        '3',
        '--nproc-per-node',
        '2',
        '--master-addr',
        '127.0.0.1',
        '--master-port',
        port,
        ROOT / 'tools' / 'train.py',
        'mine.py',
        '-v',
        '--launcher',
        'pytorch',
        '--work-dir',
        'run',
        *options,
    ]
    paths = os.pathsep.join(map(str, (folder, ROOT)))
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        timeout=200,
        stderr=subprocess.STDOUT,
        check=False,
        env=os.environ | {'PYTHONPATH': paths, 'OMP_NUM_THREADS': '1', 'DYING': str(dying)},
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert (folder / 'died').exists() == (dying != '')
    return done.stdout


def validations(folder):
    """Return the logged validation of each epoch, without times. Each epoch is logged once."""
    lines = [
        line
        for file in sorted(folder.glob('run/*/vis_data/scalars.json'))
        for line in map(json.loads, file.read_text().splitlines())
        if 'NME' in line
    ]
    assert [line['step'] for line in lines] == [1, 2]
    return [{key: value for key, value in line.items() if key not in ('time', 'data_time')} for line in lines]


@pytest.fixture(scope='module')
def uninterrupted(tmp_path_factory, tiny, port):
    folder = tmp_path_factory.mktemp('uninterrupted')
    train(folder, tiny(), port())
    return folder


@pytest.mark.parametrize(('dying', 'every'), [(1, 1), (0, None)], ids=['from inside the epoch', 'from the last epoch'])
def test_a_killed_rank_is_restarted(dying, every, uninterrupted, tiny, port, tmp_path):
    printed = train(tmp_path, tiny(**{'default_hooks.checkpoint.every': every}), port(), dying)
    assert (tmp_path / 'died').read_text() == '0' and 'resumed epoch: 1' in printed, printed[-6000:]
    assert ('resumed epoch: 1, iter: 3' in printed) == (every is None)
    assert validations(tmp_path) == validations(uninterrupted)
    expected, restarted = (
        torch.load(folder / 'run' / 'epoch_2.pth', weights_only=True)['state_dict']
        for folder in (uninterrupted, tmp_path)
    )
    assert expected.keys() == restarted.keys()
    assert all(torch.equal(expected[key], restarted[key]) for key in expected)
