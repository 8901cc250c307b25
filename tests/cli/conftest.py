"""A small config, and a way to run verbs in this process."""

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
    """The name of a config file in the current folder, an empty one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'small.py').write_text(CONFIG)
    return 'small.py'


@pytest.fixture
def verb(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a verb, checks its exit code, and gives what it printed: stdout, or stderr where it failed."""

    def run(*words: str, code: int = 0) -> str:
        try:
            found = main(list(words))
        except SystemExit as end:  # argparse's
            found = end.code
        told = capsys.readouterr()
        assert found == code, told
        return told.err if code else told.out

    return run
