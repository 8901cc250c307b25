"""If a rank is lost, the other ends within the time-out; exit code and last lines name the rank and the cause."""

import os
import signal
import time
from pathlib import Path

import pytest
import torch
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from facelmk.engine import launch

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason='with GPUs the ranks use NCCL')
ROOT = Path(__file__).parents[2]
CONFIG = """
from mmengine.config import read_base

with read_base():
    from facelmk.configs.quickstart import *

custom_imports = dict(imports=['losing'])
custom_hooks = [dict(type='Lose')]
"""
HOOK = """
import os
import signal
import time

from mmengine.hooks import Hook
from facelmk.registry import HOOKS


def act(runner):
    what, rank = os.environ['LOSE'].split()[1:]
    if str(runner.rank) != rank:
        return
    if what == 'killed':
        os.kill(os.getpid(), signal.SIGKILL)
    if what == 'raises':
        raise ValueError('a bug of its own')
    time.sleep(1000)


@HOOKS.register_module()
class Lose(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if os.environ['LOSE'].startswith('training') and runner.iter == 4:
            act(runner)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        if os.environ['LOSE'].startswith('validation') and batch_idx == 1:
            act(runner)

    def before_save_checkpoint(self, runner, checkpoint):
        if os.environ['LOSE'].startswith('saving') and runner.iter > 3:
            act(runner)
"""


@pytest.mark.slow
@pytest.mark.fault('H07')
@pytest.mark.parametrize(
    ('lose', 'code', 'fact'),
    [
        ('training killed 1', 5, 'rank 1 was killed by SIGKILL'),
        ('saving killed 0', 5, 'rank 0 was killed by SIGKILL'),
        ('validation killed 1', 5, 'rank 1 was killed by SIGKILL'),
        ('training raises 1', 1, 'rank 1 ended with exit code 1'),
        ('training hangs 1', 5, 'rank 0 ended with exit code 5'),
    ],
)
def test_the_rank_is_named(lose, code, fact, tool, tiny, port, tmp_path):
    (tmp_path / 'mine.py').write_text(CONFIG)
    (tmp_path / 'losing.py').write_text(HOOK)
    start = time.monotonic()
    printed = tool(
        'dist_train.sh',
        'mine.py',
        2,
        '--work-dir',
        'out',
        *tiny(**{'env_cfg.dist_cfg.timeout': 6}),
        cwd=tmp_path,
        code=code,
        PORT=port(),
        LOSE=lose,
        PYTHONPATH=f'{tmp_path}{os.pathsep}{ROOT}',
    )
    assert any(f'facelmk: {fact}' in line for line in printed.splitlines()[-2:]), printed[-3000:]
    assert time.monotonic() - start < 100 and 'ChildFailedError' not in printed
    if 'saving' in lose or 'training' in lose:
        weights = torch.load(tmp_path / 'out' / 'epoch_1.pth', weights_only=True)['state_dict']
        assert all(torch.isfinite(value).all() for value in weights.values())
    if 'raises' in lose:
        assert 'ValueError: a bug of its own' in printed


@pytest.mark.parametrize(
    ('codes', 'code', 'lines'),
    [
        ([5, -9], 5, ['rank 0 ended with exit code 5', 'rank 1 was killed by SIGKILL']),
        ([2, -15], 2, ['rank 0 ended with exit code 2']),
        ([5, 1], 1, ['rank 0 ended', 'rank 1 ended with exit code 1']),
        ([-15, -15], 5, ['rank 0 was killed by SIGTERM', 'rank 1 was killed by SIGTERM']),
        ([143, 143], 143, ['rank 0', 'rank 1']),
        ([3, -63], 3, ['rank 0', 'rank 1 was killed by signal 63']),
    ],
)
def test_one_exit_code_for_all_ranks(codes, code, lines, monkeypatch, capsys):
    def failing(arguments):
        assert arguments == ['x.py']
        raise ChildFailedError('x.py', {rank: ProcessFailure(rank, 9, number, '') for rank, number in enumerate(codes)})

    monkeypatch.setattr(launch.run, 'main', failing)
    assert launch.main(['x.py']) == code
    printed = capsys.readouterr().err.splitlines()
    assert len(printed) == len(lines) and all(
        line.startswith(f'facelmk: {start}') for line, start in zip(printed, lines, strict=True)
    )


def test_a_signal_to_all_ranks_gives_the_exit_code_of_a_shell(monkeypatch):
    def stopped(_):
        raise SignalException('stopped', signal.SIGTERM)

    monkeypatch.setattr(launch.run, 'main', stopped)
    assert launch.main([]) == 143
