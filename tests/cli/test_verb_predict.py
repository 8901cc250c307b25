"""facelmk predict."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import facelmk
from facelmk.config import load_config
from facelmk.datasets import SyntheticFaces
from facelmk.registry import DETECTORS, MODELS

FULL = ('--weights', 'best.pth', '--boxes', 'full', '--device', 'cpu')


@pytest.fixture
def album(config: str, tmp_path: Path) -> str:
    """A folder of two pictures (90 x 80), one of them below another folder, and notes; weights are beside it."""
    torch.manual_seed(0)
    torch.save(MODELS.build(load_config(config).model).state_dict(), 'best.pth')
    random = np.random.default_rng(0)
    for name in ('an album/a.jpg', 'an album/ü/b.png'):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(path.suffix, random.integers(0, 255, (80, 90, 3), np.uint8))[1].tobytes())
    (tmp_path / 'an album' / 'notes.txt').write_text('stray')
    return 'an album'


def picture(path: str) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_COLOR)


def test_one_picture_as_in_the_readme(verb, config, album) -> None:
    shutil.copy('an album/a.jpg', 'photo.jpg')
    stdout = verb('predict', config, 'photo.jpg', '--weights', 'best.pth', '--boxes', 'full', '--out', 'out.jpg')
    assert stdout == '1 face in 1 picture: out.jpg\n'
    drawn = picture('out.jpg')
    assert drawn.shape == (80, 90, 3) and np.abs(drawn.astype(int) - picture('photo.jpg')).max() > 60
    assert not Path('work_dirs').exists()


def test_a_folder_gives_drawings_and_numbers(verb, config, album) -> None:
    stdout = verb('predict', config, album, *FULL, '--out', 'out')
    assert stdout == '2 faces in 2 pictures: out, 1 other file skipped\n'
    files = {path.relative_to('out').as_posix() for path in Path('out').rglob('*') if path.is_file()}
    assert files == {'a.jpg', 'ü/b.png', 'predictions.json'}
    rows = json.loads(Path('out/predictions.json').read_text())
    assert [(row['path'], row['width'], row['height']) for row in rows] == [
        ('an album/a.jpg', 90, 80),
        ('an album/ü/b.png', 90, 80),
    ]
    model = facelmk.load(config, 'best.pth', 'cpu')
    for row in rows:
        (face,) = row['faces']
        assert face == model(row['path'], 'full')[0].to_dict() or np.allclose(
            face['landmarks'], model(row['path'], 'full')[0].landmarks, atol=1e-3
        )
        assert face['markup'] == 'wflw' and face['box'] == [0, 0, 90, 80] and len(face['scores']) == 98


def test_many_boxes_json_and_no_drawing(verb, config, album) -> None:
    rows = json.loads(
        verb(
            'predict',
            config,
            'an album/a.jpg',
            '--weights',
            'best.pth',
            '--boxes',
            '1,2,40,50;10,10,80,70',
            '--json',
            '--batch-size',
            '1',
        )
    )
    assert [face['box'] for face in rows[0]['faces']] == [[1, 2, 40, 50], [10, 10, 80, 70]]
    assert not Path('work_dirs').exists()


def test_boxes_in_a_file_and_numbers_into_a_file(verb, config, album) -> None:
    Path('boxes.csv').write_text('a.jpg,1,2,40,50\nb.png,0,0,90,80\na.jpg,5,5,50,60\n')
    verb('predict', config, album, '--weights', 'best.pth', '--boxes', 'boxes.csv', '--out', 'deep/faces.json')
    rows = json.loads(Path('deep/faces.json').read_text())
    assert [len(row['faces']) for row in rows] == [2, 1] and len(list(Path('deep').iterdir())) == 1
    again = verb('predict', config, album, '--weights', 'best.pth', '--boxes', 'deep/faces.json', '--json')
    assert [[face['box'] for face in row['faces']] for row in json.loads(again)] == [
        [face['box'] for face in row['faces']] for row in rows
    ]


def test_the_default_folder_of_drawings(verb, config, album) -> None:
    verb('predict', config, album, *FULL)
    assert Path('work_dirs/small/predict/a.jpg').is_file()


def test_no_flip_switches_the_flip_test_off(verb, config, album) -> None:
    flips = ('--cfg-options', 'model.flip_test=True')
    numbers = [
        verb('predict', config, 'an album/a.jpg', *FULL, '--json', *more)
        for more in ((), ('--no-flip',), flips, ('--no-flip', *flips))
    ]
    assert numbers[0] == numbers[1] == numbers[3] and numbers[2] != numbers[0]


def test_broken_pictures_are_named_at_the_end(verb, config, album) -> None:
    Path('an album/bad.jpg').write_bytes(b'no picture')
    Path('an album/z.jpg').write_bytes(Path('an album/a.jpg').read_bytes())
    message = verb('predict', config, album, *FULL, '--out', 'out', code=4)
    assert '1 of 4 inputs' in message and 'an album/bad.jpg' in message and '10 bytes' in message
    assert {path.name for path in Path('out').rglob('*.*g')} == {'a.jpg', 'b.png', 'z.jpg'}
    assert len(json.loads(Path('out/predictions.json').read_text())) == 3


def test_strict_stops_at_the_first_broken_picture(verb, config, album) -> None:
    Path('an album/bad.jpg').write_bytes(b'no picture')
    message = verb('predict', config, album, *FULL, '--out', 'out', '--strict', code=4)
    assert 'an album/bad.jpg' in message and '1 of 4' not in message
    assert not Path('out/predictions.json').exists()
    Path('boxes.json').write_text('{"a.jpg": "full"}')
    message = verb('predict', config, album, '--weights', 'best.pth', '--boxes', 'boxes.json', '--strict', code=4)
    assert 'boxes.json' in message and 'an album/bad.jpg' in message


def test_boxes_that_do_not_fit_one_picture(verb, config, album) -> None:
    Path('boxes.json').write_text(json.dumps({'a.jpg': [[5, 5, 1, 1]], 'an album/ü/b.png': [[0, 0, 90, 80]]}))
    message = verb('predict', config, album, '--weights', 'best.pth', '--boxes', 'boxes.json', '--out', 'out', code=4)
    assert all(fact in message for fact in ('an album/a.jpg', 'box 0', '[5.0, 5.0, 1.0, 1.0]', 'x1 < x2'))
    assert not Path('out/a.jpg').exists() and Path('out/ü/b.png').is_file()


@pytest.mark.parametrize(
    'words, code, fact',
    [
        (('an album', '--boxes', 'full', '--detector', 'YuNet'), 2, '--detector YuNet'),
        (('an album', '--weights', 'best.pth', '--detector', 'YuNett'), 2, "'YuNet'"),
        (('an album', '--weights', 'best.pth', '--detector', 'none.onnx'), 3, 'none.onnx'),
        (('an album', '--boxes', 'full', '--refine', '4'), 2, '--refine'),
        (('an album', '--boxes', 'full', '--min-score', 'high'), 2, '--min-score high'),
        (('an album', '--boxes', 'half'), 2, '--boxes half'),
        (('an album', '--boxes', 'full', '--out', ''), 2, "--out ''"),
        (('none.jpg', '--boxes', 'full'), 3, 'none.jpg'),
        (('an album', '--boxes', 'full', '--weights', 'none.pth'), 3, 'none.pth'),
        (('an album', '--boxes', 'full', '--out', 'one.jpg'), 2, 'one.jpg'),
        (('an album', '--boxes', 'full', '--out', 'an album'), 2, 'an album/a.jpg'),
        (('an album', '--boxes', 'full', '--batch-size', '0'), 2, '--batch-size 0'),
        (('an album', '--boxes', 'full', '--device', 'tpu'), 2, "device='tpu'"),
    ],
)
def test_wrong_input_is_named(verb, config, album, words, code, fact) -> None:
    assert fact in verb('predict', config, *words, code=code)


# -- faces that a detector finds


class MiddleFace:
    """A face in the middle of each picture; none in dark ones."""

    def __call__(self, image):
        height, width = image.shape[:2]
        return [[width / 4, height / 4, width * 0.75, height * 0.75]] if image.max() > 9 else []


@pytest.fixture
def middle(monkeypatch):
    monkeypatch.setitem(DETECTORS._module_dict, 'MiddleFace', MiddleFace)
    return ('--weights', 'best.pth', '--device', 'cpu', '--detector', 'middleface')


def test_without_boxes_a_detector_finds_the_faces(verb, config, album, middle) -> None:
    (row,) = json.loads(verb('predict', config, 'an album/a.jpg', *middle, '--refine', '0', '--json'))
    assert [face['box'] for face in row['faces']] == [[22.5, 20, 67.5, 60]]
    (row,) = json.loads(verb('predict', config, 'an album/a.jpg', *middle, '--refine', '1', '--json'))
    (moved,) = row['faces']
    assert moved['box'] != [22.5, 20, 67.5, 60]  # the landmarks' box of the first prediction
    assert (
        json.loads(verb('predict', config, 'an album/a.jpg', *middle, '--min-score', '2', '--json'))[0]['faces'] == []
    )


def test_a_picture_without_a_face_is_no_error(verb, config, album, middle) -> None:
    cv2.imwrite('dark.png', np.zeros((50, 60, 3), np.uint8))
    printed = verb('predict', config, 'an album', 'dark.png', *middle, '--out', 'out')
    assert printed == '2 faces in 3 pictures: out, 1 other file skipped\nNo face in dark.png\n'
    rows = json.loads(Path('out/predictions.json').read_text())
    assert rows[2] == {'path': 'dark.png', 'width': 60, 'height': 50, 'faces': []}
    assert not picture('out/dark.png').any()
    assert 'No face in dark.png' in verb('predict', config, 'dark.png', *middle)


def test_a_model_by_an_option_and_pictures_by_a_pattern(verb, config, album, middle) -> None:
    printed = verb('predict', 'an album/**/*.[jp]*g', '--model', config, *middle, '-v')
    assert (
        '2 faces in 2 pictures: work_dirs/small/predict' in printed and 'MiddleFace' in printed and ' s each' in printed
    )
    first = json.loads(verb('predict', 'an album/a.jpg', '--model', config, *middle, '--json'))
    assert first == json.loads(verb('predict', config, 'an album/a.jpg', *middle, '--json'))
    flipped = ('--cfg-options', 'model.flip_test=True')
    assert first != json.loads(verb('predict', 'an album/a.jpg', '--model', config, *middle, '--json', *flipped))


@pytest.mark.parametrize(
    'words, code, fact',
    [
        (('quickstrat', 'a.jpg'), 2, "'quickstart'"),
        (('quickstart',), 2, 'facelmk predict quickstart PICTURE'),
        (('none.jpg',), 3, 'none.jpg'),
        (('none*.jpg',), 3, 'none*.jpg'),
        (('an album/a.jpg', '--cfg-options', 'model.flip_test=True'), 2, '--model CONFIG'),
        (('an album/a.jpg', '--model', 'none.py'), 2, 'none.py'),
        (('an album/a.jpg', '--model', 'none.pth'), 3, 'none.pth'),
    ],
)
def test_wrong_models_and_pictures_are_named(verb, config, album, words, code, fact) -> None:
    assert fact in verb('predict', *words, code=code) and not Path('work_dirs').exists()


def test_the_model_that_comes_with_facelmk(verb, config, middle) -> None:
    """Without a config and without weights."""
    cv2.imwrite('face.png', SyntheticFaces('wflw', 1, 1, size=96).face(0)['image'])
    words = ('predict', 'face.png', '--detector', 'middleface', '--device', 'cpu', '--min-score', '0')
    assert verb(*words) == '1 face in 1 picture: work_dirs/facelmk_nano/predict\n'
    assert Path('work_dirs/facelmk_nano/predict/face.png').is_file()
