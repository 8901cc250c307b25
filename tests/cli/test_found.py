"""The list of what `facelmk predict` finds."""

import gc
import io
import json
import sys
import weakref
from pathlib import Path

import pytest

from facelmk import cli
from facelmk.cli.found import new_list
from facelmk.errors import DataDefect, FacelmkError, UnwritableOutput
from facelmk.inference.stream import PicturePredictor
from facelmk.markups import MARKUPS

FACE = {'landmarks': [[0.1 + i, 7.25] for i in range(98)]}


@pytest.mark.parametrize('count', [0, 1, 3])
def test_the_list_is_the_json_of_all_rows(count, tmp_path, capsys) -> None:
    rows = [{'path': f'ü{i}.jpg', 'faces': [FACE] * i} for i in range(count)]
    for act in ('write', 'print', 'both'):
        with new_list() as found:
            for row in rows:
                found.add(row)
            if act != 'print':
                found.write(tmp_path / 'list.json')
            if act != 'write':
                found.print()
        text = (tmp_path / 'list.json').read_text() if act == 'write' else capsys.readouterr().out
        assert text == f'{json.dumps(rows)}\n'
    assert (found.pictures, found.faces, found.without_face) == (count, sum(range(count)), min(count, 1))


@pytest.mark.fault('B26')
def test_rows_are_not_kept_in_memory() -> None:
    with new_list() as found:
        for i in range(30):
            found.add({'path': f'{i}.jpg', 'faces': [FACE]})
            found.add({'path': f'empty{i}.jpg', 'faces': []})
        kept = [value for value in vars(found).values() if isinstance(value, (list, dict, str))]
        assert found.faces == 30 and found.without_face == 30 and len(json.dumps(kept)) < 300


@pytest.mark.fault('B26')
def test_the_content_of_a_picture_that_cannot_be_used_is_not_kept() -> None:
    """A traceback keeps the variables of its functions: the bytes of the file, too."""

    errors: list[weakref.ref] = []

    def fail(source: bytes, error: FacelmkError) -> None:
        errors.append(weakref.ref(error))
        found.fail('x.jpg', error)

    with new_list() as found:
        stream = PicturePredictor(MARKUPS['wflw'], 2).stream([b'no picture'] * 4, 'full', skip=fail)
        assert list(stream) == []
        gc.collect()
        assert len(errors) == 4 and not any(error() for error in errors)
        with pytest.raises(DataDefect, match='1 of 9 inputs could not be used: x.jpg: '):
            found.check(9)


def test_a_full_folder_of_temporary_files_is_named() -> None:
    if not Path('/dev/full').exists():
        pytest.skip('this system has no /dev/full')
    with new_list() as found, open('/dev/full', 'wb', buffering=0) as full:
        found.file = full
        with pytest.raises(UnwritableOutput, match='TMPDIR'):
            found.add({'path': 'a.jpg', 'faces': []})


@pytest.mark.fault('J19')
@pytest.mark.parametrize('name', ['ü.jpg', 'bad\udcff.jpg'])
def test_a_name_that_the_terminal_cannot_show_is_printed(name, monkeypatch) -> None:
    screen = io.BytesIO()
    monkeypatch.setattr(sys, 'stdout', io.TextIOWrapper(screen, 'ascii'))
    monkeypatch.setattr(cli, '_run', lambda words: print(name) or sys.stdout.flush() or 0)
    assert cli.main(['predict']) == 0
    assert screen.getvalue() == name.encode('ascii', 'backslashreplace') + b'\n'
