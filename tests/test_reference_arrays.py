"""Each array of the reference files and each golden figure has a test. This file compares those without another test.

Networks (`model_*.npz`, `crop_*.npz`) are compared in tests/models/test_reference_configs.py.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from facelmk.config import load_config
from facelmk.markups import MARKUPS
from facelmk.registry import CODECS, LOSSES, METRICS, MODELS

INPUT = ''  # the array is an input of the others
PARITY, UDP, SIMCC = 'codecs/test_parity.py', 'codecs/test_udp_megvii.py', 'codecs/test_simcc.py'
PERFECT = 'the_error_of_a_perfect_network_is_the_published_one'
INTEGERS = 'error_and_bias_of_a_perfect_network_are_the_published_ones'
MAPS, LOSS = 'test_reference_arrays.py::test_complete_maps_of_msra', 'models/test_losses.py'
PIPELINE = 'datasets/transforms/test_transforms_reference.py'
ARRAYS = {  # file -> pattern of array names -> the test that compares them
    'codecs.npz': {
        r'kpts|vis|decode_noise_seed|pp_hm_seed': INPUT,
        r'msra(_dark|_s1\.5)?_(enc_heatmaps|enc_keypoint_weights|dec_kpts|dec_scores)': MAPS,
        r'(udp|megvii)_enc_heatmaps': f'{UDP}::test_complete_maps_of_the_reference',
        r'(udp|megvii)_enc_keypoint_weights': f'{UDP}::test_maps_and_weights_are_those_of_mmpose',
        r'(udp|megvii)_dec_(kpts|scores)': f'{UDP}::test_decoded_points_and_scores_are_those_of_mmpose',
        r'reg_enc_.*': f'{PARITY}::test_coordinates_and_weights_are_those_of_mmpose',
        r'(int)?reg_dec_(kpts|scores)': f'{UDP}::test_decoded_coordinates_are_those_of_mmpose',
        r'intreg_enc_.*': 'test_reference_arrays.py::test_integral_labels_of_mmpose',
        r'simcc.*': f'{SIMCC}::test_rows_weights_and_points_are_those_of_mmpose',
        r'pp_max_loc|pp_max_val|pp_refine': 'test_reference_arrays.py::test_maxima_of_noise_and_of_empty_maps',
        r'pp_dark': f'{PARITY}::test_refinement_of_random_maps_is_that_of_mmpose',
        r'pp_dark_udp|pp_blur': f'{UDP}::test_blur_and_refinement_of_noise_are_those_of_mmpose',
    },
    'losses.npz': {
        r'pred|tgt|w|hp|ht|hw|hmask': INPUT,
        r'(wing|softwing|smoothl1|l1)(_x256|_now)?(_grad)?': f'{LOSS}::test_coordinate_losses_are_mmposes',
        r'(wing|softwing|smoothl1|l1)(_x256|_now)?_gradnorm': 'test_reference_arrays.py::test_norms_of_the_gradients_of_coordinate_losses',
        r'(wing|softwing)_curve_sum(_grad)?': f'{LOSS}::test_the_complete_curve_is_mmposes',
        r'(wing|softwing)_curve_sum_gradnorm': 'test_reference_arrays.py::test_norms_of_the_gradients_of_coordinate_losses',
        r'(kpmse|awing)(_now|_mask)?(_grad|_gradnorm)?': f'{LOSS}::test_heatmap_losses_are_mmposes',
        r'(wing_px|softwing2|mse|softweightsmoothl1|kpmse_skip|ohkm|focal)(_x256|_now)?(_grad|_gradnorm)?': f'{LOSS}::test_the_other_losses_are_mmposes',
    },
    'metrics.npz': {
        r'gt|pred|mask|.*_names': INPUT,
        r'nme_(bbox_)?[0-9a-z]+': 'metrics/test_errors.py::test_values_of_mmpose',
        r'epe|keypoint_(nme|epe)': 'test_reference_arrays.py::test_mean_errors_of_mmpose',
        r'auc|keypoint_auc|pck': 'test_reference_arrays.py::test_shares_of_points_of_mmpose',
    },
    'tta.npz': {
        r'flip_hm_shift[01]': 'test_reference_arrays.py::test_mirrored_maps_of_mmpose',
        r'flip_coord_shift[01]': f'{PARITY}::test_flips_are_those_of_mmpose',
    },
    'transforms.npz': {
        r'bbox|cs_[cs]_1\.(0|25)': f'{PIPELINE}::test_centres_and_sides',
        r'cases|img|img_formula|kpts|vis': INPUT,
        r'(warp|inv|udp)_[0-3]_(256|192)': f'{PIPELINE}::test_matrices',
        r'affine_udp0_(img|kpts|center|scale)': f'{PIPELINE}::test_the_crop_of_a_box',
        r'affine_udp1_(img|kpts|center|scale)': f'{PIPELINE}::test_the_crop_of_a_box_for_udp',
        r'aug[0-5]_(flip|rot|scale|center|kpts|vis|img|w|hmsum)': f'{PIPELINE}::test_the_training_pipeline',
    },
}
GOLDEN = {  # figure -> the test that compares it
    'wing': 'test_reference_arrays.py::test_golden_losses',
    'softwing': 'test_reference_arrays.py::test_golden_losses',
    'awing': 'test_reference_arrays.py::test_golden_adaptive_wing',
    'codec_floor_nme_percent/sizes': INPUT,
    'codec_floor_nme_percent/orig_hrnet_s1.5': f'codecs/test_hrnet_integer.py::test_{INTEGERS}',
    'codec_floor_nme_percent/hrp_s1.5': f'codecs/test_hrnet_integer.py::test_{INTEGERS}',
    'codec_floor_nme_percent/msra_s2': f'{PARITY}::test_{PERFECT}',
    'codec_floor_nme_percent/dark_s2': f'{PARITY}::test_{PERFECT}',
    'codec_floor_nme_percent/regression': f'{PARITY}::test_{PERFECT}',
    'params': 'test_reference_arrays.py::test_golden_numbers_of_parameters',
    'flip_heatmap_1x6': 'test_reference_arrays.py::test_golden_mirrored_row',
    'flip_coords': 'test_reference_arrays.py::test_golden_mirrored_points',
}
MSRA = {'msra': dict(sigma=2), 'msra_s1.5': dict(sigma=1.5), 'msra_dark': dict(refine='dark', centre='exact')}
TOLERANCE = 1e-5
TESTS = Path(__file__).parent


def numbers(shared: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(shared / 'ref' / f'{name}.npz') as arrays:
        return dict(arrays)


def noise(seed: int, *shape: int) -> Tensor:
    return torch.from_numpy(np.random.RandomState(seed).rand(*shape)).float()


def relative(actual: Any, expected: np.ndarray) -> float:
    actual = np.asarray(actual, np.float64)
    assert actual.shape == expected.shape
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


def msra(**options: Any) -> Any:
    return CODECS.build(dict(type='Heatmap', aligned=False, **dict(centre='cell') | options))


def rows(golden: dict[str, Any]) -> set[str]:
    """The names of the golden figures; the errors of perfect codecs count one by one."""
    return {
        f'{key}/{child}' if key == 'codec_floor_nme_percent' else key
        for key, value in golden.items()
        for child in value
    }


@pytest.fixture
def golden(shared: Path) -> dict[str, Any]:
    return json.loads((shared / 'spec' / 'golden.json').read_text())


# -- the tables


def test_every_file_is_in_the_table(shared: Path) -> None:
    files = {path.name for path in (shared / 'ref').glob('*.npz')}
    assert {name for name in files if not name.startswith(('model_', 'crop_'))} == ARRAYS.keys()


@pytest.mark.parametrize('file', ARRAYS)
def test_every_array_has_one_test(file: str, shared: Path) -> None:
    names, patterns = numbers(shared, file.removesuffix('.npz')), ARRAYS[file]
    fitting = {name: [pattern for pattern in patterns if re.fullmatch(pattern, name)] for name in names}
    assert {name: actual for name, actual in fitting.items() if len(actual) != 1} == {}
    assert {actual[0] for actual in fitting.values()} == patterns.keys()


def test_every_golden_figure_has_a_test(golden: dict[str, Any]) -> None:
    assert rows(golden) == GOLDEN.keys()


NODES = {*GOLDEN.values(), *(node for patterns in ARRAYS.values() for node in patterns.values())} - {INPUT}


@pytest.mark.parametrize('node', sorted(NODES))
def test_the_named_tests_exist(node: str) -> None:
    file, _, name = node.partition('::')
    assert f'\ndef {name}(' in (TESTS / file).read_text()


# -- golden figures


@pytest.mark.parametrize(
    ('name', 'config'),
    [
        ('hrnetv2_w18_98', 'hrnetv2_w18_wflw'),
        ('deeppose_res50_98', 'deeppose_r50_wflw'),
        ('fan4_98', 'awing_hg4_wflw'),
        ('fan4_68', 'awing_hg4_300w'),
    ],
)
def test_golden_numbers_of_parameters(name: str, config: str, golden: dict[str, Any]) -> None:
    assert golden['params'].keys() == {'hrnetv2_w18_98', 'deeppose_res50_98', 'fan4_98', 'fan4_68', 'shin_hg4_69'}
    with torch.device('meta'):
        model = MODELS.build(load_config(config).model)
    assert sum(parameter.numel() for parameter in model.parameters()) == golden['params'][name]


@pytest.mark.parametrize(
    ('name', 'config'),
    [
        ('wing', dict(type='WingLoss')),
        ('softwing', dict(type='SoftWingLoss')),
        ('wing', dict(type='WingLoss', scale=256.0)),
        ('softwing', dict(type='SoftWingLoss', scale=256.0)),
    ],
)
def test_golden_losses(name: str, config: dict, golden: dict[str, Any]) -> None:
    """One value a face, so that the sum over a face is this value. The figures have single precision."""
    loss, scale, figures = LOSSES.build(config), config.get('scale', 1.0), golden[name]

    def value(error: float) -> float:
        output = torch.tensor([[[error / scale]]])
        return loss(output, torch.zeros_like(output)).item()

    for error, expected in figures['f'].items():
        assert value(float(error)) == pytest.approx(expected, rel=2e-7, abs=1e-6)
        assert value(-float(error)) == pytest.approx(expected, rel=2e-7, abs=1e-6)
    offset = 20 - figures['C'] if name == 'wing' else 20 * np.log(1 + 20 / 0.5) + figures['B']  # above the transition
    assert value(20) == pytest.approx(offset, abs=4e-6)


def test_golden_adaptive_wing(golden: dict[str, Any]) -> None:
    loss = LOSSES.build(dict(type='AdaptiveWingLoss'))
    for height, expected in golden['awing']['y'].items():
        target = torch.full((1, 1, 1, 1), float(height), dtype=torch.float64)
        actual = [
            [loss(target + sign * delta, target).item() for delta in golden['awing']['delta']] for sign in (1, -1)
        ]
        np.testing.assert_allclose(actual, [expected, expected], atol=1e-6)


def test_golden_mirrored_row(golden: dict[str, Any]) -> None:
    figures = golden['flip_heatmap_1x6']
    maps = torch.tensor([figures['in_channel0'], [0] * 6], dtype=torch.float)[None, :, None]
    assert msra().flip(maps, torch.tensor([1, 0]), 24)[0, 1, 0].tolist() == figures['out_channel1']


def test_golden_mirrored_points(golden: dict[str, Any]) -> None:
    figures = golden['flip_coords']
    codec = CODECS.build(dict(type='Coordinates', flip='exact'))
    assert codec.flip(torch.tensor([figures['in']]), torch.tensor([1, 0]), figures['W'])[0].tolist() == figures['out']


# -- arrays that other tests compare in part


@pytest.mark.parametrize('name', MSRA)
def test_complete_maps_of_msra(name: str, shared: Path) -> None:
    codec, arrays = msra(**MSRA[name]), numbers(shared, 'codecs')
    points, visible = (torch.from_numpy(arrays[key]) for key in ('kpts', 'vis'))
    maps, weight = codec.encode(points, visible, torch.zeros(1, 98, 64, 64), 256)
    assert relative(maps[0], arrays[f'{name}_enc_heatmaps']) <= 1e-6
    assert np.array_equal(weight[..., 0, 0].numpy(), arrays[f'{name}_enc_keypoint_weights'])
    noisy = torch.from_numpy(arrays[f'{name}_enc_heatmaps'])[None] + noise(77, 98, 64, 64) * 0.05
    actual, scores = codec.decode(noisy, 256)
    assert np.abs(actual.numpy() - arrays[f'{name}_dec_kpts']).max() <= 1e-3
    assert relative(scores, arrays[f'{name}_dec_scores']) <= 1e-6


def test_integral_labels_of_mmpose(shared: Path) -> None:
    """Coordinates, and heatmaps whose sum is 1."""
    arrays = numbers(shared, 'codecs')
    points, visible = (torch.from_numpy(arrays[key]) for key in ('kpts', 'vis'))
    labels, weight = CODECS.build(dict(type='Coordinates')).encode(points, visible, torch.zeros(1, 98, 2), 256)
    assert np.array_equal(labels.numpy(), arrays['intreg_enc_keypoint_labels'])
    assert np.array_equal(weight[..., 0].numpy(), arrays['intreg_enc_keypoint_weights'])
    maps = msra().encode(points, visible, torch.zeros(1, 98, 64, 64), 256)[0][0]
    assert relative(maps / (maps.sum((-2, -1), keepdim=True) + 1e-24), arrays['intreg_enc_heatmaps']) <= 1e-6


def test_maxima_of_noise_and_of_empty_maps(shared: Path) -> None:
    arrays, maps = numbers(shared, 'codecs'), noise(123, 20, 64, 64)
    maps[0], maps[1] = 0, -1
    actual, scores = msra(refine=None).decode(maps[None], 256)
    assert np.array_equal(actual[0].numpy() / 4, arrays['pp_max_loc'])
    assert np.array_equal(scores[0].numpy(), arrays['pp_max_val'])
    assert np.array_equal(msra().decode(maps[None], 256)[0].numpy()[:, 2:] / 4, arrays['pp_refine'][:, 2:])


@pytest.mark.parametrize('name', ['wing', 'softwing', 'smoothl1', 'l1', 'curve'])
def test_norms_of_the_gradients_of_coordinate_losses(name: str, shared: Path) -> None:
    arrays = numbers(shared, 'losses')
    kinds = {'wing': 'WingLoss', 'softwing': 'SoftWingLoss', 'smoothl1': 'SmoothL1Loss', 'l1': 'L1Loss'}
    pred, target, weight = (torch.from_numpy(arrays[key]) for key in ('pred', 'tgt', 'w'))
    pixels = (pred * 256, target * 256, weight)
    cases = {name: (pred, target, weight), f'{name}_now': (pred, target, None), f'{name}_x256': pixels}
    if name == 'curve':
        error = torch.from_numpy(np.linspace(-20, 20, 401, dtype=np.float32))[None, :, None]
        cases = dict.fromkeys(('wing_curve_sum', 'softwing_curve_sum'), (error, torch.zeros_like(error), None))
    for case, (output, *arguments) in cases.items():
        output = output.clone().requires_grad_()
        LOSSES.build(dict(type=kinds[case.partition('_')[0]]))(output, *arguments).backward()
        assert output.grad.double().norm().item() == pytest.approx(float(arrays[f'{case}_gradnorm']), rel=TOLERANCE)


@pytest.mark.parametrize('shift', [0, 1])
def test_mirrored_maps_of_mmpose(shift: int, shared: Path) -> None:
    mirror = torch.from_numpy(MARKUPS['wflw'].mirror)
    maps = msra(shift=bool(shift)).flip(noise(41, 1, 98, 64, 64), mirror, 256)
    assert np.array_equal(maps[:, ::7].numpy(), numbers(shared, 'tta')[f'flip_hm_shift{shift}'])


def nme(arrays: dict[str, np.ndarray], norm: Any, **truth: Any) -> float:
    """The NME of the 50 faces of the reference."""
    metric = METRICS.build(dict(type='NME', norm=norm))
    metric.dataset_meta = dict(markup='wflw', subsets=())
    ids = [str(i) for i in range(50)]
    samples = (
        dict(
            id=ids,
            landmarks=torch.from_numpy(arrays['gt']),
            tags=[()] * 50,
            box=torch.ones(50, 4),
            visible=torch.from_numpy(arrays['mask']).float(),
            norm=torch.ones(50),
        )
        | truth
    )
    metric.process(
        dict(data_samples=samples),
        [
            dict(id=i, landmarks=torch.from_numpy(face), scores=torch.ones(98))
            for i, face in zip(ids, arrays['pred'], strict=True)
        ],
    )
    return metric.evaluate(50)['NME'] / 100


def test_mean_errors_of_mmpose(shared: Path) -> None:
    """The end point error is the NME with a norm of one pixel. Face 7 has no eye distance and is left out."""
    arrays = numbers(shared, 'metrics')
    for key in ('epe', 'keypoint_epe'):
        assert nme(arrays, 'file') == pytest.approx(arrays[key].item(), rel=1e-6)
    assert nme(arrays, 'inter_ocular') == pytest.approx(arrays['keypoint_nme'].item(), rel=1e-6)


def test_shares_of_points_of_mmpose(shared: Path) -> None:
    """The share of faces in which a point does not fail, averaged over the points.

    PCK: within 5 % of the width of the box. AUC: the mean for 0, 5, ... 95 % of 30 pixels.
    """
    arrays, side = numbers(shared, 'metrics'), 100.0 + np.arange(50)
    error = np.linalg.norm(arrays['pred'].astype(float) - arrays['gt'], axis=-1)

    def success_rate(errors: np.ndarray, threshold: float) -> float:
        failure = METRICS.build(dict(type='FailureRate', threshold=threshold, norm='file'))
        seen = [errors[mask, k] for k, mask in enumerate(arrays['mask'].T)]
        return float(np.mean([1 - failure.figure(actual, np.ones(len(actual), int)) for actual in seen]))

    assert success_rate(error / side[:, None], 0.05) == pytest.approx(arrays['pck'].item(), abs=1e-6)
    actual = np.mean([success_rate(error / 30, i / 20) for i in range(20)])
    for key in ('auc', 'keypoint_auc'):
        assert actual == pytest.approx(arrays[key].item(), abs=1e-6)


def test_markups_of_mmpose(shared: Path) -> None:
    """MMPose names points by numbers and has no skeletons. Its 300W-LP does not swap left and right; ours does."""
    for name, mmpose in json.loads((shared / 'ref' / 'metainfo.json').read_text()).items():
        markup = MARKUPS[name]
        assert markup.size == mmpose['num'] == len(mmpose['names'])
        assert mmpose['dataset_name'] == markup.name and mmpose['skeleton'] == []
        assert [label.rpartition('-')[2] for label in mmpose['names']] == [str(i) for i in range(markup.size)]
        assert (
            markup.mirror.tolist() == mmpose['flip_indices']
            if name != '300wlp'
            else (
                mmpose['flip_indices'] == list(range(68)) and markup.mirror.tolist() == MARKUPS['300w'].mirror.tolist()
            )
        )
        if mmpose['sigmas']:
            metric = METRICS.build(dict(type='KeypointAP'))
            assert np.abs(metric._sigmas(markup) - mmpose['sigmas']).max() < 1e-7
