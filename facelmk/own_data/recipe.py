"""The config of a training on own data: few steps from the weights of a model, mild augmentation, averaged weights."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine import Config

from ..config.own_markups import plain_markup
from ..datasets.base import pipeline_of
from ..files.atomic import write_bytes
from ..markups import SHIPPED
from .prepare import OwnData

BATCH = 32
STEPS, EPOCHS = 40, 4  # of an epoch on a small set; epochs
MOST_REPEATS = 10  # of a face in an epoch
RATE = 5e-4
CONFIG, START = 'config.py', 'start.pth'
LEFT_OUT = ('ShareLandmarks', 'WeighPoints')  # steps that need the landmark scheme of the model


def recipe(data: OwnData, model: Mapping[str, Any], base: Config, folder: Path) -> dict[str, Any]:
    """Return the values of the config; `base` is that of the model, whose crops and augmentation are used."""
    train = len(data.faces['train'])
    batch = min(BATCH, max(2, train))
    repeats = max(1, min(MOST_REPEATS, math.ceil(STEPS * batch / train)))
    reader = dict(
        type='CocoFaces', data_root=str(folder.absolute()), image_root=str(data.image_root), markup=data.markup.name
    )
    training = dict(type='RepeatedFaces', times=repeats, dataset=dict(reader, ann_file='train.json'))
    own: dict[str, Any] = {} if data.markup.name in SHIPPED else {'markups': [plain_markup(data.markup)]}
    evaluator = [
        dict(type='NME', norm=data.norm),
        dict(type='FailureRate', threshold=0.08, norm=data.norm),
        dict(type='AUC', threshold=0.1, norm=data.norm),
    ]
    warm_up = max(1, repeats * train // batch // 3)
    values = own | dict(
        default_scope='facelmk',
        model=dict(model),
        train_pipeline=_training_pipeline(base, mirrored=bool(data.markup.pairs)),
        val_pipeline=list(_crop_pipeline(base)),
        train_dataloader=dict(batch_size=batch, num_workers=2, dataset=training),
        val_dataloader=dict(batch_size=BATCH, num_workers=2, dataset=dict(reader, ann_file='val.json')),
        val_evaluator=evaluator,
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=RATE, weight_decay=0.01)),
        train_cfg=dict(by_epoch=True, max_epochs=EPOCHS, val_interval=1),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=warm_up),
            dict(type='CosineAnnealingLR', T_max=EPOCHS, eta_min=RATE / 50, convert_to_iter_based=True),
        ],
        custom_hooks=[
            dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.01, update_buffers=True, priority=49)
        ],
        default_hooks=dict(
            timer=dict(type='IterTimerHook'),
            logger=dict(type='LoggerHook', interval=20),
            param_scheduler=dict(type='ParamSchedulerHook'),
            checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2, minutes=5, save_best='NME'),
            sampler_seed=dict(type='DistSamplerSeedHook'),
            statistics=dict(type='SyncStatistics'),
            guard=dict(type='Guard'),
        ),
        env_cfg=dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0), dist_cfg=dict(backend='nccl')),
        randomness=dict(seed=0),
        load_from=str((folder / START).absolute()),
        work_dir=str(folder.absolute()),
    )
    if 'test' in data.faces:
        values['test_dataloader'] = dict(values['val_dataloader'], dataset=dict(reader, ann_file='test.json'))
    return values


def _training_pipeline(base: Config, mirrored: bool) -> list[dict[str, Any]]:
    """Return the milder augmentation of a model's training: that of its second stage, where it has one."""
    second = [hook for hook in base.get('custom_hooks') or () if hook.get('type') == 'SwitchPipeline']
    loader = base.get('train_dataloader')  # a checkpoint for prediction may have no training
    own = pipeline_of(loader.get('dataset') or {}) if loader else _crop_pipeline(base)
    steps: Sequence[Any] = second[0]['pipeline'] if second else own
    steps = [dict(step) for step in steps if step['type'] not in LEFT_OUT]
    return steps if mirrored else [step | {'flip': 0.0} if 'flip' in step else step for step in steps]


def _crop_pipeline(base: Config) -> Sequence[Any]:
    """Return the crop without augmentation, as the predictor finds it."""
    loader: Any = base.get('val_dataloader') or base.test_dataloader
    return pipeline_of(loader.get('dataset') or {})


def write_config(values: Mapping[str, Any], title: str, file: Path) -> None:
    """Write a config as plain data."""
    text = Config(dict(values)).pretty_text
    write_bytes(file, f'{title!r}\n\n{text}\n'.encode())
