"""The ranges of the arguments of mmengine's and torch's classes, which derived classes inherit."""

from typing import Any

from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.hooks import CheckpointHook, EarlyStoppingHook, EMAHook, LoggerHook, NaiveVisualizationHook, ProfilerHook
from mmengine.model import BaseAveragedModel, ExponentialMovingAverage, MomentumAnnealingEMA
from mmengine.optim import AmpOptimWrapper, OptimWrapper, _ParamScheduler
from mmengine.optim.scheduler import param_scheduler as schedulers
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, LogProcessor
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from ..registry.ranges import Range, Ranges

MAX_EPOCHS = 100_000
MAX_STEPS = 100_000_000
EPOCHS = Range(1, MAX_EPOCHS, step=1)
COUNT = Range(1, MAX_STEPS, step=1)
COUNT_OR_NEVER = Range(1, MAX_STEPS, also=(-1,))
COUNT_FROM_0 = Range(0, MAX_STEPS, step=1)
SEED = Range(0, 2**32 - 1)  # what NumPy takes
SHARE = Range(0, 1)
SHARE_ABOVE_0 = Range(0, 1, above=True)
FACTOR = Range(0, 10, above=True)
DECAY = Range(0, 0.999999)  # of a running average: with 1 it would never change
RULE = {'less', 'greater'}

RANGES: dict[Any, Ranges] = {
    DataLoader: dict(
        batch_size=Range(1, 65536),
        num_workers=Range(0, 256, also=('auto',)),
        timeout=Range(0, 86400),
        prefetch_factor=Range(1, 1024),
        multiprocessing_context={'fork', 'spawn', 'forkserver'},
    ),
    DefaultSampler: dict(seed=SEED),
    InfiniteSampler: dict(seed=SEED),
    EpochBasedTrainLoop: dict(
        max_epochs=EPOCHS, val_begin=Range(0, MAX_EPOCHS, step=1), val_interval=EPOCHS, dynamic_intervals=EPOCHS
    ),
    IterBasedTrainLoop: dict(max_iters=COUNT, val_begin=COUNT_FROM_0, val_interval=COUNT, dynamic_intervals=COUNT),
    OptimWrapper: dict(accumulative_counts=Range(1, 65536)),
    AmpOptimWrapper: dict(
        loss_scale=Range(0, 2**32, above=True, also=('dynamic',)), dtype={'float16', 'bfloat16', 'float32', 'float64'}
    ),
    Optimizer: dict(
        **dict.fromkeys(('lr', 'lambd'), FACTOR),
        **dict.fromkeys(('momentum', 'betas', 'alpha', 'rho', 'momentum_decay'), DECAY),
        **dict.fromkeys(('weight_decay', 'lr_decay', 'dampening', 'initial_accumulator_value'), SHARE),
        eps=SHARE_ABOVE_0,
        maximize={False},  # it would raise the loss
        capturable={False},
        differentiable={False},  # for CUDA graphs and second derivatives
        t0=COUNT,
        etas=Range(0, 10, above=True, length=2, rising=True),
        step_sizes=Range(0, 1000, above=True, length=2, rising=True),
    ),
    _ParamScheduler: dict(begin=COUNT_FROM_0, end=Range(1, 10**9), last_step=Range(-1, MAX_STEPS)),
    schedulers.StepParamScheduler: dict(step_size=COUNT, gamma=FACTOR),
    schedulers.MultiStepParamScheduler: dict(milestones=Range(0, MAX_STEPS, rising=True), gamma=FACTOR),
    schedulers.ConstantParamScheduler: dict(factor=SHARE_ABOVE_0),
    schedulers.ExponentialParamScheduler: dict(gamma=FACTOR),
    schedulers.CosineAnnealingParamScheduler: dict(T_max=COUNT, eta_min=SHARE, eta_min_ratio=SHARE),
    schedulers.LinearParamScheduler: dict(start_factor=SHARE_ABOVE_0, end_factor=SHARE),
    schedulers.PolyParamScheduler: dict(eta_min=SHARE, power=FACTOR),
    schedulers.OneCycleParamScheduler: dict(
        eta_max=FACTOR,
        total_steps=COUNT,
        pct_start=SHARE,
        anneal_strategy={'cos', 'linear'},
        div_factor=Range(0, 1e6, above=True),
        final_div_factor=Range(0, 1e12, above=True),
    ),
    schedulers.CosineRestartParamScheduler: dict(
        periods=COUNT, restart_weights=FACTOR, eta_min=SHARE, eta_min_ratio=SHARE
    ),
    schedulers.ReduceOnPlateauParamScheduler: dict(
        rule=RULE,
        factor=Range(0, 0.999999, above=True),
        patience=COUNT_FROM_0,
        threshold=Range(0, 1000),
        threshold_rule={'rel', 'abs'},
        cooldown=COUNT_FROM_0,
        min_value=SHARE,
        eps=SHARE,
    ),
    CheckpointHook: dict(interval=COUNT_OR_NEVER, max_keep_ckpts=COUNT_OR_NEVER, save_begin=COUNT_FROM_0, rule=RULE),
    LoggerHook: dict(interval=COUNT, interval_exp_name=COUNT),
    NaiveVisualizationHook: dict(interval=COUNT),
    ProfilerHook: dict(profile_times=COUNT),
    EarlyStoppingHook: dict(rule=RULE, min_delta=Range(0, 1e6), patience=EPOCHS, stopping_threshold=Range(-1e6, 1e6)),
    EMAHook: dict(begin_iter=COUNT_FROM_0, begin_epoch=Range(0, MAX_EPOCHS)),
    BaseAveragedModel: dict(interval=Range(1, 100_000)),
    ExponentialMovingAverage: dict(momentum=Range(0, 0.999999, above=True)),
    MomentumAnnealingEMA: dict(gamma=Range(1, 1e6)),
    LogProcessor: dict(window_size=Range(1, 1_000_000), num_digits=Range(0, 16)),
}
