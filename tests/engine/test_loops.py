"""A run that was stopped goes on at its iteration, with its order, and loads nothing that it was trained on."""
import pytest
import torch
from mmengine import Config
from mmengine.model import BaseModel
from torch import nn

from facelmk.datasets import FaceDataset
from facelmk.engine.run import train
from facelmk.registry import DATASETS, MODELS

SAMPLES, BATCH, ITERATIONS = 10, 2, 15  # three epochs
LOADED = []


@MODELS.register_module()
class LearnsOrder(BaseModel):
    """Weights that depend on the order of what was seen."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return {'loss': (self.layer(inputs) * torch.rand(())).square().mean()}


@DATASETS.register_module()
class NumbersTold(FaceDataset):
    """Numbers with a draw of their own; which were made is kept in LOADED."""

    def __init__(self):
        super().__init__('five', [self.tell])

    def __len__(self):
        return SAMPLES

    def face(self, index):
        return {'id': str(index), 'path': '', 'number': index}

    def tell(self, sample):
        LOADED.append(sample['number'])
        return {'inputs': torch.full((1,), float(sample['number'] + sample['rng'].random()))}


def run(folder, loop, last, resume=None, seed=3, workers=0, every=1):
    """Train for so many iterations; the final weights, and the numbers that were loaded."""
    epochs = dict(by_epoch=True, max_epochs=last * BATCH // SAMPLES)
    config = Config(dict(
        model=dict(type='LearnsOrder'), work_dir=str(folder), default_scope='facelmk', log_level='ERROR',
        train_dataloader=dict(
            dataset=dict(type='NumbersTold'), batch_size=BATCH, num_workers=workers,
            sampler=dict(type='FaceSampler', shuffle=True), collate_fn=dict(type='default_collate')),
        train_cfg=epochs if loop == 'epochs' else dict(by_epoch=False, max_iters=last),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=.1)), randomness=dict(seed=seed),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=every, by_epoch=loop == 'epochs')),
        experiment_name=f'{folder}{last}{resume}'.replace('/', '_')))
    folder.mkdir(exist_ok=True)
    LOADED.clear()
    runner = train(config, resume)
    return runner.model.state_dict(), list(LOADED), runner.seed


@pytest.mark.parametrize('loop', ['epochs', 'iterations'])
@pytest.mark.parametrize('seed', [3, None])
def test_a_run_that_goes_on_is_the_run_that_was_not_stopped(loop, seed, tmp_path):
    """Also where the config says no seed: the order goes by the seed that the first part drew."""
    stop = 7 if loop == 'iterations' else 10
    _, before, drawn = run(tmp_path / 'a', loop, stop, seed=seed)
    found, after, _ = run(tmp_path / 'a', loop, ITERATIONS, 'auto', seed)
    expected, whole, _ = run(tmp_path / 'b', loop, ITERATIONS, seed=drawn)
    assert before + after == whole and len(whole) == ITERATIONS * BATCH
    assert sorted(whole[:SAMPLES]) == list(range(SAMPLES)) and whole[:SAMPLES] != whole[SAMPLES:2 * SAMPLES]
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_workers_change_nothing_of_iterations(tmp_path):
    run(tmp_path / 'a', 'iterations', 7, workers=2)
    found, _, _ = run(tmp_path / 'a', 'iterations', ITERATIONS, 'auto', workers=1)
    expected, _, _ = run(tmp_path / 'b', 'iterations', ITERATIONS)
    assert all(torch.equal(found[key], expected[key]) for key in expected)
