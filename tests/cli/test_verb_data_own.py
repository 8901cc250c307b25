"""facelmk data check, stats, convert and browse of one's own annotations: all take the same file or folder."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from annotation_tools import human_face, write_cvat


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with the annotations of two parts, train and val, and their pictures; one picture is in both."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    names = ['left_eye', 'right_eye', 'nose', 'left_mouth', 'right_mouth', 'chin']
    (tmp_path / 'faces/images').mkdir(parents=True)
    for part, numbers in {'train': (0, 1, 2), 'val': (2, 3)}.items():
        made = [{'name': f'images/{i}.png', 'points': human_face(rng, names, 96)} for i in numbers]
        write_cvat(tmp_path / f'faces/{part}.xml', made)
    for i in range(4):
        cv2.imwrite(str(tmp_path / f'faces/images/{i}.png'), rng.integers(0, 255, (96, 96, 3), np.uint8))
    return 'faces'


def test_all_actions_take_the_same_folder(verb: Callable[..., str], parts: str, tmp_path: Path) -> None:
    checked = verb('data', 'check', parts)
    assert 'train: 3 faces' in checked and 'val: 2 faces' in checked and '1 pictures of val are in train' in checked
    stats = json.loads(verb('data', 'stats', parts, '--json'))
    assert [values['faces'] for values in stats['sets'].values()] == [3, 2] and len(stats['notes']) == 1
    assert stats['sets']['train']['scheme'] == 'faces_6' and stats['sets']['train']['swapped_sides'] == 0
    text = verb('data', 'stats', parts)
    assert 'size px' in text and 'note: 1 pictures of val' in text
    assert '2 faces in' in verb('data', 'convert', parts, '--phase', 'val', '--to', 'labelme', '--out', 'out')
    assert '2 pictures of 3 faces' in verb('data', 'browse', parts, '--count', '1', '--output-dir', 'drawn')
    assert len(list((tmp_path / 'drawn').iterdir())) == 2
    assert verb('data', 'check', 'out') == 'out: 2 faces, 2 pictures: no defect\n'


def test_a_wrong_scheme_is_one_line(verb: Callable[..., str], parts: str) -> None:
    for action in ('check', 'stats', 'browse'):
        printed = verb('data', action, parts, '--markup', '300w', code=2)
        assert printed.count('\n') == 1 and '6 points' in printed and '--markup 300w has 68' in printed


def test_a_part_that_is_not_there_is_named(verb: Callable[..., str], parts: str) -> None:
    assert "no part 'test'" in verb('data', 'browse', parts, '--phase', 'test', code=2)
