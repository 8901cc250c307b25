"""Our configs by name against MMPose 1.3.2 and the official Adaptive Wing network, as a user gets them.

Each row is built from its config alone, by `load_config` and by `mmengine.Config`, filled by the rule of the reference
folder, and compared with every array of its file. test_reference_arrays.py says which test compares other files.
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

TOLERANCE, PIXELS = 1e-5, 1e-3
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


LOADERS = {'load_config': by_name, 'bare': bare}


@pytest.fixture(scope='session')
def rule(shared: Path) -> ModuleType:
    """The rule that made the weights and inputs of the reference."""
    spec = importlib.util.spec_from_file_location('fill', shared / 'ref' / 'fill.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Use two threads, as the reference did: other numbers of threads round ties differently."""
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def random(seed: int) -> np.random.RandomState:
    return np.random.RandomState(seed)


def file_of(name: str, folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / 'ref' / f'{"crop" if name in CROPS else "model"}_{name}.npz') as arrays:
        return dict(arrays)


def relative(actual: Any, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest value."""
    actual = np.asarray(actual, np.float64)
    assert actual.shape == expected.shape
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


def of_sum(values: Tensor, expected: np.ndarray) -> float:
    """The difference of two sums, relative to the sum of absolute values."""
    return abs(values.double().sum().item() - float(expected)) / values.double().abs().sum().item()


def batch(model: nn.Module, name: str, rule: ModuleType) -> dict[str, Any]:
    """Two noise images, uint8 BGR, with the warps of their boxes; some points are outside."""
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
    """The deviation from each array, by its name: relative to the largest value, for points in pixels.

    A point with a deviation above `PIXELS` must be a tie, or the test fails: noise of the size of rounding moves it as
    far. 'ties' is the share of such points.
    """
    actual = outputs(model, name, arrays)
    actual |= predictions(model, name, arrays, rule)
    if 'loss_loss_kpt' in arrays:
        actual |= training(model, name, arrays, rule)
    assert {key for key in actual if not key.startswith('ties')} == arrays.keys() - {'grad_keys'}
    return actual


@torch.no_grad()
def outputs(model: nn.Module, name: str, arrays: dict[str, np.ndarray]) -> dict[str, float]:
    """The deviations of the features and of the last stage, for a normalised input."""
    if name in CROPS:
        return {}
    image = torch.from_numpy(random(0).randn(2, 3, 256, 256)).float()
    features = model.backbone(image)
    (head,) = model(image)
    actual = {
        'head': relative(head[:, ::7] if head.ndim == 4 else head, arrays['head']),
        'head_sum': of_sum(head, arrays['head_sum']),
    }
    for i, feature in enumerate(features):
        step = 4 if feature.shape[-1] >= 64 else 1
        actual[f'backbone_{i}'] = relative(feature[..., ::step, ::step], arrays[f'backbone_{i}'])
        actual[f'backbone_{i}_sum'] = of_sum(feature, arrays[f'backbone_{i}_sum'])
    return actual


@torch.no_grad()
def predictions(model: nn.Module, name: str, arrays: dict[str, np.ndarray], rule: ModuleType) -> dict[str, float]:
    """The deviations of the predictions for uint8 images, with and without flip test."""
    pictures, prefix = batch(model, name, rule), '' if name in CROPS else 'pred_'
    data = model.data_preprocessor(pictures)
    actual = {'preproc': relative(data['inputs'][..., ::8, ::8], arrays['preproc'])} if 'preproc' in arrays else {}
    if name in CROPS:
        actual |= heads(model(data['inputs'])[-1], arrays)
    for flip in (0, 1):
        model.flip_test = bool(flip)
        faces = model(**data, mode='predict')
        assert [face['id'] for face in faces] == [0, 1]
        landmarks, scores = (np.stack([np.asarray(face[key]) for face in faces]) for key in ('landmarks', 'scores'))
        expected = arrays[f'{prefix}kpts_flip{flip}']
        distance = np.abs(landmarks - expected).max(-1)
        tie = distance > PIXELS
        assert not tie.any() or (distance[tie] <= reach(model, data)[tie]).all(), name
        actual[f'{prefix}kpts_flip{flip}'] = float(distance[~tie].max())
        actual[f'{prefix}scores_flip{flip}'] = relative(scores, arrays[f'{prefix}scores_flip{flip}'])
        actual[f'ties{flip}'] = float(tie.mean())
    return actual


def heads(output: Tensor, arrays: dict[str, np.ndarray]) -> dict[str, float]:
    """The deviations of heatmaps, or of the bins of x and y."""
    actual = {}
    for i, part in enumerate(output.unbind(2) if 'head1' in arrays else [output]):
        assert part.shape == tuple(arrays[f'head{i}_shape'])
        actual |= {
            f'head{i}': relative(part[:, ::9], arrays[f'head{i}']),
            f'head{i}_shape': 0.0,
            f'head{i}_sum': of_sum(part, arrays[f'head{i}_sum']),
        }
    return actual


def reach(model: nn.Module, data: dict[str, Any]) -> np.ndarray:
    """The largest distance (B, K) by which noise of a fifth of the tolerance moves each landmark."""
    output, warp = model.output(data['inputs']), data['data_samples']['warp']
    generator = torch.Generator().manual_seed(0)

    def landmarks(maps: Tensor) -> Tensor:
        return model.codec.to_photo(model.codec.decode(maps, 256)[0], warp)

    moved = torch.zeros(output.shape[:2], dtype=torch.float64)
    for _ in range(48):
        noise = (torch.rand(output.shape, generator=generator) * 2 - 1) * TOLERANCE / 5 * output.abs().max()
        moved = torch.maximum(moved, (landmarks(output + noise) - landmarks(output)).double().abs().amax(-1))
    return moved.numpy() * 1.01


def training(model: nn.Module, name: str, arrays: dict[str, np.ndarray], rule: ModuleType) -> dict[str, float]:
    """The deviations of the loss, of the gradients' norms, and of MMPose's accuracy of the batch."""
    model.flip_test = False
    data = model.data_preprocessor(batch(model, name, rule))
    (loss,) = model(**data, mode='loss').values()
    model.zero_grad()
    loss.backward()
    norms = {key: parameter.grad.double().norm().item() for key, parameter in model.named_parameters()}
    assert norms.keys() == set(arrays['grad_keys'].tolist())
    actual = np.array([norms[key] for key in arrays['grad_keys'].tolist()])
    model.zero_grad()
    return {
        'loss_loss_kpt': relative(loss.item(), arrays['loss_loss_kpt']),
        'grad_norms': relative(actual, arrays['grad_norms']),
        'loss_acc_pose': abs(accuracy(model, data) - float(arrays['loss_acc_pose'])),
    }


@torch.no_grad()
def accuracy(model: nn.Module, data: dict[str, Any]) -> float:
    """The mean over points of the share of faces within 5 % of the crop, by unrefined maxima."""
    output, samples = model(data['inputs'])[-1], data['data_samples']
    target, weight = model.codec.encode(samples['points'], samples['visible'], output, 256)
    counts = weight.reshape(*weight.shape[:2], -1)[..., 0] > 0
    if output.ndim == 3:
        distance = (output - target).norm(dim=-1)
    else:
        plain = CODECS.build(dict(type='Heatmap', refine=None, aligned=False))
        distance = (plain.decode(output, 256)[0] - plain.decode(target, 256)[0]).norm(dim=-1) / 256
    right = ((distance < 0.05) & counts).sum(0)[counts.any(0)] / counts.sum(0)[counts.any(0)]
    return right.mean().item()


@pytest.mark.slow
@pytest.mark.usefixtures('two_threads')
@pytest.mark.parametrize('way', LOADERS)
@pytest.mark.parametrize('name', ROWS)
def test_a_config_reproduces_all_numbers_of_mmpose(name: str, way: str, shared: Path, rule: ModuleType) -> None:
    assert_equal(LOADERS[way](ROWS[name]), name, shared, rule)


def assert_equal(model: nn.Module, name: str, shared: Path, rule: ModuleType) -> None:
    rule.fill_state_dict(model)
    actual = deviations(model.eval(), name, file_of(name, shared), rule)
    assert {key: value for key, value in actual.items() if value > limit(key)} == {}


def limit(key: str) -> float:
    """The largest allowed deviation of an array, or share of ties."""
    return 0.1 if key.startswith('ties') else PIXELS if 'kpts' in key else TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize('name', ['hrnetv2_dark_wflw', 'mobilenetv2_cocoface', 'rtmpose_t_face6'])
def test_points_that_one_thread_moves_are_ties(name: str, shared: Path, rule: ModuleType) -> None:
    """In noise, cells of equal height and flat parabolas differ between numbers of threads; nothing else does."""
    assert_equal(by_name(ROWS[name]), name, shared, rule)


def test_a_wrong_point_is_no_tie(shared: Path, rule: ModuleType) -> None:
    model, arrays = by_name('deeppose_r50_wflw'), file_of('res50_smoothl1_wflw', shared)
    rule.fill_state_dict(model.eval())
    arrays['pred_kpts_flip0'][1, 7] += 0.01
    with pytest.raises(AssertionError, match='res50_smoothl1_wflw'):
        predictions(model, 'res50_smoothl1_wflw', arrays, rule)


def test_the_smallest_config_reproduces_all_numbers_of_mmpose(shared: Path, rule: ModuleType) -> None:
    assert_equal(by_name('deeppose_r50_wflw_wing'), 'res50_wing_wflw', shared, rule)


@torch.no_grad()
def stages(model: nn.Module, arrays: dict[str, np.ndarray], rule: ModuleType) -> dict[str, float]:
    """The deviations of Adaptive Wing's stages; the keys of its weights have no `backbone.`."""
    rule.fill_state_dict(model.backbone)
    actual = model.eval()(torch.from_numpy(random(0).rand(2, 3, 256, 256)).float())
    distance = {'last_channel': relative(actual[-1][:, -1], arrays['last_channel'])}
    for i, stage in enumerate(actual):
        distance |= {
            f'stage{i}': relative(stage[:, ::9], arrays[f'stage{i}']),
            f'stage{i}_sum': of_sum(stage, arrays[f'stage{i}_sum']),
        }
    assert distance.keys() == arrays.keys()
    return distance


@pytest.mark.slow
@pytest.mark.parametrize('way', LOADERS)
@pytest.mark.parametrize('name', AWING)
def test_a_config_reproduces_all_numbers_of_adaptive_wing(name: str, way: str, shared: Path, rule: ModuleType) -> None:
    actual = stages(LOADERS[way](AWING[name]), file_of(name, shared), rule)
    assert max(actual.values()) <= TOLERANCE


def test_every_file_of_networks_is_a_row(shared: Path) -> None:
    files = [path for kind in ('model', 'crop') for path in (shared / 'ref').glob(f'{kind}_*.npz')]
    assert {path.stem.split('_', 1)[1] for path in files} == {*ROWS, *AWING}


def shapes(config: str) -> dict[str, list[int]]:
    """The shapes in state_dict, from a network on the meta device."""
    with torch.device('meta'):
        model = by_name(config)
    return {key: list(value.shape) for key, value in model.state_dict().items()}


def test_keys_and_shapes_are_those_of_mmpose(shared: Path) -> None:
    published = json.loads((shared / 'ref' / 'state_dict_keys.json').read_text())
    assert published.keys() == ROWS.keys()
    for name, config in ROWS.items():
        assert shapes(config) == published[name], config


@pytest.mark.parametrize('name', LISTS)
def test_keys_and_shapes_are_those_of_published_files(name: str, shared: Path) -> None:
    config, prefix = LISTS[name]
    published = dict(line.split(' ', 1) for line in (shared / 'spec/keys' / f'{name}.txt').read_text().splitlines())
    assert {key: str(tuple(shape)) for key, shape in shapes(config).items()} == {
        prefix + key: shape for key, shape in published.items()
    }
