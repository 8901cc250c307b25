"""num_workers='auto', and pinned memory."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers.photographs import Photographed
from mmengine import Config, ConfigDict

from facelmk.config import load_config
from facelmk.datasets.crops.build import CropCacheBuilder
from facelmk.datasets.crops.index import About
from facelmk.engine import loaders
from facelmk.engine.loaders import log_crop_cache, settle_loaders, with_workers, workers_for
from facelmk.registry import MODELS


@pytest.mark.parametrize(
    ('batch_s', 'step_s', 'most', 'workers'),
    [(0.1, 1.0, 8, 1), (1.0, 1.0, 8, 2), (4.0, 1.0, 8, 5), (40.0, 1.0, 8, 8), (0.0, 0.0, 8, 1), (9.0, 1.0, 1, 1)],
)
def test_workers_keep_up_with_the_step(batch_s, step_s, most, workers) -> None:
    """1.25 times the time of a batch, divided by that of a step, rounded up; between 1 and `most`."""
    assert workers_for(batch_s, step_s, most) == workers


@pytest.fixture
def run() -> tuple[SimpleNamespace, Config]:
    config = load_config('quickstart', {'train_dataloader.num_workers': 'auto', 'train_dataloader.dataset.count': 20})
    config.train_dataloader.dataset.cache = None
    logger = SimpleNamespace(lines=[], info=lambda line, **_: logger.lines.append(line))
    return SimpleNamespace(model=MODELS.build(config.model), hooks=[], logger=logger), config


def states() -> tuple:
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()


def test_the_probe_changes_nothing(run, monkeypatch) -> None:
    runner, config = run
    monkeypatch.setattr(loaders, 'cores', lambda: 9)
    weights = {name: value.clone() for name, value in runner.model.state_dict().items()}
    before, training = states(), runner.model.training
    made = with_workers(runner, config.train_dataloader)
    assert states() == before and runner.model.training == training
    assert all(torch.equal(value, weights[name]) for name, value in runner.model.state_dict().items())
    assert all(parameter.grad is None for parameter in runner.model.parameters())
    assert 1 <= made['num_workers'] <= 8 and len(made['dataset']) == 20
    assert len(runner.logger.lines) == 1 and f'auto: {made["num_workers"]} workers' in runner.logger.lines[0]


def test_a_number_stays(run) -> None:
    runner, config = run
    config.train_dataloader.num_workers = 3
    assert with_workers(runner, config.train_dataloader) is config.train_dataloader
    assert runner.logger.lines == []


def test_memory_is_pinned_only_with_a_gpu(monkeypatch) -> None:
    def settled() -> Config:
        config = Config({f'{phase}_dataloader': ConfigDict(num_workers='auto') for phase in ('train', 'val')})
        settle_loaders(config)
        return config

    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert 'pin_memory' not in settled().train_dataloader
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    config = settled()
    assert config.train_dataloader.pin_memory and config.val_dataloader.pin_memory
    assert config.train_dataloader.num_workers == 'auto', 'the probe of the training decides'
    assert config.val_dataloader.num_workers >= 1
    config.train_dataloader.pin_memory = False
    settle_loaders(config)
    assert config.train_dataloader.pin_memory is False


def test_a_crop_cache_is_logged(tmp_path) -> None:
    """With the number of faces that it holds; a warning if some are missing."""
    lines: list[tuple[str, str]] = []
    logger = SimpleNamespace(
        **{kind: lambda text, kind=kind: lines.append((kind, text)) for kind in ('info', 'warning')}
    )
    Photographed.write(tmp_path)
    steps = [dict(type='LoadImage'), dict(type='CropFace', size=64)]
    plain = Photographed(tmp_path, steps)
    CropCacheBuilder(tmp_path / 'cache', plain, [plain.pipeline], About('raw')).build(say=lambda _: None)
    cached = Photographed(tmp_path, [dict(steps[0], crop_cache=str(tmp_path / 'cache')), steps[1]])
    runner = SimpleNamespace(logger=logger)
    log_crop_cache(runner, plain)
    assert not lines
    log_crop_cache(runner, cached)
    assert [kind for kind, _ in lines] == ['info'] and '7 of 7' in lines[0][1]
    (tmp_path / '0.jpg').write_bytes(b'')
    log_crop_cache(runner, cached)
    assert lines[1][0] == 'warning' and '5 of 7' in lines[1][1]
