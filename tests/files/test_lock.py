"""Two runs never share a work folder; the lock of a process that has ended is taken over."""

import json
import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from facelmk.errors import FacelmkError
from facelmk.files import lock
from facelmk.files.lock import _process, locked_folder

NAME = '.train.lock'
pytestmark = [
    pytest.mark.skipif(not hasattr(os, 'fork'), reason='this system does not fork'),
    pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning'),
]


@contextmanager
def holder(folder: Path) -> Iterator[int]:
    """Another process that holds the lock of a folder."""
    (ready, is_ready), (may_end, end) = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        os.close(end)
        with locked_folder(folder, NAME):
            os.write(is_ready, b'.')
            os.read(may_end, 1)
        os._exit(0)
    os.close(may_end)
    os.read(ready, 1)
    try:
        yield child
    finally:
        os.close(end)
        os.waitpid(child, 0)


def attempt(folder: Path) -> str:
    """Try to take a lock; return '' or the error."""
    try:
        with locked_folder(folder, NAME):
            return ''
    except FacelmkError as error:
        assert error.exit_code == 2
        return str(error)


def leave(folder: Path, **changes: object) -> Path:
    """Leave a lock file as a process does that was killed; `changes` differ from this process."""
    folder.mkdir(exist_ok=True)
    file = folder / NAME
    file.touch()
    file.write_text(json.dumps(_process() | {'inode': file.stat().st_ino} | changes))
    return file


@pytest.mark.fault('M09')
def test_the_second_run_is_refused_and_names_the_first(tmp_path: Path) -> None:
    with holder(tmp_path) as pid:
        owner = json.loads((tmp_path / NAME).read_text())
        message = attempt(tmp_path)
        assert all(part in message for part in (str(pid), socket.gethostname(), owner['since'], str(tmp_path)))
        assert os.listdir(tmp_path) == [NAME] and json.loads((tmp_path / NAME).read_text()) == owner
    assert attempt(tmp_path) == '' and not os.listdir(tmp_path)


@pytest.mark.fault('M09')
def test_a_process_does_not_share_a_folder_with_itself(tmp_path: Path) -> None:
    (tmp_path / 'link').symlink_to(tmp_path)
    messages = []
    with locked_folder(tmp_path, NAME):
        for folder in (tmp_path, tmp_path / 'link'):
            thread = threading.Thread(target=lambda folder=folder: messages.append(attempt(folder)))
            thread.start()
            thread.join()
        child = os.fork()  # as a worker, which must not free the lock when it ends
        if not child:
            os._exit(3 if str(os.getppid()) in attempt(tmp_path) else 4)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        assert (tmp_path / NAME).exists()
    assert len(messages) == 2 and all(str(os.getpid()) in message for message in messages)


@pytest.mark.fault('M10')
@pytest.mark.parametrize('killed', [False, True], ids=['a new folder', 'after a run that was killed'])
def test_of_many_starts_at_once_exactly_one_wins(killed: bool, tmp_path: Path) -> None:
    for number in range(8):
        folder = tmp_path / str(number)
        if killed:
            leave(folder, pid=2**22 + 1, start=1)
        (go, start), (may_end, end), (results, result) = os.pipe(), os.pipe(), os.pipe()
        children = []
        for _ in range(6):
            children.append(os.fork())
            if not children[-1]:
                os.close(start)
                os.close(end)
                os.read(go, 1)
                try:
                    with locked_folder(folder, NAME):
                        os.write(result, b'w')
                        os.read(may_end, 1)
                except FacelmkError as error:
                    os.write(result, b'r' if 'process' in str(error) else b'?')
                os._exit(0)
        os.close(start)
        assert sorted(os.read(results, 1) for _ in children) == [b'r'] * 5 + [b'w']
        os.close(end)
        for child in children:
            os.waitpid(child, 0)


@pytest.mark.fault('M11')
def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path, monkeypatch) -> None:
    warnings = []
    monkeypatch.setattr(lock, 'print_log', lambda text, *_: warnings.append(text))
    with holder(tmp_path / 'run') as pid:
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
        assert (tmp_path / 'run' / NAME).exists() and attempt(tmp_path / 'run') == ''
    assert len(warnings) == 1 and str(pid) in warnings[0]


@pytest.mark.fault('M11', 'M12', 'M13')
@pytest.mark.parametrize(
    ('changes', 'refused'),
    [
        pytest.param({'pid': 2**22 + 1}, False, id='its process has ended'),
        pytest.param({'pid': os.getppid(), 'start': 1}, False, id='its number belongs to another process'),
        pytest.param({'pid': os.getppid(), 'start': 'parent'}, True, id='its process lives, where no locks exist'),
        pytest.param({'boot': 'an earlier one', 'pid': 1}, False, id='the machine was started again'),
        pytest.param({'host': 'elsewhere', 'boot': 'another'}, True, id='another machine'),
        pytest.param({'host': 'container', 'pid': 1}, False, id='another container on this machine'),
        pytest.param({'host': 'elsewhere', 'boot': 'another', 'inode': 1}, False, id='copied with its folder'),
        pytest.param({'host': 'elsewhere', 'boot': 'another', 'pid': 'x'}, False, id='no number'),
    ],
)
def test_what_a_lock_file_says_decides_where_the_system_knows_no_owner(changes, refused, tmp_path: Path) -> None:
    if changes.get('start') == 'parent':
        changes = changes | {
            'start': int(Path(f'/proc/{os.getppid()}/stat').read_text().rpartition(')')[2].split()[19])
        }
    file = leave(tmp_path, **changes)
    content = file.read_bytes()
    message = attempt(tmp_path)
    assert bool(message) == refused
    assert not refused or (str(changes['pid']) if 'pid' in changes else str(file)) in message
    assert file.exists() == refused and (not refused or file.read_bytes() == content)


@pytest.mark.fault('M11')
@pytest.mark.parametrize(
    'content', [b'', b'\0' * 9000, b'[1]', b'{"pid": 1}', b'{"pid": {}}', b'\xff\xfe', b'[' * 4000]
)
def test_a_damaged_lock_file_without_owner_is_replaced(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert attempt(tmp_path) == '' and not os.listdir(tmp_path)


@pytest.mark.fault('M12')
def test_ranks_that_torchrun_starts_again_elsewhere_are_the_same_run(tmp_path: Path, monkeypatch) -> None:
    leave(tmp_path, host='elsewhere', boot='another', job='mine')
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'mine')
    assert attempt(tmp_path)
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    assert attempt(tmp_path) == ''


@pytest.mark.fault('M09')
def test_a_refused_start_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked_folder(tmp_path / 'a' / 'new', NAME):
        raise KeyError
    assert not (tmp_path / 'a' / 'new').exists()


@pytest.mark.fault('M13')
def test_a_copy_of_a_folder_in_use_is_free(tmp_path: Path) -> None:
    (tmp_path / 'run').mkdir()
    with holder(tmp_path / 'run'):
        shutil.copytree(tmp_path / 'run', tmp_path / 'copy')
        assert attempt(tmp_path / 'copy') == '' and attempt(tmp_path / 'run')


def test_a_lock_that_was_deleted_is_not_freed_twice(tmp_path: Path) -> None:
    """Somebody removes the folder of a run and starts another one there: that lock stays."""
    with locked_folder(tmp_path / 'run', NAME):
        shutil.rmtree(tmp_path / 'run')
        (tmp_path / 'run').mkdir()
        leave(tmp_path / 'run', pid=os.getppid())
    assert (tmp_path / 'run' / NAME).exists()


@pytest.mark.fault('M16')
def test_a_full_disk_leaves_no_lock(tmp_path: Path) -> None:
    pytest.importorskip('resource', reason='this system limits no files')
    from disturbances import file_limit

    with file_limit(0), pytest.raises(FacelmkError, match='run'), locked_folder(tmp_path / 'run', NAME):
        pass
    assert not (tmp_path / 'run').exists()
