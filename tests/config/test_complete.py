"""Pipelines under names of their own: `load_config` puts them into the loaders and into SwitchPipeline."""

from collections.abc import Callable
from pathlib import Path

import pytest
from config_kinds import DETECTOR_CONFIGS

from facelmk.config import config_names, load_config
from facelmk.errors import FacelmkError

BASED = 'from mmengine.config import read_base\nwith read_base():\n    from facelmk.configs.{} import *\n'
OWN = "[dict(type='LoadImage'), dict(type='CropFace', size={}, padding=2), dict(type='PackFace')]"
OWN_112 = OWN.format(112)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a config that is based on one of facelmk's, and returns its path."""

    def write(text: str, base: str = 'quickstart') -> Path:
        path = tmp_path / 'mine.py'
        path.write_text(BASED.format(base) + text)
        return path

    return write


def paddings(config) -> list[float]:
    """The padding of the crops of training, validation and test."""
    datasets = [config[f'{phase}_dataloader'].dataset for phase in ('train', 'val', 'test')]
    return [step.get('padding', 1) for dataset in datasets for step in dataset.pipeline if step.type == 'CropFace']


@pytest.mark.parametrize('name', config_names())
def test_every_config_is_complete(name: str) -> None:
    config = load_config(name)
    for phase in ('train', 'val', 'test'):
        kinds = [step.type for step in config[f'{phase}_dataloader'].dataset.pipeline]
        crop, pack = ('FitScene', 'PackScene') if name in DETECTOR_CONFIGS else ('CropFace', 'PackFace')
        assert (kinds[0], kinds[-1]) == ('LoadImage', pack) and crop in kinds
    assert not {'train_pipeline', 'train_pipeline_stage2', 'val_pipeline', 'protocols'} & set(config)


def test_a_config_replaces_a_pipeline_by_its_name(write: Callable[..., Path]) -> None:
    config = load_config(write(f'train_pipeline = val_pipeline = {OWN.format(64)}'))
    assert paddings(config) == [2, 2, 2] and config.model.size == 64
    assert paddings(load_config(write(f'val_pipeline = {OWN_112}'))) == [1, 2, 2]


def test_a_data_set_keeps_a_pipeline_of_its_own(write: Callable[..., Path]) -> None:
    assert paddings(load_config(write(f'val_dataloader.dataset.update(pipeline={OWN_112})'))) == [1, 2, 2]
    assert paddings(load_config(write(f'train_dataloader.dataset.update(pipeline={OWN_112})'))) == [2, 1, 1]


def test_a_data_set_that_takes_no_pipeline_gets_none(write: Callable[..., Path]) -> None:
    text = "train_dataloader.dataset = dict(type='ConcatDataset', datasets=[])"
    assert 'pipeline' not in load_config(write(text)).train_dataloader.dataset


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({'train_pipeline.1.padding': 2}, [2, 1, 1]),
        ({'val_pipeline.1.padding': 2}, [1, 2, 2]),
        ({'train_dataloader.dataset.pipeline.1.padding': 2}, [2, 1, 1]),
        ({'val_dataloader.dataset.pipeline.1.padding': 2}, [1, 2, 2]),
        ({'test_dataloader.dataset.pipeline.1.padding': 2}, [1, 1, 2]),
        ({'val_dataloader.dataset.pipeline.1.rotate': 5, 'val_pipeline.1.padding': 2}, [1, 2, 2]),
    ],
)
def test_options_reach_a_pipeline_by_its_name_and_by_its_loader(options: dict, expected: list[int]) -> None:
    assert paddings(load_config('quickstart', options)) == expected


def test_the_second_stage_goes_into_its_hook(write: Callable[..., Path]) -> None:
    options = {'custom_hooks.1.pipeline.1.rotate': 7}
    before, after = (load_config('rtmpose_m_wflw', given).custom_hooks[1].pipeline for given in ({}, options))
    assert (before[1].rotate, after[1].rotate) == (60, 7)
    config = load_config(write(f'train_pipeline_stage2 = {OWN.format(256)}', base='rtmpose_m_wflw'))
    assert config.custom_hooks[1].pipeline[1].padding == 2


@pytest.mark.parametrize('name', ['train_pipeline', 'train_pipeline_stage2', 'val_pipeline'])
@pytest.mark.parametrize(
    ('value', 'fact'),
    [
        ("[dict(type='CropFace', sise=64)]", "'sise'"),
        ("[dict(type='CropFaces')]", "'CropFace'"),
        ('[dict(size=64)]', 'no type'),
        ("'mine'", "'mine'"),
    ],
)
def test_a_pipeline_is_validated_under_its_name(write: Callable[..., Path], name: str, value: str, fact: str) -> None:
    path = write(f'{name} = {value}')
    with pytest.raises(FacelmkError) as caught:
        load_config(path)
    assert caught.value.exit_code == 2
    assert all(word in str(caught.value) for word in (name, fact, 'mine.py'))


def test_a_misspelt_pipeline_is_refused(write: Callable[..., Path]) -> None:
    with pytest.raises(FacelmkError, match="'train_pipeline'"):
        load_config(write(f'train_pipline = {OWN}'))
