"""facelmk data browse."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.pages import check_page_alone

from facelmk.config import load_config
from facelmk.datasets import CropFace, FacesInPictures, FitScene, JoinedFaces, SyntheticFaces
from facelmk.report.browse import augmented, browse, dataset_of, original
from facelmk.report.browse_page import browse_page, mirror_change


def test_both_pictures_of_each_face(verb, config) -> None:
    stdout = verb('data', 'browse', config, '--count', '2', '--output-dir', 'faces')
    files = sorted(Path('faces').iterdir())
    assert [file.name for file in files] == [
        '0000_synthetic_9_0_original.jpg',
        '0001_synthetic_9_0_augmented.jpg',
        '0002_synthetic_9_5_original.jpg',
        '0003_synthetic_9_5_augmented.jpg',
    ]  # spread over the six
    assert stdout == '4 pictures of 6 faces (train) in faces\n'
    assert cv2.imread(str(files[0])).shape == (64, 64, 3) and cv2.imread(str(files[1])).shape == (320, 320, 3)


@pytest.mark.parametrize(('mode', 'photos'), [('original', 4), ('augmented', 2), ('both', 6)])
def test_the_page_shows_each_face_mirrored_and_augmented(verb, config, mode: str, photos: int) -> None:
    stdout = verb('data', 'browse', config, '--count', '2', '--mode', mode)
    assert 'page of 6 faces (train) in work_dirs/small/browse.html' in stdout
    source = Path('work_dirs/small/browse.html').read_text()
    page = check_page_alone(source)
    assert len(page.photos) == photos and source.count('<use ') == (0 if mode == 'augmented' else 2)
    for word in ('synthetic/9/0', 'synthetic/9/5', 'wflw, 98 points', '2 of 6', 'left brow'):
        assert word in page.text, word


def test_a_page_is_limited_and_has_parts(verb, config) -> None:
    long = ['train_dataloader.dataset.count=70', 'train_dataloader.dataset.size=32']
    verb('data', 'browse', config, '--count', '0', '--mode', 'augmented', '--out', 'all', '--cfg-options', *long)
    page = check_page_alone(Path('all/index.html').read_text())
    assert len(page.photos) == 60 and '60 of 70' in page.text
    assert {'faces-1', 'faces-13', 'faces-49', 'face-60'} < set(page.anchors)


def test_scenes_on_a_page() -> None:
    scenes = FacesInPictures(SyntheticFaces('aflw', 2, size=64), [FitScene(size=128, min_face=0)])
    page = check_page_alone(browse_page(scenes, 'both', 1, 'scenes', {}).html())
    assert len(page.photos) == 2 and 'synthetic/0/0' in page.text


def test_wrong_mirror_pairs_move_the_mean_face(config) -> None:
    dataset = dataset_of(load_config(config), 'train')
    rows = [tuple(dataset.face(i)[key] for key in ('landmarks', 'visible', 'box')) for i in range(6)]
    wrong = replace(dataset.markup, pairs=dataset.markup.pairs[::2])
    moves = [float(mirror_change(markup, rows).split(' %')[0].rpartition(' ')[2]) for markup in (dataset.markup, wrong)]
    assert moves[0] < 5 < 10 < moves[1]


@pytest.mark.parametrize(
    ('mode', 'pictures'), [('original', 3), ('augmented', 3), ('both', 6), ('transformed', 3), ('pipeline', 6)]
)
def test_modes_phase_and_mmposes_names(verb, config, mode: str, pictures: int) -> None:
    files = json.loads(
        verb(
            'data',
            'browse',
            config,
            '--phase',
            'test',
            '--mode',
            mode,
            '--output-dir',
            'here',
            '--not-show',
            '--count',
            '0',
            '--show-interval',
            '1',
            '--json',
        )
    )
    assert len(files) == pictures and all(Path(file).parent.name == 'here' and Path(file).is_file() for file in files)


def test_scenes_are_drawn_with_the_boxes_of_their_faces() -> None:
    faces = SyntheticFaces('aflw', 2, size=64)
    scenes = FacesInPictures(faces, [FitScene(size=128, min_face=0)])
    names, pictures = zip(*browse(scenes, 'both', 1), strict=True)
    assert names == ('synthetic/0/0_original', 'synthetic/0/0_augmented')
    for sample, picture, key in ((scenes.scene(0), pictures[0], 'boxes'), (scenes[0], pictures[1], 'crop_boxes')):
        changed = np.abs(picture.astype(int) - sample['image']).max(-1) > 30
        x1, y1, x2, y2 = sample[key][0].round().astype(int)
        assert changed[y1, x1:x2].mean() > 0.6 and changed[y1:y2, x2].mean() > 0.6
        assert not changed[y1 + 3 : y2 - 2, x1 + 3 : x2 - 2].any()


def test_points_are_drawn_at_their_coordinates(config) -> None:
    """The pictures with and without points differ at the points, in the mirrored crop, too."""
    dataset = dataset_of(load_config(config), 'train')
    face = dataset.face(0)
    changed = np.abs(original(dataset, 0).astype(int) - face['image']).max(-1) > 60
    assert near_share(changed, face['landmarks'], face['box']) > 0.95
    sample = dataset[0]
    plain = cv2.resize(sample['image'], None, fx=5, fy=5, interpolation=cv2.INTER_LINEAR)
    changed = np.abs(augmented(dataset, 0).astype(int) - plain).max(-1) > 60
    assert near_share(changed, sample['points'] * 5 + 2) > 0.95


def near_share(changed: np.ndarray, points: np.ndarray, box: np.ndarray | None = None) -> float:
    """The share of points with a changed pixel beside them."""
    inside = (points > 2).all(1) & (points < np.array(changed.shape) - 3).all(1)
    rounded = np.round(points[inside]).astype(int)
    return float(np.mean([changed[y - 1 : y + 2, x - 1 : x + 2].any() for x, y in rounded]))


def test_points_that_a_joined_set_lacks_are_not_drawn() -> None:
    """They have no coordinates; lines to them would meet in the corner of the picture."""
    dataset = JoinedFaces([SyntheticFaces('cofw', 1, seed=3, size=160)], markup='lapa', pipeline=[CropFace(160)])
    plain = dataset.face(0)['image'].astype(int)
    changed = np.abs(original(dataset, 0) - plain).max(-1) > 60
    assert changed.any() and not changed[:8, :8].any()
    assert near_share(changed, dataset.face(0)['landmarks'][dataset.face(0)['visible'] > 0]) > 0.95
    assert augmented(dataset, 0).shape == (320, 320, 3)


def test_browse_of_more_faces_than_there_are(config) -> None:
    dataset = dataset_of(load_config(config), 'val')
    assert len(list(browse(dataset, 'original', 99))) == 3


def test_wrong_input(verb, config, tmp_path) -> None:
    assert 'invalid choice' in verb('data', 'browse', config, '--phase', 'tset', code=2)
    lines = (tmp_path / config).read_text().splitlines()
    (tmp_path / 'bare.py').write_text('\n'.join(line for line in lines if not line.startswith('train_dataloader')))
    assert '--phase' in verb('data', 'browse', 'bare.py', code=2)
    (tmp_path / 'uncut.py').write_text(
        (tmp_path / config).read_text().replace("dict(type='CropFace', size=64, flip=1.), ", '')
    )
    assert '--mode original' in verb('data', 'browse', 'uncut.py', '--mode', 'augmented', code=2)


@pytest.mark.skipif(sys.platform != 'linux', reason='other systems always have a screen')
def test_no_screen(verb, config, monkeypatch) -> None:
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    assert 'screen' in verb('data', 'browse', config, '--show', code=3)
