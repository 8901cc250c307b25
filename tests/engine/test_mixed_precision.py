"""Mixed precision: the scaler skips steps with gradients that are not finite, and the guard counts them."""

import itertools

import pytest
import torch
from mmengine.hooks import Hook
from toy_runs import faces, parts

from facelmk.errors import TrainingFault
from facelmk.registry import OPTIM_WRAPPERS

MIXED = dict(type='AmpOptimWrapper', dtype='bfloat16')


def guard(runner):
    return next(hook for hook in runner.hooks if type(hook).__name__ == 'Guard')


@pytest.mark.fault('G03')
@pytest.mark.parametrize('fused', [False, True])
def test_a_skipped_step_is_counted(fused, tmp_path, monkeypatch):
    runner = parts(tmp_path, faces(5), wrapper=MIXED | dict(optimizer=dict(type='Adam', lr=0.01, fused=fused)), every=1)
    warnings, states = [], []
    monkeypatch.setattr(runner.logger, 'warning', lambda text, *_: warnings.append(text))
    keep = Hook()
    keep.after_train_iter = lambda *_, **__: states.append([p.detach().clone() for p in runner.model.parameters()])
    runner.register_hook(keep)
    runner.train()
    same = [all(map(torch.equal, *pair)) for pair in itertools.pairwise(states)]
    assert runner.iter == 4 and same == [False, True, False]  # the third of four changes nothing
    assert guard(runner).dropped == 1 and runner.optim_wrapper.loss_scaler.get_scale() == 2**15
    (text,) = [text for text in warnings if 'mixed precision' in text]
    assert 'iteration 3:' in text and "'face4', 'face5'" in text and '(1 so far)' in text


@pytest.mark.fault('G03')
def test_too_many_in_a_row_stop(tmp_path):
    bad = [row | dict(inputs=torch.full((1,), torch.nan)) for row in faces(count=60)]
    runner = parts(tmp_path, bad, wrapper=MIXED | dict(optimizer=dict(type='SGD', lr=0.01)))
    before = [weight.clone() for weight in runner.model.parameters()]
    with pytest.raises(TrainingFault, match='iteration 21: .* 21 in a row, with a loss scale of 0.03') as error:
        runner.train()
    assert error.value.exit_code == 5 and not list(tmp_path.glob('*.pth'))
    assert all(map(torch.equal, before, runner.model.parameters()))


def test_a_scaler_that_is_off_leaves_gradients_to_the_guard(tmp_path):
    with pytest.raises(TrainingFault, match="the gradient of 'root' is not"):
        parts(tmp_path, faces(5), wrapper=MIXED | dict(loss_scale=dict(enabled=False))).train()


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU it is mmengine's")
def test_a_cpu_computes_in_bfloat16(tmp_path):
    dtypes = set()
    runner = parts(tmp_path, faces(), wrapper=MIXED | dict(loss_scale=8.0, dtype=None))
    runner.model.layer[0].register_forward_hook(lambda *arguments: dtypes.add(arguments[-1].dtype))
    runner.train()
    assert dtypes == {torch.bfloat16} and runner.optim_wrapper.loss_scaler.get_scale() == 8
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    built = OPTIM_WRAPPERS.build(dict(type='AmpOptimWrapper', optimizer=optimizer, loss_scale=dict(init_scale=4.0)))
    assert built.loss_scaler.get_scale() == 4
