"""facelmk serve: what it prints, what ends it, and mistakes that it names."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest
from processes import environment

from facelmk.inference.runtime import is_available

needs_runtime = pytest.mark.skipif(not is_available(), reason='needs onnxruntime')


@needs_runtime
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal(tmp_path: Path, number: int) -> None:
    words = [sys.executable, '-m', 'facelmk.cli', 'serve', '--port', '0', '--host', '0.0.0.0', '--device', 'cpu']
    with subprocess.Popen(
        words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        assert 'facelmk_nano' in line and '(Ctrl-C ends it)' in line
        port = int(line.partition('http://127.0.0.1:')[2].partition('/')[0])
        connection = HTTPConnection('127.0.0.1', port, timeout=20)
        connection.request('GET', '/api/models')
        answer = json.loads(connection.getresponse().read())
        assert answer['default'] == 'facelmk_nano' and answer['models'][0]['markup'] == 'wflw'
        process.send_signal(number)  # while a connection is open
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0 and out == 'stopped\n'
    assert 'other machines' in err and err.count('\n') == 1
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use(verb: Callable[..., str]) -> None:
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = str(other.getsockname()[1])
        message = verb('serve', '--port', port, code=3)
    assert port in message and '--port 0' in message


@pytest.mark.parametrize(
    'words, code, named',
    [
        ('--port 70000', 2, '65535'),
        ('--port -1', 2, '--port'),
        ('--port x', 2, '--port'),
        ('--rate 0', 2, '--rate'),
        ('--host no.such.host.invalid', 2, 'no.such.host.invalid'),
        ('--host 203.0.113.7', 3, '203.0.113.7'),  # an address of another machine
        ('--model none.onnx', 3, 'none.onnx'),
        ('--model none.pth', 3, 'none.pth'),
        ('--model facelmk_nona', 2, 'facelmk_nano'),
        ('--model facelmk_detector', 2, 'faces'),
        ('--model facelmk_nano --model none.pth', 3, 'none.pth'),
        ('--hots 0.0.0.0', 2, '--host'),
    ],
)
def test_mistakes(verb: Callable[..., str], words: str, code: int, named: str) -> None:
    assert named in verb('serve', *words.split(), code=code)


@needs_runtime
def test_a_file_that_is_no_model(verb: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / 'broken.onnx').write_bytes(b'no model')
    assert 'broken.onnx' in verb('serve', '--port', '0', '--model', str(tmp_path / 'broken.onnx'), code=4)
