"""The check before a run refuses a data set if, and only if, the files that it would read are not on the disk."""

import pytest
from mmengine import Config
from torch import nn

from facelmk.config import config_names, load_config
from facelmk.datasets.needs import missing_files as missing_by
from facelmk.engine.preflight import absent_files, check_custom_keys, check_data
from facelmk.errors import FacelmkError, MissingResource, UnknownName
from facelmk.registry import DATASETS
from facelmk.synthetic import dataset


def missing_files(dataset):
    return missing_by(dataset, absent_files)


class Drawn(Exception):
    pass


def test_it_agrees_with_building_in_every_config(tmp_path, monkeypatch):
    def draw(*_):
        raise Drawn

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dataset, 'cache_faces', draw)
    outcomes = set()
    for name in config_names():
        config = load_config(name)
        for phase in ('train', 'val', 'test'):
            checked = outcome(lambda config=config, phase=phase: check_data(config, phase))
            built = outcome(lambda part=config[f'{phase}_dataloader']['dataset']: DATASETS.build(part))
            assert checked == built, (name, phase)
            outcomes.add(checked)
    assert outcomes == {None, MissingResource}


def outcome(act):
    try:
        act()
    except FacelmkError as error:
        return type(error)
    except Drawn:
        return None


def test_members_and_their_options(tmp_path):
    file = tmp_path / 'faces.csv'
    file.touch()
    there, gone = (dict(type='CsvFaces', ann_file=str(path)) for path in (file, tmp_path / 'gone.csv'))
    assert not missing_files(there) and missing_files(gone) == [tmp_path / 'gone.csv']
    joined = dict(type='JoinedFaces', datasets=[there, dict(dataset=gone, optional=True)])
    assert not missing_files(joined)
    joined['datasets'][1]['optional'] = False
    assert missing_files(joined) == [tmp_path / 'gone.csv']
    assert missing_files(dict(type='RepeatedFaces', dataset=gone, times=2)) == [tmp_path / 'gone.csv']
    assert not missing_files(dict(type='SyntheticFaces', count=4))


@pytest.mark.parametrize('part', [dict(type='nosuch'), dict()])
def test_what_is_no_data_set_is_left_to_the_check_of_the_config(part):
    assert not missing_files(part)


def test_custom_keys_that_change_no_parameter_are_refused():
    network = nn.ModuleDict(dict(backbone=nn.Linear(2, 2), head=nn.Linear(2, 2)))

    def config(key):
        return Config(dict(optim_wrapper=dict(paramwise_cfg=dict(custom_keys={key: dict(lr_mult=0.1)}))))

    for key in ('backbone', 'head.bias', 'weight'):
        check_custom_keys(config(key), network)
    for empty in (Config(), Config(dict(optim_wrapper=dict(paramwise_cfg=None)))):
        check_custom_keys(empty, network)
    with pytest.raises(UnknownName, match='backbone'):
        check_custom_keys(config('bakbone'), network)
