"""A training step waits for the device once, and copies no constant to it: the tensors are followed as on a GPU."""

import pytest
import torch
from fake_device import FakeDevice
from toy_runs import parts

from facelmk.engine.loops import EpochLoop
from facelmk.registry import MODELS

K, SIDE = 19, 32  # of AFLW
QUICK = dict(type='QuickNet', width=8, widths=(8, 8, 8), depths=(0, 0, 0))
HEADS = {  # head, codec and losses that take its outputs
    'heatmaps': ('HeatmapHead', 'Heatmap', ('HeatmapMSELoss', 'AdaptiveWingLoss', 'OHKMLoss')),
    'integral': ('HeatmapHead', 'Integral', ('IntegralLoss', 'STARLoss')),
    'points': ('RegressionHead', 'Coordinates', ('WingLoss', 'SoftWingLoss', 'SmoothL1Loss', 'L1Loss')),
    'spreads': ('RLEHead', 'RLE', ('RLELoss',)),
    'bins': ('RTMCCHead', 'SimCC', ('KLDiscretLoss',)),
}
CASES = [(head, codec, loss) for head, codec, losses in HEADS.values() for loss in losses]


def model(head='HeatmapHead', codec='Heatmap', *losses):
    options = dict(stride=4, hidden=16) if head == 'RTMCCHead' else {}
    loss = [dict(loss=dict(type=name)) for name in losses or ('HeatmapMSELoss',)]
    return MODELS.build(
        dict(
            type='FaceLandmarker',
            backbone=QUICK,
            head=dict(type=head, **options),
            codec=dict(type=codec),
            loss=loss,
            markup='aflw',
            size=SIDE,
        )
    )


def samples(count=8):
    generator = torch.Generator().manual_seed(0)
    return [
        dict(
            inputs=torch.randint(0, 256, (3, SIDE, SIDE), dtype=torch.uint8, generator=generator),
            data_samples=dict(
                id=f'face{i}', points=torch.rand(K, 2, generator=generator) * SIDE, visible=torch.ones(K)
            ),
        )
        for i in range(count)
    ]


@pytest.fixture
def devices(monkeypatch):
    """The fake device of each step of a training."""
    steps, run_iter = [], EpochLoop.run_iter

    def followed(loop, index, batch):
        network, optimizer = loop.runner.model, loop.runner.optim_wrapper.optimizer
        state = [value for values in optimizer.state.values() for value in values.values()]
        tensors = [*network.parameters(), *network.buffers(), batch['inputs'], *state]
        tensors += [batch['data_samples'][name] for name in ('points', 'visible')]
        with FakeDevice(*tensors) as device:
            run_iter(loop, index, batch)
        steps.append(device)

    monkeypatch.setattr(EpochLoop, 'run_iter', followed)
    return steps


@pytest.mark.parametrize(
    'wrapper',
    [{}, dict(clip_grad=dict(max_norm=1.0, error_if_nonfinite=True)), dict(accumulative_counts=2)],
    ids=['plain', 'clipped', 'accumulated'],
)
@pytest.mark.parametrize('action', ['stop', 'skip'])
def test_a_step_reads_once(wrapper, action, devices, tmp_path):
    wrapper = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)) | wrapper
    losses = ('HeatmapMSELoss', 'AdaptiveWingLoss')
    runner = parts(tmp_path, samples(), action, wrapper=wrapper, model=lambda: model('HeatmapHead', 'Heatmap', *losses))
    runner.train()
    assert [device.reads for device in devices] == [['tolist']] * 4
    logged = runner.message_hub.log_scalars
    terms = [logged[f'train/loss_{name}'].data[0] for name in ('heatmapmse', 'adaptivewing')]
    assert logged['train/loss'].data[0] == pytest.approx(sum(terms), rel=1e-6) and (terms[0] > 0).all()


@pytest.mark.parametrize(('head', 'codec', 'loss'), CASES, ids=[case[-1] for case in CASES])
def test_the_network_and_its_loss_copy_no_constants(head, codec, loss):
    network = model(head, codec, loss).train()
    batch = torch.utils.data.default_collate(samples(2))
    inputs, annotation = batch['inputs'], batch['data_samples']
    like = network(inputs.float())[-1].detach()
    encoded = network.codec.encode(annotation['points'], annotation['visible'], like, SIDE)
    (term,) = network.terms.values()
    with FakeDevice(*network.parameters(), *network.buffers(), inputs, *encoded) as device:
        stages = network(network.data_preprocessor({'inputs': inputs}, True)['inputs'])
        term.loss(stages[-1], *encoded)
    assert device.reads == device.constants == []


def test_the_guard_clips_as_torch_does(tmp_path):
    weights = []
    for guard in (dict(type='Guard'), None):
        torch.manual_seed(0)
        wrapper = dict(optimizer=dict(type='SGD', lr=0.1), clip_grad=dict(max_norm=0.01))
        runner = parts(tmp_path / str(guard is None), samples(), wrapper=wrapper, model=model)
        if guard is None:
            runner._hooks = [hook for hook in runner.hooks if type(hook).__name__ != 'Guard']
        runner.train()
        norms = runner.message_hub.get_scalar('train/grad_norm').data[0]
        weights.append((norms, [weight.detach().clone() for weight in runner.model.parameters()]))
    (norms, clipped), (expected_norms, expected) = weights
    assert (norms == expected_norms).all() and (norms > 0.01).all()
    assert all(map(torch.equal, clipped, expected))


def test_the_fake_device_notices_reads_and_constants():
    """Otherwise the tests above would pass whatever happens."""
    weight = torch.ones(3)
    with FakeDevice(weight) as device:
        total = (weight * 2).sum()
        bool(total > 1), float(total), total.item(), weight.tolist(), weight.nonzero(), torch.ones(3).tolist()
        assert len(device.reads) == 5
        weight * torch.tensor([1.0, 2.0, 3.0]), weight[[0, 2]], weight.new_tensor([1.0]), weight * torch.tensor(2.0)
        assert len(device.constants) == 3
