"""32 clients at once, with slow and broken ones among them: no good request fails, and memory is bounded."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest
from crowd import Crowd
from processes import environment
from serving import QuickPredictor, ask, connect, picture, predict, read_all, resident_bytes, serving

from facelmk.inference.runtime import is_available

ROOT = Path(__file__).parents[2]
PHOTOGRAPH = ROOT / 'docs/assets/astronaut.jpg'
MANY = dict(rate=1e6, burst=1_000_000)


def test_no_good_request_fails(capfd: pytest.CaptureFixture[str]) -> None:
    predictor = QuickPredictor(0.002)
    with serving(predictor, head_s=1, body_s=1, write_s=1, **MANY) as server:
        crowd = Crowd(server.port, picture(64), rounds=10)
        crowd.run(good=20, of_each=2)
        assert crowd.statuses == {200: 200}, crowd.summary()
        assert set(crowd.others) == {'slow', 'vanishing', 'resetting', 'garbage', 'greedy', 'deaf'}
        assert server.memory.used <= 2 * 5000  # of slow clients whose time is not over
    assert capfd.readouterr().err == ''  # broken clients are no errors of ours


def test_memory_does_not_grow_with_requests() -> None:
    content = picture(1000, '.bmp')  # 3 MB
    with serving(**MANY) as server:
        for _ in range(5):
            predict(server, content)
        before = resident_bytes()
        for _ in range(60):
            assert predict(server, content)[0] == 200
        assert resident_bytes() - before < 20 << 20  # 60 pictures are 180 MB, and as much again once decoded


def test_the_pictures_of_all_clients_have_one_limit() -> None:
    with serving(QuickPredictor(0.3), memory=10_000, **MANY) as server:
        status, answer = predict(server, bytes(20_000))
        assert status == 503 and 'memory' in answer['error']
        assert predict(server, picture())[0] == 200


def test_a_full_queue_is_said_at_once() -> None:
    with serving(QuickPredictor(0.4), waiting=1, **MANY) as server:
        crowd = Crowd(server.port, picture(), rounds=1)
        crowd.run(good=6, of_each=0)
        assert crowd.statuses == {200: 2, 503: 4}
        assert json.loads(ask(server, 'GET', '/api/health')[2])['waiting'] == 0


def test_clients_that_have_gone_take_no_place_in_the_queue() -> None:
    predictor, content = QuickPredictor(0.3), picture()
    head = b'POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n'
    with serving(predictor, waiting=3, **MANY) as server:
        for _ in range(3):
            with connect(server) as plain:
                plain.sendall(head % len(content) + content)
        time.sleep(0.2)
        assert json.loads(ask(server, 'GET', '/api/health')[2])['waiting'] <= 1  # the one that runs
        assert predict(server, content)[0] == 200 and predictor.pictures == 2


def test_an_answer_that_takes_too_long() -> None:
    with serving(QuickPredictor(0.5), wait_s=0.1, **MANY) as server:
        status, answer = predict(server, picture())
        assert status == 503 and '0.1 seconds' in answer['error']


def test_too_many_connections() -> None:
    with serving(connections=3, idle_s=5) as server:
        crowd = Crowd(server.port, picture(), rounds=1)
        held = [connect(server) for _ in range(3)]
        time.sleep(0.1)
        with connect(server) as fourth:
            fourth.sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
            fourth.shutdown(1)
            assert read_all(fourth).startswith(b'HTTP/1.1 503 ')
        for one in held:
            one.close()
        time.sleep(0.1)
        crowd.run(good=2, of_each=0)
        assert crowd.statuses == {200: 2}


@pytest.mark.slow
@pytest.mark.skipif(not is_available() or not Path('/proc/self/statm').exists(), reason='needs onnxruntime and /proc')
def test_the_real_model_under_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command with its usual limits: 20 good clients of 25 photographs each, 12 others; all memory is printed."""
    image = cv2.resize(cv2.imread(str(PHOTOGRAPH)), None, fx=2, fy=2)
    content = bytes(cv2.imencode('.jpg', image)[1])
    command = [sys.executable, '-m', 'facelmk.cli', 'serve', '--port', '0', '--device', 'cpu']
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        port = int(process.stdout.readline().partition('127.0.0.1:')[2].partition('/')[0])

        def resident() -> float:
            return int(Path(f'/proc/{process.pid}/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6

        Crowd(port, content, 5).run(good=20, of_each=2)  # what is made once
        sizes, crowds = [resident()], []
        for _ in range(3):
            crowds.append(Crowd(port, content, 25))
            crowds[-1].run(good=20, of_each=2)
            sizes.append(resident())
        files = len(os.listdir(f'/proc/{process.pid}/fd'))
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    with capsys.disabled():
        print('\n', *(crowd.summary() for crowd in crowds), sep='\n')
        print(f'resident memory before and after each: {[round(size, 1) for size in sizes]} MB; {files} open files')
    assert all(crowd.statuses == {200: 500} for crowd in crowds)
    assert max(sizes) - sizes[0] < 40 and files < 100
    assert process.returncode == 0 and out == 'stopped\n' and err == ''
