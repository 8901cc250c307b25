"""Runs of small networks on a handful of samples, for the tests of saving and of faults."""

import itertools

import torch
from mmengine import Config
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

_NUMBERS = itertools.count()  # mmengine wants a new name for each run of a process


class Toy(BaseModel):
    """One weight, which learns the mean of its inputs."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        if mode == 'loss':
            return {'loss_a': self.layer(inputs).square().mean()}
        return [1] * len(inputs)


def run(folder, epochs=3, resume=False, load=None, scheduler=None, guard=None, rate=0.1, data=None, **options):
    """A Runner on four samples in batches of two."""
    samples = [dict(inputs=torch.full((1,), float(i))) for i in range(4)] if data is None else data
    loader = dict(
        dataset=samples,
        batch_size=2,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
    )
    hooks = dict(checkpoint=dict(type='CheckpointHook', interval=1, **options), guard=guard or dict(type='Guard'))
    return Runner(
        model=Toy(),
        cfg=Config(dict(param_scheduler=scheduler)),
        work_dir=str(folder),
        train_dataloader=loader,
        train_cfg=dict(type='EpochLoop', max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=rate)),
        default_scope='facelmk',
        log_level='ERROR',
        default_hooks=hooks,
        resume=resume,
        load_from=load,
        param_scheduler=scheduler,
        randomness=dict(seed=1),
        experiment_name=f'{folder}{epochs}{resume}{next(_NUMBERS)}'.replace('/', '_'),
    )


def faces(bad=None, value=float('nan'), count=8):
    """Samples with ids; number `bad` has another value."""
    return [
        dict(inputs=torch.full((1,), value if i == bad else float(i)), data_samples=dict(id=f'face{i}'))
        for i in range(count)
    ]


class Parts(BaseModel):
    """BatchNorm, two loss terms with gradients of their own, and a value that is not a loss."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2))
        self.root = nn.Parameter(torch.ones(1))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        bad = inputs.isnan().any()
        steep = (self.root * ~bad).sqrt().sum()  # at 0 the slope is infinite, and infinite times 0 is NaN
        inputs = inputs.nan_to_num()
        return {'loss_a': self.layer(inputs).square().mean(), 'loss_b': steep, 'accuracy': torch.tensor(torch.nan)}


def parts(folder, data, action='stop', epochs=1, wrapper=None, hooks=(), model=Parts, **options):
    """A Runner of `Parts`, or of another network."""
    return Runner(
        model(),
        str(folder),
        train_dataloader=dict(
            dataset=data,
            batch_size=2,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        train_cfg=dict(type='EpochLoop', max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.01)) | (wrapper or {}),
        default_scope='facelmk',
        log_level='ERROR',
        custom_hooks=list(hooks),
        randomness=dict(seed=1),
        default_hooks=dict(
            guard=dict(type='Guard', action=action), checkpoint=dict(type='CheckpointHook', interval=1, **options)
        ),
        experiment_name=f'{folder}'.replace('/', '_'),
    )


class Normed(BaseModel):
    """A layer and BatchNorm."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return {'loss_a': self.layer(inputs).square().mean()}


def of_size(folder, count, batch, model=Normed, validated=None, **options):
    """A Runner on `count` samples, with a validation on `validated` samples if given."""

    def loader(number):
        return dict(
            dataset=faces(count=number),
            batch_size=batch,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='DefaultSampler', shuffle=False),
            **options,
        )

    validation = {}
    if validated is not None:
        validation = dict(val_dataloader=loader(validated), val_cfg=dict(), val_evaluator=dict(type='NME'))
    return Runner(
        model(),
        str(folder),
        train_dataloader=loader(count),
        train_cfg=dict(type='EpochLoop', max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
        default_scope='facelmk',
        log_level='ERROR',
        default_hooks=dict(guard=dict(type='Guard')),
        experiment_name=f'{folder}'.replace('/', '_'),
        **validation,
    )
