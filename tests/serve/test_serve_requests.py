"""The parts of the server that need no connection: heads of requests, names, origins, rates, models."""

import json
from pathlib import Path

import pytest
from serving import QuickPredictor

from facelmk.serve.answers import HEADERS, Refusal, as_json, read_page
from facelmk.serve.guards import Rates, check_host, check_origin, host_of, names_of_server
from facelmk.serve.models import ServedModels, sources_at_hand
from facelmk.serve.request import Request, parse_head


def head(*lines: str) -> Request:
    return parse_head('\r\n'.join([*lines, '', '']).encode('latin-1'))


def status(function, *arguments) -> int:
    """The status of the refusal, or 200 without one."""
    try:
        function(*arguments)
    except Refusal as refusal:
        assert str(refusal)
        return refusal.status
    return 200


def test_a_request_is_read() -> None:
    request = head('POST /api/predict?model=a%20b&min_score=0.5 HTTP/1.1', 'Host: x', 'Content-Length: 12')
    assert (request.method, request.path, request.length) == ('POST', '/api/predict', 12)
    assert request.query == {'model': 'a b', 'min_score': '0.5'} and request.keep_alive and request.has_body


@pytest.mark.parametrize(
    'version, connection, kept',
    [('1.1', '', True), ('1.1', 'close', False), ('1.0', '', False), ('1.0', 'keep-alive', True)],
)
def test_who_keeps_a_connection(version: str, connection: str, kept: bool) -> None:
    lines = [f'Connection: {connection}'] if connection else []
    assert head(f'GET / HTTP/{version}', *lines).keep_alive == kept


@pytest.mark.parametrize(
    'lines, code',
    [
        (['GET /'], 400),
        (['GET / HTTP/2.0'], 400),
        (['get / HTTP/1.1'], 400),
        (['GET  / HTTP/1.1'], 400),
        (['GET http://else/ HTTP/1.1'], 400),
        (['GET /' + 'a' * 5000 + ' HTTP/1.1'], 400),
        (['GET / HTTP/1.1', 'no colon'], 400),
        (['GET / HTTP/1.1', ' continued: line'], 400),
        (['GET / HTTP/1.1', 'Zero: a\0b'], 400),
        (['GET / HTTP/1.1', 'A: b\rC: d'], 400),
        (['GET / HTTP/1.1', 'A: b\nC: d'], 400),
        (['GET / HTTP/1.1', *(f'H{i}: x' for i in range(200))], 431),
        (['GET /?a=1&a=2 HTTP/1.1'], 400),
        (['GET /?' + '&'.join(f'a{i}=1' for i in range(20)) + ' HTTP/1.1'], 400),
        (['GET /?a=%ff HTTP/1.1'], 400),
        (['POST / HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'], 400),
        (['POST / HTTP/1.1', 'Content-Length: -1'], 400),
        (['POST / HTTP/1.1', 'Content-Length: +1'], 400),
        (['POST / HTTP/1.1', 'Content-Length: 1_0'], 400),
        (['POST / HTTP/1.1', 'Content-Length: ' + '9' * 30], 400),
        (['POST / HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked'], 400),
    ],
)
def test_damaged_heads_are_refused(lines: list[str], code: int) -> None:
    assert status(head, *lines) == code


@pytest.mark.parametrize(
    'host, code',
    [
        ('localhost:8000', 200),
        ('LOCALHOST', 200),
        ('127.0.0.1:9', 200),
        ('[::1]:8000', 200),
        ('192.168.1.7:8000', 200),
        ('studio:8000', 200),
        ('evil.example:8000', 403),
        ('127.0.0.1.evil.example', 403),
        ('localhost.evil.example', 403),
        ('', 400),
    ],
)
def test_only_own_names_and_addresses_are_answered(host: str, code: int) -> None:
    lines = [f'Host: {host}'] if host else []
    names = names_of_server('127.0.0.1', ['Studio'])
    assert status(check_host, head('GET / HTTP/1.1', *lines), names) == code
    assert status(check_host, head('GET / HTTP/1.1', 'Host: localhost', 'Host: evil.example'), names) == 400


def test_names_without_ports() -> None:
    assert [host_of(text) for text in ('a.B.:80', '[fe80::1%eth0]:80', '1.2.3.4')] == ['a.b', 'fe80::1%eth0', '1.2.3.4']


@pytest.mark.parametrize(
    'lines, code',
    [
        ([], 200),  # a program, not a browser
        (['Origin: http://localhost:8000', 'Sec-Fetch-Site: same-origin'], 200),
        (['Sec-Fetch-Site: none'], 200),
        (['Origin: https://localhost:8000'], 200),  # through a proxy that speaks TLS
        (['Origin: http://evil.example'], 403),
        (['Origin: http://localhost:8001'], 403),
        (['Origin: null'], 403),
        (['Sec-Fetch-Site: cross-site'], 403),
        (['Sec-Fetch-Site: same-site'], 403),
    ],
)
def test_requests_of_other_pages_are_refused(lines: list[str], code: int) -> None:
    assert status(check_origin, head('POST /api/predict HTTP/1.1', 'Host: localhost:8000', *lines)) == code


def test_rates_count_each_client() -> None:
    rates = Rates(rate=0.001, burst=3)
    assert [status(rates.check, 'a') for _ in range(5)] == [200, 200, 200, 429, 429]
    assert status(rates.check, 'b') == 200
    rates.rate = 1e9  # the store fills again
    assert status(rates.check, 'a') == 200


def test_the_memory_for_rates_is_bounded() -> None:
    rates = Rates(rate=1, burst=2)
    for i in range(5000):
        rates.check(str(i))
    assert len(rates.clients) == 4096 and '4999' in rates.clients


def test_an_answer_has_the_headers_that_keep_others_out() -> None:
    text = as_json({'a': 1}).to_bytes(keep_alive=True).decode()
    top, _, body = text.partition('\r\n\r\n')
    assert json.loads(body) == {'a': 1} and f'Content-Length: {len(body)}' in top
    assert "default-src 'none'" in HEADERS['Content-Security-Policy'] and "frame-ancestors 'none'" in top
    assert 'unsafe' not in top and 'Access-Control' not in top
    assert 'nosniff' in top and 'no-referrer' in top
    assert as_json({}).to_bytes(keep_alive=False, with_body=False).endswith(b'\r\n\r\n')


def test_the_page_holds_no_script_no_style_and_no_address() -> None:
    page = read_page()
    assert set(page) >= {'/', '/app.js', '/style.css', '/icon.svg'}
    for path, answer in page.items():
        text = answer.body.decode().replace('http://www.w3.org/2000/svg', '')
        assert '://' not in text.replace('http://, not https://', ''), path
    html = page['/'].body.decode()
    assert ' style=' not in html and '<style' not in html and ' on' not in html.replace(' one', '')
    assert html.count('<script') == html.count('<script type="module" src=')


def test_models_have_names_without_folders(tmp_path: Path) -> None:
    models = ServedModels(['facelmk_nano', 'runs/a/best.pth', 'runs/b/best.pth'], lambda name: QuickPredictor())
    assert list(models.models) == ['facelmk_nano', 'best', 'best-2'] and models.default == 'facelmk_nano'
    assert models.to_list()[0] == {'name': 'facelmk_nano', 'markup': 'wflw'}
    best = models.find('best-2')
    assert (best.source, best.markup) == ('runs/b/best.pth', None)
    assert models.predictor(best) is models.predictor(best) and best.markup == 'five'
    assert status(models.find, 'runs/a/best.pth') == 400 and status(models.find, '/etc/passwd') == 400


def test_models_of_the_zoo_that_need_no_download_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('FACELMK_HOME', str(tmp_path))
    names = sources_at_hand([])
    assert names[0] == 'facelmk_nano' and 'facelmk_detector' not in names and 'hrnetv2_w18_wflw' not in names
    assert sources_at_hand(['a.onnx']) == ['a.onnx', *names]
