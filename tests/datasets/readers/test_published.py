"""PublishedFaces reads the first complete layout and logs it; the data configs of four sets read every layout."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from facelmk.datasets import PublishedFaces, collate_faces
from facelmk.errors import DataDefect, MissingResource, UnknownName
from facelmk.registry import DATASETS, METRICS

CONFIGS = Path(__file__).parents[3] / 'configs' / '_base_' / 'data'
LAYOUTS = [
    dict(type='CocoFaces', ann_file='annotations/{split}.json', image_root='images'),
    dict(type='CsvFaces', ann_file='{split}.csv', image_root='images'),
    dict(type='WflwTxt', ann_file='list_{split}.txt', image_root='WFLW_images'),
]


@pytest.fixture
def log(monkeypatch):
    """The lines that PublishedFaces logs."""
    lines = []
    monkeypatch.setattr('facelmk.datasets.readers.published.log_for_file', lines.append)
    return lines


def published(root, split='test', layouts=LAYOUTS, **options):
    return PublishedFaces(str(root), split, layouts, 'wflw', **options)


def test_the_first_complete_layout(tmp_path, faces, write, log):
    rows = faces(3, 98)
    (tmp_path / 'WFLW_images').mkdir()
    write.txt(tmp_path / 'list_test.txt', rows)
    data = published(tmp_path)
    assert len(data) == 3 and data.face(1)['landmarks'].shape == (98, 2)
    assert log == [f'WflwTxt reads 3 faces from {tmp_path}/list_test.txt']
    write.csv(tmp_path / 'test.csv', rows[:2])
    assert len(published(tmp_path)) == 3  # the pictures of the table do not exist
    (tmp_path / 'images').mkdir()
    assert len(published(tmp_path)) == 2 and log[-1].startswith('CsvFaces reads 2 faces')


def test_without_a_complete_layout_the_error_lists_the_missing_files(tmp_path, faces, write, log):
    (tmp_path / 'images').mkdir()
    write.csv(tmp_path / 'test.csv', faces(3, 98))
    with pytest.raises(MissingResource) as error:
        published(tmp_path, subset_files=dict(pose='largepose'))
    text = str(error.value)
    assert f'CsvFaces: {tmp_path}/test_largepose.csv\n' in text and f'{tmp_path}/annotations/test.json' in text
    assert f'{tmp_path}/list_test.txt, {tmp_path}/WFLW_images' in text and error.value.exit_code == 3


def test_subset_files_by_reader(tmp_path, faces, write, log):
    rows = faces(4, 98)
    (tmp_path / 'images').mkdir()
    write.csv(tmp_path / 'test.csv', rows)
    write.csv(tmp_path / 'test_largepose.csv', rows[2:])
    data = published(tmp_path, subset_files=dict(pose='largepose'))
    assert data.metainfo == {'markup': 'wflw', 'subsets': ('pose',)}
    assert [face['tags'] for face in map(data.face, range(4))] == [(), (), ('pose',), ('pose',)]
    assert len(published(tmp_path, subset_files=dict(pose='largepose'), only='pose')) == 2
    (tmp_path / 'images').rmdir()
    (tmp_path / 'WFLW_images').mkdir()
    write.txt(tmp_path / 'list_test.txt', rows, ['100000', '000000', '000000', '000001'])
    data = published(tmp_path, subset_files=dict(pose='largepose'))  # the list itself contains the subsets
    assert [face['tags'] for face in map(data.face, range(4))] == [('pose',), (), (), ('blur',)]


def test_a_defect_does_not_select_the_next_layout(tmp_path, faces, write):
    (tmp_path / 'images').mkdir()
    (tmp_path / 'WFLW_images').mkdir()
    write.csv(tmp_path / 'test.csv', faces(3, 68))
    write.txt(tmp_path / 'list_test.txt', faces(3, 98))
    with pytest.raises(DataDefect, match='68 landmarks'):
        published(tmp_path)


def test_an_unknown_reader_or_split(tmp_path):
    with pytest.raises(UnknownName, match="'CsvFaces'"):
        published(tmp_path, layouts=[dict(type='CsvFace', ann_file='a')])
    with pytest.raises(UnknownName, match="no split 'test'"):
        published(tmp_path, layouts=[dict(type='PtsFaces', folders=dict(train=['afw']))])


def data_config(name, root):
    """The data config of a set with MMPose's augmentation and another root."""
    config = Config.fromfile(CONFIGS / f'{name}.py')
    pipelines = Config.fromfile(CONFIGS.parent / 'augment/mmpose.py')
    for loader, pipeline in (
        (config.train_dataloader, pipelines.train_pipeline),
        (config.val_dataloader, pipelines.val_pipeline),
    ):
        loader.dataset.pipeline = pipeline
        for part in loader.dataset.get('datasets', [{'dataset': loader.dataset}]):
            part['dataset'].root = str(root)
    return config


def measured(evaluator, data, offset):
    """The metrics of predictions with an error of `offset`, through collate and metric as in the engine."""
    batch = collate_faces([data[i] for i in range(len(data))])
    assert batch['inputs'].shape == (len(data), 3, 256, 256)
    truth = batch['data_samples']
    result = [
        {'id': name, 'landmarks': points + offset} for name, points in zip(truth['id'], truth['landmarks'], strict=True)
    ]
    figures = {}
    for config in evaluator:
        metric = METRICS.build(config)
        metric.dataset_meta = data.metainfo
        metric.process(batch, result)
        figures |= metric.evaluate(len(data))
    return figures


def lay_out_wflw(kind, root, rows, write):
    for split in (
        'train',
        'test',
        *(f'test_{s}' for s in ('largepose', 'expression', 'illumination', 'makeup', 'occlusion', 'blur')),
    ):
        part = rows[-1:] if '_' in split else rows
        if kind == 'json':
            write.json(root / f'annotations/face_landmarks_wflw_{split}.json', part)
        elif kind == 'csv':
            write.csv(root / f'face_landmarks_wflw_{split}.csv', part)
        elif '_' not in split:
            write.txt(
                root / f'WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_{split}.txt',
                rows,
                ['000000'] * (len(rows) - 1) + ['111111'],
            )
    return 'WFLW_images' if kind == 'txt' else 'images'


def lay_out_300w(kind, root, rows, write):
    for split in ('train', 'valid', 'valid_common', 'valid_challenge'):
        part = {'valid_common': rows[:-1], 'valid_challenge': rows[-1:]}.get(split, rows)
        if kind == 'json':
            write.json(root / f'annotations/face_landmarks_300w_{split}.json', part)
        elif kind == 'csv':
            write.csv(root / f'face_landmarks_300w_{split}.csv', part)
    if kind == 'pts':
        for folder in ('afw', 'helen/trainset', 'lfpw/trainset', 'helen/testset', 'lfpw/testset', 'ibug'):
            (root / 'images' / folder).mkdir(parents=True)
        for i, row in enumerate(rows):
            write.pts(root / f'images/afw/{i}.png', row['points'])
            write.pts(root / f'images/{"ibug" if i == len(rows) - 1 else "helen/testset"}/{i}.png', row['points'])
    return 'images'


def lay_out_cofw(kind, root, rows, write):
    for split in ('train', 'test'):
        if kind == 'json':
            write.json(root / f'annotations/cofw_{split}.json', rows, ('bbox',))
        else:
            from_one = [row | dict(points=row['points'] + 1) for row in rows]
            pictures = [np.zeros((3, 240, 240), np.uint8)] * len(rows)
            write.mat(root / f'COFW_{split}_color.mat', from_one, pictures, [[20, 20, 150, 150]] * len(rows))
    return 'images'


def lay_out_aflw(kind, root, rows, write):
    for split in ('train', 'test', 'test_frontal'):
        part = rows[-1:] if '_' in split else rows
        if kind == 'json':
            write.json(root / f'annotations/face_landmarks_aflw_{split}.json', part, ('center', 'scale', 'box_size'))
        else:
            write.csv(root / f'face_landmarks_aflw_{split}.csv', part, box_size=True)
    return 'images'


READERS = dict(json='CocoFaces', csv='CsvFaces', txt='WflwTxt', pts='PtsFaces', mat='CofwMat')
SETS = {
    'wflw': (98, lay_out_wflw, ('pose', 'expression', 'illumination', 'makeup', 'occlusion', 'blur')),
    'w300': (68, lay_out_300w, ('common', 'challenge', 'full', 'test')),
    'cofw': (29, lay_out_cofw, ()),
    'aflw': (19, lay_out_aflw, ('frontal',)),
}


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        ('wflw', 'json'),
        ('wflw', 'csv'),
        ('wflw', 'txt'),
        ('w300', 'json'),
        ('w300', 'csv'),
        ('w300', 'pts'),
        ('cofw', 'json'),
        ('cofw', 'mat'),
        ('aflw', 'json'),
        ('aflw', 'csv'),
    ],
)
def test_data_configs_read_every_layout(name, kind, tmp_path, faces, write, log):
    size, lay_out, subsets = SETS[name]
    rows = faces(3, size)
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'WFLW_annotations/list_98pt_rect_attr_train_test').mkdir(parents=True)
    folder = lay_out(kind, tmp_path, rows, write)
    for row in rows:
        write.picture(tmp_path / folder / row['name'])
    config = data_config(name, tmp_path)
    train, val = (DATASETS.build(loader.dataset) for loader in (config.train_dataloader, config.val_dataloader))
    assert len(train) == len(val) == 3 and val.subsets == subsets
    subsets = tuple(subset for subset in subsets if subset not in ('full', 'test'))
    assert set(val.face(2)['tags']) - {'full'} == set(subsets) - {'common'}
    assert {line.split()[0] for line in log} == {READERS[kind]}
    assert train.counts and (name == 'w300' or val.counts)
    figures = measured(config.val_evaluator, val, np.array([3.0, 4]))
    assert {f'{key}/{tag}' for key in ('NME', 'FR@0.1', 'AUC@0.1') for tag in subsets} < set(figures)
    truth, norm = val.face(2)['landmarks'], val.face(2)['norm']
    length = norm if name == 'aflw' else np.linalg.norm(np.subtract(*truth[list(val.markup.eyes)]))
    if subsets:  # the third face alone is in the last subset
        assert figures[f'NME/{subsets[-1]}'] == pytest.approx(100 * 5 / length, rel=1e-5)
    result = np.sort(np.stack([val.face(i)['landmarks'] for i in range(3)]), 0)
    assert np.array_equal(result, np.sort(np.stack([row['points'].astype(np.float32) for row in rows]), 0))
    if name == 'aflw':
        assert [val.face(i)['norm'] for i in range(3)] == [row['box_size'] for row in rows]


@pytest.mark.parametrize('kind', ['json', 'csv', 'pts'])
def test_300w_has_four_figures_in_one_run(kind, tmp_path, faces, write, log):
    """common, challenge, full = both, test = the private faces; the first figure is that of full, never a mean over all."""
    rows = faces(6, 68)
    (tmp_path / 'annotations').mkdir()
    lay_out_300w(kind, tmp_path, rows[:4], write)
    if kind == 'pts':
        for folder, row in zip(('01_Indoor', '02_Outdoor'), rows[4:], strict=True):
            write.pts(tmp_path / f'images/Test/{folder}/{row["name"]}', row['points'])
    elif kind == 'json':
        write.json(tmp_path / 'annotations/face_landmarks_300w_test.json', rows[4:])
    else:
        write.csv(tmp_path / 'face_landmarks_300w_test.csv', rows[4:])
    for row in rows:
        write.picture(tmp_path / 'images' / row['name'])
    config = data_config('w300', tmp_path)
    data = DATASETS.build(config.val_dataloader.dataset)
    assert len(data) == 6 and data.metainfo == {
        'markup': '300w',
        'subsets': ('common', 'challenge', 'full', 'test'),
        'headline': 'full',
    }
    truth = np.stack([data.face(i)['landmarks'] for i in range(6)])
    length = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=-1)
    figures = measured(config.val_evaluator, data, np.array([3.0, 4]))
    each = {
        subset: [100 * 5 / length[i] for i in range(6) if subset in data.face(i)['tags']] for subset in data.subsets
    }
    assert [len(values) for values in each.values()] == [3, 1, 4, 2]
    for subset, values in each.items():
        assert figures[f'NME/{subset}'] == pytest.approx(np.mean(values), rel=1e-5)
    assert (
        figures['NME']
        == figures['NME/full']
        != pytest.approx(np.mean([value for values in each.values() for value in values]), rel=1e-3)
    )


@pytest.mark.parametrize('name', ['aflw', 'cofw', 'lapa', 'w300', 'wflw'])
def test_the_page_and_the_configs_give_the_same_numbers(name):
    """`facelmk data check` compares with those of the configs."""
    page = (CONFIGS.parents[2] / 'docs' / 'data.md').read_text()
    (row,) = [line for line in page.splitlines() if f'| `{name}` |' in line]
    config = Config.fromfile(CONFIGS / f'{name}.py')
    loaders = [config.train_dataloader, config.val_dataloader, config.get('test_dataloader')]
    counts = {subset: count for part in parts(loaders) for subset, count in part.get('counts', {}).items()}
    numbers = [word.strip('(),;:') for word in row.split('|')[4].split()]
    assert counts and len(counts) == sum(word.isdigit() for word in numbers)
    for subset, count in counts.items():
        assert f' {subset} {count}' in row, subset


def parts(value):
    """The published sets at or below a config."""
    if isinstance(value, dict):
        yield from [value] if 'layouts' in value else ()
        value = list(value.values())
    for child in value if isinstance(value, list) else ():
        yield from parts(child)


def test_unpacked_archives_of_300w_are_read(tmp_path, faces, write, log):
    (row, *_) = faces(1, 68)
    for i, folder in enumerate(
        (
            'afw',
            'helen/trainset',
            'lfpw/trainset',
            'helen/testset',
            'lfpw/testset',
            'ibug',
            '300W/01_Indoor',
            '300W/02_Outdoor',
        )
    ):
        write.pts(tmp_path / folder / f'{i}.png', row['points'])
    config = data_config('w300', tmp_path)
    train, val = (DATASETS.build(loader.dataset) for loader in (config.train_dataloader, config.val_dataloader))
    assert len(train) == 3 and [val.face(i)['tags'] for i in range(5)] == [
        ('common', 'full'),
        ('common', 'full'),
        ('challenge', 'full'),
        ('indoor', 'test'),
        ('outdoor', 'test'),
    ]
    assert val.metainfo['subsets'] == ('common', 'challenge', 'full', 'test')


def test_the_complete_set_of_aflw_is_called_full(tmp_path, faces, write):
    (tmp_path / 'annotations').mkdir(), (tmp_path / 'images').mkdir()
    lay_out_aflw('json', tmp_path, faces(3, 19), write)
    data = DATASETS.build(data_config('aflw', tmp_path).val_dataloader.dataset)
    assert data.metainfo == {'markup': 'aflw', 'subsets': ('frontal',), 'whole': 'full'}
