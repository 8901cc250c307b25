"""What the server answers: pictures, its page, and each misuse."""

import json
import time

import cv2
import numpy as np
import pytest
from serving import JPEG, QuickPredictor, ask, connect, picture, predict, read_all, running, send_raw, serving

from facelmk.datasets import SyntheticFaces
from facelmk.errors import FacelmkError
from facelmk.inference.runtime import is_available
from facelmk.serve import ServedModels, Server
from facelmk.serve.models import open_model

HEAD = b'POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n'


@pytest.fixture(scope='module')
def server():
    with serving(body=100_000, head_s=0.5, body_s=0.5, idle_s=0.5, burst=10_000) as running:
        yield running


def test_a_picture_is_answered(server: Server) -> None:
    status, answer = predict(server, picture(16))
    assert status == 200 and (answer['width'], answer['height'], answer['model']) == (16, 16, 'quick')
    (face,) = answer['faces']
    assert face['landmarks'][1] == [3, 4] and face['scores'] == [0.5] * 5 and face['box'] == [2, 3, 12, 13]
    assert answer['markup']['parts'] == {'eyes': [0, 1], 'nose': [2], 'lips': [3, 4]}


@pytest.mark.parametrize('suffix', ['.png', '.bmp', '.tiff', '.webp'])
def test_formats(server: Server, suffix: str) -> None:
    status, answer = predict(server, picture(24, suffix), **{'Content-Type': 'application/octet-stream'})
    assert status == 200 and answer['width'] == 24 and len(answer['faces']) == 1


def test_a_picture_without_faces_is_no_error(server: Server) -> None:
    status, answer = predict(server, bytes(cv2.imencode('.png', np.full((8, 8, 3), 90, np.uint8))[1]))
    assert status == 200 and answer['faces'] == []


def test_the_lowest_score(server: Server) -> None:
    assert [len(predict(server, picture(), f'?min_score={s}')[1]['faces']) for s in (0, 0.5, 0.51)] == [1, 1, 0]


@pytest.mark.parametrize(
    'query',
    ['?min_score=nan', '?min_score=2', '?min_score=-1', '?min_score=x', '?model=none', '?modle=quick', '?model='],
)
def test_wrong_queries(server: Server, query: str) -> None:
    status, answer = predict(server, picture(), query)
    assert status == 400 and query[1:].partition('=')[0] in answer['error']


def test_models_and_health(server: Server) -> None:
    status, headers, body = ask(server, 'GET', '/api/models')
    assert status == 200 and headers['content-type'] == 'application/json'
    assert json.loads(body) == {
        'default': 'quick',
        'models': [{'name': 'quick', 'markup': 'five'}],
        'max_bytes': 100_000,
    }
    health = json.loads(ask(server, 'GET', '/api/health')[2])
    assert health['status'] == 'ok' and health['waiting'] == 0 and health['pictures'] > 0


def test_the_page_and_its_files(server: Server) -> None:
    status, headers, body = ask(server, 'GET', '/')
    assert status == 200 and headers['content-type'].startswith('text/html') and b'<canvas' in body
    for path, kind in {'/app.js': 'text/javascript', '/style.css': 'text/css', '/icon.svg': 'image/svg+xml'}.items():
        status, headers, _ = ask(server, 'GET', path)
        assert status == 200 and headers['content-type'].startswith(kind)


def test_head_has_the_length_and_no_body(server: Server) -> None:
    _, get, body = ask(server, 'GET', '/')
    status, head, nothing = ask(server, 'HEAD', '/')
    assert status == 200 and nothing == b'' and head['content-length'] == get['content-length'] == str(len(body))


@pytest.mark.parametrize(
    'method, path, headers, body, code',
    [
        ('GET', '/none', {}, None, 404),
        ('GET', '/../serve/server.py', {}, None, 404),
        ('GET', '/%2e%2e/server.py', {}, None, 404),
        ('GET', '/page/index.html', {}, None, 404),
        ('GET', '/api/predict', {}, None, 405),
        ('PUT', '/api/predict', JPEG, b'1', 405),
        ('OPTIONS', '/api/predict', {'Origin': 'http://evil.example'}, None, 405),
        ('POST', '/', JPEG, b'1', 405),
        ('DELETE', '/api/models', {}, None, 405),
        ('POST', '/api/predict', {}, b'1', 415),
        ('POST', '/api/predict', {'Content-Type': 'text/plain'}, b'1', 415),
        ('POST', '/api/predict', {'Content-Type': 'multipart/form-data; boundary=x'}, b'1', 415),
        ('POST', '/api/predict', {'Content-Type': 'application/x-www-form-urlencoded'}, b'1', 415),
        ('POST', '/api/predict', JPEG, b'', 422),
        ('POST', '/api/predict', JPEG, b'no picture', 422),
        ('POST', '/api/predict', JPEG, picture(64)[:200], 422),
        ('POST', '/api/predict', JPEG, b'<!doctype html><p>login', 422),
        ('POST', '/api/predict', JPEG | {'Transfer-Encoding': 'chunked'}, [b'1'], 411),
        ('POST', '/api/predict', JPEG | {'Expect': 'miracles'}, b'1', 417),
        ('POST', '/api/predict', JPEG | {'Origin': 'http://evil.example'}, b'1', 403),
        ('GET', '/', {'Host': 'evil.example'}, None, 403),
        ('GET', '/api/models', {'Sec-Fetch-Site': 'cross-site'}, None, 403),
    ],
)
def test_each_misuse_has_its_answer(server: Server, method: str, path: str, headers, body, code: int) -> None:
    status, got, content = ask(server, method, path, body, headers)
    answer = json.loads(content)
    assert (
        (status, answer['status']) == (code, code) and len(answer['error']) > 15 and 'Traceback' not in answer['error']
    )
    assert got['content-type'] == 'application/json' and 'access-control-allow-origin' not in got
    assert 'nosniff' in got['x-content-type-options'] and "default-src 'none'" in got['content-security-policy']
    assert ('allow' in got) == (code == 405)


def test_a_picture_with_too_many_pixels(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('FACELMK_MAX_PIXELS', '200')
    status, answer = predict(server, picture(16))
    assert status == 422 and '256 pixels' in answer['error']


def test_a_body_that_is_too_large_is_refused_while_it_is_sent(server: Server) -> None:
    status, answer = predict(server, b'x' * 8_000_000)
    assert status == 413 and '100000' in answer['error']


def test_a_client_that_waits_for_the_word_to_continue(server: Server) -> None:
    content = picture()
    with connect(server) as plain:
        plain.sendall(HEAD + b'Connection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n' % len(content))
        assert plain.recv(25) == b'HTTP/1.1 100 Continue\r\n\r\n'
        plain.sendall(content)
        assert read_all(plain).startswith(b'HTTP/1.1 200 OK')
    answer = send_raw(server, HEAD + b'Expect: 100-continue\r\nContent-Length: 200000\r\n\r\n')
    assert answer.startswith(b'HTTP/1.1 413 ')  # without that word


def test_one_connection_for_several_requests(server: Server) -> None:
    body = picture()
    one = b'GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n'
    post = HEAD + b'Content-Length: %d\r\n\r\n' % len(body) + body
    last = b'GET /api/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
    answers = send_raw(server, one + post + one + last)  # all at once
    assert answers.count(b'HTTP/1.1 200 OK') == 4 and answers.count(b'"landmarks"') == 1
    answers = send_raw(server, HEAD + b'Content-Length: 3\r\n\r\nabc' + one)  # an undecodable picture in between
    assert [answers.count(code) for code in (b'HTTP/1.1 422 ', b'HTTP/1.1 200 OK')] == [1, 1]


@pytest.mark.parametrize(
    'content, code',
    [
        (b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400),  # the first bytes of a browser that speaks TLS
        (b'\0' * 100, 400),
        (b'\r\n\r\n', 400),
        (b'SSH-2.0-OpenSSH\r\n\r\n', 400),
        (b'GET / HTTP/1.1\r\n\r\n', 400),  # no Host
        (b'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n', 400),
        (b'G' * 40_000, 431),
        (b'GET / HTTP/1.1\r\nHost: localhost\r\nA: ' + b'a' * 40_000, 431),
        (b'GET / HTTP/1.1\r\nHost: local', 408),
        (HEAD + b'Content-Length: 500\r\n\r\nabc', 408),
    ],
)
def test_garbage_and_slow_clients_are_answered_and_cut_off(server: Server, content: bytes, code: int) -> None:
    start = time.monotonic()
    answer = send_raw(server, content)
    assert answer.startswith(b'HTTP/1.1 %d ' % code) and json.loads(answer.partition(b'\r\n\r\n')[2])['status'] == code
    assert time.monotonic() - start < 5


def test_a_client_that_sends_a_byte_now_and_then_is_cut_off(server: Server) -> None:
    with connect(server) as plain, pytest.raises(OSError):  # before the last byte, after 20 seconds
        for byte in b'GET / HTTP/1.1\r\nHost: localhost\r\nX: ' + b'a' * 400:
            plain.sendall(bytes([byte]))
            time.sleep(0.05)


def test_a_silent_client_is_cut_off(server: Server) -> None:
    assert send_raw(server, b'') == b''


def test_a_client_that_ends_in_the_middle(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    assert b' 400 ' in send_raw(server, HEAD + b'Content-Length: 500\r\n\r\nabc', end=True)
    assert b' 400 ' in send_raw(server, b'GET / HT', end=True)
    for content in (b'G', HEAD, HEAD + b'Content-Length: 500\r\n\r\nabc', HEAD + b'Content-Length: 3\r\n\r\nabc'):
        for _ in range(5):
            with connect(server) as plain:
                plain.sendall(content)
    assert ask(server, 'GET', '/api/health')[0] == 200
    assert capfd.readouterr().err == ''


def test_an_error_of_ours_is_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(QuickPredictor):
        def predict_boxes(self, rows):
            raise self.error

    predictor = Broken()
    with serving(predictor) as server:
        predictor.error = FacelmkError('/secret/path/best.pth: these weights are damaged')
        status, answer = predict(server, picture())
        assert status == 500 and 'secret' not in answer['error']
        assert '/secret/path/best.pth' in capfd.readouterr().err
        predictor.error = KeyError('secret/path')
        status, answer = predict(server, picture())
        assert status == 500 and 'secret' not in answer['error']
        assert 'Traceback' not in capfd.readouterr().err
        predictor.error = MemoryError()
        assert predict(server, picture())[0] == 500


def test_a_client_may_not_send_too_many_requests() -> None:
    with serving(rate=0.01, burst=3) as server:
        answers = [ask(server, 'GET', '/api/health') for _ in range(5)]
        assert [status for status, _, _ in answers] == [200, 200, 200, 429, 429]
        assert answers[-1][1]['retry-after'] == '1'


@pytest.mark.skipif(not is_available(), reason='needs onnxruntime')
def test_the_shipped_model() -> None:
    image = SyntheticFaces('wflw', 1, 1, size=160).face(0)['image']
    content = bytes(cv2.imencode('.png', image)[1])
    models = ServedModels(['facelmk_nano'], lambda name: open_model(name, 'cpu'))
    with running(Server(models)) as server:
        status, answer = predict(server, content)
    (expected,) = models.predictor(models.find(None))(image)
    (face,) = answer['faces']
    assert status == 200 and answer['markup']['name'] == 'wflw' and len(face['landmarks']) == 98
    assert np.abs(np.array(face['landmarks']) - expected.landmarks).max() <= 0.0051  # rounded to 0.01 pixels
    assert face['score'] == pytest.approx(expected.score, abs=1e-4)
