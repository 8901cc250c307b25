"""Translated configs in use: they train on json files of MMPose's form, and can be written as files."""

import json
from pathlib import Path
from typing import Any

import cv2
import mmpose_files as files
import numpy as np
import pytest
from mmengine import Config
from mmengine.runner import Runner

from facelmk.cli import main
from facelmk.compat.mmpose_config.compare import differences
from facelmk.compat.mmpose_config.write import literal, translated_text
from facelmk.config import load_config
from facelmk.engine.run import train
from facelmk.errors import FacelmkError
from facelmk.synthetic import SyntheticFaces

OF_THE_FILE = {'work_dir'}


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four drawn faces as MMPose's converter of WFLW writes them."""
    folder = tmp_path_factory.mktemp('data') / 'wflw'
    (folder / 'images').mkdir(parents=True)
    (folder / 'annotations').mkdir()
    drawn, images, annotations = SyntheticFaces(count=4, size=96, markup='wflw'), [], []
    for i in range(4):
        face = drawn.face(i)
        cv2.imwrite(str(folder / f'images/{i}.png'), face['image'])
        height, width = face['image'].shape[:2]
        x1, y1, x2, y2 = map(float, face['box'])
        keypoints = np.column_stack([face['landmarks'], np.full(98, 2)]).ravel().tolist()
        centre = [(x1 + x2) / 2, (y1 + y2) / 2]
        images.append(dict(id=i, file_name=f'{i}.png', width=width, height=height))
        annotations.append(
            dict(id=i, image_id=i, category_id=1, iscrowd=0, keypoints=keypoints, num_keypoints=98)
            | dict(bbox=[x1, y1, x2 - x1, y2 - y1], center=centre, scale=max(x2 - x1, y2 - y1) / 200)
        )
    content = json.dumps(dict(images=images, annotations=annotations, categories=[dict(id=1, name='face')]))
    for name in ('mine', 'face_landmarks_wflw_test'):
        (folder / f'annotations/{name}.json').write_text(content)
    return folder


def small() -> str:
    """A small DeepPose for crops of 64 pixels, with weights that start from a seed."""
    options = dict(depth=18, channels=512, size=64, start='None', root='wflw/', train='mine', val='mine')
    text = files.regression(**options, batch=2, workers=0).replace('max_epochs=210', 'max_epochs=1')
    return text.replace('train_cfg = dict(', 'randomness = dict(seed=3)\ntrain_cfg = dict(', 1)


def run(config: Config, name: str) -> Runner:
    """Train in the current folder."""
    config.work_dir, config.log_level = name, 'ERROR'
    config.train_cfg.val_interval = 1
    return train(config)


def test_a_translated_config_trains_as_its_written_file(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root.parent)
    path = files.write(tmp_path, small())
    assert main(['config', 'translate', str(path), '--out', 'ours.py']) == 0
    weights = []
    for i, config in enumerate((path, 'ours.py')):
        runner = run(load_config(config), f'run{i}')
        weights.append(runner.model.head.fc.weight.detach())
        scalars = runner.message_hub.log_scalars
        assert runner.iter == 2
        assert all(np.isfinite(scalars[name].current()) for name in ('train/loss', 'val/NME'))
    assert weights[0].equal(weights[1])


WRITTEN = {
    'heatmap': files.heatmap(),
    'dark': files.heatmap(codec=', unbiased=True'),
    'sgd': files.heatmap('300w').replace("type='Adam', lr=2e-3", "type='SGD', lr=0.1, momentum=0.9"),
    'own file': files.heatmap(train='mine', root='/disk'),
    'resnet': files.resnet('cofw'),
    'deeppose': files.regression('WingLoss'),
    'weighted': files.regression('L1Loss').replace('use_target_weight=True', 'loss_weight=0.5'),
    'rtmpose': files.rtmpose(),
    'lr of parts': files.heatmap().replace(
        'optim_wrapper = dict(',
        "optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'backbone.bn1': dict(lr_mult=0.1)}), ",
    ),
}


@pytest.mark.parametrize('name', WRITTEN)
def test_a_written_file_is_the_translation(name: str, tmp_path: Path) -> None:
    path = files.write(tmp_path, WRITTEN[name])
    ours = tmp_path / 'ours.py'
    ours.write_text(translated_text(path))
    for safe in (False, True):
        written = load_config(ours, safe=safe).to_dict()
        assert not differences(load_config(path).to_dict(), written).keys() - OF_THE_FILE
    assert len(ours.read_text().splitlines()) < 60


def test_the_command_prints_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = files.write(tmp_path, files.heatmap(sigma=3))
    assert main(['config', 'translate', str(path)]) == 0
    printed = capsys.readouterr().out
    assert 'from facelmk.configs.hrnetv2_w18_wflw import *' in printed and 'model.codec.update(sigma=3)' in printed
    assert len(printed.splitlines()) < 12


@pytest.mark.parametrize(
    'arguments', [['quickstart'], ['MINE', '--out', 'MINE'], ['MINE', '--out', 'x.yaml'], ['nosuch.py']]
)
def test_what_the_command_refuses(arguments: list[str], tmp_path: Path) -> None:
    path = files.write(tmp_path, files.heatmap())
    before = path.read_text()
    assert main(['config', 'translate', *(word.replace('MINE', str(path)) for word in arguments)]) == 2
    assert path.read_text() == before


def test_config_check_and_options_use_our_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = files.write(tmp_path, files.heatmap())
    assert load_config(path, {'model.codec.sigma': 1.5}).model.codec.sigma == 1.5
    with pytest.raises(FacelmkError, match='decoder'):
        load_config(path, {'model.head.decoder.sigma': 1.5})
    main(['config', 'check', str(path), '--no-step', '--json'])
    findings = json.loads(capsys.readouterr().out)
    assert not [row for row in findings if row['severity'] == 'error' and 'data' not in row['message']]


def test_safe_mode_reads_data_alone(tmp_path: Path) -> None:
    runtime, text = files.RUNTIME, files.heatmap()
    for path, content in ((tmp_path / 'runtime.py', runtime), (tmp_path / 'mine.py', text)):
        path.write_text(content.replace('../../_base_/default_runtime.py', 'runtime.py'))
    assert load_config(tmp_path / 'mine.py', safe=True).model.codec.sigma == 2
    canary = tmp_path / 'canary'
    (tmp_path / 'mine.py').write_text(f"open({str(canary)!r}, 'w')\n" + (tmp_path / 'mine.py').read_text())
    with pytest.raises(FacelmkError):
        load_config(tmp_path / 'mine.py', safe=True)
    assert not canary.exists()


def test_subsets_whose_files_are_missing_are_left_out(root: Path, tmp_path: Path) -> None:
    dataset = load_config(files.write(tmp_path, files.heatmap(root=f'{root}/'))).val_dataloader.dataset
    assert dataset.type == 'PublishedFaces' and not dataset.subset_files


CHILDREN = {  # a config that is based on one of MMPose, and what it changes
    'train_cfg = dict(max_epochs=3)': ('train_cfg.max_epochs', 3),
    'model = dict(test_cfg=dict(flip_test=False))': ('model.flip_test', False),
    'codec = {{_base_.codec}}\ncodec.update(sigma=3)\nmodel = dict(head=dict(decoder=codec))\n'
    "train_pipeline = {{_base_.train_pipeline}}\ntrain_pipeline[5]['encoder'] = codec\n"
    'train_dataloader = dict(dataset=dict(pipeline=train_pipeline))': ('model.codec.sigma', 3),
    "param_scheduler = [dict(type='StepLR', step_size=9)]": ('param_scheduler.0.step_size', 9),
    "optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr=0.5))": ('optim_wrapper.optimizer.type', 'SGD'),
}


@pytest.mark.parametrize('text', CHILDREN)
def test_a_config_based_on_a_file_of_mmpose(text: str, tmp_path: Path) -> None:
    files.write(tmp_path, files.heatmap(), 'base.py')
    child = files.write(tmp_path, f"_base_ = ['base.py']\n{text}\n", 'child.py')
    dotted, expected = CHILDREN[text]
    config: Any = load_config(child).to_dict()
    for key in dotted.split('.'):
        config = config[int(key) if key.isdigit() else key]
    assert config == expected


@pytest.mark.fault('Q05')
def test_a_variable_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    files.write(tmp_path, files.heatmap(), 'base.py')
    child = files.write(tmp_path, "_base_ = ['base.py']\ndata_root = '/disk/wflw'\n", 'child.py')
    with pytest.raises(FacelmkError) as error:
        load_config(child)
    assert f'{child}:2' in str(error.value) and 'data_root' in str(error.value)


def test_long_values_are_written_over_several_lines() -> None:
    value = dict(a=[dict(type='X' * 60), dict(type='Y' * 60)], b={'c.d': (1,), 'e': []}, f={})
    text = literal(value)
    assert eval(text) == value and max(map(len, text.splitlines())) <= 120 and text.count('\n') > 3
