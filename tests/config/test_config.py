"""Finding, composing, completing and refusing configs; each refusal names the file and the near name."""

import copy
import re

import pytest
from mmengine import Config

from facelmk.cli import main
from facelmk.config import config_names, find_config, load_config
from facelmk.config import validate as names
from facelmk.config.validate import check
from facelmk.errors import FacelmkError
from facelmk.registry import BACKBONES

WORDS = (
    'model = dict(type="facelmk.FaceLandmarker", markup="five", backbone=dict(type="QuickNet"), '
    'head=dict(type="RegressionHead"), codec=dict(type="Coordinates"), loss=dict(type="WingLoss"))\n'
    'train_cfg = dict(by_epoch=True, max_epochs=3)\n'
    'val_dataloader = dict(batch_size=2, dataset=dict(type="SyntheticFaces", count=4, markup="five",'
    ' pipeline=[dict(type="CropFace", size=64), dict(type="PackFace")]))\n'
    'val_evaluator = [dict(type="NME")]\n'
)


@pytest.fixture
def write(tmp_path):
    """Writes a config of some text, and gives its path."""

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


def test_a_config_is_found_by_path_by_name_and_by_its_files_name(write):
    path = write(WORDS)
    assert find_config(path) == path
    assert find_config('quickstart') == find_config('quickstart.py') == find_config('elsewhere/quickstart')
    assert {'quickstart', 'deeppose_r50_wflw', 'hrnetv2_w18_wflw'} <= set(config_names())
    assert all(find_config(name).stem == name for name in config_names())


@pytest.mark.parametrize(
    ('wrong', 'right'),
    [('quikstart', 'quickstart'), ('hrnet_w18_wflw', 'hrnetv2_w18_wflw'), ('deeppose-r50-wflw', 'deeppose_r50_wflw')],
)
def test_a_misspelt_name_is_answered_with_the_near_one(wrong, right):
    assert f"'{right}'" in refused(find_config, wrong) and wrong in refused(find_config, wrong)


@pytest.mark.parametrize('name', config_names())
def test_every_config_is_complete_and_has_no_stray_keys(name):
    config = load_config(name)
    assert config.model.type == 'facelmk.FaceLandmarker' and config.work_dir == f'work_dirs/{name}'
    assert 'read_base' not in config and 'layouts' not in config
    known = names.runner_keys() | {'default_scope', 'auto_scale_lr', 'result'}
    assert not {key for key in config if key not in known}, name
    for phase in ('train', 'val', 'test'):
        loader = config[f'{phase}_dataloader']
        assert loader.collate_fn.type == 'facelmk.collate_faces' and loader.sampler.type == 'FaceSampler'
        assert loader.sampler.shuffle == loader.sampler.round_up == (phase == 'train')
    check(Config.fromstring(config.pretty_text, '.py'), name)  # what a run writes down is a config again


def test_what_is_not_said_of_the_test_is_as_in_validation(write):
    config = load_config(write(WORDS))
    assert config.test_dataloader == config.val_dataloader and config.test_evaluator == config.val_evaluator
    assert config.test_cfg == config.val_cfg == {}
    config = load_config(write(WORDS), {'test_dataloader.batch_size': 7, 'val_dataloader.num_workers': 0})
    assert (config.test_dataloader.batch_size, config.val_dataloader.batch_size) == (7, 2)
    assert config.test_dataloader.num_workers == 0 and not config.test_dataloader.persistent_workers
    own = (
        'test_dataloader = dict(batch_size=1, dataset=val_dataloader["dataset"])\ntest_evaluator = [dict(type="AUC")]\n'
    )
    config = load_config(write(WORDS + own))
    assert config.test_dataloader.batch_size == 1 and config.test_evaluator[0].type == 'AUC'


def test_a_users_own_bases_are_merged(write):
    write(WORDS, 'base.py')
    config = load_config(
        write('_base_ = "./base.py"\nmodel = dict(loss=dict(type="SoftWingLoss"))\ntrain_cfg = dict(max_epochs=9)\n')
    )
    assert config.model.loss.type == 'SoftWingLoss' and config.model.backbone.type == 'QuickNet'
    assert config.train_cfg == dict(by_epoch=True, max_epochs=9)


def test_bases_come_out_of_the_package(write):
    """mmengine asks pkg_resources where a package lies, which new setuptools do not have."""
    config = load_config(
        write(
            'from mmengine.config import read_base\nwith read_base():\n'
            '    from facelmk.configs.quickstart import *\nmodel.loss = dict(type="WingLoss")\n'
        )
    )
    assert config.model.loss == dict(type='WingLoss') and config.model.backbone.type == 'QuickNet'
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
            + WORDS
            + 'train_cfg["max_epochs"] = int(half(8))\ndata_root = "data"\n'
        )
    )
    assert config.train_cfg.max_epochs == 4
    assert not {'math', 'partial', 'half'} & set(config)


MISTAKES = [  # text that is added, what the message names
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
    ('default_hooks = dict(logger=dict(interval=3))', ['default_hooks.logger', 'no type']),
    ('optim_wrapper = dict(optimizer=dict(type="SGD", lr=1), clip_gard=dict())', ['optim_wrapper', "'clip_grad'"]),
    ('optim_wrapper = dict(optimizer=dict(type="SGD", lr=1), clip_grad=dict(max_nrom=1))', ["'max_norm'"]),
    ('optim_wrapper = dict(optimizer=dict(type="SGD", lr=1), accumulative_counts=0)', ['accumulative_counts=0']),
    ('optim_wrapper = dict(optimizer=dict(lr=1))', ['optim_wrapper.optimizer', 'no type']),
    ('env_cfg = dict(cudnn_benchmrk=True)', ["'cudnn_benchmark'"]),
    ('randomness = dict(sed=1)', ["'seed'"]),
    ('env_cfg = dict(dist_cfg=dict(timeuot=4))', ['env_cfg.dist_cfg', "'timeout'"]),
    ('auto_scale_lr = dict(base_batch_size=0)', ['base_batch_size=0', '1 on']),
    ('val_cfg = dict(fp61=1)', ["'fp16'"]),
    ('log_processor = dict(window=3)', ['log_processor', "'window_size'"]),
    ('model["loss"] = [dict(loss=dict(type="WingLoss"), wieght=2.)]', ['model.loss[0]', "'weight'"]),
    ('model["loss"] = []', ['model.loss', 'no term']),
    ('model = "FaceLandmarker"', ['model', 'a dict with a type']),
    ('del model["type"]', ['model', 'no type']),
    ('model["head"] = dict(type=3)', ['model.head', 'type=3']),
    ('val_dataloader["batch_size"] = 0', ['batch_size=0', '1 on']),
    ('work_dir = 3', ['work_dir=3', 'text']),
    ('val_dataloader["batch_size"] = 2.5', ['batch_size=2.5', 'whole number']),
    ('val_dataloader["dataset"]["pipeline"][0]["size"] = -4', ['pipeline[0]', 'size=-4']),
    ('val_dataloader["dataset"]["pipeline"][0]["flip"] = float("nan")', ['flip=nan', '0 to 1']),
    ('val_dataloader["dataset"]["pipeline"] = None', ['pipeline=None', 'several']),
    ('val_dataloader["dataset"]["pipeline"] = ["CropFace"]', ["pipeline=['CropFace']", 'a dict']),
    ('val_dataloader["dataset"]["pipeline"][0] = dict(size=3)', ['pipeline[0]', 'no type']),
    ('train_cfg["val_interval"] = 0', ['val_interval=0', '1 on']),
    ('resume = "x.pth"', ['resume', 'True or False']),
    ('param_scheduler = "LinearLR"', ['param_scheduler', 'a dict']),
    ('raise ValueError("x")', ['mine.py:5', 'ValueError']),
    ('import sys; sys.exit(0)', ['mine.py:5', 'SystemExit']),
]


@pytest.mark.parametrize(('line', 'named'), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_refused_with_file_place_and_near_name(line, named, write):
    path = write(WORDS + line + '\n')
    message = refused(load_config, path)
    assert str(path) in message and all(word in message for word in named), message


def test_the_file_that_holds_the_mistake_is_named(write):
    base = write(WORDS + 'model["backbone"]["widht"] = 3\n', 'base.py')
    for based in (
        '_base_ = "base.py"\n',
        'from mmengine.config import read_base\nwith read_base():\n    from .base import *\n',
    ):
        assert str(base) in refused(load_config, write(based))


def test_parts_that_take_anything_are_left_alone(write, monkeypatch):
    """A project's own, whose names only the part itself can know."""

    class TakesAll:
        def __init__(self, width=3, **more):
            pass

    monkeypatch.setitem(BACKBONES.module_dict, 'TakesAll', TakesAll)
    path = write(WORDS + 'model["backbone"] = dict(type="TakesAll", widht=4, size=-1, flip=7)\n')
    assert load_config(path).model.backbone.widht == 4


@pytest.mark.parametrize(
    ('name', 'text', 'told'),
    [('my.yaml', '', 'nothing'), ('my.json', '[1, 2]', 'list'), ('my.py', 'model = dict(', 'line 1')],
)
def test_a_file_of_another_form(name, text, told, write):
    assert told in refused(load_config, write(text, name))


def test_a_folder_and_a_name_that_is_too_long_are_no_configs(tmp_path):
    assert 'is a folder' in refused(find_config, tmp_path)
    assert 'neither a config file' in refused(find_config, 'x' * 300)


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
def test_a_file_that_is_no_config_is_refused_by_name(text, write):
    path = write(text)
    assert str(path) in refused(load_config, path)


def test_names_of_a_project_are_left_alone(write):
    names = ['dataset_type', 'data_root', 'test_pipeline', 'codec', 'input_size', 'channel_cfg', 'val_dataset']
    config = load_config(write(WORDS + '\n'.join(f'{name} = "x"' for name in names)))
    assert all(config[name] == 'x' for name in names)


def test_parts_with_a_type_of_the_runner_pass(write):
    text = (
        WORDS + 'train_cfg = dict(type="IterBasedTrainLoop", max_iters=4)\ncustom_hooks = [dict(type="EMAHook", '
        'momentum=.01, priority=49)]\noptim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=1), '
        'clip_grad=dict(max_norm=1), paramwise_cfg=dict(norm_decay_mult=0), accumulative_counts=2)\n'
        'param_scheduler = [dict(type="LinearLR", start_factor=.1, by_epoch=False, end=5)]\n'
    )
    assert load_config(write(text)).train_cfg.type == 'IterBasedTrainLoop'


OPTIONS = [
    ('modle.flip_test', 'modle', "'model'"),
    ('model.bakbone.width', 'bakbone', "'backbone'"),
    ('model.backbone.widht', 'widht', "'width'"),
    ('train_dataloader.dataset.pipeline.99.size', '99', 'below'),
    ('train_dataloader.dataset.pipeline.one.size', 'one', 'below'),
    ('trian_cfg.max_epochs', 'trian_cfg', 'train_cfg'),
    ('train_cfg.max_epoch', 'max_epoch', 'max_epochs'),
    ('model.flip_test.x', 'True', 'nothing below it'),
    ('optim_wrapper.clip_grd.max_norm', 'clip_grd', "'clip_grad'"),
    ('model.mean.0', 'mean', 'Give all of it'),
    ('optim_wrapper.clip_grad.max_nrom', 'max_nrom', "'max_norm'"),
    ('train_dataloader.dataset.pipeline.0', 'pipeline', 'a dict'),
    ('test_dataloader.datset.count', 'datset', "'dataset'"),
]


@pytest.mark.parametrize(('key', 'wrong', 'right'), OPTIONS, ids=[option[0] for option in OPTIONS])
def test_an_option_on_an_unknown_key_is_refused(key, wrong, right):
    message = refused(load_config, 'quickstart', {key: 1})
    assert wrong in message and right in message


def test_options_replace_values_and_add_what_a_part_takes():
    config = load_config(
        'quickstart',
        {
            'model.flip_test': False,
            'train_dataloader.dataset.pipeline.1.size': 64,
            'model.backbone.width': 48,
            'randomness.seed': 4,
            'work_dir': 'x',
        },
    )
    assert not config.model.flip_test and config.train_dataloader.dataset.pipeline[1].size == 64
    assert (config.model.backbone.width, config.randomness.seed, config.work_dir) == (48, 4, 'x')


def test_options_reach_into_lists_and_tuples_and_make_dicts_that_a_part_takes():
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
    path = write(WORDS)
    first = copy.deepcopy(load_config(path))
    assert load_config(path)._cfg_dict == first._cfg_dict


@pytest.mark.parametrize('verb', ['train', 'test'])
def test_the_command_line_answers_mistakes_with_code_2_and_no_traceback(verb, write, capsys):
    more = ['x.pth'] if verb == 'test' else []
    for arguments, named in (
        ([verb, 'quikstart', *more], 'quickstart'),
        ([verb, str(write(WORDS + 'modle = 1')), *more], 'model'),
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
