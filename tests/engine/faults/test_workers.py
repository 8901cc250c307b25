"""Data loader workers that are killed, raise or hang: the error names the cause, and the run can be resumed."""

import os
import signal
import time
from pathlib import Path

import pytest
import torch
from mmengine import Config
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import _utils

from facelmk.datasets import FaceDataset
from facelmk.engine.faults.workers import translate_worker_errors
from facelmk.engine.run import train
from facelmk.errors import DataDefect, TrainingFault
from facelmk.files.signals import Stopped
from facelmk.registry import DATASETS, MODELS

SAMPLES, BATCH = 12, 2


@MODELS.register_module()
class LearnsNumbers(BaseModel):
    """One layer, which learns the mean of its inputs."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return {'loss': self.layer(inputs).square().mean()}


@DATASETS.register_module()
class Troubled(FaceDataset):
    """Numbers; the worker that makes the ninth gets into trouble, unless the file `mark` exists."""

    def __init__(self, mark, trouble):
        super().__init__('five', [self.make])
        self.mark, self.trouble = Path(mark), trouble

    def __len__(self):
        return SAMPLES

    def face(self, index):
        return {'id': f'face {index}', 'path': f'pictures/{index}.jpg', 'number': index}

    def make(self, sample):
        if sample['number'] == 8 and not self.mark.exists():
            self.mark.touch()
            TROUBLES[self.trouble](sample)
        return {'inputs': torch.full((1,), float(sample['number']))}


def defect(sample):
    raise DataDefect(f'{sample["path"]}: no picture')


def end_group(sample):
    """Signal the run and all processes that it started, twice, as `timeout`, systemd and a terminal do."""
    os.kill(os.getppid(), signal.SIGTERM)
    for number in child_processes(os.getppid()):
        os.kill(number, signal.SIGTERM)
    os.kill(os.getppid(), signal.SIGTERM)


def child_processes(parent):
    return [int(name) for name in Path(f'/proc/{parent}/task/{parent}/children').read_text().split()]


TROUBLES = {
    'none': lambda sample: None,
    'kill': lambda sample: os.kill(os.getpid(), signal.SIGKILL),
    'hang': lambda sample: time.sleep(60),
    'defect': defect,
    'bug': lambda sample: 1 / 0,
    'signal': end_group,
}


def run(folder, trouble='none', resume=None, **loader):
    config = Config(
        dict(
            model=dict(type='LearnsNumbers'),
            work_dir=str(folder),
            default_scope='facelmk',
            log_level='ERROR',
            train_dataloader=dict(
                dict(
                    dataset=dict(type='Troubled', mark=str(folder / 'mark'), trouble=trouble),
                    batch_size=BATCH,
                    num_workers=2,
                    sampler=dict(type='FaceSampler', shuffle=True),
                    collate_fn=dict(type='default_collate'),
                ),
                **loader,
            ),
            train_cfg=dict(by_epoch=True, max_epochs=2),
            optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.1)),
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1, every=1)),
            randomness=dict(seed=1),
            experiment_name=f'{folder}{resume}'.replace('/', '_'),
        )
    )
    folder.mkdir(exist_ok=True)
    train(config, resume)
    return torch.load(folder / 'epoch_2.pth', weights_only=True)


@pytest.fixture(scope='module')
def expected(tmp_path_factory):
    return run(tmp_path_factory.mktemp('workers') / 'expected')


def check_resumed(folder, expected):
    resumed = run(folder, resume='auto')
    assert all(torch.equal(value, expected['state_dict'][key]) for key, value in resumed['state_dict'].items())


@pytest.mark.fault('G05')
def test_a_killed_worker(expected, tmp_path):
    with pytest.raises(TrainingFault, match=r'(signal: Killed|exited unexpectedly)\. .*num_workers.*--resume'):
        run(tmp_path / 'a', 'kill')
    check_resumed(tmp_path / 'a', expected)


@pytest.mark.fault('G06')
def test_an_exception_in_a_worker(expected, tmp_path):
    with pytest.raises(DataDefect) as caught:
        run(tmp_path / 'a', 'defect')
    assert str(caught.value) == 'pictures/8.jpg: no picture'
    with pytest.raises(ZeroDivisionError, match=r"face 'face 8' of pictures/8.jpg"):
        run(tmp_path / 'b', 'bug')
    check_resumed(tmp_path / 'a', expected)


@pytest.mark.fault('G07')
def test_a_hanging_worker(expected, tmp_path, monkeypatch):
    monkeypatch.setattr(_utils, 'MP_STATUS_CHECK_INTERVAL', 0.2)  # seconds that torch waits for a worker to end
    start = time.monotonic()
    with pytest.raises(TrainingFault, match=r'timed out after 1 seconds.*train_dataloader\.timeout'):
        run(tmp_path / 'a', 'hang', timeout=1)
    assert time.monotonic() - start < 10
    check_resumed(tmp_path / 'a', expected)


@pytest.mark.skipif(not Path('/proc/self/task').is_dir(), reason='no list of child processes here')
def test_a_signal_to_the_workers_too_saves_the_state(expected, tmp_path):
    before = signal.signal(signal.SIGTERM, lambda *_: None)  # for a repeated signal that comes late on a busy machine
    try:
        with pytest.raises(Stopped) as caught:
            run(tmp_path / 'a', 'signal')
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught.value.exit_code == 128 + signal.SIGTERM
    check_resumed(tmp_path / 'a', expected)


def test_a_worker_that_dies_during_a_save():
    """torch raises anywhere in the main process, and mmengine turns the error into a SyntaxError."""
    with pytest.raises(TrainingFault, match='is killed by signal'), translate_worker_errors():
        try:
            raise RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed. ')
        except RuntimeError:
            raise SyntaxError('Failed to format the config file')  # noqa: B904
    with pytest.raises(RuntimeError, match='^another$'), translate_worker_errors():
        raise RuntimeError('another')
