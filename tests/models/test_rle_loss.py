"""RLE: the flow, its loss and its head, by closed forms and MMPose's numbers; MMPose's checkpoints."""

import math

import numpy as np
import pytest
import torch

from facelmk.checkpoint import load_checkpoint
from facelmk.errors import FacelmkError
from facelmk.models.losses.real_nvp import RealNVP
from facelmk.registry import HEADS, LOSSES, MODELS

# MMPose 1.3.2, with the parameters of `wavy` and the values of `batch`: the loss, and the norms of its gradients by the
# output (before MMPose's sigmoid) and by the flow
REFERENCE = {
    (True, 'laplace'): (309.9618225097656, 14243.568359375, 2928.751609524106),
    (True, 'gaussian'): (329.2533264160156, 15196.4765625, 2928.751609524106),
    (False, 'laplace'): (300.2719421386719, 14142.1103515625, 2928.751609524106),
}
DENSITY = [-7.709192752838135, -3.5478076934814453, -49.40157699584961]  # MMPose's RealNVP at PLACES
PLACES = torch.tensor([[0.0, 0], [1, -2], [0.5, 3]])


def wavy(flow):
    """Parameters that are easy to repeat."""
    for i, parameter in enumerate(flow.parameters()):
        wave = torch.sin(torch.arange(parameter.numel(), dtype=torch.float) + i) * 0.2
        parameter.data = wave.view(parameter.shape)
    return flow


def batch():
    """Two faces of five points; three points of the second have weight 0."""
    random = np.random.RandomState(6)
    output, target = (torch.from_numpy(random.rand(2, 5, width).astype(np.float32)) for width in (4, 2))
    weight = torch.ones(2, 5, 1)
    weight[1, 2:] = 0
    return output.requires_grad_(), torch.cat((target, torch.zeros_like(target)), -1), weight


def test_the_density_of_the_flow_is_mmposes():
    torch.testing.assert_close(wavy(RealNVP()).log_prob(PLACES), torch.tensor(DENSITY))


def test_a_density_sums_to_1():
    """On a fine grid; also for a flow that is not the identity."""
    flow, side, step, generator = RealNVP(), 15.0, 0.15, torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        axis = torch.arange(-side, side, step)
        grid = torch.stack(torch.meshgrid(axis, axis, indexing='ij'), -1).flatten(0, 1)
        density = flow.log_prob(grid)
    assert (density + (grid**2).sum(1) / 2 + math.log(2 * math.pi)).abs().max() > 0.1
    assert float(density.exp().sum() * step**2) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize('form', REFERENCE, ids=str)
def test_the_loss_and_its_gradients_are_mmposes(form):
    residual, distribution = form
    loss = LOSSES.build(dict(type='RLELoss', residual=residual, q_distribution=distribution))
    wavy(loss.flow_model)
    output, target, weight = batch()
    logits = torch.cat((output[..., :2], output[..., 2:].logit()), -1)  # as the layer before the sigmoid gives them
    logits.retain_grad()
    value = loss(torch.cat((logits[..., :2], logits[..., 2:].sigmoid()), -1), target, weight)
    value.backward()
    # the reference's gradient is that of the values in [0, 1], through a logit
    flow = math.sqrt(sum(float(parameter.grad.norm()) ** 2 for parameter in loss.flow_model.parameters()))
    expected = REFERENCE[form]
    assert value.item() == pytest.approx(expected[0], rel=1e-5)
    assert float(output.grad.norm()) == pytest.approx(expected[1], rel=1e-4)
    assert flow == pytest.approx(expected[2], rel=1e-4)


def test_the_loss_of_an_identical_flow_by_hand():
    """One point, spreads s, errors e: 2 log s + e^2 + 2 log 2 pi and, for Laplace, + 2 log 2s + 2 |e|."""
    loss = LOSSES.build(dict(type='RLELoss'))
    for parameter in loss.flow_model.parameters():
        parameter.data.zero_()
    s, error = 0.25, 0.6
    output = torch.tensor([[[0.5 + s * error, 0.5 - s * error, s, s]]])
    value = loss(output, torch.tensor([[[0.5, 0.5, 0, 0]]]))
    log_density = -(error**2) - math.log(2 * math.pi)
    expected = 2 * (math.log(s) - log_density + math.log(2 * s) + error)
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_the_best_spread_is_the_error():
    """-log of Laplace's density is least where the spread is the absolute error; the flow's part moves it."""
    loss = LOSSES.build(dict(type='RLELoss'))
    spreads = torch.linspace(0.01, 0.4, 400)
    residual = loss._residual(0.1 / spreads, spreads)
    assert float(spreads[residual.argmin()]) == pytest.approx(0.1, abs=2e-3)


def test_half_precision_does_not_reach_the_flow():
    loss, (output, target, weight) = LOSSES.build(dict(type='RLELoss')), batch()
    expected = loss(output, target, weight)
    with torch.autocast('cpu', torch.bfloat16):
        torch.testing.assert_close(loss(output, target, weight), expected)


def test_an_unknown_distribution_is_refused():
    with pytest.raises(FacelmkError, match="q_distribution='normal'"):
        LOSSES.build(dict(type='RLELoss', q_distribution='normal'))


def test_the_head_makes_spreads_between_0_and_1():
    head = HEADS.build(dict(type='RLEHead', in_channels=(6, 10), out_channels=5))
    torch.nn.init.normal_(head.fc.weight, std=3)
    (values,) = head((torch.randn(2, 6, 8, 8), torch.randn(2, 10, 4, 4)))
    assert values.shape == (2, 5, 4) and (values[..., 2:] > 0).all() and (values[..., 2:] < 1).all()
    assert (values[..., :2].abs() > 1).any()


RLE = dict(
    type='FaceLandmarker',
    backbone=dict(type='ResNet', depth=18),
    head=dict(type='RLEHead'),
    codec=dict(type='RLE'),
    loss=dict(type='RLELoss'),
    markup='five',
    size=64,
)
NAMES = {  # of the flow and of the linear layer, in files of MMPose 1.x and 0.x
    '1.x': {'terms.loss_rle.loss.flow_model.': 'head.loss_module.flow_model.'},
    '0.x': {'terms.loss_rle.loss.flow_model.': 'keypoint_head.loss.flow_model.', 'head.': 'keypoint_head.'},
}


def renamed(key, names):
    return next((key.replace(ours, theirs, 1) for ours, theirs in names.items() if key.startswith(ours)), key)


@pytest.mark.parametrize('version', NAMES)
def test_checkpoints_of_mmpose_load(version, tmp_path):
    torch.manual_seed(0)
    model, other = MODELS.build(RLE), MODELS.build(RLE)
    weights = {renamed(key, NAMES[version]): value for key, value in model.state_dict().items()}
    flow = {key for key in weights if 'flow_model' in key}
    assert len(flow) == 75 and not any(key.startswith('terms.') for key in weights)
    torch.save({'state_dict': weights}, tmp_path / 'mmpose.pth')
    load_checkpoint(other, tmp_path / 'mmpose.pth')
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in model.state_dict().items())


def test_a_flip_test_averages_points_and_scores():
    torch.manual_seed(0)
    model = MODELS.build(RLE | {'flip_test': True}).eval()
    torch.nn.init.normal_(model.head.fc.weight, std=0.3)
    crops, warp = torch.randn(2, 3, 64, 64), torch.eye(3).repeat(2, 1, 1)
    with torch.no_grad():
        direct, mirrored = model(crops)[-1], model(crops.flip(-1))[-1]
        faces = model.predict(crops, {'id': ['a', 'b'], 'warp': warp})
    order = model.mirror
    x = (direct[..., 0] + 1 - mirrored[:, order, 0] - 1 / 64) / 2 * 64
    scores = 1 - (direct[..., 2:] + mirrored[:, order, 2:]).mean(-1) / 2
    for i, face in enumerate(faces):
        torch.testing.assert_close(face['landmarks'][:, 0], x[i], atol=1e-3, rtol=0)
        torch.testing.assert_close(face['scores'], scores[i])
