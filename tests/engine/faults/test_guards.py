"""Losses that are not finite stop, are skipped or rolled back, before a weight is changed by them."""

import pytest
import torch
from mmengine.hooks import Hook
from torch.utils._python_dispatch import TorchDispatchMode
from toy_runs import Normed, Toy, faces, of_size, parts, run

from facelmk.checkpoint import read_checkpoint
from facelmk.engine.faults.guards import ACTIONS, Guard
from facelmk.engine.saving.newest import newest_checkpoint
from facelmk.engine.saving.state import networks
from facelmk.errors import FacelmkError, TrainingFault
from facelmk.registry import HOOKS


@pytest.mark.fault('G01', 'G02')
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_a_loss_that_is_not_finite_stops(value, tmp_path):
    runner = run(tmp_path, data=faces(5, value), epochs=1, guard=dict(type='Guard'))
    with pytest.raises(TrainingFault, match=r"iteration 3: loss_a is (nan|inf); samples 'face4', 'face5'") as error:
        runner.train()
    assert error.value.exit_code == 5 and runner.iter == 2
    assert all(torch.isfinite(weight).all() for weight in runner.model.parameters())
    (kept,) = tmp_path.glob('fault_iter_3_*.pth')
    assert 'loss_a' in torch.load(kept, weights_only=True)['losses'] and not list(tmp_path.glob('epoch_*.pth'))


def test_skipping_drops_the_batch(tmp_path):
    runner = run(tmp_path, data=faces(5), epochs=1, guard=dict(type='Guard', action='skip'))
    runner.train()
    assert runner.iter == 4 and all(torch.isfinite(weight).all() for weight in runner.model.parameters())
    with pytest.raises(TrainingFault, match='3 in a row, at_most=2'):
        run(
            tmp_path / 'all',
            data=[dict(inputs=torch.full((1,), float('nan')))] * 8,
            epochs=1,
            guard=dict(type='Guard', action='skip', at_most=2),
        ).train()


def test_a_gradient_that_is_not_finite_stops_though_the_loss_is(tmp_path):
    runner = parts(tmp_path, faces(5))
    with pytest.raises(
        TrainingFault, match="iteration 3: the loss is finite, the gradient of 'root' is not; samples 'face4', 'face5'"
    ):
        runner.train()
    assert all(torch.isfinite(weight).all() for weight in runner.model.parameters())


class Wild(Toy):
    """Three terms, of which the second is infinite for a spoilt sample."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        bad = inputs.isnan().any()
        good = self.layer(inputs.nan_to_num()).square().mean()
        return {'loss_a': good, 'loss_b': good / ~bad, 'loss_c': good * 2}


def test_the_one_term_of_several_that_is_infinite_is_named(tmp_path):
    runner = of_size(tmp_path, 8, 2, Wild)
    runner._train_dataloader['dataset'] = faces(3)
    with pytest.raises(TrainingFault, match="iteration 2: loss_b is inf; samples 'face2', 'face3'"):
        runner.train()


def test_what_is_kept_loads_as_plain_data_and_gives_the_same_loss(tmp_path):
    runner = run(tmp_path, data=faces(5), epochs=1)
    with pytest.raises(TrainingFault):
        runner.train()
    kept = read_checkpoint(tmp_path / 'fault_iter_3_rank_0.pth')
    assert kept['fault'] == 'loss_a is nan' and (kept['iter'], kept['epoch']) == (3, 0)
    assert kept['data_samples']['id'] == ['face4', 'face5']
    batch = runner.model.data_preprocessor({key: kept[key] for key in ('inputs', 'data_samples')}, True)
    assert torch.isnan(runner.model(**batch, mode='loss')['loss_a']) and torch.isnan(kept['inputs']).any()


@pytest.mark.parametrize(('bad', 'steps'), [(None, [1, 2, 3]), (0, [1, 2, 3]), (2, [2, 3])])
def test_a_spoilt_batch_is_not_summed_up_with_others(bad, steps, tmp_path):
    """Three updates of two batches each: what was summed up before a spoilt one goes with it, what follows counts."""
    runner = run(tmp_path, data=faces(bad, count=12), epochs=1, guard=dict(type='Guard', action='skip'))
    runner.optim_wrapper = runner.build_optim_wrapper(dict(optimizer=dict(type='SGD', lr=0.1), accumulative_counts=2))
    made = []
    runner.optim_wrapper.optimizer.register_step_pre_hook(lambda *_: made.append((runner.iter + 1) // 2))
    runner.train()
    assert made == steps
    assert all(torch.isfinite(weight).all() for weight in runner.model.parameters())


def test_a_full_disk_does_not_hide_the_fault(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('facelmk.engine.faults.guards.save_checkpoint', full)
    with pytest.raises(TrainingFault, match='loss_a is nan.*could not be kept.*No space left'):
        run(tmp_path, data=faces(5), epochs=1).train()


def test_batches_are_not_kept_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr('facelmk.engine.faults.guards.MAX_BATCH_FILES', 2)
    run(tmp_path, data=faces(5), epochs=4, guard=dict(type='Guard', action='skip')).train()
    assert len(list(tmp_path.glob('fault_*'))) == 2


def test_rolling_back_takes_the_last_checkpoint(tmp_path):
    run(tmp_path, data=faces(5), epochs=1, guard=dict(type='Guard', action='rollback'), every=1).train()
    saved = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)['state_dict']
    assert all(torch.isfinite(value).all() for value in saved.values())


def test_a_dropped_batch_leaves_nothing_in_the_statistics(tmp_path):
    """BatchNorm has met the batch before its loss is known."""
    runner = parts(tmp_path, faces(5), 'skip', model=Normed)
    runner.train()
    assert runner.iter == 4 and all(torch.isfinite(value).all() for value in runner.model.buffers())


@HOOKS.register_module()
class Spoil(Hook):
    """Makes weights, averages and statistics NaN once, before the fourth step; keeps what stood there after it."""

    priority = 'HIGHEST'

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.saved = read_checkpoint(newest_checkpoint(runner.work_dir)) if runner.iter == 3 else None
        if self.saved:
            with torch.no_grad():
                for network in networks(runner):
                    for value in network.state_dict().values():
                        value.fill_(torch.nan) if value.is_floating_point() else None

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if self.saved:
            trained, averaged = (network.state_dict() for network in networks(runner))
            weights = {'own': trained, 'averaged': averaged}
            runner.found = {key: {name: value.clone() for name, value in part.items()} for key, part in weights.items()}
            runner.found |= {'saved': self.saved}


def test_rolling_back_mends_weights_averages_and_statistics_that_are_spoilt(tmp_path):
    """With an EMAHook a checkpoint's `state_dict` holds the averages, `ema_state_dict` the weights in training."""
    runner = parts(
        tmp_path,
        faces(count=12),
        'rollback',
        every=1,
        hooks=[dict(type='Spoil'), dict(type='EMAHook', momentum=0.5, update_buffers=True)],
    )
    runner.train()
    saved = runner.found['saved']
    own = {name.removeprefix('module.'): value for name, value in saved['ema_state_dict'].items()}
    for name, value in runner.found['own'].items():
        assert torch.equal(value, own[name]) and torch.isfinite(value).all(), name
    for name, value in runner.found['averaged'].items():
        assert torch.equal(value, saved['state_dict'][name]) and torch.isfinite(value).all(), name
    last = read_checkpoint(tmp_path / 'epoch_1.pth')
    for key in ('state_dict', 'ema_state_dict'):
        assert all(torch.isfinite(value).all() for value in last[key].values()), key


def test_rolling_back_to_the_same_place_again_and_again_ends(tmp_path):
    """A rate that spoils the weights in each step: a good step lies between any two faults."""
    run(tmp_path, data=faces(count=4), epochs=1).train()
    again = run(
        tmp_path, data=faces(count=64), epochs=2, rate=1e30, guard=dict(type='Guard', action='rollback', at_most=3)
    )
    with pytest.raises(TrainingFault, match=r'came back to .*epoch_1.pth 3 times \(at_most\) and got no further'):
        again.train()


@pytest.mark.fault('G04')
def test_an_exploding_rate_leaves_finite_checkpoints(tmp_path):
    with pytest.raises(TrainingFault):
        run(tmp_path, data=faces(), epochs=3, rate=1e30, every=1).train()
    for path in tmp_path.glob('*.pth'):
        weights = torch.load(path, weights_only=True).get('state_dict', {})
        assert all(torch.isfinite(value).all() for value in weights.values()), path


class Copies(TorchDispatchMode):
    """Counts the numbers that are read off tensors: where these are a GPU's, each is a wait for it."""

    count = 0

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        self.count += function is torch.ops.aten._local_scalar_dense.default
        return function(*arguments, **(options or {}))


@pytest.mark.parametrize('action', ACTIONS)
def test_a_guarded_step_waits_once_for_a_gpu(action, tmp_path):
    runner = parts(tmp_path, faces(), action)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    guard, batch = Guard(action), dict(inputs=torch.ones(2, 1), data_samples=dict(id=['a', 'b']))
    counts = []
    for begin in (lambda: None, lambda: guard.before_train(runner)):
        begin()
        with Copies() as copies:
            guard.before_train_iter(runner, 0, batch)
            runner.model.train_step(batch, runner.optim_wrapper)
            guard.after_train_iter(runner, 0, batch)
        counts.append(copies.count)
    assert counts[1] - counts[0] == 1


def test_an_unknown_action_is_refused():
    with pytest.raises(FacelmkError, match="'stop', 'skip', 'rollback'"):
        Guard('go on')
