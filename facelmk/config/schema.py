"""What a config says outside of parts: dicts that are read key by key, and numbers that have a least value."""

import re
from typing import Any, Literal

Kinds = dict[str, Any]

PLAIN: dict[str, Kinds] = {  # by their place in the config: each key with its kind
    'env_cfg': dict(cudnn_benchmark=bool, mp_cfg=dict, dist_cfg=dict, resource_limit=int),
    'env_cfg.mp_cfg': dict(mp_start_method=Literal['fork', 'spawn', 'forkserver'], opencv_num_threads=int),
    'env_cfg.dist_cfg': dict(backend=str, timeout=float),
    'randomness': dict(seed=int | None, diff_rank_seed=bool, deterministic=bool),
    'auto_scale_lr': dict(enable=bool, base_batch_size=int),
    'custom_imports': dict(imports=list[str] | str, allow_failed_imports=bool),
    'optim_wrapper.clip_grad': dict(
        type=Literal['norm', 'value'],
        max_norm=float,
        norm_type=float | str,
        error_if_nonfinite=bool,
        foreach=bool | None,
        clip_value=float,
    ),
    'optim_wrapper.paramwise_cfg': dict(  # of mmengine's own constructor
        custom_keys=dict,
        bias_lr_mult=float,
        bias_decay_mult=float,
        norm_decay_mult=float,
        flat_decay_mult=float,
        dwconv_decay_mult=float,
        dcn_offset_lr_mult=float,
        bypass_duplicate=bool,
    ),
    'model.loss[]': dict(loss=dict, weight=float, target=dict),
}
TYPES = {
    'optim_wrapper': 'OptimWrapper',
    'log_processor': 'LogProcessor',
    'val_cfg': 'ValLoop',
    'test_cfg': 'TestLoop',
}  # what a part is that says no type
SLOTS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint', 'guard', 'statistics')
TOGETHER = {
    'train': ('train_dataloader', 'train_cfg', 'optim_wrapper'),  # the Runner takes all of them, or none
    'val': ('val_dataloader', 'val_cfg', 'val_evaluator'),
    'test': ('test_dataloader', 'test_cfg', 'test_evaluator'),
}
LEAST = {
    'batch_size': 1,
    'num_workers': 0,
    'max_epochs': 1,
    'max_iters': 1,
    'val_interval': 1,
    'accumulative_counts': 1,
    'base_batch_size': 1,
}
RANGES = {
    'size': (1, float('inf')),
    'flip': (0, 1),
    'prob': (0, 1),
    'rotate_prob': (0, 1),
    'shift_prob': (0, 1),
    'threshold': (0, float('inf')),
}  # of facelmk's own parts


def plain_at(place: str) -> Kinds | None:
    """The keys of the dict at this place, where it is one that is read key by key."""
    return PLAIN.get(re.sub(r'\[\d+\]', '[]', place))


def out_of_range(key: str, value: Any, own: bool) -> str | None:
    """What a number must be, in words, where it cannot be meant; `own` says that it belongs to a part of facelmk."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if key in LEAST:
        return None if value >= LEAST[key] and value % 1 == 0 else f'a whole number from {LEAST[key]} on'
    if not own or key not in RANGES or RANGES[key][0] <= value <= RANGES[key][1]:
        return None
    low, high = RANGES[key]
    return f'a number from {low} ' + ('on' if high == float('inf') else f'to {high}')


def lacking(phase: str, config: Any) -> list[str]:
    """What is missing where a config says some, but not all of what a phase needs."""
    gone = [key for key in TOGETHER[phase] if config.get(key) is None]
    return gone if len(gone) < len(TOGETHER[phase]) else []
