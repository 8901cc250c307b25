"""facelmk search: one search with real trainings, and what it refuses before it trains."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

TRAINED = """
model.update(backbone=dict(type='QuickNet'))
train_cfg = dict(by_epoch=True, max_epochs=2, val_interval=2)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=1e-3))
default_hooks = dict(checkpoint=dict(type='CheckpointHook', save_best='NME'))
"""
RATE = 'optim_wrapper.optimizer.lr'


def test_a_trial_is_trained_and_its_command_is_printed(config: str, verb: Callable[..., str]) -> None:
    with open(config, 'a') as file:
        file.write(TRAINED)
    words = ['search', config, f'{RATE}=1e-4,1e-3', '--trials', '1', '--work-dir', 'found']
    printed = verb(*words, '--cfg-options', 'train_cfg.max_epochs=1')
    assert 'trial 1 of 1, epoch 1 of 1: NME' in printed and 'weights: found/trial_1/best_NME_epoch_1.pth' in printed
    assert f'facelmk train small.py --cfg-options train_cfg.max_epochs=1 {RATE}=' in printed


@pytest.mark.slow
def test_the_best_trial_is_continued(config: str, verb: Callable[..., str]) -> None:
    with open(config, 'a') as file:
        file.write(TRAINED)
    words = ['search', config, f'{RATE}=1e-4,1e-3', '--trials', '2', '--keep', '2', '--work-dir', 'found']
    assert verb(*words).count('epoch 2 of 2: NME') == 2
    assert list(Path('found').glob('trial_*/best_NME_epoch_2.pth'))
    found = json.loads(verb(*words, '--json'))  # all is done: nothing is trained again
    assert [len(trial['scores']) for trial in found['trials']] == [2, 1]
    assert {trial['values'][RATE] for trial in found['trials']} == {1e-4, 1e-3}


def test_wrong_words(config: str, verb: Callable[..., str]) -> None:
    with open(config, 'a') as file:
        file.write(TRAINED)
    for word, fact in {
        'optim_wrapper.optimizer.lrr=1:2': "'lr'",
        f'{RATE}=-1:1': 'lr=-1',
        'model.loss.type=WingLoss,WingLos': "'WingLos'",
        'lr': 'LOW:HIGH',
        'train_cfg.max_epochs=1:2': 'max_epochs',
    }.items():
        assert fact in verb('search', config, word, code=2)
    assert 'EPE' in verb('search', config, f'{RATE}=1e-4:1e-3', '--metric', 'EPE', code=2)
    assert '--trials 0' in verb('search', config, f'{RATE}=1e-4:1e-3', '--trials', '0', code=2)
    assert not Path('work_dirs').exists()
