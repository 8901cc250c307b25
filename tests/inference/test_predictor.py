"""Predictor: the numbers of validation, any number of boxes and pictures, and errors with the wrong value."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import facelmk
from facelmk import FacelmkError, MissingResource, geometry
from facelmk.checkpoint import Mismatch
from facelmk.config import load_config
from facelmk.faces import Faces

ROOT = Path(__file__).parents[2]
BOXES = [[20.0, 10.0, 120.0, 130.0], [0.0, 0.0, 60.0, 50.0], [30.0, 40.0, 150.0, 139.0], [-20.0, 5.0, 90.0, 160.0]]


def landmarks(faces: Faces) -> np.ndarray:
    return np.stack([face.landmarks for face in faces])


def test_prediction_gives_the_landmarks_of_facelmk_test(predictor, faces, weights, tmp_path) -> None:
    """The same faces through `facelmk test`: data set, loader, Runner and all."""
    options = [f'val_dataloader.dataset.{key}' for key in (f'count={len(faces)}', 'cache=None')]
    subprocess.run(
        [
            sys.executable,
            '-m',
            'facelmk.cli',
            'test',
            'quickstart',
            weights,
            '--dump',
            'dump.json',
            '--cfg-options',
            *options,
            'val_dataloader.num_workers=0',
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        env=os.environ | {'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
    )
    tested = {row['id']: row for row in json.loads((tmp_path / 'dump.json').read_text())}
    assert len(tested) == len(faces)
    predicted = predictor([face['image'] for face in faces], [[face['box']] for face in faces])
    for face, (prediction,) in zip(faces, predicted, strict=True):
        truth = np.array(tested[face['id']]['landmarks'])
        assert np.abs(prediction.landmarks - truth).max() < 1e-4
        assert np.abs(prediction.scores - tested[face['id']]['scores']).max() < 1e-5
        assert np.ptp(truth, 0).min() > 5  # the network does not give the same for every face
    assert np.abs(predicted[0][0].landmarks - predicted[1][0].landmarks).max() > 5


def test_a_face_has_landmarks_scores_box_and_scheme(predictor, picture) -> None:
    (face,) = predictor(picture, boxes=[BOXES[0]])
    assert face.landmarks.shape == (98, 2) and face.landmarks.dtype == np.float32
    assert face.scores.shape == (98,) and face.box.tolist() == BOXES[0] and face.markup.name == 'wflw'
    assert face.image.tolist() == picture.tolist()


def test_prediction_is_repeatable(predictor, picture) -> None:
    assert np.array_equal(landmarks(predictor(picture, BOXES)), landmarks(predictor(picture, BOXES)))


def test_full_is_one_box_around_the_picture(predictor, picture) -> None:
    full, box = predictor(picture, 'full'), predictor(picture, [0, 0, 160, 140])
    assert full[0].box.tolist() == [0, 0, 160, 140] and np.array_equal(landmarks(full), landmarks(box))


def test_many_boxes_in_batches(predictor, picture, monkeypatch) -> None:
    sizes, step = [], predictor.landmarker.test_step
    monkeypatch.setattr(
        predictor.landmarker, 'test_step', lambda batch: sizes.append(len(batch['inputs'])) or step(batch)
    )
    together = predictor(picture, BOXES, batch_size=3)
    assert sizes == [3, 1]
    alone = [predictor(picture, [box])[0].landmarks for box in BOXES]
    assert np.abs(landmarks(together) - alone).max() < 1e-3
    assert [face.box.tolist() for face in together] == BOXES


def test_batches_join_pictures_and_keep_them_apart(predictor, picture, faces, monkeypatch) -> None:
    sizes, step = [], predictor.landmarker.test_step
    monkeypatch.setattr(
        predictor.landmarker, 'test_step', lambda batch: sizes.append(len(batch['inputs'])) or step(batch)
    )
    other = faces[1]['image']
    results = predictor([picture, other, picture], [BOXES[:3], [], [BOXES[1]]], batch_size=4)
    assert sizes == [4] and [len(faces_of_picture) for faces_of_picture in results] == [3, 0, 1]
    assert np.abs(landmarks(results[2])[0] - landmarks(results[0])[1]).max() < 1e-3
    assert results[1].image.tolist() == other.tolist()


def test_no_box_gives_no_face(predictor, picture) -> None:
    assert predictor(picture, boxes=[]) == [] and predictor(picture, boxes=np.zeros((0, 4))) == []
    assert predictor([], boxes=[]) == [] and predictor([]) == []


def test_a_stream_continues_after_a_broken_picture(predictor, picture, tmp_path) -> None:
    bad = tmp_path / 'bad.jpg'
    bad.write_bytes(b'no picture')
    skipped = {}
    results = list(predictor.stream([str(bad), picture], 'full', skip=skipped.__setitem__))
    assert len(results) == 1 and list(skipped) == [str(bad)] and 'bad.jpg' in str(skipped[str(bad)])
    with pytest.raises(FacelmkError, match='bad.jpg'):
        list(predictor.stream([str(bad), picture], 'full'))


def test_a_stream_reads_no_picture_early(predictor, picture) -> None:
    read = []
    stream = predictor.stream((read.append(i) or picture for i in range(9)), 'full', batch_size=2)
    next(stream)
    assert read == [0, 1]


# -- mistakes of MMPose that must not be repeated


def test_a_rotated_crop_is_undone(predictor) -> None:
    """MMPose undoes a crop by its centre and scale alone, which is wrong once the crop is turned."""
    truth = np.random.default_rng(0).uniform(0, 300, (2, 98, 2)).astype(np.float32)
    warps = np.stack([geometry.box_to_crop([40, 50, 240, 260], 112, 1.25, degrees) for degrees in (37, -80)])
    points = torch.from_numpy(geometry.apply(warps, truth))
    assert np.abs(predictor.landmarker.codec.to_photo(points, torch.from_numpy(warps)).numpy() - truth).max() < 1e-3


def test_names_are_found_from_any_folder(weights, picture, predictor, tmp_path, monkeypatch) -> None:
    """MMPose looks for what a config names in the current folder."""
    monkeypatch.chdir(tmp_path)
    predicted = facelmk.load('quickstart', weights, 'cpu')(picture, 'full')
    assert np.array_equal(landmarks(predicted), landmarks(predictor(picture, 'full')))


# -- wrong input


@pytest.mark.parametrize(
    'boxes, fact',
    [
        ('face', "boxes='face'"),
        ([[10, 10, 10, 50]], r'box 0 .*\[10.0, 10.0, 10.0, 50.0\].*x1 < x2'),
        ([[0, 0, 9, 9], [50, 60, 10, 90]], 'box 1'),
        ([[float('nan'), 0, 9, 9]], 'box 0'),
        ([[0, 0, float('inf'), 9]], 'box 0'),
        ([[200, 10, 250, 50]], 'box 0 .*160 x 140'),
        ([[1, 2, 3]], r'shape \(1, 3\)'),
        ([['a', 2, 3, 4]], 'boxes='),
    ],
)
def test_wrong_boxes_are_refused(predictor, picture, boxes, fact) -> None:
    with pytest.raises(FacelmkError, match=fact):
        predictor(picture, boxes)


def test_lists_of_unequal_lengths_are_refused(predictor, picture) -> None:
    with pytest.raises(FacelmkError, match='2 pictures.* 1'):
        predictor([picture, picture], [[BOXES[0]]])


# -- load


def test_flip_test_is_an_argument(weights, picture, predictor) -> None:
    assert predictor.landmarker.flip_test is True  # as the config says
    direct = facelmk.load('quickstart', weights, 'cpu', flip_test=False)
    assert direct.landmarker.flip_test is False
    assert np.abs(landmarks(direct(picture, 'full')) - landmarks(predictor(picture, 'full'))).max() > 1e-2


def test_a_config_by_name_by_path_and_loaded(weights, picture, predictor, tmp_path) -> None:
    path = tmp_path / 'mine.py'
    path.write_text(
        'from mmengine.config import read_base\nwith read_base():\n    from facelmk.configs.quickstart import *\n'
    )
    expected = landmarks(predictor(picture, 'full'))
    for config in (path, str(path), load_config('quickstart')):
        assert np.array_equal(landmarks(facelmk.load(config, weights, 'cpu')(picture, 'full')), expected)


def test_published_weights_are_the_default(weights) -> None:
    config = load_config('quickstart', {'result': dict(checkpoint=str(weights))})
    loaded = facelmk.load(config, device='cpu').landmarker.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in torch.load(weights)['state_dict'].items())
    with pytest.raises(MissingResource, match='quickstart.py'):
        facelmk.load('quickstart')
    config.result = dict(checkpoint_page='https://page.org/x')
    with pytest.raises(MissingResource, match='https://page.org/x'):
        facelmk.load(config)


def test_weights_must_fit(tmp_path, weights) -> None:
    state = torch.load(weights)['state_dict']
    state.pop(next(iter(state)))
    torch.save(state, tmp_path / 'less.pth')
    with pytest.raises(Mismatch, match='1 missing'):
        facelmk.load('quickstart', tmp_path / 'less.pth', 'cpu')
    with pytest.raises(MissingResource, match='no checkpoint'):
        facelmk.load('quickstart', tmp_path / 'none.pth', 'cpu')


def test_pretrained_weights_go_into_the_backbone_alone(tmp_path, weights) -> None:
    saved = torch.load(weights)['state_dict']
    loaded = facelmk.load('quickstart', device='cpu', pretrained=weights).landmarker.state_dict()
    same = {key: torch.equal(loaded[key], value) for key, value in saved.items()}
    assert all(same[key] for key in same if key.startswith('backbone.'))
    assert not all(same[key] for key in same if key.startswith('head.'))


@pytest.mark.parametrize('device', ['gpu', 'cuda:77'])
def test_unknown_devices_are_refused(device, weights) -> None:
    with pytest.raises(FacelmkError, match=f"device='{device}'"):
        facelmk.load('quickstart', weights, device)


def test_a_joined_data_set_uses_the_pipeline_of_its_first_member(weights, picture, predictor) -> None:
    config = load_config('quickstart')
    inner = config.val_dataloader.dataset
    config.val_dataloader.dataset = dict(type='ConcatDataset', datasets=[dict(type='RepeatDataset', dataset=inner)])
    predicted = facelmk.load(config, weights, 'cpu')(picture, 'full')
    assert np.array_equal(landmarks(predicted), landmarks(predictor(picture, 'full')))


def test_load_is_listed_and_misspelt_names_are_refused() -> None:
    assert 'load' in dir(facelmk) and callable(facelmk.load)
    with pytest.raises(AttributeError, match='lode'):
        facelmk.lode  # noqa: B018
