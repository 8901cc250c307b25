"""A training that is killed at any point resumes to the same weights, averages and logged figures, bit for bit."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name('crash_run.py')
ITERATIONS = 12  # two epochs of 22 faces in batches of 4
NOT_COMPARED = {'time', 'data_time', 'memory', 'eta'}


def start(folder, resume='', at=-1, how='kill', epochs=2):
    command = [sys.executable, str(SCRIPT), str(folder), resume, str(at), how, str(epochs)]
    return subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)


def scalars(folder):
    """Return the logged figures by phase and step, and the steps of all logged validations."""
    figures, validations = {}, []
    for file in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in map(json.loads, file.read_text().splitlines()):
            key = ('train', line['iter']) if 'loss' in line else ('val', line['step'])
            figures[key] = {name: value for name, value in line.items() if name not in NOT_COMPARED}
            validations += [key] * (key[0] == 'val')
    return figures, validations


def final(folder, epoch=2):
    return torch.load(folder / f'epoch_{epoch}.pth', weights_only=True)


def differences(one, other):
    """Return the names of all tensors that differ between two checkpoints."""
    return [
        f'{part}.{name}'
        for part in ('state_dict', 'ema_state_dict')
        for name, value in one[part].items()
        if not torch.equal(value, other[part][name])
    ] + [
        f'optimizer {number}.{name}'
        for number, state in one['optimizer']['state'].items()
        for name, value in state.items()
        if not torch.equal(value, other['optimizer']['state'][number][name])
    ]


@pytest.fixture(scope='module')
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp('uninterrupted')
    done = start(folder)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


def check_killed(at, uninterrupted, folder):
    assert start(folder, at=at).returncode == -9
    done = start(folder, 'auto')
    assert done.returncode == 0, done.stderr[-4000:]
    assert not differences(final(uninterrupted), final(folder))
    expected, (figures, validations) = scalars(uninterrupted)[0], scalars(folder)
    assert expected == figures and len(validations) == len(set(validations)) == 2
    assert not list(folder.glob('.*.pth.*'))


def point(at, case):
    """An iteration in which a run is killed, and its case of the fault table."""
    return pytest.param(at, id=f'{case}-{at}', marks=[pytest.mark.fault(case), pytest.mark.slow])


@pytest.mark.parametrize(
    'at',
    [  # an epoch has 6 batches; at % 6 of them are done
        point(7, 'G11'),
        point(8, 'G12'),
        point(3, 'G13'),
        point(9, 'G13'),
        point(5, 'G14'),
        point(11, 'G14'),
    ],
)
def test_killed_in_each_quarter_of_an_epoch(at, uninterrupted, tmp_path):
    check_killed(at, uninterrupted, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('number', range(20))
def test_killed_at_a_random_point(number, uninterrupted, tmp_path):
    check_killed(random.Random(number).randrange(1, ITERATIONS), uninterrupted, tmp_path)


@pytest.mark.parametrize(
    ('how', 'code'),
    [
        pytest.param('term', 143, marks=pytest.mark.fault('G10')),
        pytest.param('int', 130, marks=[pytest.mark.fault('G09'), pytest.mark.slow]),
    ],
)
def test_a_signal_saves_the_state(how, code, uninterrupted, tmp_path):
    stopped = start(tmp_path, at=4, how=how)
    assert stopped.returncode == code and 'state_iter_' in stopped.stderr, stopped.stderr[-3000:]
    assert (tmp_path / 'state_iter_5.pth').is_file()
    done = start(tmp_path, 'auto')
    assert done.returncode == 0, done.stderr[-4000:]
    assert not differences(final(uninterrupted), final(tmp_path))
    assert scalars(uninterrupted) == scalars(tmp_path)
