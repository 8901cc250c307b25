"""Wrong sizes of data sets and batches are reported before training starts."""

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
def test_an_empty_data_set_is_refused_before_training(count, validated, name, tmp_path):
    runner = of_size(tmp_path, count, 2, validated=validated)
    before = [weight.clone() for weight in runner.model.parameters()]
    with pytest.raises(TrainingFault, match=rf'{name}_dataloader: .*0 samples, batches of 2'):
        runner.train()
    assert all(torch.equal(*pair) for pair in zip(before, runner.model.parameters(), strict=True))


@pytest.mark.fault('G19')
@pytest.mark.parametrize(
    ('model', 'drop_last', 'facts'),
    [
        (Normed, False, '1 sample a rank, batch_size=64.*BatchNorm'),
        (Toy, True, '1 samples on 1 ranks.* 64.*drop_last=True'),
    ],
)
def test_a_data_set_of_one_sample_is_refused_before_training(model, drop_last, facts, tmp_path):
    runner = of_size(tmp_path, 1, 64, model, drop_last=drop_last)
    with pytest.raises(TrainingFault, match=facts) as error:
        runner.train()
    assert error.value.exit_code == 5 and not list(tmp_path.glob('*.pth'))


def test_without_batchnorm_one_sample_is_enough(tmp_path):
    runner = of_size(tmp_path, 1, 64, Toy)
    runner.train()
    assert runner.iter == 2


@pytest.mark.fault('G20')
def test_a_last_batch_of_one_sample_is_dropped_for_batchnorm(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match='more than 1 value per channel'):
        Normed()(torch.ones(1, 1))  # the last batch of an epoch
    warnings = []
    for count, model, batches in ((5, Normed, 2), (6, Normed, 3), (5, Toy, 3)):
        runner = of_size(tmp_path / f'{count}{model.__name__}', count, 2, model)
        monkeypatch.setattr(
            runner.logger, 'warning', lambda text, *_, case=(count, model): warnings.append((case, text))
        )
        runner.train()
        assert runner.iter == 2 * batches
    ((case, text),) = [warning for warning in warnings if 'BatchNorm' in warning[1]]
    assert case == (5, Normed) and '5 samples a rank, batch_size=2' in text


@pytest.mark.parametrize(
    ('base', 'steps', 'enable', 'facts'),
    [
        (16, 1, False, r' 16; .*1 x 4 samples = 4\. .* 0\.25 with --auto-scale-lr'),
        (16, 2, False, r' 16; .*1 x 4 samples x 2 steps = 8\. .* 0\.5 with --auto-scale-lr'),
        (4, 1, False, None),
        (8, 2, False, None),
        (16, 1, True, None),
        (None, 1, False, None),
    ],
)
def test_a_batch_size_that_the_rate_was_not_chosen_for_is_a_warning(base, steps, enable, facts, tmp_path, monkeypatch):
    runner = of_size(tmp_path, 8, 4, Toy)
    runner.cfg.auto_scale_lr = None if base is None else dict(base_batch_size=base, enable=enable)
    runner.optim_wrapper = runner.build_optim_wrapper(
        dict(optimizer=dict(type='SGD', lr=0.1), accumulative_counts=steps)
    )
    warnings = []
    monkeypatch.setattr(runner.logger, 'warning', lambda text, *_: warnings.append((text, runner.iter)))
    runner.train()
    about_rate = [(text, number) for text, number in warnings if '--auto-scale-lr' in text]
    assert [number for _, number in about_rate] == [0] * bool(facts)
    assert facts is None or re.search(facts, about_rate[0][0])


@pytest.mark.parametrize(('steps', 'rate'), [(None, 0.025), (4, 0.1)])
def test_scaling_the_rate_includes_gradient_accumulation(steps, rate, tmp_path):
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
