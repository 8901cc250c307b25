"""facelmk calibrate: an untrained network gets a calibration, and its check prints the figures."""

import json
from pathlib import Path

import pytest
import torch

from facelmk.checkpoint import load_checkpoint, save_checkpoint
from facelmk.cli.calibrate import _text
from facelmk.config import load_config
from facelmk.registry import MODELS

FIGURES = [
    'faces',
    'crop_px',
    'mean_error_px',
    'mean_expected_error_px',
    'calibration_error_px',
    'calibration_error_share',
    'failures',
    'failures_in_lowest_quarter',
    'score_calibration_error',
    'lowest_score',
    'median_score',
    'highest_score',
    'median_score_of_misplaced_boxes',
    'highest_score_of_misplaced_boxes',
]
CONFIG = """
crop = [dict(type='LoadImage'), dict(type='CropFace', size=32), dict(type='PackFace')]
moved = [dict(type='LoadImage'), dict(type='CropFace', size=32, rotate=30), dict(type='PackFace')]
faces = dict(type='SyntheticFaces', markup='aflw', size=32)
train_dataloader = dict(batch_size=2, dataset=dict(faces, count=2, pipeline=moved))
val_dataloader = dict(batch_size=2, dataset=dict(faces, count=4, seed=3, pipeline=crop))
val_evaluator = [dict(type='NME')]
calibration_data = dict(faces, count=8, seed=4)
model = dict(
    type='facelmk.FaceLandmarker', markup='aflw', size=32,
    backbone=dict(type='QuickNet', width=8, widths=(8, 8, 8), depths=(0, 0, 0)), head=dict(type='HeatmapHead'),
    codec=dict(type='Integral'), loss=dict(type='IntegralLoss'),
    calibration=dict(type='ErrorCalibration', threshold=1.0),  # an untrained network is right within the face
)
del faces, crop, moved
"""


@pytest.fixture
def untrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint of random weights beside its config."""
    monkeypatch.chdir(tmp_path)
    Path('mine.py').write_text(CONFIG)
    torch.manual_seed(0)
    save_checkpoint(
        {'meta': {'epoch': 3}, 'state_dict': MODELS.build(load_config('mine.py').model).state_dict()}, 'a.pth'
    )
    return tmp_path


def test_a_checkpoint_is_calibrated_and_checked(untrained, verb) -> None:
    assert 'b.pth' in verb('calibrate', 'fit', 'mine.py', 'a.pth', '--out', 'b.pth')
    network = MODELS.build(load_config('mine.py').model)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    meta = load_checkpoint(network, 'b.pth')
    assert network.calibration.fitted and meta['epoch'] == 3 and '8 faces' in meta['calibrated_on']
    assert 'ErrorCalibration' in meta['cfg']
    changed = [key for key, value in network.state_dict().items() if not torch.equal(value, before[key])]
    assert {key for key in changed if key.startswith('calibration.')} == {
        f'calibration.{n}' for n in ('scale', 'power', 'face')
    }
    figures = json.loads(verb('calibrate', 'check', 'mine.py', 'b.pth', '--json', '--plot', 'r.png'))
    assert (
        set(figures) == set(FIGURES)
        and figures['faces'] == 4
        and figures['crop_px'] == 32
        and 0 < figures['mean_error_px'] < 64
    )
    assert 0 < figures['calibration_error_px'] < figures['mean_error_px'] and Path('r.png').stat().st_size > 1000
    assert figures['failures_in_lowest_quarter'] <= figures['failures'] <= 4


def test_the_text_of_a_check_has_its_figures() -> None:
    checked = dict.fromkeys(FIGURES, 0.25) | {'faces': 100, 'crop_px': 112, 'failures': 4}
    text = _text(checked, 0.08)
    assert '100, in crops of 112 pixels' in text and '0.250 (25.0%)' in text and 'above 8%' in text


def test_what_cannot_be_calibrated_says_why(untrained, verb) -> None:
    assert 'model.calibration' in verb('calibrate', 'fit', 'quickstart', 'a.pth', '--out', 'b.pth', code=2)
    assert 'calibrate fit' in verb('calibrate', 'check', 'mine.py', 'a.pth', code=2)
    assert 'gone.pth' in verb('calibrate', 'fit', 'mine.py', 'gone.pth', '--out', 'b.pth', code=3)
    assert '--seed -1' in verb('calibrate', 'fit', 'mine.py', 'a.pth', '--out', 'b.pth', '--seed', '-1', code=2)
    other = CONFIG.replace('calibration_data = dict(faces,', "calibration_data = dict(faces, markup='300w',")
    Path('mine.py').write_text(other)
    assert "'300w'" in verb('calibrate', 'fit', 'mine.py', 'a.pth', '--out', 'b.pth', code=2)
    assert not Path('b.pth').exists()


@pytest.mark.parametrize(
    'line',
    [
        "calibration_data = dict(type='SyntheticFace')",
        'calibration_data = 5',
        'calibration_data = []',
        "model['calibration'] = dict(threshold=1.)",
    ],
)
def test_the_config_is_checked(untrained, verb, line) -> None:
    Path('mine.py').write_text(CONFIG + line + '\n')
    assert 'calibration' in verb('calibrate', 'fit', 'mine.py', 'a.pth', '--out', 'b.pth', code=2)
