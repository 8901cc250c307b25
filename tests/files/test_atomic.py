"""Atomic writes: the old file or the complete new one, with the rights of an ordinary file."""

import errno
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO

import pytest
from mmengine.fileio import dump, load

import facelmk.files.backend  # noqa: F401
from facelmk.cli import main
from facelmk.errors import TrainingFault, UnwritableOutput
from facelmk.files import atomic, drafts, merging
from facelmk.files.atomic import (
    atomic_write,
    check_output,
    commit,
    ignore_log_errors,
    output_folder,
    translate_lost_folder_errors,
    write_bytes,
)
from facelmk.inference.folders import find_pictures


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


@pytest.mark.fault('M05')
@pytest.mark.parametrize(
    ('path', 'folder', 'code'),
    [
        ('a_folder', False, 2),
        ('.', False, 2),
        ('', False, 2),
        ('a_file', True, 2),
        ('a_file/below/x', False, 2),
        ('a_file/below', True, 2),
        ('loop/x', False, 2),
        ('x' * 300, False, 2),
        ('x\0y', False, 2),
        ('new/deep/x', False, None),
        ('new/deep', True, None),
        ('a_file', False, None),
        ('a_folder', True, None),
        ('x' * 250, False, None),
        ('dangling', False, None),
        ('loop', False, None),
    ],
)
def test_a_path_is_checked_before_the_work(path: str, folder: bool, code: int | None, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path('a_folder').mkdir()
    Path('a_file').write_text('old')
    Path('loop').symlink_to('loop')
    Path('dangling').symlink_to('nowhere')
    before = sorted(os.listdir())
    if code is None:
        check_output(path, folder)
        assert sorted(os.listdir()) == before
        if not folder:
            write_bytes(Path(path), b'new')
            assert Path(path).read_bytes() == b'new'
        return
    writes = [lambda: check_output(path, folder)]
    writes += [] if folder else [lambda: write_bytes(Path(path), b'new')]
    for write in writes:
        with pytest.raises(UnwritableOutput) as caught:
            write()
        assert caught.value.exit_code == code and path in str(caught.value)
    assert sorted(os.listdir()) == before and Path('a_file').read_text() == 'old'


@pytest.mark.fault('M06')
@pytest.mark.parametrize('protected', ['.', 'old'])
@pytest.mark.parametrize(('flag', 'number', 'code'), [(0, errno.EACCES, 2), (os.ST_RDONLY, errno.EROFS, 3)])
def test_a_path_without_permission_is_refused(protected, flag, number, code, tmp_path, monkeypatch) -> None:
    """Root may write anywhere, so the answers of the system are replaced."""
    (tmp_path / 'old').write_text('old')
    access, refused = os.access, tmp_path / protected
    monkeypatch.setattr(os, 'access', lambda path, mode: Path(path) != refused and access(path, mode))
    monkeypatch.setattr(os, 'statvfs', lambda path: os.statvfs_result((0,) * 8 + (flag, 255)))
    for write in (lambda: check_output(tmp_path / 'old'), lambda: write_bytes(tmp_path / 'old', b'new')):
        with pytest.raises(UnwritableOutput) as caught:
            write()
        assert (caught.value.errno, caught.value.exit_code) == (number, code) and str(refused) in str(caught.value)
    assert (tmp_path / 'old').read_text() == 'old'


@pytest.mark.fault('M06')
@pytest.mark.skipif(os.name != 'posix' or os.geteuid() == 0, reason='root may write anywhere')
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'mine').mkdir(mode=0o500)
    for path, folder in ((tmp_path / 'mine' / 'x', False), (tmp_path / 'mine' / 'new', True)):
        with pytest.raises(UnwritableOutput, match='mine'):
            check_output(path, folder)


@pytest.mark.fault('M07')
def test_devices_and_pipes_are_written_directly(tmp_path: Path, monkeypatch) -> None:
    os.mkfifo(tmp_path / 'pipe')
    received = []
    reader = threading.Thread(target=lambda: received.append((tmp_path / 'pipe').read_bytes()))
    reader.start()
    write_bytes(tmp_path / 'pipe', b'new')
    reader.join()
    assert received == [b'new'] and (tmp_path / 'pipe').is_fifo()
    before = os.lstat('/dev/null')
    monkeypatch.setattr(atomic, 'new_draft', lambda *_: pytest.fail('/dev/null would be replaced'))
    write_bytes(Path('/dev/null'), b'new')
    assert os.lstat('/dev/null').st_ino == before.st_ino
    with (tmp_path / 'x').open('wb') as file:
        write_bytes(Path(f'/dev/fd/{file.fileno()}'), b'new')
    assert (tmp_path / 'x').read_bytes() == b'new'


@pytest.mark.fault('M08')
def test_a_full_stdout_is_no_traceback() -> None:
    if not Path('/dev/full').exists():
        pytest.skip('this system has no /dev/full')
    code = 'import sys; from facelmk.cli import main; import facelmk.cli.plot as p; p.run = lambda _: print("x"); '
    command = [sys.executable, '-c', f'{code} sys.exit(main(["plot", "logs", "x"]))']
    with Path('/dev/full').open('w') as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3 and len(done.stderr.splitlines()) == 1 and 'stdout' in done.stderr


@pytest.mark.fault('M04')
def test_what_a_killed_process_left_is_replaced_and_what_a_living_one_has_is_not(tmp_path: Path) -> None:
    (tmp_path / '.x.tmp').write_text('dead')
    (tmp_path / '.out.tmp' / 'below').mkdir(parents=True)
    write_bytes(tmp_path / 'x', b'new')
    with output_folder(tmp_path / 'out') as draft:
        assert draft.name == '.out.tmp' and not os.listdir(draft)
        with output_folder(tmp_path / 'out') as other:  # at the same time
            assert other != draft and draft.is_dir()
            write_bytes(other / 'b', b'')
        write_bytes(draft / 'a', b'')
    assert sorted(os.listdir(tmp_path)) == ['out', 'x'] and sorted(os.listdir(tmp_path / 'out')) == ['a', 'b']


def test_a_link_in_place_of_a_draft_is_not_followed(tmp_path: Path) -> None:
    """In a folder that others may write to."""
    (tmp_path / 'mine').write_text('mine')
    (tmp_path / '.x.tmp').symlink_to('mine')
    write_bytes(tmp_path / 'x', b'new')
    assert (tmp_path / 'mine').read_text() == 'mine' and (tmp_path / 'x').read_bytes() == b'new'


def test_many_threads_may_write_the_same_file(tmp_path: Path) -> None:
    contents = [bytes([i]) * 10000 for i in range(8)]
    threads = [threading.Thread(target=write_bytes, args=(tmp_path / 'x', content)) for content in contents * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.listdir(tmp_path) == ['x'] and (tmp_path / 'x').read_bytes() in contents


def test_a_draft_that_is_taken_for_a_dead_one_gets_another_name(tmp_path: Path) -> None:
    names = []

    def create(draft: Path) -> None:
        draft.touch(exist_ok=False)
        names.append(draft.name)
        if len(names) == 1:
            draft.unlink()  # as another process does that looks before the lock

    with drafts.new_draft(tmp_path / 'x', create) as draft:
        assert draft.is_file() and len(names) == 2 and names[0] == '.x.tmp' != draft.name


@pytest.mark.fault('M04')
@pytest.mark.parametrize('exchanged', [True, False], ids=['in one step', 'one by one'])
@pytest.mark.parametrize('inside', [True, False])
def test_files_of_a_folder_appear_together(inside: bool, exchanged: bool, tmp_path: Path, monkeypatch) -> None:
    """They join what is there; a link never replaces a file."""
    folder = tmp_path / 'out'
    (folder / 'deep' / 'empty').mkdir(parents=True)
    for name in ('a', 'deep/b', 'deep/picture', 'other'):
        (folder / name).write_text('old')
    folder.chmod(0o750)
    if not exchanged:
        monkeypatch.setattr(merging, '_exchange', lambda *_: (_ for _ in ()).throw(OSError(errno.EINVAL, 'no')))
    before = {name: (folder / name).stat().st_ino for name in ('.', 'deep', 'other', 'deep/picture')}
    with output_folder(folder, last=['a'], inside=inside) as draft:
        assert (draft.parent == folder) == inside
        for name in ('a', 'deep/b', 'deep/c'):
            write_bytes(draft / name, b'new')
        (draft / 'deep' / 'picture').symlink_to('/dev/null')
        assert (folder / 'a').read_text() == 'old'
    texts = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob('*') if path.is_file()}
    assert texts == {'a': 'new', 'deep/b': 'new', 'deep/c': 'new', 'deep/picture': 'old', 'other': 'old'}
    assert (folder / 'deep' / 'empty').is_dir() and folder.stat().st_mode & 0o777 == 0o750
    same = {name for name, number in before.items() if (folder / name).stat().st_ino == number}
    kept = {'other', 'deep/picture'} | ({'.', 'deep'} if not exchanged else {'.'} if inside else set())
    assert same == kept if sys.platform == 'linux' else same >= {'other', 'deep/picture'}
    assert os.listdir(tmp_path) == ['out']
    with pytest.raises(UnwritableOutput, match='deep'), output_folder(folder) as draft:
        write_bytes(draft / 'a', b'newer')
        write_bytes(draft / 'deep', b'a folder is there')
    assert (folder / 'a').read_text() == 'new' and not list(folder.glob('.*')) and os.listdir(tmp_path) == ['out']


def test_the_current_folder_is_not_exchanged(tmp_path: Path, monkeypatch) -> None:
    """The user's shell would be in a folder that no longer exists."""
    (tmp_path / 'out' / 'deep').mkdir(parents=True)
    monkeypatch.chdir(tmp_path / 'out' / 'deep')
    before = (tmp_path / 'out').stat().st_ino
    with output_folder(tmp_path / 'out') as draft:
        write_bytes(draft / 'a', b'new')
    assert (tmp_path / 'out').stat().st_ino == before and (tmp_path / 'out' / 'a').exists()


def test_what_arrives_while_folders_are_exchanged_is_kept(tmp_path: Path, monkeypatch) -> None:
    exchange = merging._exchange

    def late(draft, folder):
        (folder / 'late').write_text('late')
        exchange(draft, folder)

    (tmp_path / 'out').mkdir()
    monkeypatch.setattr(merging, '_exchange', late)
    with output_folder(tmp_path / 'out') as draft:
        write_bytes(draft / 'a', b'new')
    assert sorted(os.listdir(tmp_path / 'out')) == ['a', 'late'] and os.listdir(tmp_path) == ['out']


@pytest.mark.fault('M02')
def test_a_signal_while_files_are_moved_waits(tmp_path: Path, monkeypatch, request) -> None:
    replace, calls = os.replace, []

    def interrupted(*paths):
        calls.append(paths)
        signal.raise_signal(signal.SIGINT)
        replace(*paths)

    (tmp_path / 'out').mkdir()
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore SIGINT
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, earlier))
    with pytest.raises(KeyboardInterrupt), output_folder(tmp_path / 'out') as draft:
        for name in 'abc':
            write_bytes(draft / name, b'')
        monkeypatch.setattr(merging, '_exchange', lambda *_: (_ for _ in ()).throw(OSError(errno.EINVAL, 'no')))
        monkeypatch.setattr(os, 'replace', interrupted)
    assert len(calls) == 3 and sorted(os.listdir(tmp_path / 'out')) == ['a', 'b', 'c']


def test_drafts_are_no_pictures(tmp_path: Path) -> None:
    for name in ('a.jpg', '.out.tmp/b.jpg', 'deep/.c.jpg.tmp', 'deep/d.jpg'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [picture.name.as_posix() for picture in find_pictures([str(tmp_path)])[0]] == ['a.jpg', 'deep/d.jpg']


@pytest.mark.fault('M05')
@pytest.mark.parametrize(
    ('words', 'path'),
    [
        (['predict', 'small.py', 'photo.jpg', '--boxes', 'full', '--out', 'file.txt/x.json'], 'file.txt'),
        (['predict', 'small.py', 'photo.jpg', '--boxes', 'full', '--out', 'folder.json'], 'folder.json'),
        (['test', 'small.py', 'none.pth', '--out', 'folder.json'], 'folder.json'),
        (['test', 'small.py', 'none.pth', '--dump', 'file.txt/d.json'], 'file.txt'),
        (['test', 'small.py', 'none.pth', '--report', 'file.txt'], 'file.txt'),
        (['test', 'small.py', 'none.pth', '--work-dir', 'work', '--show-dir', '{}/file.txt'], 'file.txt'),
        (['train', 'small.py', '--work-dir', 'work', '--show-dir', '{}/file.txt'], 'file.txt'),
        (['train', 'small.py', '--work-dir', 'file.txt'], 'file.txt'),
        (['data', 'convert', 'none.csv', '--to', 'coco', '--out', 'folder.json'], 'folder.json'),
        (['data', 'convert', 'none.csv', '--to', 'pts', '--out', 'file.txt'], 'file.txt'),
        (['data', 'browse', 'small.py', '--out', 'file.txt'], 'file.txt'),
        (['data', 'browse', 'small.py', '--output-dir', 'file.txt'], 'file.txt'),
        (['compare', 'none.json', 'none.json', '--report', 'file.txt/page.html'], 'file.txt'),
        (['models', 'publish', 'none.pth', 'file.txt/a.pth'], 'file.txt'),
        (['plot', 'logs', 'none.json', '--out', 'folder.json'], 'folder.json'),
    ],
    ids=lambda value: ' '.join(value[:2]) if isinstance(value, list) else None,
)
def test_each_command_refuses_such_a_path_before_its_work(words, path, tmp_path, monkeypatch, capsys) -> None:
    """Before it opens its input, even."""
    monkeypatch.chdir(tmp_path)
    Path('small.py').write_text(SMALL)
    Path('file.txt').touch()
    Path('folder.json').mkdir()
    for name in ('photo.jpg', 'none.pth', 'none.json'):  # files that are missing are reported first
        Path(name).touch()
    before = sorted(os.listdir())
    assert main([word.format(tmp_path) for word in words]) == 2
    assert path in capsys.readouterr().err
    assert sorted(os.listdir()) == before


SMALL = """
train_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=2, size=64, pipeline=[]))
val_dataloader = dict(batch_size=2, dataset=dict(type='SyntheticFaces', count=2, size=64, pipeline=[]))
val_evaluator = [dict(type='NME')]
model = dict(type='facelmk.FaceLandmarker', backbone=dict(type='NanoNet'), head=dict(type='RegressionHead'),
             codec=dict(type='Coordinates'), loss=dict(type='WingLoss'))
train_cfg = dict(max_epochs=1)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=.1))
"""


def test_the_error_names_the_file_of_the_folder_not_of_its_draft(tmp_path):
    with pytest.raises(UnwritableOutput) as caught, output_folder(tmp_path / 'out') as draft:
        raise UnwritableOutput(draft / 'images' / '1.png', OSError(errno.ENOSPC, 'No space left on device'))
    assert caught.value.filename == str(tmp_path / 'out' / 'images' / '1.png')
    assert caught.value.errno == errno.ENOSPC and '.tmp' not in str(caught.value)


def test_a_log_line_that_cannot_be_written_prints_nothing(capsys):
    class Full(logging.Handler):
        def emit(self, record):
            try:
                raise OSError(errno.ENOSPC, 'No space left on device')
            except OSError:
                self.handleError(record)

    record = logging.makeLogRecord({'msg': 'text'})
    with ignore_log_errors():
        Full().handle(record)
    assert not capsys.readouterr().err
    Full().handle(record)
    assert 'No space left' in capsys.readouterr().err
