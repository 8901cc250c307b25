"""A complete test run by the tool, with a model that needs no weights: table, files, pictures and page."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from helpers.pages import check_page_alone

ROOT = Path(__file__).parents[2]
PARTS = '''
"""A model that returns the ground truth plus an error, a given share of the distance of the eyes."""
import torch
from mmengine.model import BaseModel

from facelmk.registry import MODELS


@MODELS.register_module()
class Knowing(BaseModel):
    def __init__(self, share=.05):
        super().__init__()
        self.share, self.unused = share, torch.nn.Parameter(torch.zeros(1))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        truth = data_samples['landmarks'].double()
        eyes = (truth[:, 60] - truth[:, 72]).norm(dim=-1)
        number = torch.tensor([float(name.rsplit('/')[-1]) for name in data_samples['id']])
        error = self.share * eyes * (1 + number)  # 5 % for face 0, 10 % for face 1, ...
        landmarks = truth + torch.stack([error, 0 * error], -1)[:, None]
        return [dict(id=i, landmarks=face, scores=torch.ones(len(face)))
                for i, face in zip(data_samples['id'], landmarks)]
'''
CONFIG = """
custom_imports = dict(imports=['knowing'])
crop = [dict(type='LoadImage'), dict(type='CropFace', size=64), dict(type='PackFace')]
train_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=4, seed=9, size=64, pipeline=crop))
val_dataloader = dict(batch_size=2, num_workers=0, dataset=dict(
    type='SyntheticFaces', count=5, size=64, pipeline=crop, subsets=('pose', 'makeup', 'none_has_it')))
val_evaluator = [
    dict(type='NME', average='face'), dict(type='FailureRate', threshold=.12), dict(type='AUC', threshold=.2)]
model = dict(type='facelmk.Knowing')
train_cfg = dict(max_epochs=1)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=.1))
"""


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the output of the tool."""
    import torch

    folder = tmp_path_factory.mktemp('conclude')
    (folder / 'knowing.py').write_text(PARTS)
    (folder / 'x<y>.py').write_text(CONFIG)
    torch.save({'state_dict': {'unused': torch.zeros(1)}}, folder / 'some.pth')
    options = '--work-dir work --out out/m.json --dump out/p.json --report page --badcase 2 --baseline'
    command = [sys.executable, ROOT / 'tools/test.py', 'x<y>.py', 'some.pth', *options.split()]
    result = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
    )
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-3000:]
    (folder / 'stdout').write_text(result.stdout)
    return folder


def test_table(folder: Path) -> None:
    lines = (folder / 'stdout').read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:2] == ['model', 'test'])
    assert lines[start].split() == ['model', 'test', '95', '%', 'interval', 'pose', 'makeup', 'none_has_it']
    assert [line.split()[:2] for line in lines[start + 1 : start + 5]] == [
        ['NME', '15.00'],
        ['FR@0.12', '60.00'],
        ['AUC@0.2', '30.00'],
        ['faces', '5'],
    ]  # errors 5, 10, 15, 20, 25 %
    assert lines[start + 1].split()[-1] == '–' and lines[start + 4].split()[-1] == '0'
    assert lines[start + 5].startswith('baseline: mean face in the box')
    assert lines[start + 9].startswith(
        'NME, FR and AUC in per cent; errors over the distance of the outer eye corners;'
    )
    assert 'over faces' in lines[start + 9]
    low, _, high = lines[start + 1].split()[2:5]
    assert 5 <= float(low) < 15 < float(high) <= 25


def test_metrics_file(folder: Path) -> None:
    entry = json.loads((folder / 'out/m.json').read_text())
    assert entry == json.loads((folder / 'work/metrics.json').read_text())
    assert set(entry) == {
        *('config', 'checkpoint', 'faces', 'metrics', 'versions', 'ranks', 'baseline'),
        *('intervals', 'bootstrap', 'per_face', 'checkpoint_sha256'),
    }
    assert entry['per_face']['error'] == pytest.approx([5, 10, 15, 20, 25], abs=1e-3)
    assert entry['config'] == 'x<y>' and entry['checkpoint'] == 'some.pth'
    assert entry['checkpoint_sha256'] == hashlib.sha256((folder / 'some.pth').read_bytes()).hexdigest()
    assert entry['faces'] == 5 and entry['ranks'] == 1
    assert entry['metrics']['NME'] == pytest.approx(15, abs=1e-4)
    assert entry['baseline'].keys() == {key for key in entry['metrics'] if 'time' not in key}
    assert entry['baseline']['NME'] > 5


def test_dumped_predictions(folder: Path) -> None:
    faces = json.loads((folder / 'out/p.json').read_text())
    assert [set(face) for face in faces] == [{'id', 'landmarks', 'scores', 'error', 'tags'}] * 5
    assert [face['id'] for face in faces] == [f'synthetic/0/{i}' for i in range(5)]
    assert [face['error'] for face in faces] == pytest.approx([5, 10, 15, 20, 25], abs=1e-3)
    assert len(faces[0]['landmarks']) == 98 and len(faces[0]['landmarks'][0]) == 2 and faces[0]['scores'] == [1.0] * 98


def test_worst_faces(folder: Path) -> None:
    names = sorted(file.name for file in (folder / 'work/badcase').iterdir())
    assert names == ['001_25.00_synthetic_0_4.jpg', '002_20.00_synthetic_0_3.jpg']
    picture = cv2.imread(str(folder / 'work/badcase' / names[0]))
    red, green = picture[..., 2].astype(int) - picture[..., 1], picture[..., 1].astype(int) - picture[..., 2]
    assert picture.shape == (320, 320, 3) and (red > 100).sum() > 100 and (green > 100).sum() > 100


def test_page(folder: Path) -> None:
    assert [file.name for file in (folder / 'page').iterdir()] == ['index.html']
    source = (folder / 'page/index.html').read_text()
    page = check_page_alone(source)
    assert 'x<y>' in page.text and 'x<y>' not in source
    assert source.count('data:image/jpeg') == 15 == len(page.photos)  # 5 worst, 5 typical, 5 random
    digest = hashlib.sha256((folder / 'some.pth').read_bytes()).hexdigest()
    for word in (
        *('15.00', 'baseline: mean face in the box', 'the distance of the outer eye corners', 'some.pth', digest[:16]),
        *('torch', 'cumulative', 'Worst faces', 'all points', 'SyntheticFaces', 'AUC@0.2 30.00 %', 'FR@0.12 60.00 %'),
    ):
        assert word.lower() in (page.text + source).lower(), word


def test_worst_faces_come_first_on_the_page(folder: Path) -> None:
    source = (folder / 'page/index.html').read_text()
    worst = source[source.index('Worst faces') :]
    assert [worst.index(f'synthetic/0/{i}') for i in (4, 3, 2, 1, 0)] == sorted(
        worst.index(f'synthetic/0/{i}') for i in range(5)
    )
