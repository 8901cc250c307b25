"""Values that a run would take without a word, and train wrongly: all are refused before anything is built."""

import math
from pathlib import Path
from typing import Any

import pytest

from facelmk.cli import main
from facelmk.config import load_config
from facelmk.config.relations import check_relations_of_training
from facelmk.errors import FacelmkError

nan = math.nan
OPTIMIZER, SCHEDULE = 'optim_wrapper.optimizer', 'param_scheduler'
CROP, STEPS = 'train_dataloader.dataset.pipeline.1', 'train_dataloader.dataset.pipeline'
SINGLE: list[tuple[str, Any, str]] = [  # a key, its value, what is expected
    ('optim_wrapper.clip_grad.max_norm', -1, 'above 0'),
    ('optim_wrapper.clip_grad.max_norm', 1e9, 'to 1000000'),
    ('optim_wrapper.accumulative_counts', 0, 'from 1'),
    (f'{OPTIMIZER}.lr', 0, 'above 0'),
    (f'{OPTIMIZER}.lr', nan, 'above 0'),
    (f'{OPTIMIZER}.lr', 200, 'to 10'),
    (f'{OPTIMIZER}.weight_decay', -0.01, 'from 0'),
    (f'{OPTIMIZER}.betas', (0.9, 1.0), 'to 0.99'),
    (f'{OPTIMIZER}.eps', 0, 'above 0'),
    (f'{OPTIMIZER}.maximize', True, 'False'),
    (f'{SCHEDULE}.1.T_max', 0, 'from 1'),
    (f'{SCHEDULE}.1.eta_min', -1e-5, 'from 0'),
    (f'{SCHEDULE}.1.eta_min', 0.5, 'lr=0.002'),
    (f'{SCHEDULE}.0.start_factor', 0, 'above 0'),
    (f'{SCHEDULE}.0.begin', -5, 'from 0'),
    (f'{SCHEDULE}.0.end', 0, 'from 1'),
    ('train_cfg.max_epochs', 0, 'from 1'),
    ('train_cfg.val_interval', 0, 'from 1'),
    ('train_cfg.val_begin', 7, 'at most 6'),
    ('default_hooks.checkpoint.interval', 0, 'from 1'),
    ('default_hooks.checkpoint.max_keep_ckpts', 0, 'from 1'),
    ('default_hooks.checkpoint.minutes', -1, 'above 0'),
    ('default_hooks.checkpoint.save_best', 'PCK', 'NME'),
    ('default_hooks.checkpoint.filename_tmpl', 'mine.pth', '{}'),
    ('default_hooks.logger.interval', 0, 'from 1'),
    ('default_hooks.guard.at_most', 0, 'from 1'),
    ('log_processor.window_size', 0, 'from 1'),
    ('train_dataloader.batch_size', -4, 'from 1'),
    ('train_dataloader.num_workers', -1, 'from 0'),
    ('train_dataloader.shuffle', True, 'sampler.shuffle'),
    ('train_dataloader.batch_size', None, 'number'),
    ('train_dataloader.timeout', -1, 'from 0'),
    ('train_dataloader.prefetch_factor', 0, 'from 1'),
    ('train_dataloader.sampler.seed', -1, 'from 0'),
    ('train_dataloader.dataset.count', 10**9, 'to 10000000'),
    (f'{CROP}.shift', 50, 'to 0.5'),
    (f'{CROP}.padding', -1.25, 'from 0.1'),
    (f'{CROP}.scale', (0, 0), 'from 0.1'),
    (f'{CROP}.scale', (0.5, 0.2), 'below the one before'),
    (f'{CROP}.scale', (0.5, 1.0, 1.5), '2 numbers'),
    (f'{CROP}.flip', 1.5, 'to 1'),
    (f'{CROP}.rotate', nan, 'to 180'),
    (f'{CROP}.size', 96, 'model.size=112'),
    (f'{CROP}.draw', 'normal', "'truncnorm'"),
    (f'{STEPS}.2.prob', 2, 'to 1'),
    (f'{STEPS}.4.sigma', -2, 'from 0.1'),
    (f'{STEPS}.7.low', 95, 'to 90'),
    ('val_pipeline.1.size', 96, 'size=112'),
    ('model.size', 255, 'multiple of 16'),
    ('model.std', (0.229, 0.224, 0.225), 'from 1 to 255'),
    ('model.mean', (-1, 0, 0), 'from 0'),
    ('model.codec.sigma', 0, 'from 0.5'),
    ('model.codec.type', 'SimCC', 'bins'),
    ('model.codec.type', 'Heatmap', 'IntegralLoss'),
    ('model.head.type', 'RegressionHead', 'points'),
    ('model.loss.type', 'WingLoss', 'log-probabilities'),
    ('model.head.out_channels', 68, '98'),
    ('model.loss.place', -1, 'from 0'),
    ('model.markup', '300w', '98 points'),
    ('val_evaluator.0.norm', (0, 98), '0 to 97'),
    ('val_evaluator.2.threshold', 0, 'from 0.0001'),
    ('val_evaluator', [], 'save_best'),
    ('randomness.seed', -1, 'from 0'),
    ('auto_scale_lr.base_batch_size', 0, 'from 1'),
    ('env_cfg.dist_cfg.backend', 'ncll', "'nccl'"),
    ('env_cfg.dist_cfg.timeout', 0, 'above 0'),
    ('env_cfg.mp_cfg.opencv_num_threads', -1, 'from 0'),
]


def load_for_training(name: str, options: dict[str, Any]) -> None:
    check_relations_of_training(load_config(name, options), name)


def rows(**changes: Any) -> dict[str, Any]:
    return changes


TOGETHER: list[tuple[dict[str, Any], str, str]] = [  # options, the key and the range in the message
    ({'custom_hooks': [rows(type='EMAHook', momentum=0)]}, 'momentum=0', 'above 0'),
    ({'custom_hooks': [rows(type='EMAHook', begin_epoch=-1)]}, 'begin_epoch=-1', 'from 0'),
    ({'custom_hooks': [rows(type='EMAHook', ema_type='ExpMomentumEMA', gamma=0)]}, 'gamma=0', 'above 0'),
    ({'custom_hooks': [rows(type='EarlyStoppingHook', monitor='NME', patience=0)]}, 'patience=0', 'from 1'),
    ({'param_scheduler': [rows(type='MultiStepLR', milestones=[4, 2])]}, 'milestones=[4, 2]', 'below the one before'),
    ({'param_scheduler': [rows(type='StepLR', step_size=0)]}, 'step_size=0', 'from 1'),
    ({'param_scheduler': [rows(type='PolyLR', power=-1)]}, 'power=-1', 'above 0'),
    ({'param_scheduler': [rows(type='ConstantLR', factor=0)]}, 'factor=0', 'above 0'),
    ({'param_scheduler': [rows(type='ExponentialLR', gamma=-0.9)]}, 'gamma=-0.9', 'above 0'),
    ({'param_scheduler': [rows(type='LinearLR', begin=8, end=4)]}, 'end=4', 'begin'),
    ({'optim_wrapper.optimizer': rows(type='SGD', lr=0.1, momentum=-1)}, 'momentum=-1', 'from 0'),
    ({'optim_wrapper.optimizer': rows(type='RMSprop', lr=0.1, alpha=1.5)}, 'alpha=1.5', 'to 0.99'),
    ({'train_dataloader.collate_fn': rows(type='default_collate')}, 'train_dataloader.collate_fn', 'collate_faces'),
    ({'val_dataloader.collate_fn': rows(type='pseudo_collate')}, 'val_dataloader.collate_fn', 'collate_faces'),
    ({'visualizer.vis_backends': [rows(type='LocalVisBackend')] * 2}, 'vis_backends', 'once'),
    ({'optim_wrapper.clip_grad': rows(max_norm=1, norm_type=-2)}, 'norm_type=-2', 'above 0'),
    ({'optim_wrapper.clip_grad': rows(type='value', max_norm=1)}, 'clip_value', 'type='),
    ({'optim_wrapper.clip_grad': rows(norm_type=2)}, 'max_norm', 'type='),
    ({'optim_wrapper': rows(type='AmpOptimWrapper', loss_scale=-1)}, 'loss_scale=-1', 'above 0'),
    ({'optim_wrapper.paramwise_cfg': rows(custom_keys=rows(backbone=rows(lr_mult=-1)))}, 'lr_mult', 'from 0'),
    ({'train_dataloader.num_workers': 0, 'train_dataloader.prefetch_factor': 4}, 'prefetch_factor=4', 'num_workers'),
    ({'model.loss': [rows(loss=rows(type='IntegralLoss'), weight=0)]}, 'weight=0', 'above 0'),
    ({'model.loss': [rows(loss=rows(type='WingLoss'), target=rows(type='Coordinates'))]}, 'Coordinates', 'points'),
    ({'model.loss.spread': 0, 'model.loss.place': 0}, 'spread=0', 'above 0'),
    ({'train_cfg.by_epoch': False}, 'max_epochs', 'max_iters'),
    ({'param_scheduler': [rows(type='StepLR')]}, 'step_size', 'needs'),
    ({'custom_hooks': [rows(type='EarlyStoppingHook', monitor='PCK')]}, "monitor='PCK'", 'NME'),
    ({'param_scheduler': [rows(type='ReduceOnPlateauLR')]}, "monitor='loss'", 'NME'),
    ({'auto_scale_lr.enable': True}, 'enable=True', 'base_batch_size'),
    ({'model.head.in_channels': [0]}, 'in_channels=[0]', 'from 1'),
    ({'train_pipeline.1.size': 112.0}, 'size=112.0', 'whole'),
    ({'train_cfg.max_epochs': 1.5}, 'max_epochs=1.5', 'whole'),
]


@pytest.mark.fault('N01')
@pytest.mark.parametrize(('key', 'value', 'words'), SINGLE, ids=[f'{key}={value}' for key, value, _ in SINGLE])
def test_a_silent_value(key: str, value: Any, words: str) -> None:
    with pytest.raises(FacelmkError) as caught:
        load_for_training('quickstart', {key: value})
    message, name = str(caught.value), key.rpartition('.')[2]
    assert caught.value.exit_code == 2 and words in message, message
    assert (str(value) if name == 'type' else 'scheme' if name == 'markup' else name) in message, message


@pytest.mark.fault('N02')
@pytest.mark.parametrize(('options', 'key', 'words'), TOGETHER, ids=[str(row[0]) for row in TOGETHER])
def test_silent_values_together(options: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(FacelmkError) as caught:
        load_for_training('quickstart', options)
    assert caught.value.exit_code == 2 and key in str(caught.value) and words in str(caught.value), caught.value


@pytest.mark.fault('N02')
def test_two_landmark_schemes_within_the_model() -> None:
    """The lines of one scheme would be drawn through the points of the other."""
    options = {'model.codec': dict(type='Boundary', markup='300w'), 'model.loss': dict(type='AdaptiveWingLoss')}
    with pytest.raises(FacelmkError, match="markup='300w'"):
        load_config('hrnetv2_w18_wflw', options)


def test_a_test_or_a_prediction_may_change_the_validation_alone() -> None:
    options = {'val_pipeline.1.size': 64, 'val_evaluator': [dict(type='NME', prefix='mine')]}
    assert load_config('quickstart', options).model.size == 64
    with pytest.raises(FacelmkError, match='size=112'):
        load_for_training('quickstart', options)


def test_a_whole_number_as_a_float_is_taken_where_mmengine_takes_it() -> None:
    assert load_config('quickstart', {'train_cfg.max_epochs': 1e1}).train_cfg.max_epochs == 10


@pytest.mark.fault('N03')
@pytest.mark.parametrize('words', [('config', 'check', '--no-step'), ('train',)])
def test_the_commands_refuse_before_they_write(words: tuple[str, ...], tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    verb, *others = words
    command = [verb, *others[:1], 'quickstart', *others[1:], '--cfg-options', f'{CROP}.shift=50']
    assert main(command) == 2
    printed = ''.join(capsys.readouterr())
    assert 'shift=50' in printed and 'to 0.5' in printed and 'Traceback' not in printed
    assert not list(tmp_path.iterdir())


def test_there_are_at_least_twenty_five() -> None:
    assert len(SINGLE) + len(TOGETHER) >= 25
