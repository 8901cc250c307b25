"""A training of several epochs with a crop cache ends with the weights of one that reads the photographs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.photographs import encode, noise
from helpers.processes import run_tool

from facelmk.checkpoint import read_checkpoint
from facelmk.cli import main
from facelmk.config.folders import config_folder

CONFIG = f"""
_base_ = [{str(Path(config_folder(), 'quickstart.py'))!r}]
faces = dict(type='CsvFaces', ann_file='faces.csv', markup='wflw')
train_dataloader = dict(batch_size=4, num_workers=1, persistent_workers=True, dataset=dict(faces, _delete_=True))
val_dataloader = dict(num_workers=0, dataset=dict(faces, _delete_=True))
train_cfg = dict(max_epochs=3, val_interval=3)
randomness = dict(seed=5)
default_hooks = dict(checkpoint=dict(interval=3))
del faces
"""


def write_faces(folder: Path, count: int = 10) -> None:
    """JPEGs of noise and their table."""
    lines = [','.join(['image_name', 'scale', 'center_w', 'center_h', *(f'p{i}_{a}' for i in range(98) for a in 'xy')])]
    for number in range(count):
        (folder / f'{number}.jpg').write_bytes(encode(noise(seed=number), quality=80 + number))
        points = np.random.default_rng(number).uniform(20, 80, 196).round(2).tolist()
        lines.append(','.join(map(str, [f'{number}.jpg', 0.3, 50 + number, 45, *points])))
    (folder / 'faces.csv').write_text('\n'.join(lines))


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['packed', 'raw'])
def test_weights_are_equal_bit_by_bit(kind, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_faces(tmp_path)
    Path('mine.py').write_text(CONFIG)
    assert main(['data', 'cache', 'mine.py', '--kind', kind, '--out', 'cache', '--workers', '1']) == 0
    weights = []
    for folder, options in (('plain', []), ('cached', ['--crop-cache', 'cache'])):
        run_tool('train.py', 'mine.py', '--work-dir', folder, *options, cwd=tmp_path)
        (log,) = Path(folder).rglob('*.log')
        assert ('10 of 10 faces tried' in log.read_text()) == (folder == 'cached')
        weights.append(read_checkpoint(tmp_path / folder / 'epoch_3.pth')['state_dict'])
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
