"""Losses that are not finite stop the run, or the guard skips or rolls back, before they change a weight."""

import pytest
import torch
from mmengine.hooks import Hook
from toy_runs import Normed, Toy, faces, of_size, parts, run

from facelmk.checkpoint import read_checkpoint
from facelmk.engine.faults.guards import Guard
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
    (file,) = tmp_path.glob('fault_iter_3_*.pth')
    assert 'loss_a' in torch.load(file, weights_only=True)['losses'] and not list(tmp_path.glob('epoch_*.pth'))


def test_skip_drops_the_batch(tmp_path):
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


def test_a_gradient_that_is_not_finite_stops_a_finite_loss(tmp_path):
    runner = parts(tmp_path, faces(5))
    with pytest.raises(
        TrainingFault, match="iteration 3: the loss is finite, the gradient of 'root' is not; samples 'face4', 'face5'"
    ):
        runner.train()
    assert all(torch.isfinite(weight).all() for weight in runner.model.parameters())


class Wild(Toy):
    """Three terms, the second is infinite for a faulty sample."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        bad = inputs.isnan().any()
        good = self.layer(inputs.nan_to_num()).square().mean()
        return {'loss_a': good, 'loss_b': good / ~bad, 'loss_c': good * 2}


def test_the_infinite_term_of_several_is_named(tmp_path):
    runner = of_size(tmp_path, 8, 2, Wild)
    runner._train_dataloader['dataset'] = faces(3)
    with pytest.raises(TrainingFault, match="iteration 2: loss_b is inf; samples 'face2', 'face3'"):
        runner.train()


def test_the_saved_batch_is_plain_data_and_gives_the_same_loss(tmp_path):
    runner = run(tmp_path, data=faces(5), epochs=1)
    with pytest.raises(TrainingFault):
        runner.train()
    saved = read_checkpoint(tmp_path / 'fault_iter_3_rank_0.pth')
    assert saved['fault'] == 'loss_a is nan' and (saved['iter'], saved['epoch']) == (3, 0)
    assert saved['data_samples']['id'] == ['face4', 'face5']
    batch = runner.model.data_preprocessor({key: saved[key] for key in ('inputs', 'data_samples')}, True)
    assert torch.isnan(runner.model(**batch, mode='loss')['loss_a']) and torch.isnan(saved['inputs']).any()


@pytest.mark.parametrize(('bad', 'steps'), [(None, [1, 2, 3]), (0, [1, 2, 3]), (2, [2, 3])])
def test_a_faulty_batch_is_not_accumulated(bad, steps, tmp_path):
    """Three updates of two batches each: a faulty batch drops the gradients before it, not those after it."""
    runner = run(tmp_path, data=faces(bad, count=12), epochs=1, guard=dict(type='Guard', action='skip'))
    runner.optim_wrapper = runner.build_optim_wrapper(dict(optimizer=dict(type='SGD', lr=0.1), accumulative_counts=2))
    updates = []
    runner.optim_wrapper.optimizer.register_step_pre_hook(lambda *_: updates.append((runner.iter + 1) // 2))
    runner.train()
    assert updates == steps
    assert all(torch.isfinite(weight).all() for weight in runner.model.parameters())


def test_a_full_disk_does_not_hide_the_fault(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('facelmk.engine.faults.guards.save_checkpoint', full)
    with pytest.raises(TrainingFault, match='loss_a is nan.*No space left'):
        run(tmp_path, data=faces(5), epochs=1).train()


def test_the_number_of_saved_batches_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr('facelmk.engine.faults.guards.MAX_BATCH_FILES', 2)
    run(tmp_path, data=faces(5), epochs=4, guard=dict(type='Guard', action='skip')).train()
    assert len(list(tmp_path.glob('fault_*'))) == 2


def test_rollback_restores_the_last_checkpoint(tmp_path):
    run(tmp_path, data=faces(5), epochs=1, guard=dict(type='Guard', action='rollback'), every=1).train()
    saved = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)['state_dict']
    assert all(torch.isfinite(value).all() for value in saved.values())


def test_a_dropped_batch_does_not_change_the_statistics(tmp_path):
    """The forward pass has put the batch into BatchNorm's statistics."""
    runner = parts(tmp_path, faces(5), 'skip', model=Normed)
    runner.train()
    assert runner.iter == 4 and all(torch.isfinite(value).all() for value in runner.model.buffers())


@HOOKS.register_module()
class Spoil(Hook):
    """Make weights, averages and statistics NaN once, before the fourth step; keep their values after it."""

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
            weights = {'trained': trained, 'averaged': averaged}
            runner.values = {
                key: {name: value.clone() for name, value in part.items()} for key, part in weights.items()
            }
            runner.values |= {'saved': self.saved}


def test_rollback_restores_weights_averages_and_statistics(tmp_path):
    """With an EMAHook a checkpoint's `state_dict` holds the averages, `ema_state_dict` the weights in training."""
    runner = parts(
        tmp_path,
        faces(count=12),
        'rollback',
        every=1,
        hooks=[dict(type='Spoil'), dict(type='EMAHook', momentum=0.5, update_buffers=True)],
    )
    runner.train()
    saved = runner.values['saved']
    trained = {name.removeprefix('module.'): value for name, value in saved['ema_state_dict'].items()}
    for name, value in runner.values['trained'].items():
        assert torch.equal(value, trained[name]) and torch.isfinite(value).all(), name
    for name, value in runner.values['averaged'].items():
        assert torch.equal(value, saved['state_dict'][name]) and torch.isfinite(value).all(), name
    last = read_checkpoint(tmp_path / 'epoch_1.pth')
    for key in ('state_dict', 'ema_state_dict'):
        assert all(torch.isfinite(value).all() for value in last[key].values()), key


def test_too_many_rollbacks_to_the_same_checkpoint_stop(tmp_path):
    """The rate makes the weights infinite in each step; there is a good step between two faults."""
    run(tmp_path, data=faces(count=4), epochs=1).train()
    second = run(
        tmp_path, data=faces(count=64), epochs=2, rate=1e30, guard=dict(type='Guard', action='rollback', at_most=3)
    )
    with pytest.raises(TrainingFault, match=r'epoch_1\.pth 3 times \(at_most\)'):
        second.train()


@pytest.mark.fault('G04')
def test_an_exploding_rate_leaves_finite_checkpoints(tmp_path):
    with pytest.raises(TrainingFault):
        run(tmp_path, data=faces(), epochs=3, rate=1e30, every=1).train()
    for path in tmp_path.glob('*.pth'):
        weights = torch.load(path, weights_only=True).get('state_dict', {})
        assert all(torch.isfinite(value).all() for value in weights.values()), path


def test_an_unknown_action_is_refused():
    with pytest.raises(FacelmkError, match="'stop', 'skip', 'rollback'"):
        Guard('go on')
