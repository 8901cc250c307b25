"""The tools that compare face detectors and fit the rule of a detector, on two drawn faces."""

import importlib
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facelmk.datasets import SyntheticFaces

TOOLS = Path(__file__).parents[1] / 'tools'


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two drawn faces as pictures, with a table in HRNet's format, and a folder with a grey picture."""
    faces, rows = (
        SyntheticFaces('300w', 2, seed=1, size=96),
        [','.join(['image_name,scale,center_w,center_h', *(f'n{i}' for i in range(136))])],
    )
    for i in range(2):
        face = faces.face(i)
        cv2.imwrite(str(tmp_path / f'{i}.png'), face['image'])
        numbers = ','.join(f'{value + 1:.3f}' for value in face['landmarks'].ravel())
        rows.append(f'{i}.png,0.5,48,48,{numbers}')
    (tmp_path / 'faces.csv').write_text('\n'.join(rows) + '\n')
    (tmp_path / 'faceless').mkdir()
    cv2.imwrite(str(tmp_path / 'faceless' / 'grey.png'), np.full((48, 64, 3), 128, np.uint8))
    return tmp_path / 'faces.csv'


def run(tool: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.syspath_prepend(str(TOOLS))
    code = importlib.import_module(tool).main(list(arguments))
    sys.modules.pop(tool)
    return code


def test_the_full_picture_as_a_detector_is_measured(table, tmp_path, monkeypatch, capsys) -> None:
    out = tmp_path / 'figures.json'
    run(
        'measure_detectors',
        monkeypatch,
        *('--table', str(table), '--images', str(tmp_path), '--faceless', str(tmp_path / 'faceless')),
        *('--detectors', 'full', '--pictures', '1', '--json', str(out)),
    )
    printed, figures = capsys.readouterr().out, json.loads(out.read_text())['figures']
    assert 'alarms of full: grey.png 1' in printed
    assert figures['alarms in 1 pictures without a face'] == {'full': 1}
    assert figures['recall, face of 24 px'] == {'full': 0}


def test_the_rule_of_the_full_picture_shrinks_the_box(table, tmp_path, monkeypatch, capsys) -> None:
    run('fit_box_rule', monkeypatch, 'full', '--table', str(table), '--images', str(tmp_path))
    rule, quality = capsys.readouterr().out.splitlines()
    assert rule.startswith('box_rule = BoxRule(shift=(0.0, ') and quality.startswith('2 of 2 faces')
    width = float(rule.partition('factor=(')[2].partition(',')[0])
    faces = SyntheticFaces('300w', 2, seed=1, size=96)
    widths = [np.ptp(faces.face(i)['landmarks'][:, 0]) / 96 for i in range(2)]
    assert width == pytest.approx(np.median(widths), abs=0.01)


def test_wrong_folders_are_named(table, tmp_path, monkeypatch, capsys) -> None:
    words = ('--table', str(table), '--images', str(tmp_path), '--detectors', 'full', '--faceless')
    assert run('measure_detectors', monkeypatch, *words, str(tmp_path / 'gone')) == 4
    assert 'gone has no pictures' in capsys.readouterr().err
    assert run('fit_box_rule', monkeypatch, 'full', '--table', str(tmp_path / 'gone.csv')) == 3
    assert 'gone.csv' in capsys.readouterr().err
