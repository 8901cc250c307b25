"""FacelmkDetector: pictures of any size, and files that it refuses."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from facelmk.checkpoint import save_checkpoint
from facelmk.config import load_config
from facelmk.errors import FacelmkError
from facelmk.geometry import overlaps
from facelmk.inference.detectors.facelmk_detector import SHIPPED, FacelmkDetector, fuse_norms
from facelmk.inference.detectors.pyramid import lies_inside
from facelmk.registry import MODELS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector whose weights are random."""
    torch.manual_seed(0)
    config = load_config('facelmk_detector')
    network = MODELS.build(config.model)
    path = tmp_path_factory.mktemp('detector') / 'random.pth'
    save_checkpoint({'state_dict': network.state_dict(), 'meta': {'cfg': config.pretty_text}}, path)
    return path


@pytest.fixture(scope='module')
def detector(file: Path) -> FacelmkDetector:
    return FacelmkDetector(file, score=0.001)


@pytest.mark.parametrize('shape', [(480, 640), (64, 64), (33, 700), (1, 1), (900, 200)], ids=str)
def test_a_picture_of_any_size_gives_boxes_and_scores(detector: FacelmkDetector, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    boxes, scores = detector(image)
    assert boxes.shape == (len(scores), 4) and boxes.dtype == scores.dtype == np.float32
    assert np.isfinite(boxes).all() and ((scores >= 0) & (scores <= 1)).all()


def test_a_box_comes_back_in_pixels_of_the_picture(detector: FacelmkDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    """One perfect box in a picture that is halved."""
    target = torch.full((1, 5, 15, 20), -9.0)
    target[0, :, 6, 9] = torch.tensor([9.0, 0.25, 0.0, np.log(10.0), np.log(12.0)])
    monkeypatch.setattr(detector, 'sizes', (160,))
    monkeypatch.setattr(detector.network, 'forward', lambda inputs: [target])
    [box], [score] = detector(np.zeros((240, 320, 3), np.uint8))
    middle_x, middle_y = (9.75 * 8) * 2 - 0.5, (6.5 * 8) * 2 - 0.5
    assert box.tolist() == pytest.approx([middle_x - 80, middle_y - 96, middle_x + 80, middle_y + 96], abs=1e-3)
    assert score == pytest.approx(torch.tensor(9.0).sigmoid().item())


def test_a_box_inside_a_better_one_is_a_part_of_that_face() -> None:
    boxes = np.array([[0, 0, 10, 10], [8, 0, 18, 10], [0, 0, 4, 4], [8, 8, 13, 12], [40, 40, 44, 44.0]])
    assert lies_inside(boxes, 0.7).tolist() == [False, False, True, False, False]
    assert lies_inside(boxes, 0.1).tolist() == [False, True, True, True, False]
    assert lies_inside(np.zeros((0, 4)), 0.7).shape == (0,)


def test_pictures_are_normalised_as_in_training(detector: FacelmkDetector) -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    expected = detector.network.data_preprocessor({'inputs': [torch.from_numpy(image).permute(2, 0, 1)]})['inputs']
    assert (detector._normalised(image) - expected).abs().max() < 1e-5


def test_merged_norms_change_nothing() -> None:
    torch.manual_seed(0)
    network = MODELS.build(load_config('facelmk_detector').model)
    image = torch.randn(1, 3, 96, 64)
    with torch.no_grad():
        for _ in range(3):
            network.train()(image)
        expected = network.eval()(image)[-1]
        fuse_norms(network)
        assert (network(image)[-1] - expected).abs().max() < 1e-4
    assert not any(isinstance(part, nn.BatchNorm2d) for part in network.modules())


def test_a_checkpoint_of_another_model_or_without_config_is_refused(tmp_path: Path) -> None:
    save_checkpoint({'state_dict': {'a': torch.zeros(1)}}, tmp_path / 'bare.pth')
    with pytest.raises(FacelmkError, match=r'bare\.pth'):
        FacelmkDetector(tmp_path / 'bare.pth')
    text = load_config('quickstart').pretty_text
    save_checkpoint({'state_dict': {'a': torch.zeros(1)}, 'meta': {'cfg': text}}, tmp_path / 'faces.pth')
    with pytest.raises(FacelmkError, match='FaceLandmarker'):
        FacelmkDetector(tmp_path / 'faces.pth')


def test_the_shipped_detector_finds_the_face_of_a_photograph() -> None:
    """At every size, and where it fills the picture."""
    assert SHIPPED.stat().st_size <= 1 << 20
    photograph = cv2.imread(str(ROOT / 'docs/assets/astronaut.jpg'))  # 512 x 512 pixels
    detector, face = FacelmkDetector(), np.array([[176.0, 85.0, 272.0, 182.0]])
    for factor in (0.25, 0.5, 1.0, 3.0):
        boxes, scores = detector(cv2.resize(photograph, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
        assert len(scores) and overlaps(boxes[:1] / factor, face) > 0.6, factor
    boxes, scores = detector(photograph[60:200, 165:285])
    assert len(scores) and overlaps(boxes[:1] + (165, 60, 165, 60), face) > 0.6
    assert not (detector(np.full((480, 640, 3), 120, np.uint8))[1] > 0.3).any()
