"""A config of MMPose 1.x becomes the config of facelmk that does the same; no value of it is dropped."""

import copy
import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mmpose_files as files
import numpy as np
import pytest
import torch

from facelmk.codecs import Heatmap
from facelmk.compat.mmpose_config.compare import differences
from facelmk.compat.mmpose_config.translate import translate
from facelmk.config import load_config
from facelmk.config.load import read_values
from facelmk.config.source import read_source
from facelmk.errors import FacelmkError

DARK = ', unbiased=True'
COUNTERPARTS: dict[str, Callable[[], str]] = {  # our config and a config of MMPose's form with the same settings
    'hrnetv2_w18_wflw': files.heatmap,
    'hrnetv2_w18_wflw_dark': lambda: files.heatmap(codec=DARK),
    'hrnetv2_w18_wflw_awing': lambda: files.heatmap(loss='AdaptiveWingLoss'),
    'hrnetv2_w18_300w': lambda: files.heatmap('300w', sigma=1.5),
    'hrnetv2_w18_aflw': lambda: files.heatmap('aflw'),
    'hrnetv2_w18_aflw_dark': lambda: files.heatmap('aflw', codec=DARK),
    'hrnetv2_w18_cofw_dark': lambda: files.heatmap('cofw', codec=DARK),
    'res50_wflw': files.resnet,
    'res50_300w': lambda: files.resnet('300w'),
    'deeppose_r50_wflw': files.regression,
    'deeppose_r50_wflw_wing': lambda: files.regression('WingLoss'),
    'deeppose_r50_wflw_softwing': lambda: files.regression('SoftWingLoss'),
    'rtmpose_m_wflw': files.rtmpose,
}
# the name of the file, the figures of published weights, and a switch for speed that MMPose's files turn off
OF_THE_FILE = {'work_dir', 'result', 'env_cfg.cudnn_benchmark'}


def raw(path: Path) -> tuple[dict[str, Any], Any]:
    """The values of a config of MMPose and its files."""
    source = read_source(path)
    return read_values(source).to_dict(), source


@pytest.mark.parametrize('name', COUNTERPARTS)
def test_a_config_with_our_settings_becomes_ours(name: str, tmp_path: Path) -> None:
    translated = load_config(files.write(tmp_path, COUNTERPARTS[name]())).to_dict()
    assert not differences(load_config(name).to_dict(), translated).keys() - OF_THE_FILE


def test_a_call_of_an_imported_module_is_explained(tmp_path: Path) -> None:
    """mmengine's own error for it has no text."""
    path = tmp_path / 'my.py'
    path.write_text("import os\nroot = os.path.join('data', 'wflw')\n")
    with pytest.raises(FacelmkError, match=r'my\.py:2 .*module') as caught:
        load_config(path)
    assert 'RuntimeError' not in str(caught.value)


def test_one_line_says_that_the_file_was_translated(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = files.write(tmp_path, files.regression())
    with caplog.at_level(logging.WARNING):
        load_config(path)
    (line,) = caplog.messages
    assert str(path) in line and 'facelmk config translate' in line


CHANGES = {  # a change of the text, and what it changes in the translation
    'sigma=2': ('sigma=3', 'model.codec.sigma', 3),
    'shift_heatmap=True': ('shift_heatmap=False', 'model.codec.shift', False),
    'flip_test=True': ('flip_test=False', 'model.flip_test', False),
    "type='KeypointMSELoss', use_target_weight=True": ("type='FocalHeatmapLoss', alpha=3", 'model.loss.alpha', 3),
    'milestones=[40, 55]': ('milestones=[30, 50]', 'param_scheduler.1.milestones', [30, 50]),
    "rule='less', interval=10": ("rule='less', interval=3", 'default_hooks.checkpoint.interval', 3),
    'rotate_factor=60': ('rotate_factor=45', 'train_pipeline.1.rotate', 45),
    "direction='horizontal'": ("direction='horizontal', prob=0.25", 'train_pipeline.1.flip', 0.25),
    "dict(type='GetBBoxCenterScale')": ("dict(type='GetBBoxCenterScale', padding=1.4)", 'val_pipeline.1.padding', 1.4),
    "data_root = 'data/wflw/'": ("data_root = '/disk/wflw'", 'train_dataloader.dataset.root', '/disk/wflw'),
    'face_landmarks_wflw_train': ('mine', 'train_dataloader.dataset.ann_file', 'annotations/mine.json'),
    "norm_mode='keypoint_distance'": (
        "norm_mode='keypoint_distance', keypoint_indices=(60, 72)",
        'val_evaluator.0.norm',
        'inter_ocular',
    ),
    'mean=[123.675, 116.28, 103.53]': ('mean=[1.0, 2.0, 3.0]', 'model.mean', [1.0, 2.0, 3.0]),
    "type='Adam', lr=2e-3": ("type='SGD', lr=0.1, momentum=0.9", 'optim_wrapper.optimizer.momentum', 0.9),
    'use_target_weight=True': ('loss_weight=2.5', 'model.loss.0.weight', 2.5),
}


@pytest.mark.parametrize('before', CHANGES)
def test_a_changed_setting_changes_the_translation(before: str, tmp_path: Path) -> None:
    after, dotted, expected = CHANGES[before]
    text = files.heatmap()
    assert before in text
    value: Any = translate(*raw(files.write(tmp_path, text.replace(before, after))))
    for key in dotted.split('.'):
        value = value[int(key) if key.isdigit() else key]
    assert (list(value) if isinstance(value, tuple) else value) == expected


def places(value: Any, path: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """Each dict and each leaf below `value`, with the keys that lead there."""
    yield path, value
    if isinstance(value, dict):
        for key, child in value.items():
            yield from places(child, (*path, key))
    elif isinstance(value, list) and any(isinstance(child, dict) for child in value):
        for i, child in enumerate(value):
            yield from places(child, (*path, i))


def put(values: dict, path: tuple, value: Any) -> dict:
    """A copy of nested values with another one at a path."""
    changed = copy.deepcopy(values)
    owner = changed
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = value
    return changed


READ = ('model', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'default_hooks', 'custom_hooks', 'visualizer')
READ_TOO = (
    'val_evaluator',
    'test_evaluator',
    'train_cfg',
    'val_cfg',
    'test_cfg',
)  # all else goes to mmengine unchanged


@pytest.mark.parametrize('text', [files.heatmap(), files.rtmpose()], ids=['heatmap', 'rtmpose'])
def test_an_unknown_key_is_refused_wherever_it_stands(text: str, tmp_path: Path) -> None:
    values, source = raw(files.write(tmp_path, text))
    whole = translate(values, source)
    accepted = []
    for path, value in places({key: values[key] for key in (*READ, *READ_TOO)}):
        if isinstance(value, dict) and path:
            try:
                result = translate(put(values, (*path, 'zzz'), 1), source)
            except FacelmkError as error:
                assert 'zzz' in str(error) and error.exit_code == 2
            else:  # mmengine's own part, whose keys load_config checks
                assert result != whole
                accepted.append(path)
    assert {path[0] for path in accepted} <= {'default_hooks', 'custom_hooks', 'visualizer'}


WITHOUT_EFFECT = {'test_mode', 'badcase', 'visualization'}  # of MMPose's own purposes, and of hooks that are off
WEIGHED_ANYWAY = ('model', 'head', 'loss', 'use_target_weight')  # KeypointMSELoss of MMPose 1.x does not read it


@pytest.mark.fault('Q04')
@pytest.mark.parametrize(
    'text', [files.heatmap(), files.regression(), files.rtmpose()], ids=['heatmap', 'deeppose', 'rtmpose']
)
def test_no_value_is_dropped_in_silence(text: str, tmp_path: Path) -> None:
    """Another value anywhere gives another translation, or an error."""
    values, source = raw(files.write(tmp_path, text))
    whole = translate(values, source)
    keys = (
        *READ,
        *READ_TOO,
        'optim_wrapper',
        'param_scheduler',
        'auto_scale_lr',
        'env_cfg',
        'log_processor',
        'log_level',
    )
    silent = []
    for path, value in places({key: values[key] for key in keys}):
        if (
            path
            and not isinstance(value, dict)
            and not (isinstance(value, list) and value and isinstance(value[0], dict))
        ):
            for other in (7.25, 'other', not value if isinstance(value, bool) else 3):
                try:
                    changed = translate(put(values, path, other), source)
                except FacelmkError:
                    continue
                if other != value and changed == whole:
                    silent.append(path)
    known = {WEIGHED_ANYWAY} if 'KeypointMSELoss' in text else set()
    assert {path for path in silent if not WITHOUT_EFFECT & set(path)} == known


REFUSED = {  # a change of the text, and what the error names
    'concat=True': ('concat=True, scale_factor=2.0', 'model.neck.scale_factor=2.0'),
    'conv_kernel_sizes=(1,)': ('conv_kernel_sizes=(3,)', 'model.head.conv_kernel_sizes=[3]'),
    'bgr_to_rgb=True': ('bgr_to_rgb=False', 'model.data_preprocessor.bgr_to_rgb=False'),
    'num_modules=4': ('num_modules=2', 'model.backbone.extra.stage3.num_modules=2'),
    'heatmap_size=(64, 64)': ('heatmap_size=(48, 48)', 'model.head.decoder.heatmap_size=[48, 48]'),
    'input_size=(256, 256)': ('input_size=(192, 256)', 'model.head.decoder.input_size=[192, 256]'),
    "flip_mode='heatmap'": ("flip_mode='offset'", "model.test_cfg.flip_mode='offset'"),
    "type='RandomFlip', direction='horizontal'": (
        "type='RandomFlip', direction='diagonal'",
        "train_dataloader.dataset.pipeline[2].direction='diagonal'",
    ),
    "dict(type='TopdownAffine', input_size=codec['input_size'])": (
        "dict(type='TopdownAffine', input_size=(128, 128))",
        'train_dataloader.dataset.pipeline',
    ),
    'encoder=codec': ('encoder=dict(codec, sigma=3)', 'train_dataloader.dataset.pipeline[5].encoder'),
    "type='DefaultSampler', shuffle=True": ("type='InfiniteSampler', shuffle=True", 'train_dataloader.sampler.type'),
    "norm_mode='keypoint_distance'": ("norm_mode='use_norm_item', norm_item='nose'", "val_evaluator.norm_item='nose'"),
    'out_channels=98': ('out_channels=68', 'model.head makes 68 points'),
    "type='Pretrained', checkpoint": ("type='Pretrained', prefix='net.', checkpoint", 'model.backbone.init_cfg.prefix'),
    "type='KeypointMSELoss'": ("type='MLECCLoss'", "model.head.loss.type='MLECCLoss'"),
    'data_root=data_root,': (
        'data_root=data_root, filter_cfg=dict(min_size=32),',
        'train_dataloader.dataset.filter_cfg',
    ),
    "data_mode = 'topdown'": ("data_mode = 'bottomup'", "train_dataloader.dataset.data_mode='bottomup'"),
    'sigma=2': ("sigma=2)\ncustom_imports = dict(imports=['mine']", 'custom_imports'),
    "type='HRNet'": ("type='mmpretrain.HRNet'", "model.backbone.type='mmpretrain.HRNet'"),
}


@pytest.mark.fault('Q03')
@pytest.mark.parametrize('before', REFUSED)
def test_what_has_no_counterpart_is_refused_by_key_file_and_line(before: str, tmp_path: Path) -> None:
    after, named = REFUSED[before]
    text = files.heatmap()
    assert before in text
    path = files.write(tmp_path, text.replace(before, after))
    with pytest.raises(FacelmkError) as error:
        load_config(path)
    message = str(error.value)
    assert named in message and error.value.exit_code == 2
    line = int(message.partition(f'{path}:')[2].partition(':')[0])
    assert 1 < line <= path.read_text().count('\n')


def test_the_line_is_that_of_the_value(tmp_path: Path) -> None:
    path = files.write(tmp_path, files.heatmap().replace("mode='bilinear'", "mode='nearest'"))
    lines = path.read_text().splitlines()
    with pytest.raises(FacelmkError) as error:
        load_config(path)
    line = int(str(error.value).partition(f'{path}:')[2].partition(':')[0])
    assert "mode='nearest'" in lines[line - 1]


def test_a_value_of_a_wrong_kind_is_an_error_of_ours(tmp_path: Path) -> None:
    for before, after in {'num_channels=(18, 36)': 'num_channels=18', 'std=[58.395, 57.12, 57.375]': 'std=1'}.items():
        with pytest.raises(FacelmkError) as error:
            load_config(files.write(tmp_path, files.heatmap().replace(before, after)))
        assert after.partition('=')[0] in str(error.value)


def test_msra_heatmaps_are_cut_gaussians_on_whole_cells(tmp_path: Path) -> None:
    """The target for a point at (101.3, 60.7): a Gaussian around cell (25, 15), 0 beyond three sigma."""
    model = load_config(files.write(tmp_path, files.heatmap())).model
    codec = Heatmap(**{key: value for key, value in model.codec.items() if key != 'type'})
    target, weight = codec.encode(torch.tensor([[[101.3, 60.7]]]), torch.ones(1, 1), torch.zeros(1, 1, 64, 64), 256)
    y, x = np.mgrid[:64, :64]
    expected = np.exp(-((x - 25) ** 2 + (y - 15) ** 2) / 8) * (abs(x - 25) <= 6) * (abs(y - 15) <= 6)
    np.testing.assert_allclose(target[0, 0].numpy(), expected, atol=1e-6)
    assert weight.item() == 1


UDP = {
    "type='MSRAHeatmap'": "type='UDPHeatmap'",
    "input_size=codec['input_size'])": "input_size=codec['input_size'], use_udp=True)",
    ', shift_heatmap=True': '',
}


def changed(text: str, changes: dict[str, str]) -> str:
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    return text


def test_udp_needs_its_crops(tmp_path: Path) -> None:
    config = load_config(files.write(tmp_path, changed(files.heatmap(), UDP)))
    assert config.model.codec == dict(type='UDP', sigma=2)
    crops = [loader.dataset.pipeline[1] for loader in (config.train_dataloader, config.val_dataloader)]
    assert [crop.udp for crop in crops] == [True, True]
    for key in UDP:
        some = {before: after for before, after in UDP.items() if before != key}
        with pytest.raises(FacelmkError):
            load_config(files.write(tmp_path, changed(files.heatmap(), some)))


OTHER_CODECS = {
    'megvii': (
        {"type='MSRAHeatmap'": "type='MegviiHeatmap'", 'sigma=2': 'kernel_size=11', ', shift_heatmap=True': ''},
        dict(type='Megvii', kernel=11, aligned=False),
    ),
    'combined': (
        UDP
        | {'sigma=2': "heatmap_type='combined', radius_factor=0.06", 'out_channels=98': 'out_channels=3 * 98'}
        | {"flip_mode='heatmap'": "flip_mode='udp_combined'", 'KeypointMSELoss': 'CombinedTargetMSELoss'},
        dict(type='UDPCombined', radius_factor=0.06),
    ),
    'kernel': ({'sigma=2': 'sigma=2, unbiased=True, blur_kernel_size=17'}, dict(kernel=17, refine='dark')),
}


@pytest.mark.parametrize('name', OTHER_CODECS)
def test_codecs_of_maps(name: str, tmp_path: Path) -> None:
    changes, expected = OTHER_CODECS[name]
    model = translate(*raw(files.write(tmp_path, changed(files.heatmap(), changes))))['model']
    assert expected.items() <= model['codec'].items()


SIMCC = {
    'sigma=(5.66, 5.66)': ('sigma=(4.9, 5.66)', 'sigma', (4.9, 5.66)),
    'normalize=False, ': ('', 'normalise', True),
    'use_dark=False': ('use_dark=True', 'refine', 'dark'),
    'simcc_split_ratio=2.0': ('simcc_split_ratio=3.0', 'split', 3.0),
    'input_size=(256, 256),': (
        "input_size=(256, 256), smoothing_type='standard', label_smooth_weight=0.1,",
        'smoothing',
        0.1,
    ),
}


@pytest.mark.parametrize('before', SIMCC)
def test_arguments_of_simcc(before: str, tmp_path: Path) -> None:
    after, key, expected = SIMCC[before]
    model = translate(*raw(files.write(tmp_path, changed(files.rtmpose(), {before: after}))))['model']
    assert model['codec'][key] == expected


def test_a_regression_by_likelihood(tmp_path: Path) -> None:
    text = changed(files.regression('RLELoss'), {"type='RegressionHead'": "type='RLEHead'"})
    model = translate(*raw(files.write(tmp_path, text)))['model']
    assert (model['head']['type'], model['codec']['type'], model['loss']['type']) == ('RLEHead', 'RLE', 'RLELoss')


LOSSES = {'SmoothL1Loss': {}, 'L1Loss': {}, 'WingLoss': dict(omega=10.0, epsilon=2.0)}


@pytest.mark.parametrize('name', LOSSES)
def test_without_use_target_weight_all_points_count(name: str, tmp_path: Path) -> None:
    text = changed(files.regression(name), {', use_target_weight=True': ''})
    (term,) = translate(*raw(files.write(tmp_path, text)))['model']['loss']
    assert term == dict(loss=dict(type=name, **LOSSES[name]), weigh_points=False)


def test_defaults_of_mmpose_that_are_others_here(tmp_path: Path) -> None:
    """KLDiscretLoss has beta=1 and no softmax there, RandomBBoxTransform turns by up to 80 degrees, NME has one norm."""
    text = changed(files.rtmpose(), {', beta=10.0, label_softmax=True': ''})
    assert translate(*raw(files.write(tmp_path, text)))['model']['loss'] == dict(
        type='KLDiscretLoss', beta=1.0, softmax=False, label_beta=10.0
    )
    text = changed(files.heatmap(), {f', {files.TRANSFORM}': ''})
    crop = translate(*raw(files.write(tmp_path, text)))['train_pipeline'][1]
    expected = dict(rotate=80.0, rotate_prob=0.6, scale=(0.5, 1.5), shift=0.16, shift_prob=0.3, draw='truncnorm')
    assert expected.items() <= crop.items()


def test_an_mmengine_dump_without_variables_is_read(tmp_path: Path) -> None:
    values, _ = raw(files.write(tmp_path, files.heatmap()))
    path = tmp_path / 'dump.py'
    path.write_text('\n'.join(f'{key} = {value!r}' for key, value in values.items()))
    assert not differences(load_config('hrnetv2_w18_wflw').to_dict(), load_config(path).to_dict()).keys() - OF_THE_FILE
    path.write_text(path.read_text().replace('optim_wrapper =', 'optim_wraper ='))
    with pytest.raises(FacelmkError, match='optim_wraper'):
        load_config(path)


def test_all_of_a_joined_set(tmp_path: Path) -> None:
    """Members keep their files; a mapping of points is accepted if facelmk converts the same points."""
    from facelmk.markups import MAPS

    mapping = [
        (tuple(weights) if len(weights) > 1 else next(iter(weights)), to)
        for to, weights in MAPS['300w', 'lapa'].items()
    ]
    converter = f"[dict(type='KeypointConverter', num_keypoints=106, mapping={mapping!r})]"
    member = f"dict(type='Face300WDataset', data_root='data', ann_file='300w/train.json', data_prefix=dict(img='300w'), pipeline={converter})"
    lapa = "dict(type='LapaDataset', data_root='data', ann_file='lapa/train.json', data_prefix=dict(img='lapa'), pipeline=[])"
    joined = f"metainfo=dict(from_file='configs/_base_/datasets/lapa.py'), datasets=[{lapa}, {member}], pipeline=train_pipeline)"
    text = files.heatmap('wflw', kind='LapaDataset')
    first, last = text.index('dataset=dict('), text.index('),\n)\nval_dataloader')
    text = f"{text[:first]}dataset=dict(type='CombinedDataset', {joined}{text[last + 1 :]}".replace('=98', '=106')
    config = load_config(files.write(tmp_path, text))
    dataset = config.train_dataloader.dataset
    assert (dataset.type, dataset.markup, config.model.markup) == ('JoinedFaces', 'lapa', 'lapa')
    assert [member.ann_file for member in dataset.datasets] == ['lapa/train.json', '300w/train.json']
    (source, to), *others = mapping
    wrong = text.replace(repr(mapping), repr([(source, to + 1), *others]))
    with pytest.raises(FacelmkError, match='mapping'):
        load_config(files.write(tmp_path, wrong))


def test_a_file_of_the_other_kinds_of_networks_is_refused(tmp_path: Path) -> None:
    path = files.write(tmp_path, files.heatmap().replace('TopdownPoseEstimator', 'BottomupPoseEstimator'))
    with pytest.raises(FacelmkError) as error:
        load_config(path)
    assert 'BottomupPoseEstimator' in str(error.value)


def test_places_are_all_visited() -> None:
    assert [path for path, _ in itertools.islice(places({'a': [{'b': 1}], 'c': 2}), 9)] == [
        (),
        ('a',),
        ('a', 0),
        ('a', 0, 'b'),
        ('c',),
    ]
