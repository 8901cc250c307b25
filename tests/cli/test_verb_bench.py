"""facelmk bench: parts, the table, the json file."""

import json
import sys
import types

import pytest

from facelmk.bench import PARTS, run
from facelmk.bench.row import Amount, Options, Row, Timing, not_measured

ROWS = [
    Row(
        'encode',
        Timing(0.001, 0.002),
        Timing(0.006, 0.007),
        'MMPose-style code',
        'the same results',
        (5.0, 6.0, 9.0),
        3,
    ),
    Row('bytes', Amount(200_000, 'B')),
    not_measured('decode', 'no package'),
]


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """Replaces the parts: codec has ROWS, metric misses a package. Returns the options that codec gets."""
    received: list[Options] = []
    monkeypatch.setattr(run, 'set_threads', lambda count: None)
    codec = types.SimpleNamespace(rows=lambda options: received.append(options) or iter(ROWS))
    monkeypatch.setitem(sys.modules, 'facelmk.bench.codec', codec)
    monkeypatch.setitem(sys.modules, 'facelmk.bench.metric', types.SimpleNamespace(rows=fail))
    return received


def fail(options: Options) -> None:
    raise ImportError('no module named such')


def test_the_table(verb, parts) -> None:
    lines = verb('bench', 'codec', 'metric', '--quick', '--threads', '2').splitlines()
    assert parts == [Options(quick=True, threads=2)]
    assert lines[1].split() == ['quantity', 'ours', '95', '%', 'peer', 'ratio', 'note']
    assert lines[2].split()[:6] == ['encode', '1', 'ms', '6', 'ms', '6.00x']
    assert lines[2].endswith('against MMPose-style code; the same results')
    assert lines[3].split() == ['bytes', '200', 'kB']
    assert lines[4].endswith('not measured: no package')
    assert lines[5].split()[0] == 'metric' and lines[5].endswith('not measured: no module named such')
    assert 'facelmk' in lines[6] and 'python' in lines[6]


def test_the_json_file(verb, tmp_path) -> None:
    file = tmp_path / 'new' / 'bench.json'
    verb('bench', 'codec', '--json', str(file))
    written = json.loads(file.read_text())
    encode, size, _ = written['rows']
    assert encode['part'] == 'codec' and encode['ours'] == {'cpu': 0.001, 'wall': 0.002}
    assert encode['ratio'] == 6 and encode['ratio_range'] == [5.5, 7.5] and encode['rounds'] == 3
    assert size['ours'] == {'size': 200_000, 'unit': 'B'} and size['ratio'] is None
    assert [run.is_measured(record) for record in written['rows']] == [True, True, False]
    environment = written['environment']
    assert environment['versions']['python'] == '.'.join(map(str, sys.version_info[:3]))
    assert environment['threads'] == 1 and environment['quick'] is False and environment['cores'] >= 1
    assert {'cpu', 'date', 'load_before', 'load_after'} <= environment.keys()


def test_every_part_is_the_default(verb, monkeypatch) -> None:
    for part in PARTS:
        monkeypatch.setitem(sys.modules, f'facelmk.bench.{part}', types.SimpleNamespace(rows=fail))
    printed = verb('bench')
    assert all(f'\n{part} ' in printed for part in PARTS)


def test_an_unknown_part_and_a_file_that_cannot_be_written(verb, tmp_path, parts) -> None:
    assert "'codec'" in verb('bench', 'codek', code=2)
    assert str(tmp_path) in verb('bench', 'codec', '--json', str(tmp_path), code=2)
    assert parts == []
