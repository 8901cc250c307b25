"""Configs are found, composed, completed and validated; an error names the file, the key and a similar name."""

import copy
import re

import pytest
from config_kinds import DETECTOR_CONFIGS
from mmengine import Config

from facelmk.cli import main
from facelmk.config import config_names, find_config, load_config
from facelmk.config.schema import runner_keys
from facelmk.config.validate import check
from facelmk.errors import FacelmkError
from facelmk.registry import BACKBONES

CONFIG = (
    'model = dict(type="facelmk.FaceLandmarker", markup="five", backbone=dict(type="QuickNet"), '
    'head=dict(type="RegressionHead"), codec=dict(type="Coordinates"), loss=dict(type="WingLoss"))\n'
    'train_cfg = dict(by_epoch=True, max_epochs=3)\n'
    'val_dataloader = dict(batch_size=2, dataset=dict(type="SyntheticFaces", count=4, markup="five",'
    ' pipeline=[dict(type="CropFace", size=64), dict(type="PackFace")]))\n'
    'val_evaluator = [dict(type="NME")]\n'
)


@pytest.fixture
def write(tmp_path):
    """Write a config file with this text and return its path."""

    def write(text, name='mine.py'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def refused(call, *arguments):
    with pytest.raises(FacelmkError) as caught:
        call(*arguments)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_config_is_found_by_path_by_name_and_by_file_name(write):
    path = write(CONFIG)
    assert find_config(path) == path
    assert find_config('quickstart') == find_config('quickstart.py') == find_config('there/configs/quickstart.py')
    assert {'quickstart', 'deeppose_r50_wflw', 'hrnetv2_w18_wflw'} <= set(config_names())
    assert all(find_config(name).stem == name for name in config_names())


@pytest.mark.parametrize(
    ('wrong', 'right'),
    [('quikstart', 'quickstart'), ('hrnet_w18_wflw', 'hrnetv2_w18_wflw'), ('deeppose-r50-wflw', 'deeppose_r50_wflw')],
)
def test_a_misspelt_name_suggests_the_right_one(wrong, right):
    assert f"'{right}'" in refused(find_config, wrong) and wrong in refused(find_config, wrong)


@pytest.mark.parametrize('name', config_names())
def test_every_config_is_complete_and_has_no_stray_keys(name, monkeypatch):
    monkeypatch.setattr('mmengine.config.config.FormatCode', lambda text, **_: (text, True))  # line breaks take seconds
    config = load_config(name)
    kind, unit = ('FaceDetector', 'scenes') if name in DETECTOR_CONFIGS else ('FaceLandmarker', 'faces')
    assert config.model.type == f'facelmk.{kind}' and config.work_dir == f'work_dirs/{name}'
    assert 'read_base' not in config and 'layouts' not in config
    known = runner_keys() | {'default_scope', 'auto_scale_lr', 'result'}
    assert not {key for key in config if key not in known}, name
    for phase in ('train', 'val', 'test'):
        loader = config[f'{phase}_dataloader']
        assert loader.collate_fn.type == f'facelmk.collate_{unit}' and loader.sampler.type == 'FaceSampler'
        assert loader.sampler.shuffle == loader.sampler.round_up == (phase == 'train')
    check(Config.fromstring(config.pretty_text, '.py'), name)  # the config that a run saves is valid, too


def test_the_test_is_completed_from_validation(write):
    config = load_config(write(CONFIG))
    assert config.test_dataloader == config.val_dataloader and config.test_evaluator == config.val_evaluator
    assert config.test_cfg == config.val_cfg == {}
    config = load_config(write(CONFIG), {'test_dataloader.batch_size': 7, 'val_dataloader.num_workers': 0})
    assert (config.test_dataloader.batch_size, config.val_dataloader.batch_size) == (7, 2)
    assert config.test_dataloader.num_workers == 0 and not config.test_dataloader.persistent_workers
    own = (
        'test_dataloader = dict(batch_size=1, dataset=val_dataloader["dataset"])\ntest_evaluator = [dict(type="AUC")]\n'
    )
    config = load_config(write(CONFIG + own))
    assert config.test_dataloader.batch_size == 1 and config.test_evaluator[0].type == 'AUC'


def test_bases_of_a_user_are_merged(write):
    write(CONFIG, 'base.py')
    config = load_config(
        write('_base_ = "./base.py"\nmodel = dict(loss=dict(type="SoftWingLoss"))\ntrain_cfg = dict(max_epochs=9)\n')
    )
    assert config.model.loss.type == 'SoftWingLoss' and config.model.backbone.type == 'QuickNet'
    assert config.train_cfg == dict(by_epoch=True, max_epochs=9)


def test_bases_in_an_installed_package(write):
    """mmengine finds packages by pkg_resources, which setuptools 82 has no more."""
    config = load_config(
        write(
            'from mmengine.config import read_base\nwith read_base():\n'
            '    from facelmk.configs.quickstart import *\nmodel.loss = dict(type="IntegralLoss", place=2)\n'
        )
    )
    assert config.model.loss == dict(type='IntegralLoss', place=2) and config.model.backbone.type == 'QuickNet'
    assert config.default_hooks.statistics.type == 'SyncStatistics'
    message = refused(
        load_config,
        write('from mmengine.config import read_base\nwith read_base():\n    from nopackage.configs.base import *\n'),
    )
    assert 'nopackage' in message and 'PYTHONPATH' in message


def test_helpers_of_a_config_are_dropped(write):
    config = load_config(
        write(
            'import math\nfrom functools import partial\ndef half(x):\n    return x / 2\n'
            + CONFIG
            + 'train_cfg["max_epochs"] = int(half(8))\ndata_root = "data"\n'
        )
    )
    assert config.train_cfg.max_epochs == 4
    assert not {'math', 'partial', 'half'} & set(config)


MISTAKES = [  # a line that is added, facts in the message
    ('modle = dict()', ['modle', "'model'"]),
    ('optim_wraper = dict()', ['optim_wraper', "'optim_wrapper'"]),
    ('train_dataloder = dict()', ['train_dataloder', "'train_dataloader'"]),
    ('work_dirs = "x"', ["'work_dir'"]),
    ('model["backbone"]["type"] = "QuickNets"', ['model.backbone', 'QuickNets', "'QuickNet'"]),
    ('model["backbone"]["widht"] = 3', ['model.backbone', 'widht', "'width'"]),
    ('model["loss"]["type"] = "Wing"', ['model.loss', "'WingLoss'"]),
    ('model["loss"]["omga"] = 3', ['model.loss', 'omga', "'omega'"]),
    ('model["codec"]["flipp"] = "exact"', ['model.codec', "'flip'"]),
    ('model["necks"] = dict()', ['model', 'necks']),
    ('model["fliptest"] = True', ["'flip_test'"]),
    ('val_dataloader["dataset"]["counts"] = 3', ['val_dataloader.dataset', "'count'"]),
    ('val_dataloader["batchsize"] = 3', ['val_dataloader', "'batch_size'"]),
    ('val_dataloader["dataset"]["pipeline"][0]["sise"] = 3', ['pipeline[0]', 'CropFace', "'size'"]),
    ('val_dataloader["dataset"]["pipeline"][0]["type"] = "CropFaces"', ['pipeline[0]', "'CropFace'"]),
    ('val_evaluator[0]["type"] = "NMEs"', ['val_evaluator[0]', "'NME'"]),
    ('val_evaluator[0]["normaliser"] = "box"', ['val_evaluator[0]', 'normaliser', "'norm'"]),
    ('optim_wrapper = dict(optimizer=dict(type="Adams"))', ['optim_wrapper.optimizer', "'Adam'"]),
    ('optim_wrapper = dict(optimizer=dict(type="Adam", lrr=3))', ['optim_wrapper.optimizer', "'lr'"]),
    ('train_cfg["max_epoch"] = 3', ['train_cfg', "'max_epochs'"]),
    ('param_scheduler = [dict(type="MultiStepLR", milestone=[3])]', ['param_scheduler[0]', "'milestones'"]),
    ('custom_hooks = [dict(type="EMAHooks")]', ['custom_hooks[0]', "'EMAHook'"]),
    ('custom_hooks = [dict(type="EMAHook", momentun=.1)]', ['custom_hooks[0]', "'momentum'"]),
    ('custom_hooks = [dict(type="EMAHook", ema_type="ExpMomentEMA")]', ['custom_hooks[0]', "'ExpMomentumEMA'"]),
    ('custom_hooks = dict(type="EMAHook")', ['custom_hooks', 'several']),
    ('default_hooks = dict(checkpoint=dict(type="CheckpointHook", max_keep_ckpt=2))', ["'max_keep_ckpts'"]),
    ('default_hooks = dict(chekpoint=dict(type="CheckpointHook"))', ['default_hooks.chekpoint', "'checkpoint'"]),
    ('default_hooks = dict(logger=dict(interval=3))', ['default_hooks.logger', 'type']),
    ('optim_wrapper = dict(optimizer=dict(type="SGD", lr=1), clip_gard=dict())', ['optim_wrapper', "'clip_grad'"]),
    ('optim_wrapper = dict(optimizer=dict(type="SGD", lr=1), clip_grad=dict(max_nrom=1))', ["'max_norm'"]),
    ('optim_wrapper = dict(optimizer=dict(type="SGD", lr=1), accumulative_counts=0)', ['accumulative_counts=0']),
    ('optim_wrapper = dict(optimizer=dict(lr=1))', ['optim_wrapper.optimizer', 'type']),
    ('env_cfg = dict(cudnn_benchmrk=True)', ["'cudnn_benchmark'"]),
    ('randomness = dict(sed=1)', ["'seed'"]),
    ('env_cfg = dict(dist_cfg=dict(timeuot=4))', ['env_cfg.dist_cfg', "'timeout'"]),
    ('auto_scale_lr = dict(base_batch_size=0)', ['base_batch_size=0', '1']),
    ('val_cfg = dict(fp61=1)', ["'fp16'"]),
    ('log_processor = dict(window=3)', ['log_processor', "'window_size'"]),
    ('model["loss"] = [dict(loss=dict(type="WingLoss"), wieght=2.)]', ['model.loss[0]', "'weight'"]),
    ('model["loss"] = []', ['model.loss']),
    ('model = "FaceLandmarker"', ["model='FaceLandmarker'"]),
    ('del model["type"]', ['model', 'type']),
    ('model["head"] = dict(type=3)', ['model.head', 'type=3']),
    ('val_dataloader["batch_size"] = 0', ['batch_size=0', '1']),
    ('work_dir = 3', ['work_dir=3', 'text']),
    ('val_dataloader["batch_size"] = 2.5', ['batch_size=2.5', 'whole number']),
    ('val_dataloader["dataset"]["pipeline"][0]["size"] = -4', ['pipeline[0]', 'size=-4']),
    ('val_dataloader["dataset"]["pipeline"][0]["flip"] = float("nan")', ['flip=nan', '0', '1']),
    ('val_dataloader["dataset"]["pipeline"] = None', ['pipeline=None', 'several']),
    ('val_dataloader["dataset"]["pipeline"] = ["CropFace"]', ["pipeline=['CropFace']", 'a dict']),
    ('val_dataloader["dataset"]["pipeline"][0] = dict(size=3)', ['pipeline[0]', 'type']),
    ('train_cfg["val_interval"] = 0', ['val_interval=0', '1']),
    ('resume = "x.pth"', ['resume', 'True or False']),
    ('param_scheduler = "LinearLR"', ['param_scheduler', 'a dict']),
    ('raise ValueError("x")', ['mine.py:5', 'ValueError']),
    ('import sys; sys.exit(0)', ['mine.py:5', 'SystemExit']),
]


@pytest.mark.parametrize(('line', 'named'), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_refused_with_file_key_and_similar_name(line, named, write):
    path = write(CONFIG + line + '\n')
    message = refused(load_config, path)
    assert str(path) in message and all(word in message for word in named), message


RANGES = [  # a line that is added, the value in the message
    ('train_dataloader = dict(batch_size=1, timeout=-1)', 'timeout=-1'),
    ('train_dataloader = dict(batch_size=1, num_workers=-1)', 'num_workers=-1'),
    ('optim_wrapper = dict(optimizer=dict(type="SGD", lr=0))', 'lr=0'),
    ('optim_wrapper = dict(optimizer=dict(type="AdamW", lr=-1.))', 'lr=-1.0'),
    ('optim_wrapper = dict(optimizer=dict(type="SGD", lr=1), clip_grad=dict(max_norm=-1))', 'max_norm=-1'),
    (
        'optim_wrapper = dict(optimizer=dict(type="SGD", lr=1), clip_grad=dict(type="value", clip_value=0))',
        'clip_value=0',
    ),
    ('param_scheduler = [dict(type="CosineAnnealingLR", T_max=0)]', 'T_max=0'),
    ('param_scheduler = [dict(type="StepLR", step_size=0)]', 'step_size=0'),
    ('default_hooks = dict(checkpoint=dict(type="CheckpointHook", interval=0))', 'interval=0'),
    ('default_hooks = dict(checkpoint=dict(type="CheckpointHook", max_keep_ckpts=0))', 'max_keep_ckpts=0'),
    ('default_hooks = dict(checkpoint=dict(type="CheckpointHook", minutes=-1))', 'minutes=-1'),
    ('default_hooks = dict(logger=dict(type="LoggerHook", interval=0))', 'interval=0'),
    ('env_cfg = dict(dist_cfg=dict(timeout=0))', 'timeout=0'),
    ('val_dataloader["dataset"]["pipeline"][0]["shift"] = 50', 'shift=50'),
    ('val_dataloader["dataset"]["pipeline"][0]["padding"] = -1.25', 'padding=-1.25'),
    ('val_dataloader["dataset"]["pipeline"][0]["rotate_prob"] = 1.5', 'rotate_prob=1.5'),
    ('val_dataloader["dataset"]["pipeline"].insert(1, dict(type="Blur", prob=2))', 'prob=2'),
    ('val_evaluator = [dict(type="AUC", threshold=-1)]', 'threshold=-1'),
]


@pytest.mark.parametrize(('line', 'value'), RANGES, ids=[value for _, value in RANGES])
def test_a_number_out_of_range_is_refused(line, value, write):
    assert value in refused(load_config, write(CONFIG + line + '\n'))


def test_minus_one_means_never(write):
    line = 'default_hooks = dict(checkpoint=dict(type="CheckpointHook", interval=-1, max_keep_ckpts=-1))\n'
    assert load_config(write(CONFIG + line)).default_hooks.checkpoint.interval == -1


def test_a_part_of_a_project_has_ranges_too(write, monkeypatch):
    class Own:
        ranges = {'width': (1, 8)}

        def __init__(self, width=3):
            pass

    class Derived(Own):
        pass

    monkeypatch.setitem(BACKBONES.module_dict, 'Derived', Derived)
    assert load_config(write(CONFIG + 'model["backbone"] = dict(type="Derived", width=8)\n')).model.backbone.width == 8
    message = refused(load_config, write(CONFIG + 'model["backbone"] = dict(type="Derived", width=9)\n'))
    assert 'width=9' in message and '1 to 8' in message


def test_the_file_that_holds_the_mistake_is_named(write):
    base = write(CONFIG + 'model["backbone"]["widht"] = 3\n', 'base.py')
    for based in (
        '_base_ = "base.py"\n',
        'from mmengine.config import read_base\nwith read_base():\n    from .base import *\n',
    ):
        assert str(base) in refused(load_config, write(based))


def test_parts_that_take_anything_are_left_alone(write, monkeypatch):
    """Only the part itself can know which names it reads."""

    class TakesAll:
        def __init__(self, width=3, **more):
            pass

    monkeypatch.setitem(BACKBONES.module_dict, 'TakesAll', TakesAll)
    path = write(CONFIG + 'model["backbone"] = dict(type="TakesAll", widht=4, size=-1, flip=7)\n')
    assert load_config(path).model.backbone.widht == 4


@pytest.mark.parametrize(
    ('name', 'text', 'fact'),
    [('my.yaml', '', 'nothing'), ('my.json', '[1, 2]', 'list'), ('my.py', 'model = dict(', 'line 1')],
)
def test_a_file_of_another_form(name, text, fact, write):
    assert fact in refused(load_config, write(text, name))


def test_a_folder_and_a_long_name_are_no_configs(tmp_path):
    assert str(tmp_path) in refused(find_config, tmp_path)
    assert 'x' * 200 in refused(find_config, 'x' * 300)


def test_a_misspelt_base_of_the_package(write):
    message = refused(
        load_config,
        write(
            'from mmengine.config import read_base\nwith read_base():\n    from facelmk.configs.quikstart import *\n'
        ),
    )
    assert 'mine.py:3' in message and "'quickstart'" in message


@pytest.mark.parametrize(
    'text',
    [
        'model = dict(',
        'model = undefined',
        'import nosuchmodule',
        '_base_ = "gone.py"',
        'custom_imports = dict(imports=["nosuchmodule"])',
    ],
)
def test_a_file_that_is_no_config_is_refused_with_its_path(text, write):
    path = write(text)
    assert str(path) in refused(load_config, path)


def test_names_of_a_project_are_left_alone(write):
    names = [
        'dataset_type',
        'data_root',
        'pipeline',
        'test_pipeline',
        'codec',
        'input_size',
        'channel_cfg',
        'val_dataset',
    ]
    config = load_config(write(CONFIG + '\n'.join(f'{name} = "x"' for name in names)))
    assert all(config[name] == 'x' for name in names)


def test_parts_with_a_type_of_the_runner_pass(write):
    text = (
        CONFIG + 'train_cfg = dict(type="IterBasedTrainLoop", max_iters=4)\ncustom_hooks = [dict(type="EMAHook", '
        'momentum=.01, priority=49)]\noptim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=1), '
        'clip_grad=dict(max_norm=1), paramwise_cfg=dict(norm_decay_mult=0), accumulative_counts=2)\n'
        'param_scheduler = [dict(type="LinearLR", start_factor=.1, by_epoch=False, end=5)]\n'
    )
    assert load_config(write(text)).train_cfg.type == 'IterBasedTrainLoop'


OPTIONS = [
    ('modle.flip_test', 'modle', "'model'"),
    ('model.bakbone.width', 'bakbone', "'backbone'"),
    ('model.backbone.widht', 'widht', "'width'"),
    ('train_dataloader.dataset.pipeline.99.size', '99', 'length'),
    ('train_dataloader.dataset.pipeline.one.size', 'one', 'length'),
    ('trian_cfg.max_epochs', 'trian_cfg', 'train_cfg'),
    ('train_cfg.max_epoch', 'max_epoch', 'max_epochs'),
    ('model.flip_test.x', 'True', 'model.flip_test=VALUE'),
    ('optim_wrapper.clip_grd.max_norm', 'clip_grd', "'clip_grad'"),
    ('model.mean.0', 'mean', 'model.mean'),
    ('optim_wrapper.clip_grad.max_nrom', 'max_nrom', "'max_norm'"),
    ('train_dataloader.dataset.pipeline.0', 'pipeline', 'a dict'),
    ('test_dataloader.datset.count', 'datset', "'dataset'"),
]


@pytest.mark.parametrize(('key', 'wrong', 'right'), OPTIONS, ids=[option[0] for option in OPTIONS])
def test_an_option_with_an_unknown_key_is_refused(key, wrong, right):
    message = refused(load_config, 'quickstart', {key: 1})
    assert wrong in message and right in message


def test_options_replace_values_and_add_arguments_of_a_part():
    config = load_config(
        'quickstart',
        {
            'model.flip_test': False,
            'train_dataloader.dataset.pipeline.1.padding': 2,
            'model.backbone.width': 48,
            'randomness.seed': 4,
            'work_dir': 'x',
        },
    )
    assert not config.model.flip_test and config.train_dataloader.dataset.pipeline[1].padding == 2
    assert (config.model.backbone.width, config.randomness.seed, config.work_dir) == (48, 4, 'x')


def test_options_change_elements_of_lists_and_add_dicts():
    config = load_config(
        'quickstart',
        {
            'train_dataloader.dataset.pipeline.1.scale.0': 0.5,
            'optim_wrapper.clip_grad.max_norm': 1,
            'train_dataloader.sampler.shuffle': False,
            'auto_scale_lr.base_batch_size': 64,
        },
    )
    assert list(config.train_dataloader.dataset.pipeline[1].scale) == [0.5, 1.2]
    assert config.optim_wrapper.clip_grad == dict(max_norm=1) and config.auto_scale_lr.base_batch_size == 64
    assert config.train_dataloader.sampler == dict(type='FaceSampler', shuffle=False, round_up=True)


def test_loading_twice_gives_the_same(write):
    path = write(CONFIG)
    first = copy.deepcopy(load_config(path))
    assert load_config(path)._cfg_dict == first._cfg_dict


@pytest.mark.parametrize('verb', ['train', 'test'])
def test_the_command_line_reports_mistakes_with_code_2_and_no_traceback(verb, write, capsys):
    more = [__file__] if verb == 'test' else []  # a checkpoint that does not exist would be reported first
    for arguments, named in (
        ([verb, 'quikstart', *more], 'quickstart'),
        ([verb, str(write(CONFIG + 'modle = 1')), *more], 'model'),
        ([verb, 'quickstart', *more, '--cfg-options', 'modle.x=1'], 'model'),
    ):
        assert main(arguments) == 2
        printed = capsys.readouterr()
        assert f"'{named}'" in printed.err and printed.err.startswith('facelmk: ') and 'Traceback' not in printed.err


def test_options_of_the_command_line_are_those_of_mmpose(capsys):
    shared = ['--work-dir', '--cfg-options', '--show-dir', '--show', '--interval', '--wait-time', '--launcher']
    for verb, own in (
        ('train', ['--resume', '--amp', '--no-validate', '--auto-scale-lr']),
        ('test', ['--out', '--dump', '--badcase', '--report', '--json']),
    ):
        with pytest.raises(SystemExit) as ended:
            main([verb, '--help'])
        printed = capsys.readouterr().out
        assert ended.value.code == 0 and all(re.search(rf'{option}\b', printed) for option in shared + own), verb
