"""Sets and batches that a run cannot be right with are told before training begins."""

import re

import pytest
import torch
from mmengine import Config
from toy_runs import Normed, Toy, of_size

from facelmk.engine.run import _enable_rate_scaling, _scale_for_accumulation
from facelmk.errors import TrainingFault


@pytest.mark.parametrize(
    ('count', 'validated', 'name'),
    [
        pytest.param(0, None, 'train', marks=pytest.mark.fault('G18')),
        pytest.param(4, 0, 'val', marks=pytest.mark.fault('G21')),
    ],
)
def test_an_empty_set_is_told_before_training(count, validated, name, tmp_path):
    runner = of_size(tmp_path, count, 2, validated=validated)
    before = [weight.clone() for weight in runner.model.parameters()]
    with pytest.raises(TrainingFault, match=rf'{name}_dataloader: .* is empty \(0 samples, batches of 2\)'):
        runner.train()
    assert all(torch.equal(*pair) for pair in zip(before, runner.model.parameters(), strict=True))


@pytest.mark.fault('G19')
@pytest.mark.parametrize(
    ('model', 'drop', 'words'),
    [
        (Normed, False, '1 sample a rank, batch_size=64; BatchNorm'),
        (Toy, True, '1 samples on 1 ranks give no batch of 64'),
    ],
)
def test_one_sample_in_all_is_told_before_training(model, drop, words, tmp_path):
    runner = of_size(tmp_path, 1, 64, model, drop_last=drop)
    with pytest.raises(TrainingFault, match=words) as error:
        runner.train()
    assert error.value.exit_code == 5 and not list(tmp_path.glob('*.pth'))


def test_one_sample_is_a_batch_without_batchnorm(tmp_path):
    runner = of_size(tmp_path, 1, 64, Toy)
    runner.train()
    assert runner.iter == 2


@pytest.mark.fault('G20')
def test_a_last_batch_of_one_is_left_out_for_batchnorm(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match='more than 1 value per channel'):
        Normed()(torch.ones(1, 1))  # what an epoch would end with
    said = []
    for count, model, batches in ((5, Normed, 2), (6, Normed, 3), (5, Toy, 3)):
        runner = of_size(tmp_path / f'{count}{model.__name__}', count, 2, model)
        monkeypatch.setattr(runner.logger, 'warning', lambda text, *_, place=(count, model): said.append((place, text)))
        runner.train()
        assert runner.iter == 2 * batches
    ((place, text),) = [found for found in said if 'BatchNorm' in found[1]]
    assert place == (5, Normed) and 'one sample (5 samples a rank, batch_size=2)' in text and 'left out' in text


@pytest.mark.parametrize(
    ('base', 'steps', 'enable', 'told'),
    [
        (16, 1, False, r'for a batch of 16; 1 x 4 samples make 4. Scale it by 0.25 with --auto-scale-lr'),
        (16, 2, False, '1 x 4 samples x 2 steps make 8. Scale it by 0.5'),
        (4, 1, False, None),
        (8, 2, False, None),
        (16, 1, True, None),
        (None, 1, False, None),
    ],
)
def test_a_batch_that_the_rate_is_not_for_is_told_before_training(base, steps, enable, told, tmp_path, monkeypatch):
    runner = of_size(tmp_path, 8, 4, Toy)
    runner.cfg.auto_scale_lr = None if base is None else dict(base_batch_size=base, enable=enable)
    runner.optim_wrapper = runner.build_optim_wrapper(
        dict(optimizer=dict(type='SGD', lr=0.1), accumulative_counts=steps)
    )
    said = []
    monkeypatch.setattr(runner.logger, 'warning', lambda text, *_: said.append((text, runner.iter)))
    runner.train()
    found = [entry for entry in said if 'learning rate is for' in entry[0]]
    assert [number for _, number in found] == [0] * bool(told) and (told is None or re.search(told, found[0][0]))


@pytest.mark.parametrize(('steps', 'rate'), [(None, 0.025), (4, 0.1)])
def test_scaling_the_rate_counts_batches_that_are_summed_up(steps, rate, tmp_path):
    config = Config(
        dict(
            auto_scale_lr=dict(base_batch_size=16),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1))
            | ({} if steps is None else dict(accumulative_counts=steps)),
        )
    )
    _enable_rate_scaling(config)
    runner = of_size(tmp_path, 8, 4, Toy)
    wrapper = runner.build_optim_wrapper(config.optim_wrapper)
    runner.scale_lr(wrapper, _scale_for_accumulation(config))
    assert wrapper.get_lr()['lr'] == [pytest.approx(rate)] and config.auto_scale_lr.base_batch_size == 16
