"""Losses that are not finite stop, are skipped or rolled back, before a weight is changed by them."""
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from test_saving import Toy, run
from torch import nn

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


class Normed(BaseModel):
    """A layer with BatchNorm behind it."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return {'loss_a': self.layer(inputs).square().mean()}


def of_size(folder, count, batch, model=Normed, validated=None, **options):
    """A Runner on so many samples, validated on others where these are counted."""
    def loader(number):
        return dict(dataset=faces(count=number), batch_size=batch, collate_fn=dict(type='default_collate'),
                    sampler=dict(type='DefaultSampler', shuffle=False), **options)
    validation = {} if validated is None else dict(val_dataloader=loader(validated), val_cfg=dict(),
                                                   val_evaluator=dict(type='NME'))
    return Runner(
        model(), str(folder), train_dataloader=loader(count), train_cfg=dict(type='EpochLoop', max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=.01)), default_scope='facelmk', log_level='ERROR',
        default_hooks=dict(guard=dict(type='Guard')), experiment_name=f'{folder}'.replace('/', '_'), **validation)


@pytest.mark.parametrize(('count', 'validated', 'name'), [
    pytest.param(0, None, 'train', marks=pytest.mark.fault('G18')),
    pytest.param(4, 0, 'val', marks=pytest.mark.fault('G21'))])
def test_an_empty_set_is_told_before_training(count, validated, name, tmp_path):
    runner = of_size(tmp_path, count, 2, validated=validated)
    before = [weight.clone() for weight in runner.model.parameters()]
    with pytest.raises(TrainingFault, match=rf'{name}_dataloader: .* is empty \(0 samples, batches of 2\)'):
        runner.train()
    assert all(torch.equal(*pair) for pair in zip(before, runner.model.parameters(), strict=True))


@pytest.mark.fault('G19')
@pytest.mark.parametrize(('model', 'drop', 'words'), [
    (Normed, False, '1 sample a rank, batch_size=64; BatchNorm'),
    (Toy, True, '1 samples on 1 ranks give no batch of 64')])
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
