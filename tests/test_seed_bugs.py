"""Each known bug of the projects that we replace, with the test that would fail if this code had it too.

`SEED_BUGS` names all bugs and tests. The tests that fit no other file are below.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine import hooks
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn

from facelmk.checkpoint import load_checkpoint, save_checkpoint
from facelmk.config import config_names, load_config
from facelmk.datasets.base import FaceDataset
from facelmk.engine.saving.newest import newest_checkpoint
from facelmk.errors import FacelmkError
from facelmk.markups import MARKUPS
from facelmk.registry import BACKBONES, CODECS

ROOT = Path(__file__).parents[1]
SEED_BUGS = {
    '1 MMPose: its WFLW converter writes is_crowd, its reader wants iscrowd': 'test_json_of_its_converter_is_read',
    '1 MMPose: its WFLW boxes are not the published ones': 'test_tight_boxes_are_the_squares_around_the_whole_pixel_'
    'boxes',
    '2 MMPose: 300W-LP has no mirror pairs': 'test_300wlp_mirrors_as_300w_does',
    '2 MMPose: and its faces are not mirrored': 'test_faces_of_300wlp_mirror',
    "3 MMPose: COFW's eyes go to other points": 'test_mmposes_eyes_of_cofw_are_not_those_of_106_points',
    '4 MMPose: importing its models needs mmdet': 'test_no_part_needs_mmdet_or_mmpose',
    '4 MMPose: files are looked for from the current folder': 'test_configs_are_found_from_any_folder',
    '4 MMPose: points are mapped back without the rotation': 'test_to_photo_undoes_rotation_and_mirror',
    '4 MMPose: UDP moves x = 200 to 200.78': 'test_udp_decodes_a_point_to_itself',
    '5 MMPose: save_best guesses from spelling': 'test_the_best_epoch_is_saved_without_a_rule',
    '6 HRNet: resuming fails': 'test_a_resumed_run_ends_with_the_same_weights',
    '6 HRNet: checkpoints hold modules': 'test_checkpoints_hold_only_tensors_and_plain_data',
    '6 HRNet: model_best.pth cannot be tested': 'test_the_original_hrnets_files_fill_every_tensor',
    '6 HRNet: the best checkpoint cannot be tested': 'test_the_original_hrnets_command_lines_run',
    '6 HRNet: latest.pth dangles': 'test_the_newest_checkpoint_is_found_in_a_moved_folder',
    '6 HRNet: WFLW was never flipped, by a case error': 'test_pairs_of_wflw_count_from_zero_and_its_name_is_not_'
    'guessed',
    '6 HRNet: half a pixel to the right and downwards': 'test_only_hrnets_codec_has_a_bias',
    '6 HRNet: the flip is one pixel off': 'test_a_mirrored_picture_matches_its_points_except_in_the_protocol_of_hrnet',
    '7 Adaptive Wing by Shin: imports a file that is not there': 'test_each_import_of_facelmk_leads_to_a_file',
    '7 Adaptive Wing by Shin: starts from an absent file': 'test_no_config_resumes_or_loads_from_a_file',
    '7 Adaptive Wing by Shin: np.int': 'test_no_removed_numpy_name_is_used',
    '7 Adaptive Wing by Shin: tests the transposed picture': 'test_images_are_not_transposed',
    '7 Adaptive Wing by Shin: a wrong neighbour beside the peak': 'test_refinement_treats_x_and_y_alike',
    '7 Adaptive Wing by Shin: pairs by sorted order': 'test_pairs_go_by_name_and_files_without_partner_are_skipped',
    '8 Adaptive Wing: CoordConv needs a GPU': 'test_coordconv_runs_on_the_device_of_its_input',
    '9 HRNet-landmarks: BGR is fed as RGB': 'test_pictures_of_opencv_are_taken_as_bgr',
    '9 HRNet-landmarks: .cuda()': 'test_no_gpu_is_used',
    '9 HRNet-landmarks: np.math': 'test_pictures_shrink_without_np_math',
    '9 HRNet-landmarks: custom_align': 'test_custom_align_works',
    '9 HRNet-landmarks: no five points of 29': 'test_29_points_have_five_points',
    '9 HRNet-landmarks: align_corners=True': 'test_fuse_layers_do_not_align_corners',
}


def test_every_bug_has_its_test() -> None:
    trees = [ast.parse(path.read_text(encoding='utf-8')) for path in (ROOT / 'tests').rglob('test_*.py')]
    known = {node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert not {bug: test for bug, test in SEED_BUGS.items() if test not in known}


def test_no_project_is_left_out() -> None:
    assert {bug.split()[0] for bug in SEED_BUGS} == set('123456789')


# -- 4, MMPose


def test_no_part_needs_mmdet_or_mmpose(tmp_path: Path) -> None:
    """Import all modules and load all configs in a process in which mmdet and mmpose cannot be imported."""
    script = """
import importlib, pkgutil, sys
for name in ('mmdet', 'mmpose', 'mmpretrain', 'xtcocotools'):
    sys.modules[name] = None
import facelmk
found = [m.name for m in pkgutil.walk_packages(facelmk.__path__, 'facelmk.') if not m.name.endswith('__main__')]
for name in found:
    importlib.import_module(name)
from facelmk.config import config_names, load_config
for name in config_names():
    load_config(name)
print(len(found))
"""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) > 50


def test_configs_are_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config('hrnetv2_w18_wflw')
    assert MARKUPS[config.val_dataloader.dataset.markup].size == 98


def test_udp_decodes_a_point_to_itself() -> None:
    codec = CODECS.build(dict(type='UDP'))
    points = torch.full((1, 3, 2), 200.0)
    points[0, 1], points[0, 2] = torch.tensor([17.25, 101.5]), torch.tensor([240.0, 3.0])
    target, _ = codec.encode(points, torch.ones(1, 3), torch.empty(1, 3, 64, 64), 256)
    decoded = codec.decode(target, 256)[0]
    assert (decoded[0, :2] - points[0, :2]).abs().max() < 0.05  # 200.78 in MMPose


# -- 5, MMPose: which epoch is the best


class Toy(BaseModel):
    """Learns one number."""

    def __init__(self) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.zeros(1))

    def forward(self, inputs: Any, mode: str = 'loss') -> Any:
        return {'loss': ((self.number - 1) ** 2).mean()} if mode == 'loss' else [0]


class Rising(BaseMetric):
    """A figure that is 1 after the first epoch, then 2, 3."""

    default_prefix = ''

    def __init__(self, name: str, direction: str) -> None:
        super().__init__()
        self.name, self.direction, self.times = name, direction, 0

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict[str, float]:
        self.times += 1
        return {self.name: float(self.times)}


def best(folder: Path, name: str, direction: str, **options: Any) -> list[str]:
    """The best checkpoint after three epochs of a rising figure."""
    loader = dict(
        dataset=[dict(inputs=torch.ones(1))] * 2, batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False)
    )
    Runner(
        Toy(),
        str(folder),
        train_dataloader=loader,
        val_dataloader=loader,
        val_cfg=dict(),
        val_evaluator=[Rising(name, direction)],
        train_cfg=dict(by_epoch=True, max_epochs=3, val_interval=1),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_scope='facelmk',
        log_level='ERROR',
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=9, **options)),
        experiment_name='_'.join(folder.parts[-2:]),
    ).train()
    return [path.stem.rpartition('_')[2] for path in folder.glob('best_*.pth')]


@pytest.mark.parametrize(
    ('name', 'direction', 'epoch'),
    [('NME', 'less', '1'), ('top5_NME', 'less', '1'), ('AUC@0.1', 'greater', '3'), ('AP', 'greater', '3')],
)
def test_the_best_epoch_is_saved_without_a_rule(name: str, direction: str, epoch: str, tmp_path: Path) -> None:
    """mmengine refuses 'NME', and maximises any figure with 'top' or 'acc' in its name."""
    assert best(tmp_path / 'a', name, direction, save_best=name) == [epoch]
    if direction == 'less':
        assert best(tmp_path / 'b', name, direction, save_best='auto') == [epoch]
        assert best(tmp_path / 'c', name, direction, save_best=name, rule='greater') == ['3']


def test_mmengines_own_guess_is_the_bug() -> None:
    assert hooks.CheckpointHook(save_best='top5_NME').rules == ['greater']
    with pytest.raises(ValueError, match='Cannot infer'):
        hooks.CheckpointHook(save_best='NME')


def test_an_unknown_figure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FacelmkError, match="Set rule='less' or rule='greater'"):
        best(tmp_path, 'NME', 'less', save_best='EPE')
    assert all('rule' not in load_config(name).default_hooks.checkpoint for name in config_names()[:3])


# -- 6, the original HRNet


def test_checkpoints_hold_only_tensors_and_plain_data(tmp_path: Path) -> None:
    network = nn.DataParallel(nn.Linear(2, 2))
    with pytest.raises(FacelmkError, match=r"data\['state_dict'\] is a DataParallel"):
        save_checkpoint({'state_dict': network, 'epoch': 1}, tmp_path / 'checkpoint_0.pth')
    save_checkpoint({'state_dict': network.module.state_dict(), 'epoch': 1}, tmp_path / 'checkpoint_0.pth')
    assert torch.load(tmp_path / 'checkpoint_0.pth', weights_only=True)['epoch'] == 1
    load_checkpoint(nn.Linear(2, 2), tmp_path / 'checkpoint_0.pth')


def test_the_newest_checkpoint_is_found_in_a_moved_folder(tmp_path: Path) -> None:
    """mmengine stores an absolute path; HRNet's link was relative to another folder."""
    first = tmp_path / 'first'
    first.mkdir()
    save_checkpoint({'meta': {'epoch': 3, 'iter': 30}, 'state_dict': {}, 'optimizer': {}}, first / 'epoch_3.pth')
    (first / 'last_checkpoint').write_text(str(first / 'epoch_3.pth'))
    moved = first.rename(tmp_path / 'moved')
    assert newest_checkpoint(moved) == str(moved / 'epoch_3.pth')
    (tmp_path / 'elsewhere').mkdir()
    assert newest_checkpoint(tmp_path / 'elsewhere') is None
    (tmp_path / 'elsewhere/last_checkpoint').write_text(str(moved / 'epoch_3.pth'))
    assert newest_checkpoint(tmp_path / 'elsewhere') is None


@pytest.mark.parametrize(
    ('codec', 'bias'),
    [
        (dict(type='Heatmap'), 0.0),
        (dict(type='Heatmap', refine='dark', centre='exact'), 0.0),
        (dict(type='Integral'), 0.0),
        (dict(type='Coordinates'), 0.0),
        (dict(type='HRNetInteger'), 0.5),
    ],
)
def test_only_hrnets_codec_has_a_bias(codec: dict, bias: float) -> None:
    """The mean error of a perfect network in photograph pixels, for boxes of the crop's size at random positions."""
    part = CODECS.build(codec)
    points = torch.from_numpy(np.random.default_rng(0).uniform(30, 220, (40, 98, 2))).float()
    channels = part.channels(98, 256)
    like = torch.empty(40, channels, 2) if codec['type'] == 'Coordinates' else torch.empty(40, channels, 64, 64)
    target, _ = part.encode(points, torch.ones(40, 98), like, 256)
    warp = torch.eye(3, dtype=torch.float64).repeat(40, 1, 1)
    warp[:, :2, 2] = -torch.rand(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) - 1
    landmarks = points - warp[:, None, :2, 2].float()
    restored = part.to_photo(part.decode(target, 256)[0], warp)
    assert (restored - landmarks).mean((0, 1)).numpy() == pytest.approx([bias, bias], abs=0.06)


# -- 7, Adaptive Wing by Shin


def sources() -> list[Path]:
    """Every file of the package, its tools and its configs."""
    return sorted(path for folder in ('facelmk', 'tools', 'configs') for path in (ROOT / folder).rglob('*.py'))


def test_each_import_of_facelmk_leads_to_a_file() -> None:
    """Also in functions: there, a wrong import fails only when the command runs."""
    checked = 0
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.ImportFrom) and (node.level or (node.module or '').startswith('facelmk')):
                base = path.parents[node.level - 1] if node.level else ROOT
                named = base.joinpath(*(node.module or '').split('.')) if node.module else base
                names = [named / alias.name for alias in node.names] if not node.module else [named]
                for file in names:
                    checked += 1
                    assert file.with_suffix('.py').is_file() or file.is_dir() or named.joinpath('__init__.py').is_file()
    assert checked > 200


def test_no_config_resumes_or_loads_from_a_file() -> None:
    for name in config_names():
        config = load_config(name)
        assert config.get('load_from') is None and not config.get('resume'), name


def test_no_removed_numpy_name_is_used() -> None:
    removed_names = {
        'int',
        'float',
        'bool',
        'object',
        'str',
        'complex',
        'long',
        'unicode',
        'math',
        'float_',
        'product',
        'in1d',
        'trapz',
        'Inf',
        'NaN',
        'alltrue',
        'sometrue',
        'cumproduct',
        'asfarray',
    }
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Attribute) and getattr(node.value, 'id', '') in ('np', 'numpy'):
                assert node.attr not in removed_names, f'{path}:{node.lineno}'


class SpottedFaces(FaceDataset):
    """One black photograph, wider than high, with a bright spot at x = 40, y = 12."""

    def __len__(self) -> int:
        return 1

    def face(self, index: int) -> dict[str, Any]:
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[12, 40] = 255
        points = np.tile(np.float32([40, 12]), (98, 1))
        return dict(
            id='a',
            path='',
            box=np.float32([8, 0, 56, 48]),
            landmarks=points,
            visible=np.ones(98, np.float32),
            norm=None,
            tags=(),
            image=picture,
        )


@pytest.mark.parametrize('training', [True, False])
def test_images_are_not_transposed(training: bool) -> None:
    """The bright spot is at its point, x along the rows, in training and in testing."""
    sample = SpottedFaces(
        'wflw', [dict(type='CropFace', size=48, padding=1.0, rotate=20.0 if training else 0.0), dict(type='PackFace')]
    )[0]
    brightness = sample['inputs'].sum(0)
    y, x = divmod(int(brightness.argmax()), brightness.shape[1])
    assert [x, y] == pytest.approx(sample['data_samples']['points'][0].tolist(), abs=1)
    assert abs(x - y) > 10


@pytest.mark.parametrize(
    'codec',
    [
        dict(type='Heatmap', refine='quarter'),
        dict(type='Heatmap', refine='dark'),
        dict(type='Heatmap', aligned=False),
        dict(type='HRNetInteger'),
        dict(type='Integral'),
    ],
)
def test_refinement_treats_x_and_y_alike(codec: dict) -> None:
    """Maps with the second peak in each of the eight cells around the first, and the same maps transposed."""
    part, maps = CODECS.build(codec), torch.zeros(1, 8, 16, 16)
    neighbours = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
    for i, (dy, dx) in enumerate(neighbours):
        maps[0, i, 8, 6] = 1.0
        maps[0, i, 8 + dy, 6 + dx] = 0.6
    decoded, transposed = part.decode(maps, 64)[0], part.decode(maps.mT, 64)[0].flip(-1)
    assert torch.allclose(decoded, transposed, atol=1e-4)
    straight = {step: i for i, step in enumerate(neighbours) if 0 in step}
    points = {step: decoded[0, i] for step, i in straight.items()}
    assert (
        points[-1, 0][1] < points[1, 0][1] and points[0, -1][0] < points[0, 1][0]
    )  # the shift is towards the second peak


# -- 8, the official Adaptive Wing


def test_coordconv_runs_on_the_device_of_its_input() -> None:
    """On the CPU and on the meta device: no tensor is sent to a GPU by name."""
    for device in ('cpu', 'meta'):
        with torch.device(device):
            network = BACKBONES.build(dict(type='StackedHourglass', maps=99, stacks=1)).eval()
            stages: tuple[Tensor, ...] = network(torch.zeros(1, 3, 64, 64))
        assert {stage.device.type for stage in stages} == {device} and stages[-1].shape == (1, 99, 16, 16)
