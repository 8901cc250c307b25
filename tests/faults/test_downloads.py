"""Block E of the fault table: downloads, on a server of this machine; the real net is never asked."""

import errno
import gzip
import hashlib
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from facelmk.errors import MissingResource
from facelmk.files import download, web
from facelmk.files.download import cached, fetch

from .loopback import CONTENT, DIGEST, NAME, Answer, answer_of, child, serving


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache; no proxies, no pauses."""
    for name in ('FACELMK_MIRROR', 'FACELMK_OFFLINE', 'http_proxy', 'https_proxy', 'all_proxy'):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv('FACELMK_HOME', str(tmp_path / 'home'))
    monkeypatch.setattr(download, 'PAUSE_S', 0.0)
    yield tmp_path / 'home' / 'downloads'


def refused(url: str, *words: str, **options: object) -> str:
    """The address gives nothing; the message has URL, place, hash and these words; nothing has the final name."""
    with pytest.raises(MissingResource) as error:
        fetch(url, **options)
    text = str(error.value)
    digest = (f'must begin with {DIGEST[:8]}',) if NAME in url else ()
    assert all(word in text for word in (url, str(cached(url)), 'FACELMK_HOME', 'give its path', *digest, *words)), text
    assert error.value.exit_code == 3 and not cached(url).exists()
    return text


def litter(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir()) if home.is_dir() else []


@pytest.mark.parametrize(
    ('status', 'tries'),
    [pytest.param(404, 1, marks=pytest.mark.fault('E01')), pytest.param(500, 3, marks=pytest.mark.fault('E02'))],
)
def test_an_error_of_the_server_leads_to_the_mirror(
    home: Path, monkeypatch: pytest.MonkeyPatch, status: int, tries: int
) -> None:
    with serving(lambda answer: answer.head(status, 0)) as bad, serving(Answer.whole) as good:
        refused(f'{bad.address}/v1/{NAME}', f'{status}')
        assert len(bad.asked) == tries and litter(home) == []
        monkeypatch.setenv('FACELMK_MIRROR', f'{bad.address}/other/, {good.address}/all')
        assert fetch(f'{bad.address}/v1/{NAME}').read_bytes() == CONTENT
        assert good.asked == [(f'/all/v1/{NAME}', '')] and len(litter(home)) == 1


@pytest.mark.fault('E03')
@pytest.mark.parametrize('begins', [False, True])
def test_a_server_that_does_not_answer(home: Path, monkeypatch: pytest.MonkeyPatch, begins: bool) -> None:
    over = threading.Event()

    def hang(answer: Answer) -> None:
        if begins:
            answer.head(200, len(CONTENT))
        over.wait(10)

    monkeypatch.setattr(web, 'TIMEOUT_S', 0.2)
    with serving(hang) as bad, serving(Answer.whole) as good:
        begun = time.monotonic()
        refused(f'{bad.address}/{NAME}', 'no answer within 0.2 s')
        assert time.monotonic() - begun < 2
        monkeypatch.setenv('FACELMK_MIRROR', good.address)
        assert fetch(f'{bad.address}/{NAME}').read_bytes() == CONTENT
        over.set()


@pytest.mark.fault('E03')
@pytest.mark.parametrize('chunked', [False, True])
def test_a_server_that_drips_is_left(home: Path, monkeypatch: pytest.MonkeyPatch, chunked: bool) -> None:
    over = threading.Event()

    def drip(answer: Answer) -> None:
        answer.head(200, None if chunked else len(CONTENT), **({'Transfer_Encoding': 'chunked'} if chunked else {}))
        while not over.wait(0.02):
            try:
                answer.wfile.write(b'1\r\nx\r\n' if chunked else b'x')
            except OSError:
                return

    monkeypatch.setattr(web, 'TIMEOUT_S', 0.2)
    with serving(drip) as bad, serving(Answer.whole) as good:
        begun = time.monotonic()
        refused(f'{bad.address}/{NAME}', 'bytes came in 0.2', 'below 1000 a second (FACELMK_LEAST_SPEED)')
        assert time.monotonic() - begun < 3 and len(bad.asked) == 3
        monkeypatch.setenv('FACELMK_MIRROR', good.address)
        assert fetch(f'{bad.address}/{NAME}').read_bytes() == CONTENT
        over.set()


def test_a_slow_server_is_waited_for_if_wanted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(answer: Answer) -> None:
        answer.head(200, 12)
        for _ in range(12):
            answer.wfile.write(b'x')
            time.sleep(0.02)

    monkeypatch.setattr(web, 'TIMEOUT_S', 0.1)
    monkeypatch.setenv('FACELMK_LEAST_SPEED', '0')
    with serving(slow) as server:
        assert fetch(f'{server.address}/plain.pth').read_bytes() == b'x' * 12
        monkeypatch.setenv('FACELMK_LEAST_SPEED', 'fast')
        refused(f'{server.address}/other.pth', "FACELMK_LEAST_SPEED is 'fast'")


def test_a_web_page_in_its_place_is_not_kept(home: Path) -> None:
    """What a hotel's network answers until somebody logs in: with status 200, and at once."""

    def page(answer: Answer) -> None:
        answer.head(200, 6, Content_Type='text/html; charset=utf-8')
        answer.wfile.write(b'<html>')

    with serving(page) as server:
        refused(f'{server.address}/plain.pth', 'a web page came in its place')
        server.behaviour = Answer.whole
        assert fetch(f'{server.address}/plain.pth').read_bytes() == CONTENT


def test_secrets_of_an_address_are_not_told(home: Path, capfd: pytest.CaptureFixture) -> None:
    with serving(lambda answer: answer.head(404, 0)) as server:
        for url in (f'{server.address}/x.pth?token=hush', server.address.replace('//', '//me:hush@') + '/x.pth'):
            with pytest.raises(MissingResource) as error:
                fetch(url)
            assert 'hush' not in str(error.value) and '/x.pth' in str(error.value)
    assert 'hush' not in ''.join(capfd.readouterr())
    assert litter(home) == []


@pytest.mark.fault('E04')
def test_an_unknown_host(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')

    monkeypatch.setattr(socket, 'getaddrinfo', unknown)
    refused(f'http://gone.example/{NAME}', 'the host is not known', 'put it at')
    assert litter(home) == []


@pytest.mark.fault('E05', 'E11')
def test_a_reset_in_the_middle_is_gone_on_from(home: Path) -> None:
    def broken_once(answer: Answer) -> None:
        answer.whole() if answer.headers.get('Range') else (answer.half(), time.sleep(0.1), answer.reset())

    with serving(broken_once) as server:
        assert fetch(f'{server.address}/{NAME}').read_bytes() == CONTENT
        spans = [span for _, span in server.asked]
        assert spans[0] == '' and spans[-1].startswith('bytes=') and len(spans) <= 3
    assert litter(home) == [cached(f'{server.address}/{NAME}').name]


@pytest.mark.fault('E05')
def test_the_next_call_goes_on_where_all_tries_broke_off(home: Path) -> None:
    with serving(lambda answer: answer.head(500) if answer.headers.get('Range') else answer.half()) as server:
        refused(f'{server.address}/{NAME}')
        assert len(litter(home)) == 1 and litter(home)[0].endswith('.part')
        server.behaviour = Answer.whole
        assert fetch(f'{server.address}/{NAME}').read_bytes() == CONTENT
        assert server.asked[-1][1] == f'bytes={len(CONTENT) // 2}-' and len(litter(home)) == 1


@pytest.mark.fault('E06')
@pytest.mark.parametrize('name', [NAME, 'plain.pth'])
def test_fewer_bytes_than_promised(home: Path, name: str) -> None:
    def short(answer: Answer) -> None:
        answer.head(200, len(CONTENT) + 7)
        answer.wfile.write(CONTENT)

    with serving(short) as server:
        refused(f'{server.address}/{name}', f'{len(CONTENT)} of {len(CONTENT) + 7} bytes')
    assert all(part.endswith('.part') for part in litter(home)) and (name == NAME or litter(home) == [])


@pytest.mark.fault('E07')
def test_an_answer_that_comes_packed(home: Path) -> None:
    def packed(answer: Answer) -> None:
        content = gzip.compress(CONTENT)
        answer.head(200, len(content), Content_Encoding='gzip')
        answer.wfile.write(content)

    with serving(packed) as server:
        for name in (NAME, 'plain.pth'):
            refused(f'{server.address}/{name}', 'packed as gzip')
    assert litter(home) == []


@pytest.mark.fault('E08')
@pytest.mark.parametrize('target', ['file://{}', 'data:,x'])
def test_a_redirect_to_the_disk(tmp_path: Path, home: Path, target: str) -> None:
    secret = tmp_path / 'secret'
    secret.write_bytes(CONTENT)
    with serving(lambda answer: answer.head(302, 0, Location=target.format(secret))) as server:
        for name in (NAME, 'plain.pth'):
            refused(f'{server.address}/{name}', target.partition(':')[0])
        assert len(server.asked) == 2
    assert litter(home) == []


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key and certificate of this machine, made for the test and trusted during it."""
    if not shutil.which('openssl'):
        pytest.skip('no openssl to make a certificate with')
    file = tmp_path / 'both.pem'
    subprocess.run(
        [
            'openssl',
            'req',
            '-x509',
            '-newkey',
            'rsa:2048',
            '-nodes',
            '-days',
            '2',
            '-subj',
            '/CN=localhost',
            '-addext',
            'subjectAltName=IP:127.0.0.1',
            '-keyout',
            tmp_path / 'key',
            '-out',
            tmp_path / 'cert',
        ],
        check=True,
        capture_output=True,
    )
    file.write_bytes((tmp_path / 'key').read_bytes() + (tmp_path / 'cert').read_bytes())
    monkeypatch.setenv('SSL_CERT_FILE', str(file))
    return file


@pytest.mark.fault('E09')
def test_http_leads_to_https_and_not_back(home: Path, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(Answer.whole) as plain, serving(Answer.whole) as safe:
        safe.socket = context.wrap_socket(safe.socket, server_side=True)
        https = safe.address.replace('http:', 'https:')
        plain.behaviour = lambda answer: answer.head(301, 0, Location=f'{https}/moved/{NAME}')
        assert fetch(f'{plain.address}/{NAME}').read_bytes() == CONTENT and safe.asked == [(f'/moved/{NAME}', '')]
        safe.behaviour = lambda answer: answer.head(301, 0, Location=f'{plain.address}/back/{NAME}')
        refused(f'{https}/{NAME}', 'which is not followed')
        assert len(plain.asked) == 1


@pytest.mark.fault('E10')
def test_a_wrong_hash(home: Path) -> None:
    with serving(Answer.whole) as server:
        text = refused(f'{server.address}/m-00000000.pth', f'sha256 {DIGEST}', 'promises 00000000')
        assert 'must begin with 00000000' in text and litter(home) == []
        wrong = DIGEST[:-1] + ('0' if DIGEST[-1] != '0' else '1')
        refused(f'{server.address}/plain.pth', f'promises {wrong}', sha256=wrong)
        assert fetch(f'{server.address}/plain.pth', sha256=DIGEST.upper()).read_bytes() == CONTENT


def left_behind(url: str, content: bytes) -> None:
    """What a process that is gone has left of a download."""
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
def test_only_the_rest_is_asked_for(home: Path, part: bytes, spans: list[str]) -> None:
    def served(answer: Answer) -> None:
        if int(answer.headers.get('Range', 'bytes=0-')[6:-1]) >= len(CONTENT):
            answer.head(416, 0, Content_Range=f'bytes */{len(CONTENT)}')
        else:
            answer.whole()

    with serving(served) as server:
        url = f'{server.address}/{NAME}'
        left_behind(url, part)
        assert fetch(url).read_bytes() == CONTENT and [span for _, span in server.asked] == spans
    assert litter(home) == [cached(url).name]


@pytest.mark.fault('E11')
def test_without_a_hash_nothing_is_gone_on_from(home: Path) -> None:
    """Nobody could tell that the two halves belong together."""
    with serving(Answer.whole) as server:
        left_behind(f'{server.address}/plain.pth', b'old version')
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
    assert litter(home) == [cached(url).name]


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
    assert litter(home) == [cached(url).name]


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
        assert answer_of(process, read) == '' and not cached(url).exists() and len(litter(home)) == 1
        over.set()
        server.behaviour = Answer.whole
        assert fetch(url).read_bytes() == CONTENT and server.asked[-1][1].startswith('bytes=')
    assert litter(home) == [cached(url).name]


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
    assert f'needs {len(CONTENT)} bytes' in text and litter(home) == []


@pytest.mark.fault('E15')
def test_a_disk_that_is_too_small_is_told_from_the_header(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: SimpleNamespace(free=1000))
    with serving(Answer.whole) as server:
        monkeypatch.setenv('FACELMK_MIRROR', server.address)
        refused(f'{server.address}/{NAME}', f'needs {len(CONTENT)} bytes, 1000 are free')
        assert len(server.asked) == 1 and litter(home) == []  # a mirror would not make the disk larger
    assert errno.ENOSPC in web.FULL_DISK


@pytest.mark.fault('E16')
def test_offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('FACELMK_OFFLINE', '1')
    with serving(Answer.whole) as server:
        url = f'{server.address}/{NAME}'
        refused(url, 'FACELMK_OFFLINE is set')
        assert server.asked == []
        home.mkdir(parents=True)
        cached(url).write_bytes(CONTENT)
        assert fetch(url) == cached(url) and server.asked == []


def test_a_file_beyond_the_limit_is_refused_from_the_header(home: Path) -> None:
    def endless(answer: Answer) -> None:
        answer.head(200)
        answer.wfile.write(CONTENT)

    with serving(Answer.whole) as server:
        refused(f'{server.address}/{NAME}', f'it has {len(CONTENT)} bytes, the limit is 1000', limit=1000)
        server.behaviour = endless
        refused(f'{server.address}/{NAME}', 'limit of 1000 bytes', limit=1000)


@pytest.mark.fault('E03')
def test_headers_that_drip_obey_the_time_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def drip(answer: Answer) -> None:
        answer.wfile.write(b'HTTP/1.1 200 OK\r\nX-Slow: ')
        while not over.wait(0.05):
            try:
                answer.wfile.write(b'x')
            except OSError:
                return

    monkeypatch.setattr(web, 'TIMEOUT_S', 0.3)
    with serving(drip) as server:
        started = time.monotonic()
        refused(f'{server.address}/{NAME}', 'no answer within 0.3 s')
        assert time.monotonic() - started < 3
        over.set()


@pytest.mark.fault('E06')
@pytest.mark.parametrize(('status', 'length'), [(204, None), (200, 0)])
@pytest.mark.parametrize('name', [NAME, 'plain.pth'])
def test_an_empty_answer_is_not_kept(home: Path, status: int, length: int | None, name: str) -> None:
    with serving(lambda answer: answer.head(status, length)) as server:
        refused(f'{server.address}/{name}', 'empty')
    assert litter(home) == []


@pytest.mark.fault('E06')
@pytest.mark.parametrize('chunked', [False, True])
def test_a_body_of_no_length_that_ends_early_is_not_kept(home: Path, chunked: bool) -> None:
    def short(answer: Answer) -> None:
        answer.head(200, **({'Transfer_Encoding': 'chunked'} if chunked else {}))
        answer.wfile.write(b'5\r\n12345\r\n' if chunked else b'12345')

    with serving(short) as server:
        refused(f'{server.address}/plain.pth')
        refused(f'{server.address}/{NAME}')


@pytest.mark.fault('E07')
def test_a_packed_transfer_is_refused(home: Path) -> None:
    def packed(answer: Answer) -> None:
        content = gzip.compress(CONTENT)
        answer.head(200, len(content), Transfer_Encoding='gzip')
        answer.wfile.write(content)

    with serving(packed) as server:
        refused(f'{server.address}/{NAME}', 'gzip')
        refused(f'{server.address}/plain.pth', 'gzip')
    assert litter(home) == []


@pytest.mark.parametrize(
    'url',
    [
        'http://127.0.0.1:9/a%00b.pth',
        'http://127.0.0.1:9/%2e%2e%2fx.pth',
        'http://127.0.0.1:9/' + 'n' * 400,
        'http://127.0.0.1:9/\u00e9 x.pth',
        'http://127.0.0.1:99999999/x.pth',
        'http://[::1/x.pth',
        'http:///x.pth',
        'http://a b/x.pth',
        'ftp://127.0.0.1/x.pth',
    ],
)
def test_strange_addresses_are_answered_as_missing(home: Path, url: str) -> None:
    with pytest.raises(MissingResource):
        fetch(url)
    assert litter(home) == [] and cached(url).parent == home


def test_a_mirror_that_is_no_web_address_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda answer: answer.head(404, 0)) as server:
        monkeypatch.setenv('FACELMK_MIRROR', f'file://{home} mirror')
        refused(f'{server.address}/{NAME}', 'does not begin with http')
