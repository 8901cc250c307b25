"""Values of the wrong kind, length or place: each is refused by key before anything is built; what is valid passes."""

from typing import Any

import pytest

from facelmk.config import load_config
from facelmk.config.relations import check_relations_of_training
from facelmk.errors import FacelmkError

OPTIMIZER = 'optim_wrapper.optimizer'
KEYS = 'optim_wrapper.paramwise_cfg'
TERM = dict(data_src='loss', method_name='mean', window_size=5)


@pytest.mark.parametrize(
    ('key', 'value', 'word'),
    [
        ('train_cfg.by_epoch', 'yes', 'by_epoch'),
        ('train_cfg.by_epoch', None, 'by_epoch'),
        (f'{OPTIMIZER}.lr', [0.1], 'lr'),
        (f'{OPTIMIZER}.betas', [0.9], 'betas'),
        (f'{OPTIMIZER}.betas', [0.9, 0.99, 0.9], 'betas'),
        (f'{OPTIMIZER}.betas', [True, 0.9], 'betas'),
        (f'{OPTIMIZER}.differentiable', True, 'differentiable'),
        (KEYS, dict(custom_keys=dict(backbone=0.1)), 'custom_keys'),
        (KEYS, dict(custom_keys={'backbone.stem': dict(lr_mul=0.1)}), 'lr_mul'),
        ('param_scheduler', [None], 'param_scheduler[0]'),
        ('param_scheduler', [[]], 'param_scheduler[0]'),
        ('default_hooks.timer', 5, 'default_hooks.timer'),
        ('default_hooks.logger.priority', 'x', 'priority'),
        ('default_hooks.logger.priority', 1000, 'priority'),
        ('custom_hooks', [dict(type='CheckpointHook', interval=1)], 'custom_hooks[0]'),
        ('default_hooks.checkpoint.filename_tmpl', '{x}', 'filename_tmpl'),
        ('default_hooks.checkpoint.filename_tmpl', '{', 'filename_tmpl'),
        ('default_hooks.checkpoint.filename_tmpl', '../{}.pth', 'filename_tmpl'),
        ('default_hooks.checkpoint.filename_tmpl', '{}.txt', 'filename_tmpl'),
        ('default_scope', 'x', 'default_scope'),
        ('val_evaluator', [5], 'val_evaluator[0]'),
        ('val_evaluator', [dict(type='NME'), dict(type='NME')], 'NME'),
        ('val_dataloader.dataset', None, 'val_dataloader.dataset'),
        ('train_dataloader.sampler.type', 'InfiniteSampler', 'sampler'),
        ('model.loss', [dict(weight=1)], 'model.loss[0]'),
        ('visualizer', [], 'visualizer'),
        ('visualizer.vis_backends', [5], 'vis_backends'),
        ('log_processor.by_epoch', 'x', 'by_epoch'),
        ('log_processor.custom_cfg', [dict(TERM, method_name='x')], 'method_name'),
        ('log_processor.custom_cfg', [dict(TERM, window_size=0)], 'window_size'),
        ('log_processor.custom_cfg', [dict(data_src='loss')], 'method_name'),
        ('custom_imports', 5, 'custom_imports'),
        ('custom_imports', dict(imports=['no_such_module_here']), 'no_such_module_here'),
        ('model_wrapper_cfg', dict(type='Nope'), 'model_wrapper_cfg'),
        ('find_unused_parameters', 'x', 'find_unused_parameters'),
        ('compile', dict(mode='x'), 'compile'),
        ('efficient_conv_bn_eval', True, 'efficient_conv_bn_eval'),
    ],
)
def test_a_wrong_value_is_refused(key: str, value: Any, word: str) -> None:
    with pytest.raises(FacelmkError) as caught:
        check_relations_of_training(load_config('quickstart', {key: value}), 'quickstart')
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        (OPTIMIZER, dict(type='AdamW', lr=1e-3, betas=[0.9, 0.95], weight_decay=0)),
        (KEYS, dict(custom_keys={'backbone.stem': dict(lr_mult=0.1, decay_mult=0)})),
        ('param_scheduler', dict(type='MultiStepLR', milestones=[1], gamma=0.1)),
        ('default_hooks.logger', None),
        ('default_hooks.guard', None),
        ('default_hooks.logger.priority', 'low'),
        ('default_hooks.logger.priority', 49),
        ('default_hooks.checkpoint.filename_tmpl', 'step_{:05d}.pth'),
        ('default_scope', None),
        ('val_evaluator', dict(type='NME')),
        ('val_evaluator', [dict(type='NME'), dict(type='NME', prefix='again')]),
        ('visualizer', None),
        ('log_processor.custom_cfg', [dict(TERM, window_size='epoch', log_name='mean_loss')]),
        ('compile', dict(mode='reduce-overhead')),
        ('efficient_conv_bn_eval', ['backbone']),
        ('custom_hooks', [dict(type='EMAHook', ema_type='ExpMomentumEMA', gamma=2000, priority=49)]),
    ],
)
def test_a_valid_value_passes(key: str, value: Any) -> None:
    options = {key: value, 'default_hooks.checkpoint.rule': 'less'}
    check_relations_of_training(load_config('quickstart', options), 'quickstart')
