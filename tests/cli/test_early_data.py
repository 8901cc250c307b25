"""Missing data and packages are named before torch is imported, and only where loading the config would agree."""

import argparse
import importlib.util
from pathlib import Path

import pytest
from mmengine import registry as roots
from mmengine.registry import DefaultScope

from facelmk.cli import main
from facelmk.cli.early_data import refuse_missing_files
from facelmk.config import config_names, load_config
from facelmk.config.loggers import add_loggers, check_backends, check_loggers
from facelmk.datasets.needs import missing_files
from facelmk.engine.preflight import absent_files
from facelmk.errors import MissingResource


def refused(name: str, options: tuple[str, ...] = (), data: str | None = None) -> str | None:
    """Return why a config is refused early, or None."""
    words = argparse.Namespace(config=name, cfg_options=options, data=data, safe_config=False)
    try:
        refuse_missing_files(words, 'train', 'val')
    except MissingResource as error:
        return str(error)
    return None


def test_it_agrees_with_the_check_of_the_loaded_config(tmp_path: Path, monkeypatch) -> None:
    """Where nothing is on the disk, each config that loading refuses is refused early, apart from two readers of .pts and .mat."""
    monkeypatch.chdir(tmp_path)
    late = set()
    for name in config_names():
        config = load_config(name)
        parts = [config[f'{phase}_dataloader']['dataset'] for phase in ('train', 'val')]
        if any(missing_files(part, absent_files) for part in parts):
            late.update([] if refused(name) else [name])
        else:
            assert refused(name) is None, name
    assert len(late) < 0.1 * len(config_names()), late


@pytest.mark.parametrize(
    ('options', 'data', 'fact'),
    [
        ((), None, 'data/wflw'),
        (('randomness.seed=1', 'train_dataloader.dataset.root=here', 'val_dataloader.dataset.root=here'), None, None),
        (('train_dataloader.dataset.root=here',), None, 'val_dataloader'),
        (('train_dataloader.dataset.root=gone',), None, 'gone'),
        (('train_dataloader.nosuch.root=gone',), None, None),  # loading the config names the key
        ((), 'here', None),
        ((), 'gone', None),  # the folder of --data is refused with a message of its own
    ],
)
def test_options_are_heeded(options, data, fact, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path('here').mkdir()
    text = refused('hrnetv2_w18_wflw', options, data)
    assert text is None if fact is None else fact in text


def test_a_program_and_a_broken_file_are_left_to_loading(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path('program.py').write_text(
        "import os\ntrain_dataloader = dict(dataset=dict(type='PublishedFaces', root='gone'))"
    )
    Path('broken.py').write_text('train_dataloader = dict(')
    assert refused('program.py') is None and refused('broken.py') is None


def test_an_incomplete_layout_ends_before_a_work_folder_is_made(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path('data/wflw/WFLW_images').mkdir(parents=True)
    assert main(['train', 'hrnetv2_w18_wflw']) == 3
    printed = capsys.readouterr()
    assert not printed.out and len(printed.err.splitlines()) <= 10 and 'list_98pt_rect_attr_train.txt' in printed.err
    assert [path.name for path in tmp_path.iterdir()] == ['data']


@pytest.fixture
def without_packages(monkeypatch) -> None:
    """No optional package is installed."""
    original = importlib.util.find_spec
    missing = ('tensorboard', 'wandb', 'mlflow')
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name, *rest: None if name in missing else original(name, *rest)
    )


def test_each_missing_logger_is_named(without_packages: None, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(['train', 'quickstart', '--logger', 'wandb', 'tensorboard', '--logger', 'mlflow']) == 3
    printed = capsys.readouterr()
    assert all(name in printed.err for name in ('wandb', 'tensorboard', 'mlflow', '.[wandb,tensorboard,mlflow]'))
    assert not printed.out and len(printed.err.splitlines()) == 1 and not list(tmp_path.iterdir())


def test_backends_of_a_config_are_checked_too(without_packages: None) -> None:
    config = load_config('quickstart')
    check_backends(config)
    add_loggers(config, ['tensorboard', 'tensorboard'])
    types = [backend['type'] for backend in config.visualizer.vis_backends]
    assert types == ['LocalVisBackend', 'TensorboardVisBackend']
    with pytest.raises(MissingResource, match='vis_backends: tensorboard'):
        check_backends(config)


def test_installed_loggers_are_added_to_any_config() -> None:
    check_loggers([])
    config: dict = {}
    add_loggers(config, ['mlflow'])
    assert [part['type'] for part in config['visualizer']['vis_backends']] == ['LocalVisBackend', 'MLflowVisBackend']


def test_mlflow_gets_names_that_it_takes(tmp_path: Path) -> None:
    """MLflow takes letters, digits and some signs, but no @."""

    class Recorder:
        def log_metrics(self, figures: dict, step: int) -> None:
            self.figures = figures

    with DefaultScope.overwrite_default_scope('facelmk'):
        backend = roots.VISBACKENDS.build(dict(type='MLflowVisBackend', save_dir=str(tmp_path)))
    backend._env_initialized, backend._mlflow = True, Recorder()
    backend.add_scalars({'FR@0.1/pose': 1.0, 'NME': 2.0}, 3)
    assert backend._mlflow.figures == {'FR_0.1.pose': 1.0, 'NME': 2.0}
