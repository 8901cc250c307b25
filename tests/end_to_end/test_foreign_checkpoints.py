"""Other projects' checkpoints, by URL, and their command lines give the figures of a native checkpoint."""

import csv
import functools
import http.server
import json
import runpy
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from torch import Tensor, nn

from facelmk.config import load_config
from facelmk.datasets import SyntheticFaces
from facelmk.registry import MODELS

Weights = dict[str, Tensor]
FACES, SIDE = 6, 64
fill = runpy.run_path(str(Path(__file__).parents[1] / 'helpers' / 'filled.py'))['fill']
CONFIG = """
from mmengine.config import read_base

with read_base():
    from facelmk.configs.{name} import *

val_dataloader = dict(batch_size=3, num_workers=0, dataset=dict(
    type='SyntheticFaces', markup={markup!r}, count={faces}, seed=5, size={side},
    pipeline=[dict(type='LoadImage'), dict(type='CropFace', size={side}), dict(type='PackFace')]))
val_evaluator = [dict(type='NME', norm='box_side'), dict(type='FailureRate', threshold=.1, norm='box_side')]
test_dataloader, test_evaluator = val_dataloader, val_evaluator
"""


class Part(nn.Module):
    """A part of another project's network; the process of the tool cannot import its class."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        for key in {key.partition('.')[0] for key in weights if '.' in key}:
            below = {name.partition('.')[2]: w for name, w in weights.items() if name.startswith(f'{key}.')}
            self.add_module(key, Part(below))
        for key, value in weights.items():
            if '.' not in key:
                self.register_buffer(key, value)


def mmpose_0_names(weights: Weights) -> Weights:
    """MMPose 0.x's names."""
    last = 'keypoint_head.final_layer.' + ('3.' if any('head.conv_layers' in key for key in weights) else '')
    return renamed(
        weights,
        {'head.conv_layers.': 'keypoint_head.final_layer.', 'head.final_layer.': last, 'head.': 'keypoint_head.'},
    )


def hrnet_names(weights: Weights) -> Weights:
    """The original HRNet's names."""
    return renamed(weights, {'head.conv_layers.': 'head.', 'head.final_layer.': 'head.3.', 'backbone.': ''})


def awing_names(weights: Weights) -> Weights:
    """Adaptive Wing's names."""
    return renamed(weights, {'backbone.': ''})


def renamed(weights: Weights, prefixes: dict[str, str]) -> Weights:
    return {
        next((key.replace(ours, theirs, 1) for ours, theirs in prefixes.items() if key.startswith(ours)), key): value
        for key, value in weights.items()
    }


def add_module_prefix(weights: Weights) -> Weights:
    return {f'module.{key}': value for key, value in weights.items()}


def averaged(weights: Weights) -> dict[str, Any]:
    """A checkpoint of mmengine's EMAHook: ema_state_dict has other numbers."""
    trained = {f'module.{key}': value + 1 for key, value in weights.items()}
    return {'meta': {'epoch': 3}, 'state_dict': weights, 'ema_state_dict': trained | {'steps': torch.tensor(9)}}


FORMS: dict[str, tuple[str, Callable[[Weights], Any]]] = {
    'MMPose 1, HRNet': ('hrnetv2_w18_wflw', lambda w: {'meta': {'mmpose_version': '1.3.2'}, 'state_dict': w}),
    'MMPose 0, HRNet': ('hrnetv2_w18_wflw', lambda w: {'state_dict': mmpose_0_names(w)}),
    'HRNet, pickled module': ('hrnetv2_w18_wflw', lambda w: Part(hrnet_names(w))),
    'HRNet, plain': ('hrnetv2_w18_wflw', hrnet_names),
    'HRNet, module.': ('hrnetv2_w18_wflw', lambda w: add_module_prefix(hrnet_names(w))),
    'HRNet, state_dict': ('hrnetv2_w18_wflw', lambda w: {'state_dict': hrnet_names(w), 'epoch': 3}),
    'HRNet, DataParallel': (
        'hrnetv2_w18_wflw',
        lambda w: {'state_dict': nn.DataParallel(Part(hrnet_names(w))), 'epoch': 3},
    ),
    'averaged': ('hrnetv2_w18_wflw', averaged),
    'MMPose 0, DeepPose': ('deeppose_r50_wflw', lambda w: {'state_dict': mmpose_0_names(w)}),
    'MMPose 0, ResNet-50': ('res50_coco_wholebody_face', lambda w: {'state_dict': mmpose_0_names(w)}),
    'MMPose 0, MobileNetV2': ('mobilenetv2_coco_wholebody_face', lambda w: {'state_dict': mmpose_0_names(w)}),
    'MMPose 0, SCNet-50': ('scnet50_coco_wholebody_face', lambda w: {'state_dict': mmpose_0_names(w)}),
    'MMPose 0, hourglass-52': ('hourglass52_coco_wholebody_face', lambda w: {'state_dict': mmpose_0_names(w)}),
    'MMPose 1, RTMPose': ('rtmpose_t_face6', lambda w: {'meta': {}, 'state_dict': w, 'message_hub': {'runtime': 1}}),
    'Adaptive Wing, plain': ('awing_hg4_wflw', awing_names),
    'Adaptive Wing, state_dict': ('awing_hg4_wflw', lambda w: {'state_dict': awing_names(w)}),
}
QUICK = ('MMPose 0, HRNet', 'HRNet, pickled module')  # the others take seconds each


@pytest.fixture(scope='module')
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder, and the URL of a local server for it."""
    folder = tmp_path_factory.mktemp('site')

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f'http://127.0.0.1:{server.server_port}'
        server.shutdown()


@pytest.fixture(scope='module')
def native(tmp_path_factory: pytest.TempPathFactory, tool: Callable) -> Callable[[str], tuple[Path, Weights, dict]]:
    """Returns for a config: a copy on a few drawn faces, weights, and the figures of a native checkpoint with them."""

    @functools.cache
    def make(name: str) -> tuple[Path, Weights, dict]:
        folder = tmp_path_factory.mktemp(name)
        config = folder / f'small_{name}.py'
        markup = load_config(name).model.get('markup', 'wflw')
        drawn = {'coco_wholebody_face': '300w'}.get(markup, markup)
        config.write_text(CONFIG.format(name=name, markup=drawn, faces=FACES, side=SIDE))
        weights = fill(MODELS.build(load_config(config).model)).state_dict()
        torch.save({'state_dict': weights}, folder / 'native.pth')
        tool('test.py', config, 'native.pth', '--work-dir', 'native', cwd=folder)
        return config, weights, figures(folder / 'native')

    return make


def figures(work_dir: Path) -> dict[str, float]:
    return json.loads((work_dir / 'metrics.json').read_text())['metrics']


@pytest.mark.parametrize(
    'form', [pytest.param(form, marks=[] if form in QUICK else [pytest.mark.slow]) for form in FORMS]
)
def test_every_dialect_has_the_figures_of_the_native_checkpoint(
    form: str, site: tuple[Path, str], native: Callable, tool: Callable, tmp_path: Path
) -> None:
    name, make = FORMS[form]
    config, weights, expected = native(name)
    folder, url = site
    file = f'{list(FORMS).index(form)}.pth'
    torch.save(make(weights), folder / file, _use_new_zipfile_serialization='pickled' not in form)
    tool('test.py', config, f'{url}/{file}', '--work-dir', 'work', cwd=tmp_path, FACELMK_HOME=tmp_path / 'home')
    assert figures(tmp_path / 'work') == expected and len(expected) >= 2 and all(map(bool, expected.values()))


# -- the original HRNet's command lines


def draw_wflw(folder: Path, split: str, count: int, seed: int) -> None:
    """Write drawn faces in the original's format: pictures, and a table with scale, centre and 98 points."""
    faces = SyntheticFaces('wflw', count, seed, size=96)
    (folder / 'images').mkdir(parents=True, exist_ok=True)
    points = [f'original_{i}_{axis}' for i in range(98) for axis in 'xy']
    with (folder / f'face_landmarks_wflw_{split}.csv').open('w', newline='') as file:
        table = csv.writer(file)
        table.writerow(['image_name', 'scale', 'center_w', 'center_h', *points])
        for i in range(count):
            face = faces.face(i)
            x1, y1, x2, y2 = map(float, face['box'])
            cv2.imwrite(str(folder / 'images' / f'{split}{i}.png'), face['image'])
            table.writerow(
                [
                    f'{split}{i}.png',
                    max(x2 - x1, y2 - y1) / 200,
                    (x1 + x2) / 2,
                    (y1 + y2) / 2,
                    *face['landmarks'].flatten().tolist(),
                ]
            )


YAML = 'experiments/wflw/face_alignment_wflw_hrnet_w18.yaml'


@pytest.fixture
def small_wflw(tmp_path: Path) -> Path:
    """The work folder of a published YAML file with small values; its data set is a few drawn faces."""
    published = runpy.run_path(str(Path(__file__).parents[1] / 'compat' / 'test_hrnet_yaml.py'))['published']('WFLW')
    for old, new in {
        '[256, 256]': '[64, 64]',
        '[64, 64]\n  EX': '[16, 16]\n  EX',
        'END_EPOCH: 60': 'END_EPOCH: 1',
        'WORKERS: 4': 'WORKERS: 0',
    }.items():
        assert old in published
        published = published.replace(old, new)
    (tmp_path / YAML).parent.mkdir(parents=True)
    (tmp_path / YAML).write_text(published)
    for split, count in {'train': 8, 'test': 5}.items():
        draw_wflw(tmp_path / 'data/wflw', split, count, seed=count)
    return tmp_path / 'output/WFLW/face_alignment_wflw_hrnet_w18'


@pytest.mark.slow
def test_the_original_hrnets_command_lines_run(tool: Callable, tmp_path: Path, small_wflw: Path) -> None:
    printed = tool('train.py', '--cfg', YAML, cwd=tmp_path)
    assert 'hrnet_w18_wflw_orig' in printed and 'MODEL.PRETRAINED' in printed
    best = next(small_wflw.glob('best_NME*.pth'))
    tool('test.py', '--cfg', YAML, '--model-file', best, cwd=tmp_path)
    predictions = torch.load(small_wflw / 'predictions.pth', weights_only=True)
    faces = SyntheticFaces('wflw', 5, 5, size=96)
    assert predictions.shape == (5, 98, 2)
    truth = torch.stack([torch.from_numpy(faces.face(i)['landmarks']) for i in range(5)])
    eyes = (truth[:, 60] - truth[:, 72]).norm(dim=-1)
    error = ((predictions - truth).norm(dim=-1).mean(-1) / eyes).mean().item()
    assert 100 * error == pytest.approx(figures(small_wflw)['NME'], rel=1e-5)  # faces in the order of the table


@pytest.mark.slow
def test_the_same_command_resumes_the_run(tool: Callable, tmp_path: Path, small_wflw: Path) -> None:
    """TRAIN.RESUME is true in the published files, and the work folder may have been moved."""
    tool('train.py', '--cfg', YAML, cwd=tmp_path)
    longer = (tmp_path / YAML).read_text().replace('END_EPOCH: 1', 'END_EPOCH: 2')
    (tmp_path / YAML).write_text(f'OUTPUT_DIR: moved\n{longer}')
    (tmp_path / 'output').rename(tmp_path / 'moved')
    printed = tool('train.py', '--cfg', YAML, '-v', cwd=tmp_path)
    assert 'resumed epoch: 1' in printed and 'Epoch(train) [2]' in printed and 'Epoch(train) [1]' not in printed
    assert 'Epoch(train)' not in tool('train.py', '--cfg', YAML, '-v', cwd=tmp_path)  # it has ended
