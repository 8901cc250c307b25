"""Answers of servers, good and bad, on this machine (block E of the fault table); no test connects elsewhere."""

import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
from faults.loopback import CONTENT, NAME, Answer, assert_refused, file_names, serving

from facelmk.errors import FacelmkError, MissingResource
from facelmk.files import web
from facelmk.files.download import cached, fetch
from facelmk.zoo import DEFAULT, find_model


@pytest.mark.parametrize(
    ('status', 'tries'),
    [pytest.param(404, 1, marks=pytest.mark.fault('E01')), pytest.param(500, 3, marks=pytest.mark.fault('E02'))],
)
def test_an_error_of_the_server_leads_to_the_mirror(
    home: Path, monkeypatch: pytest.MonkeyPatch, status: int, tries: int
) -> None:
    with serving(lambda answer: answer.head(status, 0)) as bad, serving(Answer.whole) as good:
        assert_refused(f'{bad.address}/v1/{NAME}', f'{status}')
        assert len(bad.asked) == tries and file_names(home) == []
        monkeypatch.setenv('FACELMK_MIRROR', f'{bad.address}/other/, {good.address}/all')
        assert fetch(f'{bad.address}/v1/{NAME}').read_bytes() == CONTENT
        assert good.asked == [(f'/all/v1/{NAME}', '')] and len(file_names(home)) == 1


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
        assert_refused(f'{bad.address}/{NAME}', 'no answer within 0.2 s')
        assert time.monotonic() - begun < 2
        monkeypatch.setenv('FACELMK_MIRROR', good.address)
        assert fetch(f'{bad.address}/{NAME}').read_bytes() == CONTENT
        over.set()


@pytest.mark.fault('E03')
@pytest.mark.parametrize('chunked', [False, True])
def test_a_body_below_the_minimum_speed_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, chunked: bool) -> None:
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
        assert_refused(f'{bad.address}/{NAME}', 'bytes came in 0.2', 'below 1000 a second (FACELMK_LEAST_SPEED)')
        assert time.monotonic() - begun < 3 and len(bad.asked) == 3
        monkeypatch.setenv('FACELMK_MIRROR', good.address)
        assert fetch(f'{bad.address}/{NAME}').read_bytes() == CONTENT
        over.set()


def test_the_minimum_speed_can_be_set(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(answer: Answer) -> None:
        answer.head(200, 12)
        for _ in range(12):
            answer.wfile.write(b'\x80')
            time.sleep(0.02)

    monkeypatch.setattr(web, 'TIMEOUT_S', 0.1)
    monkeypatch.setenv('FACELMK_LEAST_SPEED', '0')
    with serving(slow) as server:
        assert fetch(f'{server.address}/plain.pth').read_bytes() == b'\x80' * 12
        monkeypatch.setenv('FACELMK_LEAST_SPEED', 'fast')
        assert_refused(f'{server.address}/other.pth', "FACELMK_LEAST_SPEED is 'fast'")


def test_a_web_page_is_not_kept(home: Path) -> None:
    """The network of a hotel answers so until the user logs in: with status 200, and at once."""

    def page(answer: Answer) -> None:
        answer.head(200, 6, Content_Type='text/html; charset=utf-8')
        answer.wfile.write(b'<html>')

    with serving(page) as server:
        assert_refused(f'{server.address}/plain.pth', 'a web page came in its place')
        server.behaviour = Answer.whole
        assert fetch(f'{server.address}/plain.pth').read_bytes() == CONTENT


def test_secrets_of_an_address_are_in_no_message(home: Path, capfd: pytest.CaptureFixture) -> None:
    with serving(lambda answer: answer.head(404, 0)) as server:
        for url in (f'{server.address}/x.pth?token=hush', server.address.replace('//', '//me:hush@') + '/x.pth'):
            with pytest.raises(MissingResource) as error:
                fetch(url)
            assert 'hush' not in str(error.value) and '/x.pth' in str(error.value)
    assert 'hush' not in ''.join(capfd.readouterr())
    assert file_names(home) == []


@pytest.mark.fault('E04')
def test_an_unknown_host(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')

    monkeypatch.setattr(socket, 'getaddrinfo', unknown)
    assert_refused(f'http://gone.example/{NAME}', 'the host is not known', 'put it at')
    assert file_names(home) == []


@pytest.mark.fault('E08')
@pytest.mark.parametrize('target', ['file://{}', 'data:,x'])
def test_a_redirect_to_the_disk(tmp_path: Path, home: Path, target: str) -> None:
    secret = tmp_path / 'secret'
    secret.write_bytes(CONTENT)
    with serving(lambda answer: answer.head(302, 0, Location=target.format(secret))) as server:
        for name in (NAME, 'plain.pth'):
            assert_refused(f'{server.address}/{name}', target.partition(':')[0])
        assert len(server.asked) == 2
    assert file_names(home) == []


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
        assert_refused(f'{https}/{NAME}', 'which is not followed')
        assert len(plain.asked) == 1


def test_a_file_beyond_the_limit_is_refused_from_the_header(home: Path) -> None:
    def endless(answer: Answer) -> None:
        answer.head(200)
        answer.wfile.write(CONTENT)

    with serving(Answer.whole) as server:
        assert_refused(f'{server.address}/{NAME}', f'it has {len(CONTENT)} bytes, the limit is 1000', limit=1000)
        server.behaviour = endless
        assert_refused(f'{server.address}/{NAME}', 'limit of 1000 bytes', limit=1000)


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
        assert_refused(f'{server.address}/{NAME}', 'no answer within 0.3 s')
        assert time.monotonic() - started < 3
        over.set()


@pytest.mark.fault('E06')
@pytest.mark.parametrize(('status', 'length'), [(204, None), (200, 0)])
@pytest.mark.parametrize('name', [NAME, 'plain.pth'])
def test_an_empty_answer_is_not_kept(home: Path, status: int, length: int | None, name: str) -> None:
    with serving(lambda answer: answer.head(status, length)) as server:
        assert_refused(f'{server.address}/{name}', 'empty')
    assert file_names(home) == []


@pytest.mark.fault('E06')
@pytest.mark.parametrize('chunked', [False, True])
def test_a_body_of_no_length_that_ends_early_is_not_kept(home: Path, chunked: bool) -> None:
    def short(answer: Answer) -> None:
        answer.head(200, **({'Transfer_Encoding': 'chunked'} if chunked else {}))
        answer.wfile.write(b'5\r\n12345\r\n' if chunked else b'12345')

    with serving(short) as server:
        assert_refused(f'{server.address}/plain.pth')
        assert_refused(f'{server.address}/{NAME}')


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
    assert file_names(home) == [] and cached(url).parent == home


def test_a_mirror_that_is_no_web_address_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for mirror in (f'file://{home}', 'nonsense'):
        monkeypatch.setenv('FACELMK_MIRROR', f'https://host.org {mirror}')
        for use in (lambda: fetch(f'http://127.0.0.1:9/{NAME}'), lambda: find_model(DEFAULT)):
            with pytest.raises(FacelmkError, match=f'FACELMK_MIRROR: {mirror} does not begin with http'):
                use()
