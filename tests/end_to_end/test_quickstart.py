"""The quick start is far better than the mean face on drawn faces, and useful on photographs.

The tests use the checkpoint of `make quickstart` in work_dirs/quickstart, or train one first.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from facelmk.checkpoint import load_checkpoint
from facelmk.config import load_config
from facelmk.datasets import CropFace, CsvFaces, LoadImage, PackFace, collate_faces
from facelmk.faces import compare, save
from facelmk.geometry import apply
from facelmk.markups import convert
from facelmk.metrics import NME
from facelmk.registry import MODELS

CLONE = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def trained(tmp_path_factory) -> Path:
    """A quick-start work folder with a checkpoint."""
    folder = Path(os.environ.get('FACELMK_QUICKSTART', CLONE / 'work_dirs' / 'quickstart'))
    if not list(folder.glob('best_NME_epoch_*.pth')):
        folder = tmp_path_factory.mktemp('quickstart')
        subprocess.run(
            [sys.executable, '-m', 'facelmk.cli', 'train', 'quickstart', '--work-dir', folder], cwd=CLONE, check=True
        )
    return folder


@pytest.fixture(scope='module')
def checkpoint(trained) -> Path:
    return max(trained.glob('best_NME_epoch_*.pth'), key=lambda path: path.stat().st_mtime)


def test_it_is_four_times_better_than_the_mean_face(trained, checkpoint, tmp_path):
    subprocess.run(
        [sys.executable, '-m', 'facelmk.cli', 'test', 'quickstart', checkpoint, '--work-dir', tmp_path, '--baseline'],
        cwd=CLONE,
        check=True,
    )
    entry = json.loads((tmp_path / 'metrics.json').read_text())
    assert entry['faces'] == 1000
    assert entry['baseline']['NME'] >= 20
    assert entry['metrics']['NME'] <= entry['baseline']['NME'] / 4


def test_it_works_on_photographs(checkpoint, shared, tmp_path):
    folder = shared / 'data' / 'lfpw68'
    if not folder.is_dir():
        pytest.skip(f'no real faces: {folder} is not there')
    config = load_config('quickstart')
    model = MODELS.build(config.model).eval()
    load_checkpoint(model, checkpoint)
    size = config.val_dataloader.dataset.pipeline[1].size
    faces = CsvFaces(
        'face_landmarks_val.csv', str(folder), 'images', '300w', [LoadImage(), CropFace(size), PackFace()], origin=1
    )
    assert len(faces) == 100
    batch = collate_faces([faces[i] for i in range(100)])
    with torch.inference_mode():
        predictions = model(**model.data_preprocessor(batch), mode='predict')
    ones = np.ones(98, np.float32)
    for prediction in predictions:
        prediction['landmarks'] = convert(prediction['landmarks'].numpy(), ones, 'wflw', '300w')[0]
    metric = NME()
    metric.dataset_meta = faces.metainfo
    metric.process(batch, predictions)
    error = metric.evaluate(100)['NME']
    draw(faces, predictions, tmp_path)
    assert error <= 9, f'{error:.2f} %; overlays in {tmp_path}'
    print(f'NME on {len(faces)} real faces: {error:.2f} %; overlays in {tmp_path}')


def draw(faces, predictions, folder):
    """Draw a sheet of all faces: truth green, prediction red."""
    tiles = []
    for i, prediction in enumerate(predictions):
        row = faces.face(i) | {'rng': np.random.default_rng(0), 'markup': faces.markup}
        crop = CropFace(224)(LoadImage()(row))
        tiles.append(compare(crop['image'], apply(crop['warp'], prediction['landmarks']), crop['points']))
    columns = 10
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, columns * math.floor(len(tiles) / columns), columns)]
    save(np.vstack(rows), folder / 'faces.png')
