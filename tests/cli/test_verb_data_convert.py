"""facelmk data convert and facelmk data check, as a newcomer types them."""

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
    told = verb('data', 'convert', 'in.csv', '--markup', '300w', '--to', 'coco', '--out', 'OUT.json')
    assert told == '2 faces in OUT.json (coco)\n'
    keypoints = [face['keypoints'] for face in json.loads(Path('OUT.json').read_text())['annotations']]
    assert np.abs(np.reshape(keypoints, (2, 68, 3))[..., :2] - table).max() < 1e-3
    told = verb('data', 'convert', 'OUT.json', '--to', 'pts', '--out', 'points', '--json')
    assert json.loads(told) == {
        'place': 'points',
        'faces': 2,
        'lost': ['the boxes: the reader puts the tight box around the points'],
    }
    told = verb('data', 'convert', 'points', '--out', 'again.csv', '--image-root', '.')
    assert told.startswith('2 faces in again.csv')
    rows = [line.split(',') for line in Path('again.csv').read_text().splitlines()[1:]]
    assert np.abs(np.array([row[4:] for row in rows], float).reshape(2, 68, 2) - table).max() < 1e-3


def test_a_phase_of_a_config(verb, config):
    verb('data', 'convert', config, '--phase', 'val', '--to', 'coco', '--out', 'faces/val.json')
    assert len(json.loads(Path('faces/val.json').read_text())['annotations']) == 3
    assert len(list(Path('faces/images').glob('*.png'))) == 3  # drawn faces carry their pictures
    assert verb('data', 'check', 'faces/val.json') == 'faces/val.json: 3 faces, 3 pictures: no defect\n'
    verb('data', 'convert', config, '--to', 'wflw', '--out', 'lists')
    assert len(Path('lists/small.txt').read_text().splitlines()) == 6


def test_wishes_that_cannot_be_met(verb, config, table):
    assert 'say --to coco' in verb('data', 'convert', 'in.csv', '--out', 'somewhere', code=2)
    assert 'invalid choice' in verb('data', 'convert', 'in.csv', '--to', 'xml', '--out', 'x', code=2)
    assert 'wflw holds 98 points' in verb('data', 'convert', 'in.csv', '--out', 'x.txt', code=2)
    assert 'is not there' in verb('data', 'convert', 'none.csv', '--out', 'x.json', code=3)
    Path('bare.py').write_text(Path(config).read_text().replace('train_dataloader', 'other'))
    assert 'no train_dataloader' in verb('data', 'convert', 'bare.py', '--to', 'coco', '--out', 'x.json', code=2)


def test_check_says_all_and_ends_with_four(verb, table):
    assert verb('data', 'check', 'in.csv') == 'in.csv: 2 faces, 2 pictures: no defect\n'
    rows = Path('in.csv').read_text().splitlines()
    fields = rows[1].split(',')
    Path('in.csv').write_text(
        '\n'.join([*rows, ','.join(['2.png', *fields[1:]]), ','.join([*fields[:9], 'nan', *fields[10:]])]) + '\n'
    )
    Path('1.png').write_bytes(b'no picture')
    assert verb_out(verb, 'in.csv') == [
        'in.csv: in.csv: record 4 (0.png): a coordinate is not finite',
        (
            'in.csv: in.csv: record 2 (1.png): its picture 1.png cannot be decoded: 10 bytes in no known format. '
            'Expected JPEG, PNG, GIF, BMP, WebP, TIFF, PNM, JPEG 2000'
        ),
        'in.csv: in.csv: record 3 (2.png): its picture 2.png cannot be read (No such file or directory)',
        'in.csv: 4 faces, 3 pictures: 3 defects',
    ]


def verb_out(verb, *words):
    """What a check prints that ends with exit code 4."""
    import contextlib
    import io

    from facelmk.cli import main

    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        assert main(['data', 'check', *words]) == 4
    return told.getvalue().splitlines()


def test_check_of_a_config_as_json(verb, config):
    told = json.loads(verb('data', 'check', config, '--json'))
    assert told == {
        'sets': {
            'train': {'faces': 6, 'pictures': 6, 'defects': []},
            'val': {'faces': 3, 'pictures': 3, 'defects': []},
        },
        'notes': [],
    }
    assert list(json.loads(verb('data', 'check', config, '--phase', 'test', '--json'))['sets']) == ['test']


def test_a_data_sets_log_does_not_stand_in_the_json(verb, config, table):
    """PublishedFaces logs which layout it reads."""
    loader = (
        'train_dataloader = dict(batch_size=2, dataset=dict(type="PublishedFaces", root=".", split="in", '
        'markup="300w", layouts=[dict(type="CsvFaces", ann_file="{split}.csv")], counts=dict({counts})))'
    )
    Path('published.py').write_text(loader.replace('{counts}', 'val=9'))
    told = json.loads(verb('data', 'check', 'published.py', '--json'))
    assert told['sets']['train'] == {'faces': 2, 'pictures': 2, 'defects': []}
    told = json.loads(verb('data', 'convert', 'published.py', '--to', 'coco', '--out', 'b.json', '--json'))
    assert told == {'place': 'b.json', 'faces': 2, 'lost': []}
    Path('published.py').write_text(loader.replace('{counts}', '**{"in": 3}'))
    assert any('2 faces, 3 were published' in line for line in verb_out(verb, 'published.py'))


def test_the_tool_is_an_alias(table, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['convert_dataset.py', 'in.csv', '--out', 'out.json'])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / 'tools/convert_dataset.py'), run_name='__main__')
    assert end.value.code == 0 and '2 faces in out.json' in capsys.readouterr().out
