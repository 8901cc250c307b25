"""The index of models: every row is complete and true, and no model with weights is missing."""

import hashlib
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import facelmk
from facelmk import FacelmkError, MissingResource, UnknownName
from facelmk.checkpoint import Address, find_checkpoint
from facelmk.config import config_folder, config_names, load_config
from facelmk.files.download import cached
from facelmk.markups import MARKUPS
from facelmk.report.model_stats import model_cost
from facelmk.zoo import DEFAULT, LANDMARKS, ZooModel, find_model, list_models, model
from facelmk.zoo.index import INDEX, file_of, read_index, rows
from facelmk.zoo.listing import line_of

ROOT = Path(__file__).parents[2]
LOCAL = [name for name, row in rows().items() if row.get('file')]
COUNTED = [name for name in ('facelmk_nano', 'rtmpose_t_face6') if name in rows()]  # the others take seconds each


def missing(described: ZooModel) -> list[str]:
    """The names of required facts that a model lacks."""
    facts: dict[str, Any] = described.to_dict()
    names = ['name', 'title', 'config', 'task', 'source', 'protocol', 'parameters', 'macs', 'crop', 'checked_on']
    absent = [name for name in names if not facts[name]]
    absent += [name for name in (('NME', 'markup') if described.task == LANDMARKS else ()) if not facts[name]]
    absent += (
        ['figures']
        if described.task != LANDMARKS and not facts['figures'] and facts['protocol'] != 'not measured'
        else []
    )
    absent += [f'licence of {kind}' for kind in ('code', 'weights', 'data') if not described.licences.get(kind)]
    if described.file is None:
        absent += [] if described.url or described.page else ['url or page']
        absent += [] if described.host and 'may not answer' in described.host else ['host']
    else:
        absent += [name for name in ('sha256', 'bytes') if not facts[name]]
    return absent


@pytest.fixture(scope='module')
def models() -> dict[str, ZooModel]:
    return {name: find_model(name) for name in list_models()}


def test_every_row_is_complete(models: dict[str, ZooModel]) -> None:
    for name, described in models.items():
        assert not missing(described), name
        assert date.fromisoformat(described.checked_on) and described.parameters > 1e4 and described.macs > 1e6
        assert described.task != LANDMARKS or described.markup in MARKUPS
        assert described.cpu_ms is None or (described.cpu_ms > 0 and described.cpu)


def test_the_list_says_what_is_known_of_each_model(models: dict[str, ZooModel]) -> None:
    """Its lines are read from the text of the configs, without mmengine."""
    for name, described in models.items():
        line = line_of(name)
        assert (line.parameters, line.macs) == (described.parameters, described.macs)
        assert line.scheme == (described.markup or described.task)
        assert next(iter(described.NME.values()), None) == line.NME
        assert (line.weights == 'on this machine') == (described.path is not None)
        assert (line.weights == 'download') == (described.path is None and described.url is not None)
        assert (line.weights == 'page for browsers') == (described.path is None and described.page is not None)


@pytest.mark.parametrize('name', COUNTED)
def test_the_crop_is_that_of_the_complete_config(name: str, models: dict[str, ZooModel]) -> None:
    assert models[name].crop == load_config(models[name].config).model.size


@pytest.mark.parametrize('key', ['protocol', 'NME', 'parameters', 'checked_on', 'sha256', 'bytes'])
def test_a_row_without_a_required_fact_is_found(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rows()[DEFAULT]
    without = {DEFAULT: whole | {key: None}}
    monkeypatch.setattr(model, 'rows', lambda: without)
    try:
        assert missing(find_model(DEFAULT)) == [key]
    except KeyError as error:  # neither the row nor the config's result has it
        assert error.args == (key,)


def test_names_are_unique_and_every_published_config_is_listed() -> None:
    names = [row['name'] for row in read_index()['models']]
    assert len(names) == len(set(names)) and DEFAULT in names
    files = {name: (config_folder() / f'{name}.py').read_text() for name in config_names()}
    published = {name for name, text in files.items() if re.search(r'\bcheckpoint(_page)?=', text)}
    assert len(published) > 20 and published <= {row['config'] for row in read_index()['models']}


def test_files_of_the_repository_are_those_of_the_index() -> None:
    files = {
        path.relative_to(ROOT).as_posix() for folder in ('zoo', 'facelmk/zoo') for path in (ROOT / folder).glob('*.pth')
    }
    assert files == {rows()[name]['file'] for name in LOCAL}
    for name in LOCAL:
        content = (ROOT / rows()[name]['file']).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (rows()[name]['sha256'], rows()[name]['bytes'])


@pytest.mark.parametrize('name', COUNTED)
def test_parameters_and_macs_are_those_of_the_network(name: str) -> None:
    described = find_model(name)
    config = load_config(described.config)
    assert described.markup == (config.model.get('markup', 'wflw') if described.task == LANDMARKS else None)
    cost = model_cost(config, described.crop)[0]
    assert (described.parameters, described.macs) == (cost.parameters, cost.macs)


@pytest.mark.slow
@pytest.mark.parametrize('name', [name for name in rows() if name not in COUNTED])
def test_parameters_and_macs_of_all_networks(name: str) -> None:
    test_parameters_and_macs_are_those_of_the_network(name)


def test_models_are_found_by_patterns() -> None:
    found = facelmk.list_models('*300w*')
    assert {'hrnetv2_w18_300w', 'facelmk_nano'} <= set(found)  # by its name, and by its landmark scheme
    assert 'hrnetv2_w18_cofw' not in found and facelmk.list_models('*300W*') == found
    assert facelmk.list_models() == list(rows()) and facelmk.list_models('none') == []


def test_the_index_joins_the_result_of_the_config() -> None:
    described, result = find_model('hrnetv2_w18_wflw'), load_config('hrnetv2_w18_wflw').result
    assert described.url == result.checkpoint and described.NME == result.NME and described.protocol == result.protocol
    assert described.sha256 == re.search('-([0-9a-f]{8})_', result.checkpoint)[1]
    assert described.weights() == Address(result.checkpoint, described.sha256)
    assert json.dumps(described.to_dict())


def test_an_unknown_name_gets_a_hint() -> None:
    with pytest.raises(UnknownName, match="'facelmk_nan'.*'facelmk_nano'"):
        find_model('facelmk_nan')


# -- where the weights are


def test_a_file_of_the_clone_is_found_by_name() -> None:
    for name in LOCAL:
        assert find_checkpoint(name) == find_model(name).get() == ROOT / rows()[name]['file']


def test_without_a_clone_a_mirror_or_the_repository_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The research weights are not in the wheel; the sha256 of the index decides whether a copy is the right one."""
    monkeypatch.setattr(model, 'file_of', lambda row: None)
    monkeypatch.setenv('FACELMK_HOME', str(tmp_path))
    monkeypatch.setenv('FACELMK_OFFLINE', '1')
    row = rows()['facelmk_nano_lfpw']
    with pytest.raises(MissingResource, match=f'{row["file"]}.*{row["sha256"]}.*FACELMK_MIRROR'):
        find_checkpoint('facelmk_nano_lfpw')
    monkeypatch.setenv('FACELMK_MIRROR', 'https://host.org/a, https://other.org')
    url = f'https://host.org/a/{row["file"]}'
    weights = find_model('facelmk_nano_lfpw').weights()
    assert weights == Address(url, row['sha256'], (f'https://other.org/{row["file"]}',))
    cached(url).parent.mkdir(parents=True)
    cached(url).write_bytes(b'other weights')
    with pytest.raises(FacelmkError, match=f'sha256 .*{row["sha256"]}'):
        find_model('facelmk_nano_lfpw').get()


def test_a_page_for_browsers_is_named() -> None:
    with pytest.raises(MissingResource, match='https://1drv.ms'):
        find_model('hrnet_w18_wflw_orig').weights()


def test_the_index_needs_no_file_but_itself() -> None:
    assert INDEX.is_file() and all(file_of(rows()[name]) for name in LOCAL)
    assert file_of(rows()['hrnetv2_w18_wflw']) is None
