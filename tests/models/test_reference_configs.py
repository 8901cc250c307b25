"""Our configs by name against MMPose 1.3.2 and the official Adaptive Wing network, as a user gets them.

Each row is built from its config alone, by `load_config` and by mmengine's bare way, filled by the reference folder's
own rule, and compared with every array of its file. test_reference_arrays.py says which test compares other files.
"""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from mmengine import Config
from torch import Tensor, nn

from facelmk import geometry
from facelmk.config import config_folder, load_config
from facelmk.registry import CODECS, MODELS

NEAR, PIXELS = 1e-5, 1e-3
ROWS = {  # the file's name -> our config
    'hrnetv2_wflw': 'hrnetv2_w18_wflw',
    'hrnetv2_300w': 'hrnetv2_w18_300w',
    'hrnetv2_cofw': 'hrnetv2_w18_cofw',
    'hrnetv2_aflw': 'hrnetv2_w18_aflw',
    'hrnetv2_dark_wflw': 'hrnetv2_w18_wflw_dark',
    'hrnetv2_dark_aflw': 'hrnetv2_w18_aflw_dark',
    'hrnetv2_awing_wflw': 'hrnetv2_w18_wflw_awing',
    'res50_smoothl1_wflw': 'deeppose_r50_wflw',
    'res50_wing_wflw': 'deeppose_r50_wflw_wing',
    'res50_softwing_wflw': 'deeppose_r50_wflw_softwing',
    'res50_cocoface': 'res50_coco_wholebody_face',
    'mobilenetv2_cocoface': 'mobilenetv2_coco_wholebody_face',
    'scnet50_cocoface': 'scnet50_coco_wholebody_face',
    'hourglass52_cocoface': 'hourglass52_coco_wholebody_face',
    'rtmpose_m_wflw': 'rtmpose_m_wflw',
    'rtmpose_s_face6': 'rtmpose_s_face6',
    'rtmpose_t_face6': 'rtmpose_t_face6',
}
CROPS = [name for name in ROWS if name.startswith(('scnet', 'rtmpose'))]  # files crop_*.npz, the others model_*.npz
AWING = {'awing_fan4_98': 'awing_hg4_wflw', 'awing_fan4_68': 'awing_hg4_300w'}
LISTS = {  # key lists of published files: config, what precedes their keys in ours
    'keys_mmpose_hrnetv2_w18_wflw': ('hrnetv2_w18_wflw', ''),
    'keys_awing_fan4_98': ('awing_hg4_wflw', 'backbone.'),
    'keys_mmpose_deeppose_res50_wflw': ('deeppose_r50_wflw', ''),
}


def by_name(config: str) -> nn.Module:
    return MODELS.build(load_config(config).model)


def bare(config: str) -> nn.Module:
    return MODELS.build(Config.fromfile(config_folder() / f'{config}.py').model)


WAYS = {'load_config': by_name, 'bare': bare}


@pytest.fixture(scope='session')
def rule(shared: Path) -> ModuleType:
    """How the reference's weights and inputs were made."""
    spec = importlib.util.spec_from_file_location('fill', shared / 'ref' / 'fill.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Sums are split as they were for the reference, where one thread or many more round ties the other way."""
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def random(seed: int) -> np.random.RandomState:
    return np.random.RandomState(seed)


def file_of(name: str, folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / 'ref' / f'{"crop" if name in CROPS else "model"}_{name}.npz') as arrays:
        return dict(arrays)


def relative(found: Any, expected: np.ndarray) -> float:
    """The greatest difference against the greatest value."""
    found = np.asarray(found, np.float64)
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def of_sum(values: Tensor, expected: np.ndarray) -> float:
    """The difference of two sums against the sum of what was added."""
    return abs(values.double().sum().item() - float(expected)) / values.double().abs().sum().item()


def batch(model: nn.Module, name: str, rule: ModuleType) -> dict[str, Any]:
    """Two pictures of noise, uint8 BGR, with the warps of their boxes, and points of which some lie outside."""
    crops = np.stack([(rule.rs(10 + i).rand(3, 256, 256) * 255).astype(np.uint8) for i in range(2)])
    boxes = [[8 + i, 18, 328 + i, 338] for i in range(2)] if name not in CROPS else [[0, 0, 256, 256]] * 2
    points, visible = rule.fixed_points(2, model.markup.size, 256, 5)
    return dict(
        inputs=torch.from_numpy(crops),
        data_samples=dict(
            id=[0, 1],
            points=torch.from_numpy(points),
            visible=torch.from_numpy(visible),
            warp=torch.from_numpy(np.stack([geometry.box_to_crop(box, 256) for box in boxes])),
        ),
    )


def deviations(model: nn.Module, name: str, arrays: dict[str, np.ndarray], rule: ModuleType) -> dict[str, float]:
    """By the array's name how far we are from it: against the greatest value, for points in pixels.

    A point that is further off than `PIXELS` is a tie, or the test fails: noise of the size of rounding moves it as
    far. How many there are is below 'ties'.
    """
    found = outputs(model, name, arrays)
    found |= predictions(model, name, arrays, rule)
    if 'loss_loss_kpt' in arrays:
        found |= training(model, name, arrays, rule)
    assert {key for key in found if not key.startswith('ties')} == arrays.keys() - {'grad_keys'}
    return found


@torch.no_grad()
def outputs(model: nn.Module, name: str, arrays: dict[str, np.ndarray]) -> dict[str, float]:
    """Of the backbone's features and the head's last stage, for a normalised input; SimCC's axes one by one."""
    if name in CROPS:
        return {}
    image = torch.from_numpy(random(0).randn(2, 3, 256, 256)).float()
    features = model.backbone(image)
    (head,) = model(image)
    found = {
        'head': relative(head[:, ::7] if head.ndim == 4 else head, arrays['head']),
        'head_sum': of_sum(head, arrays['head_sum']),
    }
    for i, feature in enumerate(features):
        step = 4 if feature.shape[-1] >= 64 else 1
        found[f'backbone_{i}'] = relative(feature[..., ::step, ::step], arrays[f'backbone_{i}'])
        found[f'backbone_{i}_sum'] = of_sum(feature, arrays[f'backbone_{i}_sum'])
    return found


@torch.no_grad()
def predictions(model: nn.Module, name: str, arrays: dict[str, np.ndarray], rule: ModuleType) -> dict[str, float]:
    """Of what comes out for uint8 pictures, with and without flip test."""
    pictures, prefix = batch(model, name, rule), '' if name in CROPS else 'pred_'
    data = model.data_preprocessor(pictures)
    found = {'preproc': relative(data['inputs'][..., ::8, ::8], arrays['preproc'])} if 'preproc' in arrays else {}
    if name in CROPS:
        found |= heads(model(data['inputs'])[-1], arrays)
    for flip in (0, 1):
        model.flip_test = bool(flip)
        faces = model(**data, mode='predict')
        assert [face['id'] for face in faces] == [0, 1]
        landmarks, scores = (np.stack([np.asarray(face[key]) for face in faces]) for key in ('landmarks', 'scores'))
        expected = arrays[f'{prefix}kpts_flip{flip}']
        apart = np.abs(landmarks - expected).max(-1)
        tie = apart > PIXELS
        assert not tie.any() or (apart[tie] <= reach(model, data)[tie]).all(), name
        found[f'{prefix}kpts_flip{flip}'] = float(apart[~tie].max())
        found[f'{prefix}scores_flip{flip}'] = relative(scores, arrays[f'{prefix}scores_flip{flip}'])
        found[f'ties{flip}'] = float(tie.mean())
    return found


def heads(output: Tensor, arrays: dict[str, np.ndarray]) -> dict[str, float]:
    """Of heatmaps, or of the rows of x and of y."""
    found = {}
    for i, part in enumerate(output.unbind(2) if 'head1' in arrays else [output]):
        assert part.shape == tuple(arrays[f'head{i}_shape'])
        found |= {
            f'head{i}': relative(part[:, ::9], arrays[f'head{i}']),
            f'head{i}_shape': 0.0,
            f'head{i}_sum': of_sum(part, arrays[f'head{i}_sum']),
        }
    return found


def reach(model: nn.Module, data: dict[str, Any]) -> np.ndarray:
    """How far (B, K) noise a fifth as great as what the outputs may differ by moves each landmark."""
    output, warp = model.output(data['inputs']), data['data_samples']['warp']
    generator = torch.Generator().manual_seed(0)

    def landmarks(maps: Tensor) -> Tensor:
        return model.codec.to_photo(model.codec.decode(maps, 256)[0], warp)

    moved = torch.zeros(output.shape[:2], dtype=torch.float64)
    for _ in range(48):
        noise = (torch.rand(output.shape, generator=generator) * 2 - 1) * NEAR / 5 * output.abs().max()
        moved = torch.maximum(moved, (landmarks(output + noise) - landmarks(output)).double().abs().amax(-1))
    return moved.numpy() * 1.01


def training(model: nn.Module, name: str, arrays: dict[str, np.ndarray], rule: ModuleType) -> dict[str, float]:
    """Of the loss, of each parameter's gradient against the greatest, and of MMPose's accuracy of the batch."""
    model.flip_test = False
    data = model.data_preprocessor(batch(model, name, rule))
    (loss,) = model(**data, mode='loss').values()
    model.zero_grad()
    loss.backward()
    norms = {key: parameter.grad.double().norm().item() for key, parameter in model.named_parameters()}
    assert norms.keys() == set(arrays['grad_keys'].tolist())
    found = np.array([norms[key] for key in arrays['grad_keys'].tolist()])
    model.zero_grad()
    return {
        'loss_loss_kpt': relative(loss.item(), arrays['loss_loss_kpt']),
        'grad_norms': relative(found, arrays['grad_norms']),
        'loss_acc_pose': abs(accuracy(model, data) - float(arrays['loss_acc_pose'])),
    }


@torch.no_grad()
def accuracy(model: nn.Module, data: dict[str, Any]) -> float:
    """The mean over the points of how many of their faces are within a twentieth of the crop, by maxima alone."""
    output, samples = model(data['inputs'])[-1], data['data_samples']
    target, weight = model.codec.encode(samples['points'], samples['visible'], output, 256)
    counts = weight.reshape(*weight.shape[:2], -1)[..., 0] > 0
    if output.ndim == 3:
        apart = (output - target).norm(dim=-1)
    else:
        plain = CODECS.build(dict(type='Heatmap', refine=None, aligned=False))
        apart = (plain.decode(output, 256)[0] - plain.decode(target, 256)[0]).norm(dim=-1) / 256
    right = ((apart < 0.05) & counts).sum(0)[counts.any(0)] / counts.sum(0)[counts.any(0)]
    return right.mean().item()


@pytest.mark.slow
@pytest.mark.usefixtures('two_threads')
@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('name', ROWS)
def test_a_config_gives_every_number_of_mmpose(name: str, way: str, shared: Path, rule: ModuleType) -> None:
    assert_equal(WAYS[way](ROWS[name]), name, shared, rule)


def assert_equal(model: nn.Module, name: str, shared: Path, rule: ModuleType) -> None:
    rule.fill_state_dict(model)
    found = deviations(model.eval(), name, file_of(name, shared), rule)
    assert {key: value for key, value in found.items() if value > limit(key)} == {}


def limit(key: str) -> float:
    """How far off an array may be, and what share of the points may be ties, which are proven."""
    return 0.1 if key.startswith('ties') else PIXELS if 'kpts' in key else NEAR


@pytest.mark.slow
@pytest.mark.parametrize('name', ['hrnetv2_dark_wflw', 'mobilenetv2_cocoface', 'rtmpose_t_face6'])
def test_points_that_one_thread_moves_are_ties(name: str, shared: Path, rule: ModuleType) -> None:
    """In noise two cells are of one height and parabolas nearly flat; not more than that is different."""
    assert_equal(by_name(ROWS[name]), name, shared, rule)


def test_a_point_that_is_off_is_no_tie(shared: Path, rule: ModuleType) -> None:
    model, arrays = by_name('deeppose_r50_wflw'), file_of('res50_smoothl1_wflw', shared)
    rule.fill_state_dict(model.eval())
    arrays['pred_kpts_flip0'][1, 7] += 0.01
    with pytest.raises(AssertionError, match='res50_smoothl1_wflw'):
        predictions(model, 'res50_smoothl1_wflw', arrays, rule)


def test_the_smallest_config_gives_every_number_of_mmpose(shared: Path, rule: ModuleType) -> None:
    assert_equal(by_name('deeppose_r50_wflw_wing'), 'res50_wing_wflw', shared, rule)


@torch.no_grad()
def stages(model: nn.Module, arrays: dict[str, np.ndarray], rule: ModuleType) -> dict[str, float]:
    """How far the stages of Adaptive Wing's network are off; its weights are named without `backbone.`."""
    rule.fill_state_dict(model.backbone)
    found = model.eval()(torch.from_numpy(random(0).rand(2, 3, 256, 256)).float())
    apart = {'last_channel': relative(found[-1][:, -1], arrays['last_channel'])}
    for i, stage in enumerate(found):
        apart |= {
            f'stage{i}': relative(stage[:, ::9], arrays[f'stage{i}']),
            f'stage{i}_sum': of_sum(stage, arrays[f'stage{i}_sum']),
        }
    assert apart.keys() == arrays.keys()
    return apart


@pytest.mark.slow
@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('name', AWING)
def test_a_config_gives_every_number_of_adaptive_wing(name: str, way: str, shared: Path, rule: ModuleType) -> None:
    found = stages(WAYS[way](AWING[name]), file_of(name, shared), rule)
    assert max(found.values()) <= NEAR


def test_every_file_of_networks_is_a_row(shared: Path) -> None:
    files = [path for kind in ('model', 'crop') for path in (shared / 'ref').glob(f'{kind}_*.npz')]
    assert {path.stem.split('_', 1)[1] for path in files} == {*ROWS, *AWING}


def shapes(config: str) -> dict[str, list[int]]:
    """What state_dict holds, by a network whose numbers nobody fills in."""
    with torch.device('meta'):
        model = by_name(config)
    return {key: list(value.shape) for key, value in model.state_dict().items()}


def test_keys_and_shapes_are_those_of_mmpose(shared: Path) -> None:
    listed = json.loads((shared / 'ref' / 'state_dict_keys.json').read_text())
    assert listed.keys() == ROWS.keys()
    for name, config in ROWS.items():
        assert shapes(config) == listed[name], config


@pytest.mark.parametrize('name', LISTS)
def test_keys_and_shapes_are_those_of_published_files(name: str, shared: Path) -> None:
    config, prefix = LISTS[name]
    listed = dict(line.split(' ', 1) for line in (shared / 'spec/keys' / f'{name}.txt').read_text().splitlines())
    assert {key: str(tuple(shape)) for key, shape in shapes(config).items()} == {
        prefix + key: shape for key, shape in listed.items()
    }
