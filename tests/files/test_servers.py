"""Servers that lie, stop, drip or pack: a file is there and right, or not there and the error says why (block E)."""

import gzip
import io
import json
import resource
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from faults.loopback import CONTENT, NAME, Answer, assert_refused, file_names, serving

from facelmk.errors import MissingResource
from facelmk.files import web
from facelmk.files.download import cached, fetch
from facelmk.inference.pictures import read_picture

Behaviour = Callable[[Answer], None]
PACKED = gzip.compress(CONTENT)
TWO_MEMBERS = gzip.compress(CONTENT[:1000]) + gzip.compress(CONTENT[1000:])
TENSORS = json.dumps({'a': {'dtype': 'F32', 'shape': [250], 'data_offsets': [0, 1000]}}).encode()
SAFETENSORS = len(TENSORS).to_bytes(8, 'little') + TENSORS + bytes(1000)


def zipped() -> bytes:
    file = io.BytesIO()
    torch.save({'a': torch.zeros(300)}, file)
    return file.getvalue()


def chunks(content: bytes, size: int = 70_000) -> bytes:
    rows = [content[i : i + size] for i in range(0, len(content), size)]
    return b''.join(b'%x\r\n%s\r\n' % (len(row), row) for row in rows) + b'0\r\n\r\n'


def sends(content: bytes, length: int | None = None, status: int = 200, **headers: str) -> Behaviour:
    """A server that sends these headers and bytes, whatever was asked for."""

    def behave(answer: Answer) -> None:
        answer.head(status, length, **headers)
        answer.wfile.write(content)

    return behave


def raw(content: bytes) -> Behaviour:
    """A server that sends these bytes, headers included."""
    return lambda answer: answer.wfile.write(content) and None


WHOLE: dict[str, tuple[Behaviour, bytes]] = {  # and what must lie in the cache
    'gzip': (sends(PACKED, len(PACKED), Content_Encoding='gzip'), CONTENT),
    'gzip in capitals': (sends(PACKED, len(PACKED), Content_Encoding='GZIP'), CONTENT),
    'gzip without a length': (sends(PACKED, Content_Encoding='x-gzip'), CONTENT),
    'gzip of two members': (sends(TWO_MEMBERS, Content_Encoding='gzip'), CONTENT),
    'deflate': (sends(zlib.compress(CONTENT), Content_Encoding='deflate'), CONTENT),
    'gzip twice': (sends(gzip.compress(PACKED), Content_Encoding='gzip, gzip'), CONTENT),
    'gzip in chunks': (sends(chunks(PACKED), Content_Encoding='gzip', Transfer_Encoding='chunked'), CONTENT),
    'gzip as a transfer': (sends(PACKED, len(PACKED), Transfer_Encoding='gzip'), CONTENT),
    'gzip as a transfer in chunks': (sends(chunks(PACKED), Transfer_Encoding='gzip, chunked'), CONTENT),
    'chunks': (sends(chunks(CONTENT), Transfer_Encoding='Chunked'), CONTENT),
    'zip without a length': (sends(zipped()), zipped()),
    'safetensors without a length': (sends(SAFETENSORS), SAFETENSORS),
}
REFUSED: dict[str, tuple[Behaviour, str]] = {  # and a word of the error
    'unknown packing': (sends(PACKED, len(PACKED), Content_Encoding='br'), 'br'),
    'unknown transfer': (sends(PACKED, len(PACKED), Transfer_Encoding='zstd'), 'zstd'),
    'no gzip': (sends(CONTENT, len(CONTENT), Content_Encoding='gzip'), 'gzip'),
    'gzip that ends early': (sends(PACKED[:-9], Content_Encoding='gzip'), 'gzip'),
    'gzip with more behind it': (sends(PACKED + b'more', Content_Encoding='gzip'), 'gzip'),
    'gzip of nothing': (sends(gzip.compress(b''), Content_Encoding='gzip'), 'no bytes'),
    'a part that was not requested': (sends(b'x' * 100, 100, 206, Content_Range='bytes 0-99/512000'), '0-99'),
    'a part without a range': (sends(b'x' * 100, 100, 206), 'all bytes'),
    'nothing satisfies the range': (sends(b'', 0, 416, Content_Range='bytes */0'), 'earlier try'),
    'not modified': (sends(b'', None, 304), '304'),
    'no content': (sends(b'', None, 204), '204'),
    'reset content': (sends(b'', 0, 205), '205'),
    'accepted': (sends(b'later', 5, 202), '202'),
    'no bytes': (sends(b'', 0), 'empty'),
    'no bytes without a length': (sends(b''), 'no bytes'),
    'no bytes in chunks': (sends(b'0\r\n\r\n', Transfer_Encoding='chunked'), 'no bytes'),
    'zip that ends early': (sends(zipped()[:-1]), 'ends within'),
    'zip that ends early at half': (sends(zipped()[:600]), 'ends within'),
    'safetensors that ends early': (sends(SAFETENSORS[:-1]), 'ends within'),
    'safetensors that lies': (sends((20).to_bytes(8, 'little') + b'{"a": [[[[[[[[[[[[[[[[[[['), 'ends within'),
    'zip with the end of a longer one': (sends(zipped()[:600] + zipped()[-22:]), 'ends within'),
    'zip with a length that is too short': (sends(zipped(), len(zipped()) - 50), 'ends within'),
    'two lengths': (raw(b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n\x80\2}q.'), 'lengths'),
    'error in JSON': (sends(b'{"error": "log in"}', 19, Content_Type='application/json'), 'no file of weights'),
    'error as text': (sends(b'Not Found', 9, Content_Type='text/plain'), 'no file of weights'),
    'pointer of Git LFS': (sends(b'version https://git-lfs.github.com/spec/v1', 42), 'no file of weights'),
    'unknown format without a length': (sends(CONTENT), 'how long'),
    'negative length': (sends(CONTENT, -5), 'how long'),
    'length that is no number': (sends(CONTENT, Content_Length='many'), 'how long'),
    'shorter than its length': (sends(CONTENT, len(CONTENT) + 1), 'of'),
    'enormous length': (sends(CONTENT, 10**30), 'limit'),
    'web page of another type': (sends(b'\n<!DOCTYPE html>', 16, Content_Type='application/octet-stream'), 'web page'),
    'web page of no type': (sends(b'<html><body>', 12), 'web page'),
    'error text in XML': (sends(b'<?xml version="1.0"?>', 21, Content_Type='binary/octet-stream'), 'web page'),
    'chunk longer than it is': (sends(b'fffff\r\nabc', Transfer_Encoding='chunked'), ''),
    'chunk without a size': (sends(b'zz\r\nabc\r\n0\r\n\r\n', Transfer_Encoding='chunked'), ''),
    'chunk of negative size': (sends(b'-5\r\nabcde\r\n0\r\n\r\n', Transfer_Encoding='chunked'), ''),
    'chunks without an end': (sends(chunks(CONTENT)[:-5], Transfer_Encoding='chunked'), ''),
    'long header': (raw(b'HTTP/1.1 200 OK\r\nA: ' + b'a' * 100_000 + b'\r\n\r\n'), ''),
    'many headers': (raw(b'HTTP/1.1 200 OK\r\n' + b'A: a\r\n' * 200 + b'\r\n'), ''),
    'no HTTP': (raw(b'SSH-2.0-OpenSSH\r\n'), ''),
    'nothing at all': (raw(b''), ''),
    'redirect in a circle': (lambda answer: answer.head(302, 0, Location=answer.path), 'redirect'),
    'redirect without an address': (lambda answer: answer.head(302, 0), '302'),
    'redirect to ftp': (lambda answer: answer.head(302, 0, Location='ftp://127.0.0.1/x.pth'), 'http'),
    'redirect with a password': (lambda answer: answer.head(302, 0, Location='http://a:hush@127.0.0.1/'), 'password'),
    'redirect to no address': (lambda answer: answer.head(302, 0, Location='http://[::1/x'), ''),
}


@pytest.mark.fault('E06', 'E07', 'O10')
@pytest.mark.parametrize(('behaviour', 'content'), WHOLE.values(), ids=list(WHOLE))
def test_a_whole_file_is_kept(behaviour: Behaviour, content: bytes, home: Path) -> None:
    with serving(behaviour) as server:
        url = f'{server.address}/{NAME if content == CONTENT else "plain.pth"}'
        assert fetch(url).read_bytes() == content and len(server.asked) == 1
        if content == CONTENT and behaviour is not WHOLE['chunks'][0]:  # without a hash, too
            assert fetch(f'{server.address}/plain.pth').read_bytes() == CONTENT
    assert all(not name.endswith('.part') for name in file_names(home))


@pytest.mark.fault('E06', 'E07', 'E08', 'O09', 'O10', 'O11', 'O15')
@pytest.mark.parametrize(('behaviour', 'word'), REFUSED.values(), ids=list(REFUSED))
def test_nothing_is_kept_of_a_wrong_answer(behaviour: Behaviour, word: str, home: Path) -> None:
    with serving(behaviour) as server:
        text = assert_refused(f'{server.address}/plain.pth', word)
        assert len(server.asked) <= 12 and 'hush' not in text
    assert file_names(home) == []


@pytest.mark.fault('E06')
def test_an_empty_file_of_an_earlier_version_is_downloaded_again(home: Path) -> None:
    with serving(Answer.whole) as server:
        path = cached(f'{server.address}/plain.pth')
        home.mkdir(parents=True)
        path.touch()
        assert fetch(f'{server.address}/plain.pth') == path and path.read_bytes() == CONTENT


@pytest.mark.fault('E05')
def test_without_a_hash_each_try_begins_anew(home: Path) -> None:
    """The second half might come from another file."""

    def broken_once(answer: Answer) -> None:
        answer.whole() if len(answer.server.asked) > 1 else (answer.half(), time.sleep(0.05), answer.reset())

    with serving(broken_once) as server:
        assert fetch(f'{server.address}/plain.pth').read_bytes() == CONTENT
        assert [span for _, span in server.asked] == ['', '']


@pytest.mark.fault('E11')
@pytest.mark.parametrize(
    'span', ['bytes 100-511999/512000', 'bytes {}-511998/512000', 'bytes {}-511999/600000', '{}', '']
)
def test_a_rest_that_is_another_one_is_refused(home: Path, span: str) -> None:
    def lies(answer: Answer) -> None:
        if start := answer.headers.get('Range', '')[6:-1]:
            answer.head(206, len(CONTENT) - int(start), Content_Range=span.format(start))
            answer.wfile.write(CONTENT[int(start) :])
        else:
            answer.half()

    with serving(lies) as server:
        assert_refused(f'{server.address}/{NAME}', 'asked for the bytes from')
        assert file_names(home) == []
        server.behaviour = Answer.whole
        assert fetch(f'{server.address}/{NAME}').read_bytes() == CONTENT


@pytest.mark.fault('O09')
def test_what_unpacks_to_megabytes_takes_no_memory(home: Path) -> None:
    packer = zlib.compressobj(9)
    bomb = b''.join([*(packer.compress(bytes(1 << 24)) for _ in range(4)), packer.flush()])  # 64 MB in 65 kB
    with serving(sends(bomb, len(bomb), Content_Encoding='deflate')) as server:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert_refused(f'{server.address}/plain.pth', 'limit of 50000000 bytes', limit=50_000_000)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 << 10
    assert file_names(home) == []


def drips(start: bytes, drop: bytes) -> tuple[Behaviour, threading.Event]:
    over = threading.Event()

    def behave(answer: Answer) -> None:
        answer.wfile.write(start)
        for _ in range(200):  # four seconds, so that the test ends if no client hangs up
            try:
                answer.wfile.write(drop)
            except OSError:
                return
            if over.wait(0.02):
                return

    return behave, over


CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
DRIPS = {
    'status line': (b'HTTP/1.1 200 ', b'O'),
    'one long header': (b'HTTP/1.1 200 OK\r\nX: ', b'x'),
    'informal answers without an end': (b'', b'HTTP/1.1 100 Continue\r\n\r\n'),
    'size of a chunk': (CHUNKED, b'0'),
    'extension of a chunk': (CHUNKED + b'5;', b'x'),
    'extension of a later chunk': (CHUNKED + b'3\r\nabc\r\n5;', b'x'),
    'trailers': (CHUNKED + b'3\r\nabc\r\n0\r\n', b'X: x\r\n'),
    'body': (b'HTTP/1.1 200 OK\r\nContent-Length: 512000\r\n\r\n', b'x'),
    'body without a length': (b'HTTP/1.1 200 OK\r\n\r\n', b'x'),
    'packed body': (b'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08' + bytes(6), b'x'),
}


@pytest.mark.fault('E03', 'O12')
@pytest.mark.parametrize(('start', 'drop'), DRIPS.values(), ids=list(DRIPS))
def test_no_part_of_an_answer_may_drip(home: Path, monkeypatch: pytest.MonkeyPatch, start: bytes, drop: bytes) -> None:
    monkeypatch.setattr(web, 'TIMEOUT_S', 0.15)
    behaviour, over = drips(start, drop)
    with serving(behaviour) as server:
        begun = time.monotonic()
        assert_refused(f'{server.address}/{NAME}', '0.15')
        with pytest.raises(MissingResource, match=r'0\.15'):
            read_picture(f'{server.address}/a.png')
        assert time.monotonic() - begun < 5
        over.set()
        server.behaviour = Answer.whole
        assert fetch(f'{server.address}/{NAME}').read_bytes() == CONTENT


@contextmanager
def listening(greet: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server below HTTP; yields its port."""
    with socket.create_server(('127.0.0.1', 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=greet, args=[connection], daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield str(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.fault('E03', 'O12')
@pytest.mark.parametrize('drop', [b'\x16', b''])
def test_a_greeting_of_tls_may_not_drip(home: Path, monkeypatch: pytest.MonkeyPatch, drop: bytes) -> None:
    over = threading.Event()

    def greet(connection: socket.socket) -> None:
        connection.sendall(b'\x16\x03\x03\x40\x00')  # a record of 16 kB follows
        for _ in range(200):
            try:
                connection.sendall(drop)
            except OSError:
                return
            if over.wait(0.02):
                return

    monkeypatch.setattr(web, 'TIMEOUT_S', 0.15)
    with listening(greet) as port:
        begun = time.monotonic()
        assert_refused(f'https://127.0.0.1:{port}/{NAME}', 'no answer within 0.15 s')
        assert time.monotonic() - begun < 4
        over.set()


@pytest.mark.fault('E09', 'O13')
def test_errors_of_tls_are_in_plain_words(home: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(Answer.whole) as plain, serving(Answer.whole) as safe:
        safe.socket = context.wrap_socket(safe.socket, server_side=True)
        https = safe.address.replace('http:', 'https:')
        monkeypatch.delenv('SSL_CERT_FILE')
        assert_refused(f'{https}/{NAME}', 'certificate', 'SSL_CERT_FILE')
        assert_refused(f'{plain.address.replace("http:", "https:")}/{NAME}', 'TLS')
        assert plain.asked == safe.asked == []
    assert file_names(home) == []


@pytest.mark.fault('O14')
@pytest.mark.parametrize('url', ['{}/a b.pth?token=hushhush', '{}/x.pth#hushhush', '{}/x.pth?a=1&sig=hushhush#z'])
def test_no_error_shows_the_secret_of_an_address(home: Path, url: str, capfd: pytest.CaptureFixture) -> None:
    with serving(lambda answer: answer.head(404, 0)) as server:
        for call in (fetch, read_picture):
            with pytest.raises(MissingResource) as error:
                call(url.format(server.address))
            assert 'hushhush' not in str(error.value) and server.address in str(error.value)
    with pytest.raises(MissingResource) as error:
        fetch('http://me:hush/hush@127.0.0.1:9/x.pth')
    assert 'hush' not in str(error.value)
    assert 'hush' not in ''.join(capfd.readouterr())


def test_a_picture_that_ends_early_is_not_decoded() -> None:
    with serving(sends(CONTENT, len(CONTENT) + 7)) as server, pytest.raises(MissingResource, match='broke off'):
        read_picture(f'{server.address}/a.png')
