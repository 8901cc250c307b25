"""A small config, and a fixture that runs verbs in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from facelmk.cli import main

CONFIG = """
crop = [dict(type='LoadImage'), dict(type='CropFace', size=64, flip=1.), dict(type='PackFace')]
train_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=6, seed=9, size=64, pipeline=crop))
val_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=3, size=64, pipeline=crop))
val_evaluator = [dict(type='NME')]
model = dict(type='facelmk.FaceLandmarker', backbone=dict(type='ResNet', depth=18), head=dict(type='RegressionHead'),
             codec=dict(type='Coordinates'), loss=dict(type='WingLoss'))
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a config file in the current folder, which holds nothing else."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'small.py').write_text(CONFIG)
    return 'small.py'


@pytest.fixture
def verb(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a verb, checks its exit code, and returns its stdout, or its stderr after a failure."""

    def run(*words: str, code: int = 0) -> str:
        try:
            exit_code = main(list(words))
        except SystemExit as end:  # from argparse
            exit_code = end.code
        printed = capsys.readouterr()
        assert exit_code == code, printed
        return printed.err if code else printed.out

    return run
