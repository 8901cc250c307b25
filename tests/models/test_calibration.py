"""ErrorCalibration: expected errors and face scores, in a network and in its checkpoints."""

import math

import pytest
import torch
from landmarkers import TINY
from torch import nn

from facelmk.checkpoint import load_checkpoint, publish, save_checkpoint
from facelmk.checkpoint.load import _for_runner
from facelmk.errors import FacelmkError
from facelmk.models import FaceLandmarker
from facelmk.models.calibration import ErrorCalibration
from facelmk.registry import MODELS

SIZE, K = TINY['size'], 19
CALIBRATED = TINY | dict(calibration=dict(type='ErrorCalibration'))


def landmarker(config: dict = CALIBRATED, fitted: bool = True) -> FaceLandmarker:
    torch.manual_seed(0)
    network = MODELS.build(config).eval()
    if fitted and network.calibration is not None:
        network.calibration.set(torch.linspace(0.1, 0.3, K), torch.linspace(0.5, 2, K), torch.tensor([-6.0, -3.0]))
    return network


def crops() -> torch.Tensor:
    return torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def test_without_a_calibration_the_checkpoint_has_the_same_keys() -> None:
    plain, calibrated = landmarker(TINY).state_dict(), landmarker().state_dict()
    assert not any('calibration' in key for key in plain)
    assert calibrated.keys() - plain.keys() == {f'calibration.{key}' for key in ('scale', 'power', 'face')}


def test_without_a_fitted_calibration_there_are_no_errors() -> None:
    for network in (landmarker(TINY), landmarker(fitted=False)):
        with torch.no_grad():
            points, scores, errors = network.answer(crops())
            (face, _) = network.predict(crops(), dict(id=[0, 1], warp=torch.eye(3).expand(2, 3, 3)))
        assert points.shape == (2, K, 2) and scores.shape == (2, K) and errors is None
        assert face.keys() == {'id', 'landmarks', 'scores'}


def test_the_answer_holds_what_the_codec_decodes_with_the_expected_errors() -> None:
    network = landmarker()
    network.flip_test = True
    with torch.no_grad():
        points, scores, errors = network.answer(crops())
        output = network.output(crops())
        expected = network.codec.decode(output, SIZE)
        spread = network.codec.spread(output, SIZE)
    assert torch.equal(points, expected[0]) and torch.equal(scores, expected[1])
    root = ((spread[..., 0, 0] + spread[..., 1, 1]) / 2).sqrt()
    assert torch.allclose(errors, torch.linspace(0.1, 0.3, K) * root ** torch.linspace(0.5, 2, K))


def test_a_larger_spread_means_a_larger_error_and_a_lower_score() -> None:
    calibration = landmarker().calibration
    spreads = torch.linspace(0, 400, 50)[:, None, None, None] * torch.eye(2).expand(K, 2, 2)
    errors = calibration(spreads)
    scores = calibration.face_scores(errors, SIZE)
    assert torch.isfinite(errors).all() and (errors.diff(dim=0) > 0).all()
    assert (scores.diff() <= 0).all() and scores[0] > scores[-1] and 0 <= scores.min() <= scores.max() <= 1


def test_the_score_by_hand() -> None:
    errors = torch.full((1, K), SIZE / math.e**2)  # log(1 / e^2) = -2
    score = landmarker().face_scores(errors, SIZE)
    assert score.item() == pytest.approx(1 / (1 + math.exp(-(-6 + -3 * -2))), abs=1e-5)


def test_predicted_errors_are_in_pixels_of_the_photograph() -> None:
    """A face twice as large in the photograph has twice the error, however it is turned or mirrored, and its score."""
    network, turned = landmarker(), torch.tensor([[0.0, 0.5, 3.0], [0.5, 0.0, -7.0], [0.0, 0.0, 1.0]])
    with torch.no_grad():
        _, _, errors = network.answer(crops())
        faces = network.predict(crops(), dict(id=['a', 'b'], warp=torch.stack((torch.eye(3), turned))))
    assert torch.allclose(faces[0]['errors'], errors[0]) and torch.allclose(faces[1]['errors'], errors[1] * 2)
    scores = network.face_scores(errors, SIZE)
    assert [face['score'].item() for face in faces] == pytest.approx(scores.tolist())


class Answer(nn.Module):
    """What an exported graph returns."""

    def __init__(self, network: FaceLandmarker) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        points, scores, errors = self.network.answer(image)
        assert errors is not None
        return points, scores, errors, self.network.face_scores(errors, image.shape[-1])


@pytest.mark.parametrize('codec', ['Integral', pytest.param('Heatmap', marks=pytest.mark.slow)])
def test_torch_export_traces_the_answer(codec) -> None:
    loss = {'Integral': 'IntegralLoss', 'Heatmap': 'HeatmapMSELoss'}[codec]
    network = landmarker(CALIBRATED | dict(codec=dict(type=codec), loss=dict(type=loss), flip_test=True))
    with torch.no_grad():
        expected = Answer(network)(crops())
        actual = torch.export.export(Answer(network), (crops(),)).module()(crops())
    for ours, theirs in zip(expected, actual, strict=True):
        assert (ours - theirs).abs().max() <= 1e-5 * ours.abs().max()


def test_a_checkpoint_carries_the_calibration(tmp_path) -> None:
    save_checkpoint({'state_dict': landmarker().state_dict()}, tmp_path / 'a.pth')
    other = landmarker(fitted=False)
    load_checkpoint(other, tmp_path / 'a.pth')
    with torch.no_grad():
        for ours, theirs in zip(other.answer(crops()), landmarker().answer(crops()), strict=True):
            assert torch.equal(ours, theirs)


def test_weights_and_config_may_have_a_calibration_or_not(tmp_path) -> None:
    """A trained checkpoint loads into a config with a calibration, a calibrated one into a config without."""
    save_checkpoint({'state_dict': landmarker(TINY).state_dict()}, tmp_path / 'plain.pth')
    save_checkpoint({'state_dict': landmarker().state_dict()}, tmp_path / 'calibrated.pth')
    network, plain = landmarker(fitted=False), landmarker(TINY)
    load_checkpoint(network, tmp_path / 'plain.pth')
    load_checkpoint(plain, tmp_path / 'calibrated.pth')
    assert not network.calibration.fitted and plain.calibration is None
    with torch.no_grad():
        assert torch.equal(network.answer(crops())[0], plain.answer(crops())[0])


def test_training_starts_without_the_calibration_of_its_first_weights(tmp_path) -> None:
    """The Runner loads start weights and resumed ones by this function; the errors of changed weights are others."""
    save_checkpoint({'state_dict': landmarker().state_dict()}, tmp_path / 'a.pth')
    loaded = _for_runner(str(tmp_path / 'a.pth'))['state_dict']
    network = landmarker()
    network.load_state_dict(loaded)
    assert not network.calibration.fitted and torch.equal(loaded['calibration.scale'], torch.zeros(K))


def test_one_landmark_scheme_keeps_its_own_calibration(tmp_path) -> None:
    network = MODELS.build(CALIBRATED | dict(markup='wflw_300w')).eval()
    network.calibration.set(torch.arange(1.0, 167), torch.arange(1.0, 167) / 100, torch.tensor([1.0, -2.0]))
    meta = {'cfg': "model = dict(\n    markup='wflw_300w',\n)\n"}
    save_checkpoint({'meta': meta, 'state_dict': network.state_dict()}, tmp_path / 'both.pth')
    path = publish(tmp_path / 'both.pth', tmp_path / 'one.pth', '300w')
    one = MODELS.build(CALIBRATED | dict(markup='300w')).eval()
    load_checkpoint(one, path)
    assert one.calibration.scale.tolist() == list(range(99, 167)) and one.calibration.fitted


@pytest.mark.parametrize('part', ['UDPCombined', 'Coordinates', 'SimCC', 'RLE'])
def test_a_codec_without_a_spread_cannot_be_calibrated(part) -> None:
    heads = {'Coordinates': 'RegressionHead', 'SimCC': 'RTMCCHead', 'RLE': 'RLEHead'}
    config = CALIBRATED | dict(codec=dict(type=part), head=dict(type=heads.get(part, 'HeatmapHead')))
    with pytest.raises(FacelmkError, match=f'ErrorCalibration.*{part}'):
        MODELS.build(config)


def test_copies_keep_the_fit() -> None:
    import copy

    calibration = landmarker().calibration
    assert copy.deepcopy(calibration).fitted and not ErrorCalibration('aflw').fitted


def test_all_predictions_of_a_batch_are_read_in_one_transfer(monkeypatch) -> None:
    network, calls, plain = landmarker(), [], torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, 'cpu', lambda tensor: calls.append(tensor.shape) or plain(tensor))
    samples = dict(id=['a', 'b', 'c'], warp=torch.eye(3).expand(3, 3, 3))
    inputs = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        faces = network.predict(inputs, samples)
        points, scores, errors = network.answer(inputs)
    K = points.shape[1]
    assert calls == [(3, 4 * K + 1)]
    for i, face in enumerate(faces):
        assert torch.equal(face['landmarks'], points[i]) and torch.equal(face['scores'], scores[i])
        assert torch.equal(face['errors'], errors[i]) and face['score'].shape == ()
