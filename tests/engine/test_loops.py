"""A resumed run continues at its iteration, in the same order, and does not load earlier samples again."""

import pytest
import torch
from mmengine import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from torch import nn

from facelmk.datasets import FaceDataset
from facelmk.engine.run import train
from facelmk.errors import FacelmkError
from facelmk.registry import DATASETS, METRICS, MODELS

SAMPLES, BATCH, ITERATIONS = 10, 2, 15  # three epochs
LOADED = []


@MODELS.register_module()
class LearnsOrder(BaseModel):
    """A network whose weights depend on the order of the samples."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        if mode == 'predict':
            return self.layer(inputs)
        return {'loss': (self.layer(inputs) * torch.rand(())).square().mean()}


@DATASETS.register_module()
class RecordedNumbers(FaceDataset):
    """Numbers plus a random number; LOADED records which were made."""

    def __init__(self):
        super().__init__('five', [self.make])

    def __len__(self):
        return SAMPLES

    def face(self, index):
        return {'id': str(index), 'path': '', 'number': index}

    def make(self, sample):
        LOADED.append(sample['number'])
        return {'inputs': torch.full((1,), float(sample['number'] + sample['rng'].random()))}


@METRICS.register_module()
class MeanOutput(BaseMetric):
    """The mean output of the network."""

    def process(self, data_batch, data_samples):
        self.results.extend(float(value) for value in data_samples)

    def compute_metrics(self, results):
        return {'mean': sum(results) / len(results)}


def run(folder, loop, last, resume=None, seed=3, workers=0, every=1, averaged=False, **more):
    """Train for `last` iterations; return the final weights, the loaded numbers and the seed."""
    epochs = dict(by_epoch=True, max_epochs=last * BATCH // SAMPLES)
    config = Config(
        dict(
            dict(
                model=dict(type='LearnsOrder'),
                work_dir=str(folder),
                default_scope='facelmk',
                log_level='ERROR',
                train_dataloader=dict(
                    dataset=dict(type='RecordedNumbers'),
                    batch_size=BATCH,
                    num_workers=workers,
                    sampler=dict(type='FaceSampler', shuffle=True),
                    collate_fn=dict(type='default_collate'),
                ),
                train_cfg=epochs if loop == 'epochs' else dict(by_epoch=False, max_iters=last),
                optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.1)),
                randomness=dict(seed=seed),
                default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=every, by_epoch=loop == 'epochs')),
                custom_hooks=[dict(type='EMAHook')] * averaged,
                experiment_name=f'{folder}{last}{resume}'.replace('/', '_'),
            ),
            **more,
        )
    )
    folder.mkdir(exist_ok=True)
    LOADED.clear()
    runner = train(config, resume)
    return runner.model.state_dict(), list(LOADED), runner.seed


@pytest.mark.parametrize('loop', ['epochs', 'iterations'])
@pytest.mark.parametrize('seed', [3, None])
def test_a_resumed_run_equals_one_that_never_stopped(loop, seed, tmp_path):
    """Also without a seed in the config: the order follows the seed that the first part drew."""
    stop = 7 if loop == 'iterations' else 10
    _, before, seed_used = run(tmp_path / 'a', loop, stop, seed=seed)
    resumed, after, _ = run(tmp_path / 'a', loop, ITERATIONS, 'auto', seed)
    expected, whole, _ = run(tmp_path / 'b', loop, ITERATIONS, seed=seed_used)
    assert before + after == whole and len(whole) == ITERATIONS * BATCH
    assert sorted(whole[:SAMPLES]) == list(range(SAMPLES)) and whole[:SAMPLES] != whole[SAMPLES : 2 * SAMPLES]
    assert all(torch.equal(resumed[key], expected[key]) for key in expected)


def test_workers_do_not_change_iterations(tmp_path):
    run(tmp_path / 'a', 'iterations', 7, workers=2)
    resumed, _, _ = run(tmp_path / 'a', 'iterations', ITERATIONS, 'auto', workers=1)
    expected, _, _ = run(tmp_path / 'b', 'iterations', ITERATIONS)
    assert all(torch.equal(resumed[key], expected[key]) for key in expected)


@pytest.mark.parametrize('averaged', [False, True])
def test_another_network_is_refused(averaged, tmp_path):
    run(tmp_path / 'a', 'epochs', 5, averaged=averaged)
    path = tmp_path / 'a' / 'epoch_1.pth'
    saved = torch.load(path, weights_only=True)
    saved['state_dict']['layer.weight'] = torch.ones(2, 1)
    torch.save(saved, path)
    with pytest.raises(FacelmkError, match=r'does not fit LearnsOrder.*layer\.weight \(2, 1\), here \(1, 1\)'):
        run(tmp_path / 'a', 'epochs', 10, 'auto', averaged=averaged)


@pytest.mark.parametrize('loop', ['epochs', 'iterations'])
def test_a_missed_validation_is_repeated(loop, tmp_path, monkeypatch):
    """A run that ends between a save and its validation validates when it is resumed."""

    def validated(folder, last, resume=None):
        loader = dict(
            dataset=dict(type='RecordedNumbers'),
            batch_size=BATCH,
            sampler=dict(type='FaceSampler'),
            collate_fn=dict(type='default_collate'),
        )
        train_cfg = (
            dict(by_epoch=True, max_epochs=2)
            if loop == 'epochs'
            else dict(by_epoch=False, max_iters=last, val_interval=5)
        )
        run(
            folder,
            loop,
            last,
            resume,
            every=1 if loop == 'epochs' else 5,
            train_cfg=train_cfg,
            val_dataloader=loader,
            val_cfg={},
            val_evaluator=dict(type='MeanOutput'),
        )
        name = 'epoch_2.pth' if loop == 'epochs' else 'iter_10.pth'
        saved = torch.load(folder / name, weights_only=True)
        return saved['message_hub']['log_scalars']['val/mean']['values'].tolist()

    expected = validated(tmp_path / 'b', 10)
    with monkeypatch.context() as patch, pytest.raises(ArithmeticError):
        patch.setattr(MeanOutput, 'process', lambda *_: (_ for _ in ()).throw(ArithmeticError))
        validated(tmp_path / 'a', 10)
    assert validated(tmp_path / 'a', 10, 'auto') == expected and len(expected) == 2
