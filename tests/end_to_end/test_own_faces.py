"""The commands of the README for your own pictures with .pts files: train, test, predict."""

import json
import subprocess
import sys

import pytest
from processes import environment

from facelmk.datasets import PtsFaces, SyntheticFaces
from facelmk.faces import save

CONFIG = 'awing_hg1_pts'


def facelmk(*arguments, cwd, limit=150):
    """Run `facelmk ARGUMENTS` and return its output."""
    done = subprocess.run(
        [sys.executable, '-m', 'facelmk.cli', *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=limit,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def small(pixels, epochs, **others):
    """Return --cfg-options for crops of that size."""
    options = {
        f'{phase}_dataloader.{key}': value
        for phase in ('train', 'val')
        for key, value in {'dataset.pipeline.1.size': pixels, 'num_workers': 0, **others}.items()
    }
    return [
        '--cfg-options',
        f'train_cfg.max_epochs={epochs}',
        'randomness.seed=3',
        *(f'{key}={value}' for key, value in options.items()),
    ]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """18 drawn faces in two folders, with points that start at 1, among other files."""
    root = tmp_path_factory.mktemp('my faces')
    faces = SyntheticFaces('300w', 18, seed=11, size=96)
    for i in range(len(faces)):
        face = faces.face(i)
        path = root / ('01_Indoor' if i % 2 else '02_Outdoor') / f'face_{i:02}.png'
        save(face['image'], path)
        points = '\n'.join(f'{x + 1:.3f} {y + 1:.3f}' for x, y in face['landmarks'])
        path.with_suffix('.pts').write_text(f'version: 1\nn_points:  68\n{{\n{points}\n}}\n')
    (root / '01_Indoor' / 'Thumbs.db').write_bytes(b'\0\1')
    (root / '01_Indoor' / 'aaa_first.pts').write_text('version: 1\nn_points: 68\n{\n}\n')  # no picture beside it
    save(faces.face(0)['image'], root / '02_Outdoor' / 'unlabelled.png')
    (root / 'readme.txt').write_text('stray')
    return root


def test_train_test_and_predict_on_your_own_folder(folder, tmp_path):
    quick = small(64, 1, **{'dataset.share': 0.3, 'batch_size': 4})
    facelmk('train', CONFIG, '--data', folder, '--work-dir', 'run', *quick, cwd=tmp_path)
    (best,) = (tmp_path / 'run').glob('best_NME_epoch_*.pth')
    facelmk('test', CONFIG, best, '--data', folder, '--out', 'metrics.json', *quick, cwd=tmp_path)
    parts = {
        part: {face['path'] for face in PtsFaces(data_root=str(folder), part=part, share=0.3).faces}
        for part in ('train', 'val')
    }
    assert json.loads((tmp_path / 'metrics.json').read_text())['faces'] == len(parts['val']) > 0
    assert not parts['train'] & parts['val'] and len(parts['train'] | parts['val']) == 18

    rows = json.loads(
        facelmk(
            'predict',
            CONFIG,
            folder / '02_Outdoor',
            '--weights',
            best,
            '--boxes',
            'full',
            '--out',
            'drawn',
            '--json',
            '--cfg-options',
            'val_dataloader.dataset.pipeline.1.size=64',
            cwd=tmp_path,
        )
    )
    assert len(rows) == 10 and all(len(row['faces'][0]['landmarks']) == 68 for row in rows)
    assert len(list((tmp_path / 'drawn').rglob('*.png'))) == 10


@pytest.mark.slow
def test_adaptive_wing_learns_real_faces_in_a_few_epochs(shared, tmp_path):
    """Two epochs of 128-pixel crops and one hourglass; the error falls by at least a fifth."""
    images = shared / 'data' / 'lfpw68' / 'images'
    if not images.is_dir():
        pytest.skip(f'no real faces: {images} is not there')
    facelmk('train', CONFIG, '--data', images, '--work-dir', 'run', *small(128, 2), cwd=tmp_path, limit=1500)
    (scalars,) = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    errors = [line['NME'] for line in map(json.loads, scalars.read_text().splitlines()) if 'NME' in line]
    assert len(errors) == 2 and errors[-1] <= 0.8 * errors[0], errors
