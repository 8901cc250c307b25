"""One option moves the data sets that a command reads, or says which values do."""

import copy
import re

import pytest
from mmengine import Config

from facelmk.cli.options import values
from facelmk.config import load_config
from facelmk.config.folders import config_folder, move_data
from facelmk.errors import FacelmkError

SHIPPED = sorted(path.stem for path in config_folder().glob('*.py'))
PHASES = (('train', 'val', 'test'), ('train', 'val'), ('train',), ('val',), ('test',), ('calibration',))


def config(*roots, last=None):
    inner = [dict(type='CsvFaces', data_root=root, ann_file='a.csv') for root in roots]
    return Config(
        dict(
            train_dataloader=dict(dataset=dict(type='JoinedFaces', datasets=inner)),
            val_dataloader=dict(dataset=dict(type='PublishedFaces', root=last or (roots[0] if roots else None))),
            test_dataloader=None,
        )
    )


def roots_of(config, phase):
    if phase == 'calibration':
        return re.findall(r"'(?:data_)?root': '([^']+)'", str(config.get('calibration_data') or config.val_dataloader))
    return re.findall(r"'(?:data_)?root': '([^']+)'", str(config[f'{phase}_dataloader'].dataset))


def test_nested_and_plain_sets_move_together(tmp_path):
    moved = config('data/a', 'data/a')
    move_data(moved, tmp_path)
    assert [member.data_root for member in moved.train_dataloader.dataset.datasets] == [str(tmp_path)] * 2
    assert moved.val_dataloader.dataset.root == str(tmp_path)


def test_the_data_of_a_command_move_wherever_they_are_named(tmp_path):
    """A test reads 'data/b' alone; training, which it does not run, has other data, too."""
    moved = config('data/a', 'data/b', last='data/b')
    move_data(moved, tmp_path, ['val'])
    assert [member.data_root for member in moved.train_dataloader.dataset.datasets] == ['data/a', str(tmp_path)]
    assert moved.val_dataloader.dataset.root == str(tmp_path)


@pytest.mark.parametrize('name', SHIPPED)
def test_every_config_takes_the_folder_or_the_keys_of_the_advice(name, tmp_path):
    """The keys in the message are those of --cfg-options: with them, each folder is replaced."""
    loaded = load_config(name)
    for phases in PHASES:
        moved = copy.deepcopy(loaded)
        if phases != ('calibration',) and not all(f'{phase}_dataloader' in moved for phase in phases):
            continue
        try:
            move_data(moved, tmp_path, phases)
        except FacelmkError as error:
            keys = re.findall(r'(\w+\.[\w.]*root)=\.\.\.', str(error))
            assert bool(keys) == any(roots_of(moved, phase) for phase in phases)
            assert keys or 'facelmk train --data' in str(error)
            moved = load_config(name, values([f'{key}={tmp_path}' for key in keys]))
        for phase in phases:
            assert {*roots_of(moved, phase)} <= {str(tmp_path)}, (phase, name)


def test_annotations_without_a_folder_are_named_by_their_key(tmp_path):
    own = Config(dict(val_dataloader=dict(dataset=dict(type='CocoFaces', ann_file='my/val.json'))))
    with pytest.raises(FacelmkError, match=r'val_dataloader\.dataset\.ann_file=.*my/val\.json'):
        move_data(own, tmp_path, ['val'])


@pytest.mark.parametrize('roots', [(), ('data/a', 'data/b')])
def test_no_root_or_several_are_refused_and_stay(roots, tmp_path):
    kept = config(*roots)
    with pytest.raises(FacelmkError, match='no folder' if not roots else '2 folders.*data/a, data/b'):
        move_data(kept, tmp_path)
    assert [member.data_root for member in kept.train_dataloader.dataset.datasets] == list(roots)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FacelmkError, match='nowhere'):
        move_data(config('data/a'), tmp_path / 'nowhere')
