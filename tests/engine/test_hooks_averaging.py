"""The training of RTMPose: averaged weights, clipped gradients, no decay of norms and biases, a late cosine."""

import math

import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.optim import CosineAnnealingLR, LinearLR, OptimWrapper, build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

from facelmk.config import load_config
from facelmk.engine.ema import ExpMomentumEMA
from facelmk.errors import FacelmkError, UnknownName
from facelmk.registry import MODELS

OPTIM = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=4e-3, weight_decay=0.05),
    clip_grad=dict(max_norm=35, norm_type=2),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, bypass_duplicate=True),
)


def set_to(model, value):
    """Set every weight and statistic of a network to one number."""
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.fill_(value)


def new_weight(step, momentum, gamma):
    return (1 - momentum) * math.exp(-(1 + step) / gamma) + momentum


@pytest.mark.parametrize(('momentum', 'gamma'), [(2e-4, 2000), (0.05, 4)])
@pytest.mark.parametrize('buffers', [False, True])
def test_the_average_by_its_closed_form(momentum, gamma, buffers):
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    average = MODELS.build(
        dict(type='ExpMomentumEMA', model=model, momentum=momentum, gamma=gamma, update_buffers=buffers)
    )
    values = [float(v) for v in torch.randn(12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)]
    for value in values:
        set_to(model, value)
        average.update_parameters(model)
    old_weights = [1 - new_weight(step, momentum, gamma) for step in range(1, 12)]  # the first update copies
    expected = values[0] * math.prod(old_weights) + sum(
        values[step] * new_weight(step, momentum, gamma) * math.prod(old_weights[step:]) for step in range(1, 12)
    )
    for name, tensor in average.module.state_dict().items():
        if name == '1.num_batches_tracked':
            continue
        value = values[-1] if 'running' in name and not buffers else expected
        assert torch.allclose(tensor.double(), torch.tensor(value, dtype=torch.float64), atol=1e-6), name
    assert int(average.steps) == 12


def test_the_weight_falls_from_1_to_the_momentum():
    average = ExpMomentumEMA(nn.Linear(1, 1))
    weights = []
    for step in (1, 100, 2000, 10**6):
        average.steps.fill_(step)
        average.update_parameters(nn.Linear(1, 1))
        weights.append(average.new_weight)
    assert weights == sorted(weights, reverse=True) and weights[0] > 0.998
    assert weights[2] == pytest.approx((1 - 2e-4) * math.exp(-2001 / 2000) + 2e-4) and weights[3] == pytest.approx(2e-4)
    with pytest.raises(FacelmkError, match='gamma=0'):
        ExpMomentumEMA(nn.Linear(1, 1), gamma=0)


def test_mmengines_hook_builds_it_from_a_config():
    hook = dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=2e-4, update_buffers=True, priority=49)
    config = load_config('quickstart', {'custom_hooks': [hook]})
    options = {key: value for key, value in config.custom_hooks[0].items() if key not in ('type', 'priority')}
    built = EMAHook(**options)
    with DefaultScope.overwrite_default_scope('facelmk'):
        built.before_run(type('Runner', (), {'model': nn.Linear(1, 1)}))
    assert type(built.ema_model) is ExpMomentumEMA and built.ema_model.gamma == 2000


def test_norms_and_biases_do_not_decay():
    config = load_config('quickstart', {'optim_wrapper': OPTIM})
    model = MODELS.build(config.model)
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    decay = {id(group['params'][0]): group['weight_decay'] for group in wrapper.optimizer.param_groups}
    norms = {id(p) for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) for p in m.parameters()}
    exempt = 0
    for name, parameter in model.named_parameters():
        is_exempt = id(parameter) in norms or name.endswith('.bias')
        assert decay[id(parameter)] == (0 if is_exempt else 0.05), name
        exempt += is_exempt
    assert 0 < exempt < len(decay) == len(list(model.parameters()))
    assert wrapper.clip_grad_kwargs == dict(max_norm=35, norm_type=2)


def test_a_misspelt_part_of_the_wrapper_is_refused():
    for key, near in (('paramwise_cgf', 'paramwise_cfg'), ('clip_grads', 'clip_grad')):
        with pytest.raises(UnknownName, match=f"'{key}'.*'{near}'"):
            load_config('quickstart', {'optim_wrapper': OPTIM | {key: {}}})


def test_the_rate_warms_up_stays_and_falls_by_a_cosine_in_the_second_half():
    base, epochs, length = 4e-3, 60, 40
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=base)
    wrapper = OptimWrapper(optimizer)
    schedulers = [
        LinearLR(wrapper, start_factor=1e-5, by_epoch=False, begin=0, end=1000),
        CosineAnnealingLR.build_iter_from_epoch(
            wrapper,
            eta_min=base * 0.05,
            begin=epochs // 2,
            end=epochs,
            T_max=epochs // 2,
            by_epoch=True,
            epoch_length=length,
        ),
    ]
    rates = []
    for _ in range(epochs * length):
        rates.append(optimizer.param_groups[0]['lr'])
        wrapper.step()
        for scheduler in schedulers:
            scheduler.step()
    assert rates[0] == pytest.approx(base * 1e-5) and rates[500] == pytest.approx(base * 500 / 999, rel=1e-3)
    assert rates[1000] == pytest.approx(base) == pytest.approx(rates[1199])
    for progress in (0.25, 0.5, 0.75):
        expected = base * (0.05 + 0.95 * (1 + math.cos(math.pi * progress)) / 2)
        assert rates[int(1200 + progress * 1200)] == pytest.approx(expected, rel=1e-2)
    assert rates[-1] == pytest.approx(base * 0.05, rel=1e-2)


def test_the_face6_schedule_passes_the_check():
    # cosine over the last 90 of 120 epochs, down to half a per cent
    schedule = [
        dict(type='LinearLR', start_factor=1e-5, by_epoch=False, begin=0, end=1000),
        dict(
            type='CosineAnnealingLR',
            eta_min=2e-5,
            begin=30,
            end=120,
            T_max=90,
            by_epoch=True,
            convert_to_iter_based=True,
        ),
    ]
    config = load_config('quickstart', {'param_scheduler': schedule, 'optim_wrapper': OPTIM})
    assert config.param_scheduler[1].T_max == 90
