"""Atomic writes: the old file or the complete new one, with the rights of an ordinary file."""

import errno
import os
from pathlib import Path
from typing import BinaryIO

import pytest
from mmengine.fileio import dump, load

import facelmk.files.backend  # noqa: F401
from facelmk.errors import TrainingFault
from facelmk.files.atomic import atomic_write, commit, translate_lost_folder_errors, write_bytes


def test_a_write_makes_its_folder_and_has_the_rights_of_an_ordinary_file(tmp_path: Path) -> None:
    (tmp_path / 'ordinary').write_bytes(b'')
    write_bytes(tmp_path / 'a' / 'x', b'new')
    assert (tmp_path / 'a' / 'x').read_bytes() == b'new'
    assert (tmp_path / 'a' / 'x').stat().st_mode == (tmp_path / 'ordinary').stat().st_mode


@pytest.mark.parametrize('error', [OSError(errno.ENOSPC, 'full'), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / 'x').write_bytes(b'old')

    def fail(file: BinaryIO) -> None:
        file.write(b'half of it')
        raise error

    with pytest.raises(type(error)):
        atomic_write(tmp_path / 'x', fail)
    assert os.listdir(tmp_path) == ['x'] and (tmp_path / 'x').read_bytes() == b'old'


def test_commit_renames_an_open_file(tmp_path: Path) -> None:
    with (tmp_path / 'draft').open('wb') as file:
        file.write(b'new')
        commit(file, tmp_path / 'x')
    assert os.listdir(tmp_path) == ['x'] and (tmp_path / 'x').read_bytes() == b'new'


def test_mmengine_writes_through_the_backend(tmp_path: Path) -> None:
    (tmp_path / 'x.json').write_text('{}')
    before = (tmp_path / 'x.json').stat().st_ino
    dump({'a': 1}, str(tmp_path / 'x.json'))
    assert load(str(tmp_path / 'x.json')) == {'a': 1}
    assert (tmp_path / 'x.json').stat().st_ino != before  # another file took its place


def test_errors_of_other_folders_are_not_translated(tmp_path: Path) -> None:
    folder = tmp_path / 'run'
    with pytest.raises(TrainingFault, match='run'), translate_lost_folder_errors(folder):
        (folder / 'log.json').open('a')
    with pytest.raises(FileNotFoundError), translate_lost_folder_errors(folder):
        (tmp_path / 'other' / 'log.json').open('a')
