"""Resuming, hashes, locks, and the cache folder (block E of the fault table), with a server on this machine."""

import errno
import hashlib
import os
import resource
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from faults.loopback import CONTENT, DIGEST, NAME, Answer, answer_of, assert_refused, child, file_names, serving

from facelmk.errors import MissingResource
from facelmk.files import download
from facelmk.files.download import cached, fetch


@pytest.mark.fault('E05', 'E11')
def test_a_download_resumes_after_a_reset(home: Path) -> None:
    def broken_once(answer: Answer) -> None:
        answer.whole() if answer.headers.get('Range') else (answer.half(), time.sleep(0.1), answer.reset())

    with serving(broken_once) as server:
        assert fetch(f'{server.address}/{NAME}').read_bytes() == CONTENT
        spans = [span for _, span in server.asked]
        assert spans[0] == '' and spans[-1].startswith('bytes=') and len(spans) <= 3
    assert file_names(home) == [cached(f'{server.address}/{NAME}').name]


@pytest.mark.fault('E05')
def test_the_next_call_resumes_where_all_tries_broke_off(home: Path) -> None:
    with serving(lambda answer: answer.head(500) if answer.headers.get('Range') else answer.half()) as server:
        assert_refused(f'{server.address}/{NAME}')
        assert len(file_names(home)) == 1 and file_names(home)[0].endswith('.part')
        server.behaviour = Answer.whole
        assert fetch(f'{server.address}/{NAME}').read_bytes() == CONTENT
        assert server.asked[-1][1] == f'bytes={len(CONTENT) // 2}-' and len(file_names(home)) == 1


@pytest.mark.fault('E06')
@pytest.mark.parametrize('name', [NAME, 'plain.pth'])
def test_fewer_bytes_than_promised(home: Path, name: str) -> None:
    def short(answer: Answer) -> None:
        answer.head(200, len(CONTENT) + 7)
        answer.wfile.write(CONTENT)

    with serving(short) as server:
        assert_refused(f'{server.address}/{name}', f'{len(CONTENT)} of {len(CONTENT) + 7} bytes')
    assert all(part.endswith('.part') for part in file_names(home)) and (name == NAME or file_names(home) == [])


@pytest.mark.fault('E10')
def test_a_wrong_hash(home: Path) -> None:
    with serving(Answer.whole) as server:
        text = assert_refused(f'{server.address}/m-00000000.pth', f'sha256 {DIGEST}', 'promises 00000000')
        assert 'must begin with 00000000' in text and file_names(home) == []
        wrong = DIGEST[:-1] + ('0' if DIGEST[-1] != '0' else '1')
        assert_refused(f'{server.address}/plain.pth', f'promises {wrong}', sha256=wrong)
        assert fetch(f'{server.address}/plain.pth', sha256=DIGEST.upper()).read_bytes() == CONTENT


def write_part(url: str, content: bytes) -> None:
    """Write the part of a download that an earlier process has left."""
    path = cached(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(f'.{path.name}.part').write_bytes(content)


@pytest.mark.fault('E11')
@pytest.mark.parametrize(
    ('part', 'spans'),
    [
        (CONTENT[:70_000], ['bytes=70000-']),
        (b'not its beginning', ['bytes=17-', '']),
        (CONTENT + b'more', [f'bytes={len(CONTENT) + 4}-', '']),
        (CONTENT, [f'bytes={len(CONTENT)}-']),
    ],
)
def test_only_the_missing_bytes_are_requested(home: Path, part: bytes, spans: list[str]) -> None:
    def served(answer: Answer) -> None:
        if int(answer.headers.get('Range', 'bytes=0-')[6:-1]) >= len(CONTENT):
            answer.head(416, 0, Content_Range=f'bytes */{len(CONTENT)}')
        else:
            answer.whole()

    with serving(served) as server:
        url = f'{server.address}/{NAME}'
        write_part(url, part)
        assert fetch(url).read_bytes() == CONTENT and [span for _, span in server.asked] == spans
    assert file_names(home) == [cached(url).name]


@pytest.mark.fault('E11')
def test_without_a_hash_no_download_is_resumed(home: Path) -> None:
    """Nothing could show that the two parts belong together."""
    with serving(Answer.whole) as server:
        write_part(f'{server.address}/plain.pth', b'old version')
        assert fetch(f'{server.address}/plain.pth').read_bytes() == CONTENT and server.asked == [('/plain.pth', '')]


@pytest.mark.fault('E12')
def test_two_processes_at_once(home: Path) -> None:
    def slow(answer: Answer) -> None:
        time.sleep(0.3)
        answer.whole()

    with serving(slow) as server:
        url = f'{server.address}/{NAME}'
        children = [child(lambda: hashlib.sha256(fetch(url).read_bytes()).hexdigest()) for _ in range(2)]
        assert [answer_of(*one) for one in children] == [DIGEST, DIGEST] and len(server.asked) == 1
    assert file_names(home) == [cached(url).name]


def test_two_ranks_make_one_request(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(answer: Answer) -> None:
        time.sleep(0.3)
        answer.whole()

    def ranked(rank: str) -> str:
        os.environ['LOCAL_RANK'] = rank
        return hashlib.sha256(fetch(url).read_bytes()).hexdigest()

    with serving(slow) as server:
        url = f'{server.address}/{NAME}'
        ranks = [child(lambda rank=rank: ranked(rank)) for rank in '10']
        assert [answer_of(*rank) for rank in ranks] == [DIGEST, DIGEST] and len(server.asked) == 1
    assert file_names(home) == [cached(url).name]


@pytest.mark.fault('E13')
def test_a_download_killed_at_half(home: Path) -> None:
    half_there, over = threading.Event(), threading.Event()

    def stalls(answer: Answer) -> None:
        answer.half()
        half_there.set()
        over.wait(20)

    with serving(stalls) as server:
        url = f'{server.address}/{NAME}'
        process, read = child(lambda: fetch(url))
        half_there.wait(20)
        while not any(path.stat().st_size for path in home.glob('.*.part')):
            time.sleep(0.01)
        os.kill(process, signal.SIGKILL)
        assert answer_of(process, read) == '' and not cached(url).exists() and len(file_names(home)) == 1
        over.set()
        server.behaviour = Answer.whole
        assert fetch(url).read_bytes() == CONTENT and server.asked[-1][1].startswith('bytes=')
    assert file_names(home) == [cached(url).name]


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that others than its owner can read and not write."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.fault('E14')
def test_a_cache_that_cannot_be_written(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('FACELMK_HOME', str(closed / 'home'))

    def without_root(url: str) -> str:
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        return str(fetch(url))

    with serving(Answer.whole) as server:
        url = f'{server.address}/{NAME}'
        text = answer_of(*child(lambda: without_root(url)))
        assert text.startswith('MissingResource') and 'Permission denied' in text and server.asked == []
        assert all(word in text for word in (str(cached(url)), 'FACELMK_HOME moves the cache folder', url))
        closed.chmod(0o755)
        fetch(url)  # by another user, who may write
        (closed / 'home' / 'downloads').chmod(0o555)
        assert answer_of(*child(lambda: without_root(url))) == str(cached(url)) and len(server.asked) == 1
        (closed / 'home' / 'downloads').chmod(0o755)


@pytest.mark.fault('E15')
def test_a_disk_that_fills_up(home: Path) -> None:
    def limited(url: str) -> Path:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # the system's own way to refuse a write
        return fetch(url)

    with serving(Answer.whole) as server:
        url = f'{server.address}/{NAME}'
        text = answer_of(*child(lambda: limited(url)))
    assert text.startswith('MissingResource') and f'no room in {home}' in text, text
    assert f'needs {len(CONTENT)} bytes' in text and file_names(home) == []


@pytest.mark.fault('E15')
def test_a_disk_that_is_too_small_is_refused_from_the_header(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: SimpleNamespace(free=1000))
    with serving(Answer.whole) as server:
        monkeypatch.setenv('FACELMK_MIRROR', server.address)
        assert_refused(f'{server.address}/{NAME}', f'needs {len(CONTENT)} bytes, 1000 are free')
        assert len(server.asked) == 1 and file_names(home) == []  # a mirror would not make the disk larger
    assert errno.ENOSPC in download.FULL_DISK


@pytest.mark.fault('E16')
def test_offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('FACELMK_OFFLINE', '1')
    with serving(Answer.whole) as server:
        url = f'{server.address}/{NAME}'
        assert_refused(url, 'FACELMK_OFFLINE is set')
        assert server.asked == []
        home.mkdir(parents=True)
        cached(url).write_bytes(CONTENT)
        assert fetch(url) == cached(url) and server.asked == []


@pytest.mark.parametrize('damage', [lambda content: content[:4000], lambda content: b'x' + content[1:]])
def test_a_damaged_file_of_the_cache_is_downloaded_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    with serving(Answer.whole) as server:
        url = f'{server.address}/{NAME}'
        fetch(url).write_bytes(damage(CONTENT))
        with monkeypatch.context() as patch:
            patch.setenv('FACELMK_OFFLINE', '1')
            with pytest.raises(MissingResource, match='the cache holds another file under this name'):
                fetch(url)
        assert cached(url).read_bytes() == damage(CONTENT)  # kept until the download is complete
        assert fetch(url).read_bytes() == CONTENT and file_names(home) == [cached(url).name]
        plain = f'{server.address}/plain.pth'  # without a hash, nothing is known of the file
        fetch(plain).write_bytes(damage(CONTENT))
        assert fetch(plain).read_bytes() == damage(CONTENT)
