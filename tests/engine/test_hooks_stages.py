"""Training in two stages: the epoch selects the pipeline, with any number of workers, and in a resumed run."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch import multiprocessing
from torch.utils.data import DataLoader

from facelmk import geometry
from facelmk.config import config_names, load_config
from facelmk.datasets import FaceDataset, FaceSampler, FromEpoch, SyntheticFaces
from facelmk.engine.hooks import SwitchPipeline
from facelmk.errors import FacelmkError, UnknownName

FIRST, SECOND = dict(type='CoarseDropout', size=(0.1, 0.2)), dict(type='CoarseDropout', size=(0.6, 0.8))
STAGES = [
    [dict(type='LoadImage'), dict(type='CropFace', size=64), *step, dict(type='PackFace')]
    for step in ([], [dict(type='CoarseDropout', size=(1, 1))])
]


def of_size(steps, size=112):
    """The same pipeline with crops of the size that the quick start's network takes."""
    return [step | dict(size=size) if step['type'] == 'CropFace' else step for step in steps]


class Grey(FaceDataset):
    """Seven grey images."""

    def __len__(self):
        return 7

    def face(self, index):
        return dict(id=index, image=np.full((20, 20, 3), 9, np.uint8))


def keep(samples):
    """Share of black pixels by id."""
    return [(sample['id'], float((sample['image'] == 0).mean())) for sample in samples]


def loader(workers, persistent):
    data = Grey('wflw', [FIRST])
    return DataLoader(
        data,
        2,
        sampler=FaceSampler(data, shuffle=True, seed=1),
        num_workers=workers,
        collate_fn=keep,
        persistent_workers=persistent,
    )


def epochs(faces, numbers):
    """The samples of a loader in each of these epochs; the loader starts at the first."""
    rows = {}
    for epoch in numbers:
        faces.sampler.set_epoch(epoch)
        rows[epoch] = [row for batch in faces for row in batch]
    return rows


def switched(faces, epoch):
    loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    SwitchPipeline(epoch, [SECOND]).before_train(SimpleNamespace(train_dataloader=faces, train_loop=loop))
    return faces


@pytest.fixture(scope='module')
def expected():
    """Five epochs, the last two of the second stage, without workers."""
    return epochs(switched(loader(0, False), 3), range(5))


def test_the_second_pipeline_starts_at_its_epoch(expected):
    for epoch, rows in expected.items():
        shares = np.array([share for _, share in rows])
        assert len(rows) == 7 and ((shares > 0.3).all() if epoch >= 3 else (shares < 0.05).all()), epoch


@pytest.mark.parametrize(('workers', 'persistent'), [(1, True), (2, True), (2, False)])
def test_workers_change_nothing(expected, workers, persistent):
    assert epochs(switched(loader(workers, persistent), 3), range(5)) == expected


@pytest.mark.parametrize('start', [2, 3, 4])
def test_a_resumed_run_gives_the_same(expected, start):
    resumed = epochs(switched(loader(1, True), 3), range(start, 5))
    assert resumed == {epoch: expected[epoch] for epoch in range(start, 5)}


def test_from_epoch_is_also_a_step_of_a_pipeline(expected):
    faces = loader(0, False)
    faces.dataset.pipeline = [FromEpoch(3, [SECOND], before=[FIRST])]
    assert epochs(faces, range(5)) == expected


def test_other_loops_and_data_sets_are_refused():
    hook, faces = SwitchPipeline(1, [SECOND]), loader(0, False)
    with pytest.raises(FacelmkError, match='IterBasedTrainLoop.*by_epoch'):
        hook.before_train(
            SimpleNamespace(train_dataloader=faces, train_loop=IterBasedTrainLoop.__new__(IterBasedTrainLoop))
        )
    with pytest.raises(FacelmkError, match='list'):
        hook.before_train(
            SimpleNamespace(
                train_dataloader=SimpleNamespace(dataset=[]),
                train_loop=EpochBasedTrainLoop.__new__(EpochBasedTrainLoop),
            )
        )


def test_a_config_is_checked_inside_the_hook():
    def load(step):
        return load_config('quickstart', {'custom_hooks': [dict(type='SwitchPipeline', epoch=1, pipeline=[step])]})

    assert load(SECOND).custom_hooks[0].pipeline[0].type == 'CoarseDropout'
    with pytest.raises(UnknownName, match="custom_hooks.*'sise'.*'size'"):
        load(dict(type='CoarseDropout', sise=1))
    with pytest.raises(UnknownName, match="'CoarseDropout'"):
        load(dict(type='CoarseDropouts'))


@pytest.mark.parametrize('name', [name for name in config_names() if name.startswith('rtmpose')])
def test_the_second_stage_of_every_config_fits_its_model(name):
    config = load_config(name)
    (hook,) = [hook for hook in config.custom_hooks if hook.type == 'SwitchPipeline']
    assert 0 < hook.epoch < config.train_cfg.max_epochs
    markup = config.model.get('markup', 'wflw')
    faces = SyntheticFaces(markup, 2, size=128, pipeline=[FromEpoch(hook.epoch, hook.pipeline)])
    face = faces[0, hook.epoch, 1]
    size, row = config.model.size, face['data_samples']
    assert face['inputs'].shape == (3, size, size) and face['inputs'].dtype == torch.uint8
    assert np.abs(row['points'] - geometry.apply(row['warp'], row['landmarks'])).max() == 0


class Watch(Hook):
    """Record the epoch of each batch and whether its images are black."""

    def __init__(self, records):
        self.records = records

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.records.append((runner.epoch, int(data_batch['inputs'].max()) == 0))


def train(rank, folder, resume):
    from facelmk.engine import run

    torch.set_num_threads(1)
    options = {
        'work_dir': str(folder),
        'custom_hooks': [dict(type='SwitchPipeline', epoch=1, pipeline=of_size(STAGES[1]))],
        'train_cfg.max_epochs': 3,
        'train_cfg.val_interval': 9,
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.checkpoint.max_keep_ckpts': 9,
        'default_hooks.checkpoint.save_best': None,
        'train_dataloader.num_workers': 1,
        'train_dataloader.dataset.count': 4,
        'train_dataloader.dataset.cache': None,
        'train_dataloader.dataset.pipeline': of_size(STAGES[0]),
        'train_dataloader.dataset.size': 112,
        'train_dataloader.batch_size': 2,
    }
    config, records, build = load_config('quickstart', options), [], run._build_runner
    assert config.train_dataloader.persistent_workers

    def watched(*arguments):
        runner = build(*arguments)
        runner.register_hook(Watch(records))
        return runner

    run._build_runner = watched
    run.train(config, resume=resume, validate=False)
    torch.save(records, folder / f'kept_{resume is not None}.pt')


@pytest.mark.slow
def test_a_full_run_and_a_resumed_run_switch(tmp_path):
    black = [(epoch, epoch >= 1) for epoch in range(3) for _ in range(2)]
    multiprocessing.spawn(train, (tmp_path, None))
    assert torch.load(tmp_path / 'kept_False.pt', weights_only=True) == black
    multiprocessing.spawn(train, (tmp_path, str(tmp_path / 'epoch_2.pth')))
    assert torch.load(tmp_path / 'kept_True.pt', weights_only=True) == black[4:]
