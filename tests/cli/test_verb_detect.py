"""facelmk data detect, MMPose's path of it, and --bbox-file of facelmk test."""

import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facelmk.cli.box_options import use_boxes
from facelmk.config import load_config
from facelmk.datasets import SyntheticFaces
from facelmk.registry import DATASETS, DETECTORS

ROOT = Path(__file__).parents[2]
CONFIG = """
crop = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]
faces = dict(type='CocoFaces', ann_file='a.json', image_root='images', pipeline=crop)
train_dataloader = dict(batch_size=2, dataset=faces)
val_dataloader = dict(batch_size=2, dataset=faces)
val_evaluator = [dict(type='NME')]
model = dict(type='facelmk.FaceLandmarker', backbone=dict(type='ResNet', depth=18), head=dict(type='RLEHead'),
             codec=dict(type='RLE'), loss=dict(type='RLELoss'))
"""


class MiddleFace:
    """The middle of each picture, a worse box beside it, and a box of a low score; nothing in the second picture."""

    def __init__(self, weights: str = 'own') -> None:
        self.weights, self.calls = weights, 0

    def __call__(self, image):
        self.calls += 1
        height, width = image.shape[:2]
        middle = [width / 10, height / 10, width * 0.9, height * 0.9]
        if self.weights == 'plain':
            return [middle]
        rows = [[0, 0, 9, 9, 0.05], [*np.add(middle, 2), 0.4], [*middle, 0.8]]
        return [] if self.calls == 2 else np.array(rows)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A config of three drawn faces in files; their pictures have the ids 10, 11 and 12."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(DETECTORS._module_dict, 'MiddleFace', MiddleFace)
    (tmp_path / 'images').mkdir()
    content = dict(images=[], annotations=[])
    drawn = SyntheticFaces('wflw', 3, 1, size=64)
    for i in range(3):
        face = drawn.face(i)
        cv2.imwrite(f'images/{i}.png', face['image'])
        points = [number for x, y in face['landmarks'].tolist() for number in (x, y, 1)]
        x1, y1, x2, y2 = face['box'].tolist()
        content['images'].append(dict(id=i + 10, file_name=f'{i}.png', width=64, height=64))
        content['annotations'].append(dict(id=i, image_id=i + 10, keypoints=points, bbox=[x1, y1, x2 - x1, y2 - y1]))
    Path('a.json').write_text(json.dumps(content))
    Path('mine.py').write_text(CONFIG)
    return tmp_path


def test_boxes_are_written_as_mmpose_writes_them(folder, verb):
    printed = verb('data', 'detect', 'mine.py', '--detector', 'MiddleFace', '--out', 'boxes.json', '--json')
    assert json.loads(printed) == {'file': 'boxes.json', 'pictures': 3, 'boxes': 2, 'empty': 1}
    rows = json.loads(Path('boxes.json').read_text())
    assert [row['image_id'] for row in rows] == [10, 12]
    for row in rows:
        assert row['category_id'] == 1 and row['score'] == pytest.approx(0.8)
        assert row['bbox'] == pytest.approx([6.4, 6.4, 51.2, 51.2])


def test_thresholds_of_score_and_overlap(folder, verb):
    words = ('data', 'detect', 'mine.py', '--detector', 'MiddleFace', '--out', 'boxes.json')
    verb(*words, '--score-thr', '0', '--nms-thr', '1')
    assert len(json.loads(Path('boxes.json').read_text())) == 6
    verb(*words, '--weights', 'plain', '--score-thr', '0.99')
    assert [row['score'] for row in json.loads(Path('boxes.json').read_text())] == [1, 1, 1]
    assert '--nms-thr' in verb(*words, '--nms-thr', '2', code=2)


@pytest.mark.parametrize('weights', ['none', 'plain'])
def test_mmposes_tool_takes_its_arguments(weights, folder, monkeypatch, capsys):
    words = ['MiddleFace', weights, 'boxes.json', '--pose-config', 'mine.py', '--score-thr', '0.5']
    monkeypatch.setattr(sys, 'argv', ['generate_bbox_file.py', *words])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / 'tools/misc/generate_bbox_file.py'), run_name='__main__')
    assert end.value.code == 0, capsys.readouterr()
    assert len(json.loads(Path('boxes.json').read_text())) == {'none': 2, 'plain': 3}[weights]


@pytest.mark.fault('R06')
@pytest.mark.parametrize(
    ('words', 'word'),
    [
        (('mine.py', '--detector', 'MidleFace'), 'MiddleFace'),
        (('mine.py', '--detector', 'faster_rcnn.py'), 'faster_rcnn.py'),
        (('quickstart', '--detector', 'MiddleFace'), 'SyntheticFaces'),
    ],
)
def test_what_cannot_be_searched_is_refused(words, word, folder, verb):
    small = ('--cfg-options', 'test_dataloader.dataset.count=2') if words[0] == 'quickstart' else ()
    assert word in verb('data', 'detect', *words, '--out', 'boxes.json', *small, code=2)
    assert not Path('boxes.json').exists()


def test_an_output_that_cannot_be_written_is_refused_before_the_search(folder, verb, monkeypatch):
    monkeypatch.setattr(MiddleFace, '__call__', lambda *_: pytest.fail('a picture was searched'))
    assert 'images' in verb('data', 'detect', 'mine.py', '--detector', 'MiddleFace', '--out', 'images', code=2)


def test_a_test_uses_the_boxes(folder, verb):
    verb('data', 'detect', 'mine.py', '--detector', 'MiddleFace', '--out', 'boxes.json')
    config = load_config('mine.py')
    use_boxes(config, 'boxes.json')
    faces = DATASETS.build(config.test_dataloader.dataset).faces
    assert [bool(np.isfinite(face['detection']).all()) for face in faces] == [True, False, True]
    assert 'bbox_file' not in config.val_dataloader.dataset
    by_option = load_config('mine.py', {'test_dataloader.dataset.bbox_file': 'boxes.json'})
    assert by_option.test_dataloader.dataset.bbox_file == 'boxes.json'


def test_boxes_for_drawn_faces_are_refused(verb, tmp_path):
    weights = tmp_path / 'some.pth'
    weights.touch()  # a missing file would be reported first
    assert 'SyntheticFaces' in verb('test', 'quickstart', str(weights), '--bbox-file', 'boxes.json', code=2)


def test_options_of_mmposes_tools(folder, verb, monkeypatch, capsys):
    stats = json.loads(verb('models', 'stats', 'mine.py', '--input-shape', '64', '64', '--device', 'cpu', '--json'))
    assert stats['shape'] == [3, 64, 64]
    assert '--batch-size 8' in verb('models', 'stats', 'mine.py', '--batch-size', '8', code=2)
    words = ['--max-item-per-dataset', '1', '--output-dir', 'drawn', '--not-show', '--mode', 'pipeline']
    verb('data', 'browse', 'mine.py', *words)
    assert len(list(Path('drawn').iterdir())) == 2
    monkeypatch.setattr(sys, 'argv', ['print_config.py', 'mine.py', '--options', 'model.flip_test=True'])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / 'tools/analysis_tools/print_config.py'), run_name='__main__')
    assert end.value.code == 0 and 'flip_test=True' in capsys.readouterr().out
