"""A signal at any point of a training ends it at once, and the resumed run equals one that was never stopped."""

import json
import os
import signal
from pathlib import Path

import pytest
import torch
from mmengine import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from torch import nn

from facelmk.datasets import FaceDataset
from facelmk.engine.run import train
from facelmk.files.signals import Stopped
from facelmk.registry import DATASETS, METRICS, MODELS

fault = pytest.mark.fault
BATCHES, EPOCHS = 4, 2  # of two samples each


@MODELS.register_module()
class DrawsNoise(BaseModel):
    """One layer with dropout, which draws from torch's generator in each step."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(1, 8), nn.Dropout(0.5), nn.Linear(8, 1))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        output = self.layer(inputs)
        return {'loss': output.square().mean()} if mode == 'loss' else [output.mean().item()] * len(inputs)


@METRICS.register_module()
class MeanOfOutput(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        return {'mean': sum(results) / len(results)}


@DATASETS.register_module()
class SendsSignal(FaceDataset):
    """Numbers; loading number `at` for the time number `time` sends this process, or its parent, a signal."""

    def __init__(self, mark, number, at, time=0, parent=False, draws=3):
        super().__init__('five', [self.make])
        self.mark, self.number, self.at, self.time = Path(mark), number, at, time
        self.parent, self.draws = parent, draws

    def __len__(self):
        return 2 * BATCHES

    def face(self, index):
        return {'id': f'face {index}', 'path': '', 'number': index}

    def make(self, sample):
        times = self.mark.stat().st_size if self.mark.exists() else 0
        if sample['number'] == self.at and not self.mark.with_suffix('.off').exists():
            with self.mark.open('a') as file:
                file.write('.')
            if times == self.time:
                torch.rand(self.draws)  # of an interrupted batch; the resumed run loads it again
                os.kill(os.getppid() if self.parent else os.getpid(), self.number)
        return {'inputs': torch.full((1,), float(sample['number']))}


def run(folder, number=signal.SIGTERM, train_at=None, val_at=None, resume=None, time=0, workers=0, draws=3, **changes):
    def loader(at):
        dataset = dict(type='SendsSignal', mark=str(folder / 'mark'), number=number, at=at, time=time, draws=draws)
        return dict(
            dataset=dict(dataset, parent=workers > 0),
            batch_size=2,
            num_workers=workers,
            persistent_workers=False,
            sampler=dict(type='FaceSampler', shuffle=True),
            collate_fn=dict(type='default_collate'),
        )

    folder.mkdir(exist_ok=True)
    if resume:
        (folder / 'mark.off').touch()
    options = dict(
        model=dict(type='DrawsNoise'),
        work_dir=str(folder),
        default_scope='facelmk',
        log_level='ERROR',
        train_dataloader=loader(train_at),
        val_dataloader=loader(val_at),
        val_cfg=dict(),
        val_evaluator=dict(type='MeanOfOutput'),
        train_cfg=dict(by_epoch=True, max_epochs=EPOCHS),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.1)),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
        custom_hooks=[dict(type='EMAHook', momentum=0.1)],
        randomness=dict(seed=1),
        experiment_name=f'{folder}{resume}'.replace('/', '_'),
    )
    train(Config(options | changes), resume)
    return torch.load(next(folder.glob('[ei]*_[28].pth')), weights_only=True)


def validations(folder):
    lines = (line for file in sorted(folder.glob('*/vis_data/scalars.json')) for line in file.read_text().splitlines())
    return [(line['step'], line['mean']) for line in map(json.loads, lines) if 'mean' in line]


@pytest.fixture(scope='module')
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp('stopping') / 'expected'
    return run(folder), validations(folder)


RARELY = dict(default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=EPOCHS)))
PLACES = {
    'the first batch': dict(train_at=1),
    'a batch': dict(train_at=6, time=1),
    'a batch, workers': dict(train_at=6, workers=1),
    'a validation': dict(val_at=3),
    'a validation, workers': dict(val_at=3, workers=2),
    'the last validation': dict(val_at=0, time=1),
    'a validation of an epoch that is not saved': RARELY | dict(val_at=3),
}


@fault('L10')
@pytest.mark.parametrize('place', PLACES)
def test_a_signal_while_a_batch_is_loaded(place, expected, tmp_path):
    options = PLACES[place]
    with pytest.raises(Stopped) as caught:
        run(tmp_path / 'a', **options)
    assert caught.value.exit_code == 128 + signal.SIGTERM
    resumed = run(tmp_path / 'a', **options, resume='auto')
    for part in ('state_dict', 'ema_state_dict'):
        assert all(torch.equal(value, expected[0][part][key]) for key, value in resumed[part].items())
    assert validations(tmp_path / 'a') == expected[1]


ITERATIONS = dict(
    train_cfg=dict(by_epoch=False, max_iters=BATCHES * EPOCHS, val_interval=BATCHES),
    default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=3, by_epoch=False)),
)


@fault('L10')
@pytest.mark.parametrize('place', ['a batch', 'a validation', 'a batch, workers'])
def test_a_signal_in_a_loop_of_iterations(place, tmp_path):
    options = PLACES[place] | ITERATIONS
    undisturbed = run(tmp_path / 'expected', **ITERATIONS)
    with pytest.raises(Stopped):
        run(tmp_path / 'a', **options)
    resumed = run(tmp_path / 'a', **options, resume='auto')
    assert all(torch.equal(value, undisturbed['state_dict'][key]) for key, value in resumed['state_dict'].items())
    assert validations(tmp_path / 'a') == validations(tmp_path / 'expected')


@fault('L10')
def test_summed_gradients_are_not_lost(tmp_path):
    """Between the batches that are summed up, no state can be saved: the signal waits for the step."""
    summed = dict(optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.1), accumulative_counts=2))
    undisturbed = run(tmp_path / 'expected', **summed)
    with pytest.raises(Stopped):
        run(tmp_path / 'a', train_at=6, draws=0, **summed)
    resumed = run(tmp_path / 'a', **summed, resume='auto')
    assert all(torch.equal(value, undisturbed['state_dict'][key]) for key, value in resumed['state_dict'].items())
