"""The ladder gives every row drawn faces, and the length and size of the rung."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from config_kinds import LANDMARK_CONFIGS

from facelmk.config import load_config

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope='module')
def ladder() -> ModuleType:
    spec = importlib.util.spec_from_file_location('ladder', ROOT / 'tools/ladder.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('name', LANDMARK_CONFIGS)
def test_the_reduced_rung_has_few_small_drawn_faces(ladder: ModuleType, name: str) -> None:
    config, model = ladder.climb(name, 'reduced'), load_config(name).model
    markup = model.get('markup', 'wflw')
    assert config.model.size == 64 and config.model.backbone.pretrained is None
    for phase, count in (('train', 1000), ('val', 300), ('test', 300)):
        dataset = config[f'{phase}_dataloader'].dataset
        assert (dataset.type, dataset.count, dataset.markup) == ('SyntheticFaces', count, markup)
        assert [step['size'] for step in dataset.pipeline if step['type'] == 'CropFace'] == [64]
    assert config.train_cfg.max_epochs == 3
    assert not any(hook['type'] == 'SwitchPipeline' for hook in config.custom_hooks)
    assert {key: value for key, value in config.model.items() if key not in ('size', 'backbone')} == {
        key: value for key, value in model.items() if key not in ('size', 'backbone')
    }


def test_the_tenth_rung_shortens_every_schedule(ladder: ModuleType) -> None:
    config = ladder.climb('rtmpose_m_wflw', 'tenth')
    warm_up, cosine = config.param_scheduler
    assert (config.train_cfg.max_epochs, warm_up.end) == (6, 100)
    assert (cosine.begin, cosine.end, cosine.T_max) == (3, 6, 3)
    assert [hook.epoch for hook in config.custom_hooks if 'epoch' in hook] == [5]
    assert ladder.climb('hrnetv2_w18_wflw', 'tenth').param_scheduler[1].milestones == [4, 5]
    assert ladder.climb('deeppose_r50_wflw', 'tenth').train_cfg.val_interval == 1


def test_the_full_rung_keeps_the_recipe_of_the_row(ladder: ModuleType) -> None:
    config, row = ladder.climb('hrnetv2_w18_wflw', 'full'), load_config('hrnetv2_w18_wflw')
    assert config.train_dataloader.dataset.count == 7500 and config.val_dataloader.dataset.count == 2500
    assert config.train_dataloader.dataset.pipeline == row.train_dataloader.dataset.pipeline
    assert config.param_scheduler == row.param_scheduler and config.optim_wrapper == row.optim_wrapper
