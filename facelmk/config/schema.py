"""The keys of a config: which registry each part comes from, dicts that are no parts, and keys that belong together."""

import inspect
import math
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from mmengine.runner import Runner

from .. import registry as registries
from ..registry import Registry
from ..registry.ranges import Range
from .runner_ranges import COUNT, MAX_STEPS, SEED

Kinds = dict[str, Any]

PIPELINES = ('train_pipeline', 'train_pipeline_stage2', 'val_pipeline')  # `complete` puts them into loaders and hook
TOP_REGISTRIES: dict[str, Registry] = {  # of the parts at a key of the config itself
    'model': registries.MODELS,
    'calibration_data': registries.DATASETS,
    'optim_wrapper': registries.OPTIM_WRAPPERS,
    'param_scheduler': registries.PARAM_SCHEDULERS,
    'log_processor': registries.LOG_PROCESSORS,
    'visualizer': registries.VISUALIZERS,
    'model_wrapper_cfg': registries.MODEL_WRAPPERS,
    **dict.fromkeys(('default_hooks', 'custom_hooks'), registries.HOOKS),
    **dict.fromkeys(('train_cfg', 'val_cfg', 'test_cfg'), registries.LOOPS),
    **dict.fromkeys(('val_evaluator', 'test_evaluator'), registries.METRICS),
    **dict.fromkeys(PIPELINES, registries.TRANSFORMS),
}
INNER_REGISTRIES: dict[str, Registry] = {  # of the parts at a key further down; other keys keep their parent's registry
    'backbone': registries.BACKBONES,
    'head': registries.HEADS,
    'codec': registries.CODECS,
    'target': registries.CODECS,
    'calibration': registries.CALIBRATIONS,
    'loss': registries.LOSSES,
    'dataset': registries.DATASETS,
    'pipeline': registries.TRANSFORMS,
    'sampler': registries.DATA_SAMPLERS,
    'batch_sampler': registries.DATA_SAMPLERS,
    **dict.fromkeys(('collate_fn', 'worker_init_fn'), registries.FUNCTIONS),
    'optimizer': registries.OPTIMIZERS,
    'vis_backends': registries.VISBACKENDS,
}
NEEDS_TYPE = re.compile(  # places of dicts that must be parts
    r'(model|model_wrapper_cfg|model\.(backbone|head|codec|calibration|loss|loss\[\d+\]\.(loss|target))|'
    r'(train|val|test)_dataloader\.dataset|'
    r'(default|custom)_hooks(\[\d+\]|\.\w+)|(val|test)_evaluator\[\d+\]|param_scheduler\[\d+\]|visualizer|'
    r'optim_wrapper\.optimizer|(.*\.(pipeline|vis_backends)|(train|val)_pipeline(_stage2)?)\[\d+\])'
)
DEFAULT_TYPES = {  # of parts that may leave their type out
    'optim_wrapper': 'OptimWrapper',
    'log_processor': 'LogProcessor',
    'val_cfg': 'ValLoop',
    'test_cfg': 'TestLoop',
    **{f'{phase}_dataloader.sampler': 'FaceSampler' for phase in ('train', 'val', 'test')},
}
LEVELS = ('CRITICAL', 'FATAL', 'ERROR', 'WARN', 'WARNING', 'INFO', 'DEBUG', 'NOTSET')
COMPILE_MODES = {'default', 'reduce-overhead', 'max-autotune', 'max-autotune-no-cudagraphs'}
TOP_KINDS: Kinds = {  # of keys whose annotation in the Runner says less
    'model': dict,
    'default_hooks': dict | None,
    'log_level': Literal[LEVELS] | int,
    'launcher': Literal['none', 'pytorch', 'mpi', 'slurm'],
    'sync_bn': Literal['torch', 'mmcv'] | None,
    'custom_imports': dict | None,
    'model_wrapper_cfg': dict | None,
    'speed': dict | None,
    'find_unused_parameters': bool,
    'compile': Annotated[bool | dict | None, {'mode': COMPILE_MODES}],
    'efficient_conv_bn_eval': list[str] | str,
}
BACKENDS = ('nccl', 'gloo', 'mpi', 'ucc', 'xccl', 'hccl', 'cncl', 'mccl', 'smddp', 'cpu:gloo,cuda:nccl')
MULTIPLIER = Annotated[float, Range(0, 10_000)]
DICTS: dict[str, Kinds] = {  # dicts that are no parts, by their place: the keys that they take, and the kinds of values
    'env_cfg': dict(cudnn_benchmark=bool, mp_cfg=dict, dist_cfg=dict, resource_limit=Annotated[int, Range(1, 2**31)]),
    'env_cfg.mp_cfg': dict(
        mp_start_method=Literal['fork', 'spawn', 'forkserver'], opencv_num_threads=Annotated[int, Range(0, 1024)]
    ),
    'env_cfg.dist_cfg': dict(backend=Literal[BACKENDS], timeout=Annotated[float, Range(0, 604_800, above=True)]),
    'randomness': dict(seed=Annotated[int | None, SEED], diff_rank_seed=bool, deterministic=bool),
    'auto_scale_lr': dict(enable=bool, base_batch_size=Annotated[int, Range(1, 1_000_000)]),
    'custom_imports': dict(imports=list[str] | str, allow_failed_imports=bool),
    'speed': dict(
        precision=Literal['fp32', 'bf16', 'fp16'] | None,
        **dict.fromkeys(('channels_last', 'compile', 'fused', 'keep_memory'), bool | None),
        fast=bool,
    ),
    'optim_wrapper.clip_grad': dict(
        type=Literal['norm', 'value'],
        max_norm=Annotated[float, Range(0, 1e6, above=True)],
        norm_type=Annotated[float | str, Range(0, 100, above=True, also=('inf', math.inf))],
        error_if_nonfinite=bool,
        foreach=bool | None,
        clip_value=Annotated[float, Range(0, 1e6, above=True)],
    ),
    'optim_wrapper.loss_scale': dict(  # of torch's GradScaler
        init_scale=Annotated[float, Range(0, 2**32, above=True)],
        growth_factor=Annotated[float, Range(1, 1000, above=True)],
        backoff_factor=Annotated[float, Range(0, 0.999999, above=True)],
        growth_interval=Annotated[int, Range(1, MAX_STEPS)],
        enabled=bool,
    ),
    'optim_wrapper.paramwise_cfg.custom_keys.*': dict(lr_mult=MULTIPLIER, decay_mult=MULTIPLIER),
    'optim_wrapper.paramwise_cfg': {  # of mmengine's own constructor
        **dict.fromkeys(('bias_lr_mult', 'bias_decay_mult', 'norm_decay_mult'), MULTIPLIER),
        **dict.fromkeys(('flat_decay_mult', 'dwconv_decay_mult', 'dcn_offset_lr_mult'), MULTIPLIER),
        'custom_keys': dict[str, dict],
        'bypass_duplicate': bool,
    },
    'log_processor.custom_cfg[]': dict(  # of mmengine's HistoryBuffer
        data_src=str,
        method_name=Literal['mean', 'min', 'max', 'current'],
        log_name=str,
        window_size=Annotated[int | str, COUNT._replace(also=('epoch', 'global'))],
    ),
    'model.loss[]': dict(loss=dict, weight=Annotated[float, Range(0, 1e6, above=True)], target=dict, weigh_points=bool),
}
CONTAINERS = re.compile(  # places of dicts whose keys the Runner itself reads
    r'default_hooks|optim_wrapper|log_processor|(train|val|test)_(cfg|dataloader(\.sampler)?)'
)
NEEDED = {'model.loss[]': ('loss',), 'log_processor.custom_cfg[]': ('data_src', 'method_name')}  # keys of `DICTS`
HOOK_NAMES = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint', 'guard', 'statistics')
REQUIRED_TOGETHER = {  # the Runner takes all keys of a phase, or none
    'train': ('train_dataloader', 'train_cfg', 'optim_wrapper'),
    'val': ('val_dataloader', 'val_cfg', 'val_evaluator'),
    'test': ('test_dataloader', 'test_cfg', 'test_evaluator'),
}
OTHER_TOP_KEYS = {  # that the Runner reads from the config, beside its own arguments, and `result`
    *PIPELINES,
    'custom_imports',
    'calibration_data',
    'markups',
    'result',
    'sync_bn',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'env_cfg',
    'compile',
    'efficient_conv_bn_eval',
    'speed',
}
RENAMED_KEYS = {  # of the first runners of mmcv and mmengine
    'total_epochs': 'train_cfg.max_epochs',
    'evaluation': 'train_cfg.val_interval and default_hooks.checkpoint.save_best',
    'checkpoint_config': 'default_hooks.checkpoint',
    'log_config': 'default_hooks.logger',
    'lr_config': 'param_scheduler',
    'optimizer_config': 'optim_wrapper.clip_grad',
    'resume_from': 'facelmk train --resume CHECKPOINT',
    'dist_params': 'env_cfg.dist_cfg',
    'workflow': 'train_cfg.val_interval',
}


def dict_at(place: str) -> Kinds | None:
    """The keys and kinds of the dict at this place, if it is one of `DICTS`."""
    return DICTS.get(_without_names(place))


def needed_at(place: str) -> tuple[str, ...]:
    """The keys that the dict at this place must have."""
    return NEEDED.get(_without_names(place), ())


def _without_names(place: str) -> str:
    return re.sub(r'\[\d+\]', '[]', re.sub(r'(\.custom_keys)\..+', r'\1.*', place))


def walk(value: Any, place: str, registry: Registry | None) -> Iterator[tuple[Any, str, Registry | None]]:
    """Every dict and list at and below `value`, with its place and the registry of a part there."""
    if isinstance(value, (dict, list, tuple)):
        yield value, place, registry
    if isinstance(value, dict):
        for key, child in value.items():
            yield from walk(child, f'{place}.{key}', INNER_REGISTRIES.get(key, registry))
    elif isinstance(value, (list, tuple)):
        for i, child in enumerate(value):
            yield from walk(child, f'{place}[{i}]', registry)


def rows(value: Any) -> list[Any]:
    """The dicts of an evaluator or of schedules: a list, a single one, or mmengine's Evaluator around them."""
    if isinstance(value, dict) and 'metrics' in value:
        value = value['metrics']
    return [value] if isinstance(value, dict) else list(value or ())


def runner_keys() -> set[str]:
    """The keys of a config that a run reads."""
    return set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'} | OTHER_TOP_KEYS


def missing_keys(phase: str, config: Any) -> list[str]:
    """The keys of a phase that a config lacks, where it has some of them."""
    missing = [key for key in REQUIRED_TOGETHER[phase] if config.get(key) is None]
    return missing if len(missing) < len(REQUIRED_TOGETHER[phase]) else []
