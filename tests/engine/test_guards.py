"""Losses that are not finite stop, are skipped or rolled back, before a weight is changed by them."""
import pytest
import torch
from test_saving import run

from facelmk.engine.sizes import check_sizes
from facelmk.registry import FacelmkError, TrainingFault


def faces(bad=None, value=float('nan'), count=8):
    """Samples with ids, of which one is spoilt."""
    return [dict(inputs=torch.full((1,), value if i == bad else float(i)), data_samples=dict(id=f'face{i}'))
            for i in range(count)]




@pytest.mark.fault('G01', 'G02')
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_a_loss_that_is_not_finite_stops(value, tmp_path):
    runner = run(tmp_path, data=faces(5, value), epochs=1, guard=dict(type='Guard'))
    with pytest.raises(TrainingFault, match=r'iteration 3: loss_a is (nan|inf); samples face4, face5') as error:
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
        run(tmp_path / 'all', data=[dict(inputs=torch.full((1,), float('nan')))] * 8, epochs=1,
            guard=dict(type='Guard', action='skip', at_most=2)).train()


def test_rolling_back_takes_the_last_checkpoint(tmp_path):
    data = faces(5)
    runner = run(tmp_path, data=data, epochs=1, guard=dict(type='Guard', action='rollback'), every=1)
    runner.train()
    saved = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)['state_dict']
    assert all(torch.isfinite(value).all() for value in saved.values())


@pytest.mark.fault('G04')
def test_an_exploding_rate_leaves_finite_checkpoints(tmp_path):
    with pytest.raises(TrainingFault):
        run(tmp_path, data=faces(), epochs=3, rate=1e30, every=1).train()
    for path in tmp_path.glob('*.pth'):
        weights = torch.load(path, weights_only=True).get('state_dict', {})
        assert all(torch.isfinite(value).all() for value in weights.values()), path


def test_an_unknown_action_is_refused():
    from facelmk.engine.guards import Guard

    with pytest.raises(FacelmkError, match="'stop', 'skip', 'rollback'"):
        Guard('go on')


@pytest.mark.fault('G18', 'G19', 'G21')
def test_sets_that_give_no_batch_are_told():
    loader = torch.utils.data.DataLoader
    with pytest.raises(TrainingFault, match='is empty'):
        check_sizes(loader([], batch_size=2), 'val_dataloader')
    with pytest.raises(TrainingFault, match='1 samples on 1 ranks give no batch of 64'):
        check_sizes(loader([1], batch_size=64, drop_last=True), 'train_dataloader')
    check_sizes(loader([1], batch_size=64), 'train_dataloader')
