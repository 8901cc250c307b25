"""Block H: several processes. What equal figures need is shown by tests/metrics/test_ranks.py; here is what fails."""

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine import Config
from torch import distributed, multiprocessing

from facelmk.engine import ranks
from facelmk.errors import FacelmkError, MissingResource
from facelmk.files import download
from facelmk.metrics.merging import gather
from facelmk.registry import METRICS

ROOT = Path(__file__).parents[2]
TIMEOUT = 4  # seconds
fault = pytest.mark.fault
on_the_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason='with GPUs the ranks use NCCL')
WEIGHTS = os.urandom(200_000)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def nme(rank: int, world: int, size: int = 5) -> float:
    """The NME of `size` made-up faces, of which this rank measures its share."""
    metric = METRICS.build(dict(type='NME'))
    metric.dataset_meta = {'markup': 'wflw'}
    truth = torch.rand(size, 98, 2, generator=torch.Generator().manual_seed(1), dtype=torch.double)
    for i in range(rank, size, world):
        columns = {
            'id': [f'face {i}'],
            'landmarks': truth[i : i + 1],
            'visible': torch.ones(1, 98),
            'norm': torch.tensor([torch.nan]),
            'box': torch.tensor([[0.0, 0, 1, 1]]),
            'tags': [()],
        }
        metric.process({'data_samples': columns}, [{'id': f'face {i}', 'landmarks': truth[i] + i / 100}])
    return metric.evaluate(size)['NME']


def narrow(rank: int, folder: Path) -> float:
    """A temporary folder of this rank's own, a current folder that cannot be written, and no root's rights."""
    own = folder / f'tmp {rank}'
    own.mkdir()
    os.environ['TMPDIR'] = str(own)
    closed = folder / f'closed {rank}'
    closed.mkdir()
    closed.chmod(0o555)
    os.chdir(closed)
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    with pytest.raises(PermissionError):
        Path('here').touch()
    found = nme(rank, 2)
    assert not list(closed.iterdir())
    return found


def seeds(rank: int, folder: Path) -> None:
    ranks._agree_on_seed(3)
    ranks._agree_on_seed(None)
    with pytest.raises(FacelmkError, match='rank 0 has 10, rank 1 has 11'):
        ranks._agree_on_seed(10 + rank)


def dies(rank: int, folder: Path) -> str:
    if rank:
        os._exit(9)
    return lost()


def hangs(rank: int, folder: Path) -> str:
    if rank:
        time.sleep(3 * TIMEOUT)
        os._exit(9)
    return lost()


def lost() -> str:
    """What the rank that is left says, in its own words and around what the network raises; and how long it waited."""
    start = time.monotonic()
    with pytest.raises(FacelmkError, match='one of them has ended, or did not answer') as told:
        gather([])
    with (
        pytest.raises(FacelmkError, match='rank 0 of 2 lost another rank') as around,
        ranks.translate_lost_rank_errors(),
    ):
        distributed.all_reduce(torch.zeros(1))
    assert told.value.exit_code == around.value.exit_code == 5
    assert time.monotonic() - start < 2 * TIMEOUT + 2
    return str(told.value)


ACTS: dict[str, Callable[[int, Path], Any]] = {act.__name__: act for act in (narrow, seeds, dies, hangs)}


def work(rank: int, port: int, act: str, folder: Path) -> None:
    os.environ.update(
        MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE='2', LOCAL_RANK=str(rank)
    )
    (folder / f'{rank}.json').touch()
    (folder / f'{rank}.json').chmod(0o666)
    ranks.join_ranks('pytorch', Config({'env_cfg': {'dist_cfg': {'timeout': TIMEOUT}}, 'randomness': {'seed': 1}}))
    result = ACTS[act](rank, folder)
    (folder / f'{rank}.json').write_text(json.dumps(result))
    os._exit(0)


def of_two(act: str, folder: Path) -> list[Any]:
    """What two forked ranks come to; None for one that left without a word."""
    folder.chmod(0o777)
    for above in list(folder.parents)[:3]:  # pytest and its workers close their folders to others
        with contextlib.suppress(PermissionError):
            above.chmod(above.stat().st_mode | 0o055)
    context = multiprocessing.get_context('fork')
    port = free_port()
    started = [context.Process(target=work, args=(rank, port, act, folder)) for rank in (0, 1)]
    for process in started:
        process.start()
    started[0].join(30)
    started[1].join(0 if act == 'hangs' else 30)
    assert started[0].exitcode == 0
    if started[1].is_alive():
        started[1].kill()
    found = [(folder / f'{rank}.json').read_text() for rank in (0, 1)]
    return [json.loads(text) if text else None for text in found]


@on_the_cpu
@fault('H07')
@pytest.mark.parametrize(('act', 'word'), [('dies', 'onnection'), ('hangs', 'imed out')])
def test_a_rank_that_is_gone_ends_the_others(act: str, word: str, tmp_path: Path) -> None:
    found = of_two(act, tmp_path)
    assert word in found[0] and found[1] is None


@on_the_cpu
@fault('H08', 'H09')
def test_ranks_need_no_folder(tmp_path: Path) -> None:
    assert of_two('narrow', tmp_path) == [pytest.approx(nme(0, 1), abs=1e-12, rel=0)] * 2


@on_the_cpu
@fault('H10')
def test_ranks_of_different_seeds_are_refused(tmp_path: Path) -> None:
    of_two('seeds', tmp_path)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(('', 0)) as listening:
        yield listening.getsockname()[1]


@on_the_cpu
@fault('H11')
def test_a_port_in_use_is_named(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=taken, RANK=0, WORLD_SIZE=2, LOCAL_RANK=0).items():
        monkeypatch.setenv(name, str(value))
    with pytest.raises(FacelmkError, match=f'port {taken} of this machine is in use.*MASTER_PORT'):
        ranks.join_ranks('pytorch', Config({'env_cfg': {'dist_cfg': {'timeout': 1}}}))


def test_more_ranks_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    monkeypatch.setattr(ranks, '_init_process_group', lambda backend, timeout: pytest.fail('it was not told in time'))
    for name, value in dict(RANK=0, WORLD_SIZE=16, LOCAL_RANK=0, LOCAL_WORLD_SIZE=8).items():
        monkeypatch.setenv(name, str(value))
    with pytest.raises(MissingResource, match='8 ranks were started on this machine, and torch sees 2 GPUs') as told:
        ranks.join_ranks('pytorch', Config())
    assert told.value.exit_code == 3


@pytest.fixture
def tools(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Runs tools/dist_*.sh with a python that tells what it is started with instead of starting ranks."""
    stand_in = tmp_path / 'bin with spaces' / 'python'
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/usr/bin/env bash\n[ "$1" = - ] && exec "{sys.executable}" "$@"\nprintf "%s\\n" "$@"\n')
    stand_in.chmod(0o755)

    def run(script: str, *arguments: str, **variables: Any) -> subprocess.CompletedProcess:
        kept = {key: value for key, value in os.environ.items() if key not in ('PORT', 'NNODES', 'NODE_RANK')}
        environment = kept | {'PATH': f'{stand_in.parent}:{os.environ["PATH"]}'}
        return subprocess.run(
            ['bash', str(ROOT / 'tools' / script), *arguments],
            capture_output=True,
            text=True,
            env=environment | {key: str(value) for key, value in variables.items()},
            timeout=30,
        )

    return run


@fault('H11')
def test_scripts_choose_a_free_port_or_say_which_is_taken(tools: Callable, taken: int) -> None:
    def port(**variables: Any) -> int:
        lines = tools('dist_train.sh', 'c.py', '2', **variables).stdout.splitlines()
        return int(next(line for line in lines if line.startswith('--master-port=')).split('=')[1])

    chosen = {port() for _ in range(3)}
    assert len(chosen) > 1 and taken not in chosen
    assert port(PORT=(free := free_port())) == free
    assert port(NNODES=2, NODE_RANK=1, PORT=taken) == taken  # the first machine listens there, not this one
    refused = tools('dist_test.sh', 'c.py', 'x.pth', '2', PORT=taken)
    assert refused.returncode == 2 and f'PORT={taken}' in refused.stderr and not refused.stdout


def test_scripts_take_paths_with_spaces(tools: Callable) -> None:
    told = tools('dist_train.sh', 'a b/cfg 1.py', '2', '--work-dir', 'o u t').stdout.splitlines()
    assert told[-5:] == ['a b/cfg 1.py', '--launcher', 'pytorch', '--work-dir', 'o u t']
    told = tools('dist_test.sh', 'a b/cfg 1.py', 'c d.pth', '2').stdout.splitlines()
    assert told[-4:] == ['a b/cfg 1.py', 'c d.pth', '--launcher', 'pytorch']


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A slow server of one weight file, and the requests that it got."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header('Content-Length', str(len(WEIGHTS)))
            self.end_headers()
            self.wfile.write(WEIGHTS[:1000])
            time.sleep(0.5)
            self.wfile.write(WEIGHTS[1000:])

        def log_message(self, *_: Any) -> None:
            pass

    service = HTTPServer(('127.0.0.1', 0), Answer)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    name = f'w-{hashlib.sha256(WEIGHTS).hexdigest()[:8]}.pth'
    yield f'http://127.0.0.1:{service.server_port}/{name}', asked
    service.shutdown()
    service.server_close()


def fetch(rank: int, url: str, cache: str) -> None:
    os.environ.update(LOCAL_RANK=str(rank), FACELMK_HOME=cache)
    if rank == 0:
        time.sleep(0.3)  # the others ask first
    os._exit(0 if download.fetch(url).read_bytes() == WEIGHTS else 1)


@fault('H13')
def test_one_rank_of_a_machine_downloads(server: tuple[str, list[str]], tmp_path: Path) -> None:
    url, asked = server
    context = multiprocessing.get_context('fork')
    started = [context.Process(target=fetch, args=(rank, url, str(tmp_path))) for rank in (0, 1, 2)]
    for process in started:
        process.start()
    for process in started:
        process.join(20)
    assert [process.exitcode for process in started] == [0, 0, 0]
    assert len(asked) == 1


def test_a_rank_that_waits_in_vain_goes_its_own_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('LOCAL_RANK', '1')
    start = time.monotonic()
    assert not download.wait_for_local_rank0(tmp_path / 'file', patience=0.3)
    assert 0.3 <= time.monotonic() - start < 2
    monkeypatch.setenv('LOCAL_RANK', '0')
    assert not download.wait_for_local_rank0(tmp_path / 'file', patience=60)
