"""A detector from its config to boxes in a picture: train, test, use the checkpoint. Two epochs of a few scenes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facelmk.inference.detectors import find_detector

CONFIG = """
from mmengine.config import read_base

with read_base():
    from facelmk.configs.facelmk_detector import *

faces = [dict(type='SyntheticFaces', markup='300w', count=6, seed=1, size=96, cache='.cache/drawn')]
train_dataloader.dataset.update(count=12, faces=faces, weights=[1.0])
val_dataloader.dataset.update(count=6, faces=faces, weights=[1.0])
train_dataloader.update(batch_size=4, num_workers=0)
val_dataloader.update(batch_size=3, num_workers=0)
train_cfg.update(max_epochs=2)
custom_hooks[0].update(begin_iter=1)
del faces
"""


def facelmk(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, '-m', 'facelmk.cli', *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.slow
def test_train_test_and_find(tmp_path: Path) -> None:
    (tmp_path / 'mine.py').write_text(CONFIG)
    trained = facelmk(tmp_path, 'train', 'mine.py')
    assert trained.returncode == 0, trained.stderr
    checkpoint = 'work_dirs/mine/epoch_2.pth'
    assert (tmp_path / checkpoint).is_file() and list((tmp_path / 'work_dirs/mine').glob('best_AP_epoch_*.pth'))
    tested = facelmk(tmp_path, 'test', 'mine.py', checkpoint, '--json')
    assert tested.returncode == 0, tested.stderr
    assert set(json.loads(tested.stdout)['metrics']) == {'AP', 'Recall', 'Alarms'}
    refused = facelmk(tmp_path, 'test', 'mine.py', checkpoint, '--report', 'page')
    assert refused.returncode == 2 and '--report' in refused.stderr
    boxes, scores = find_detector(str(tmp_path / checkpoint))(np.zeros((100, 100, 3), np.uint8))
    assert boxes.shape == (len(scores), 4)
