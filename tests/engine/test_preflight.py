"""The check before a run refuses a data set if, and only if, the files that it would read are not on the disk."""

import pytest

from facelmk.config import config_names, load_config
from facelmk.engine.preflight import check_data, missing_files
from facelmk.errors import FacelmkError, MissingResource
from facelmk.registry import DATASETS
from facelmk.synthetic import dataset


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
