"""facelmk data convert and facelmk data check."""

import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
HEAD = 'image_name,scale,center_w,center_h,' + ','.join(f'original_{i}_{axis}' for i in range(68) for axis in 'xy')


@pytest.fixture
def table(tmp_path, monkeypatch):
    """in.csv: two faces of 68 points, with their pictures, in the current folder."""
    monkeypatch.chdir(tmp_path)
    from facelmk.synthetic import SyntheticFaces

    faces = SyntheticFaces('300w', 2, seed=3, size=96)
    lines = [HEAD]
    for i in range(2):
        face = faces.face(i)
        cv2.imwrite(f'{i}.png', face['image'])
        x1, y1, x2, y2 = face['box'].tolist()
        lines.append(
            ','.join(
                map(
                    str,
                    [f'{i}.png', (x2 - x1) / 200, (x1 + x2) / 2, (y1 + y2) / 2, *face['landmarks'].ravel().tolist()],
                )
            )
        )
    Path('in.csv').write_text('\n'.join(lines) + '\n')
    return np.stack([faces.face(i)['landmarks'] for i in range(2)])


def test_a_csv_becomes_json_and_pts_and_csv_again(verb, table):
    stdout = verb('data', 'convert', 'in.csv', '--markup', '300w', '--to', 'coco', '--out', 'OUT.json')
    assert stdout == '2 faces in OUT.json (coco)\n'
    keypoints = [face['keypoints'] for face in json.loads(Path('OUT.json').read_text())['annotations']]
    assert np.abs(np.reshape(keypoints, (2, 68, 3))[..., :2] - table).max() < 1e-3
    written = json.loads(verb('data', 'convert', 'OUT.json', '--to', 'pts', '--out', 'points', '--json'))
    assert (written['place'], written['faces']) == ('points', 2)
    assert len(written['lost']) == 1 and 'boxes' in written['lost'][0]
    stdout = verb('data', 'convert', 'points', '--out', 'again.csv', '--image-root', '.')
    assert stdout.startswith('2 faces in again.csv')
    rows = [line.split(',') for line in Path('again.csv').read_text().splitlines()[1:]]
    assert np.abs(np.array([row[4:] for row in rows], float).reshape(2, 68, 2) - table).max() < 1e-3


def test_a_phase_of_a_config(verb, config):
    verb('data', 'convert', config, '--phase', 'val', '--to', 'coco', '--out', 'faces/val.json')
    assert len(json.loads(Path('faces/val.json').read_text())['annotations']) == 3
    assert len(list(Path('faces/images').glob('*.png'))) == 3  # drawn faces carry their pictures
    assert verb('data', 'check', 'faces/val.json') == 'faces/val.json: 3 faces, 3 pictures: no defect\n'
    verb('data', 'convert', config, '--to', 'wflw', '--out', 'lists')
    assert len(Path('lists/small.txt').read_text().splitlines()) == 6


def test_wrong_input_is_named(verb, config, table):
    assert '--to coco' in verb('data', 'convert', 'in.csv', '--out', 'somewhere', code=2)
    assert 'invalid choice' in verb('data', 'convert', 'in.csv', '--to', 'xml', '--out', 'x', code=2)
    assert '98' in verb('data', 'convert', 'in.csv', '--out', 'x.txt', code=2)
    assert 'none.csv' in verb('data', 'convert', 'none.csv', '--out', 'x.json', code=3)
    Path('bare.py').write_text(Path(config).read_text().replace('train_dataloader', 'other'))
    assert 'train_dataloader' in verb('data', 'convert', 'bare.py', '--to', 'coco', '--out', 'x.json', code=2)


def test_check_prints_every_defect_and_exits_with_4(verb, table):
    assert verb('data', 'check', 'in.csv') == 'in.csv: 2 faces, 2 pictures: no defect\n'
    rows = Path('in.csv').read_text().splitlines()
    fields = rows[1].split(',')
    Path('in.csv').write_text(
        '\n'.join([*rows, ','.join(['2.png', *fields[1:]]), ','.join([*fields[:9], 'nan', *fields[10:]])]) + '\n'
    )
    Path('1.png').write_bytes(b'no picture')
    *defects, summary = check_with_defects('in.csv')
    facts = [('record 4 (0.png)', 'finite'), ('record 2 (1.png)', '10 bytes'), ('record 3 (2.png)', 'No such file')]
    assert len(defects) == 3 and summary.startswith('in.csv: 4 faces, 3 pictures: 3 ')
    for defect, (record, fact) in zip(defects, facts, strict=True):
        assert defect.startswith(f'in.csv: {record}: ') and fact in defect


def check_with_defects(*words):
    """The lines that `facelmk data check` prints, with exit code 4."""
    import contextlib
    import io

    from facelmk.cli import main

    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout):
        assert main(['data', 'check', *words]) == 4
    return stdout.getvalue().splitlines()


def test_check_of_a_config_as_json(verb, config):
    report = json.loads(verb('data', 'check', config, '--json'))
    assert report == {
        'sets': {
            'train': {'faces': 6, 'pictures': 6, 'defects': []},
            'val': {'faces': 3, 'pictures': 3, 'defects': []},
        },
        'notes': [],
    }
    assert list(json.loads(verb('data', 'check', config, '--phase', 'test', '--json'))['sets']) == ['test']


def test_the_log_of_a_data_set_is_not_in_the_json(verb, config, table):
    """PublishedFaces logs which layout it reads."""
    loader = (
        'train_dataloader = dict(batch_size=2, dataset=dict(type="PublishedFaces", root=".", split="in", '
        'markup="300w", layouts=[dict(type="CsvFaces", ann_file="{split}.csv")], counts=dict({counts})))'
    )
    Path('published.py').write_text(loader.replace('{counts}', 'val=9'))
    report = json.loads(verb('data', 'check', 'published.py', '--json'))
    assert report['sets']['train'] == {'faces': 2, 'pictures': 2, 'defects': []}
    written = json.loads(verb('data', 'convert', 'published.py', '--to', 'coco', '--out', 'b.json', '--json'))
    assert written == {'place': 'b.json', 'faces': 2, 'lost': []}
    Path('published.py').write_text(loader.replace('{counts}', '**{"in": 3}'))
    assert any('2 faces' in line and ' 3 ' in line for line in check_with_defects('published.py'))


def test_the_tool_runs_the_verb(table, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['convert_dataset.py', 'in.csv', '--out', 'out.json'])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / 'tools/convert_dataset.py'), run_name='__main__')
    assert end.value.code == 0 and '2 faces in out.json' in capsys.readouterr().out


def test_the_folder_of_the_pictures_is_named_if_they_lie_elsewhere(tmp_path: Path, capsys) -> None:
    from facelmk.cli import main

    (tmp_path / 'src').mkdir()
    cv2.imwrite(str(tmp_path / 'src' / 'a.png'), np.zeros((9, 9, 3), np.uint8))
    rows = '\n'.join(f'{i % 8} {i // 8}' for i in range(68))
    (tmp_path / 'src' / 'a.pts').write_text(f'version: 1\nn_points: 68\n{{\n{rows}\n}}\n')
    for out, is_named in ((tmp_path / 'out' / 'a.json', True), (tmp_path / 'src' / 'a.json', False)):
        assert main(['data', 'convert', str(tmp_path / 'src'), '--out', str(out), '--to', 'coco']) == 0
        assert (f'--image-root {tmp_path / "src"}' in capsys.readouterr().out) is is_named
