"""Several processes: what fails, and how it is reported. tests/metrics/test_ranks.py tests equal metrics."""

import contextlib
import fcntl
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
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        return unused.getsockname()[1]


def nme(rank: int, world: int, size: int = 5) -> float:
    """The NME of `size` random faces; this rank measures its share of them."""
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


def restricted(rank: int, folder: Path) -> float:
    """The NME with its own temporary folder, a read-only current folder, and without the rights of root."""
    temporary = folder / f'tmp {rank}'
    temporary.mkdir()
    os.environ['TMPDIR'] = str(temporary)
    read_only = folder / f'read_only {rank}'
    read_only.mkdir()
    read_only.chmod(0o555)
    os.chdir(read_only)
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    with pytest.raises(PermissionError):
        Path('here').touch()
    result = nme(rank, 2)
    assert not list(read_only.iterdir())
    return result


def seeds(rank: int, folder: Path) -> None:
    ranks._agree_on_seed(3)
    ranks._agree_on_seed(None)
    with pytest.raises(FacelmkError, match='rank 0 has 10, rank 1 has 11'):
        ranks._agree_on_seed(10 + rank)


def dies(rank: int, folder: Path) -> str:
    if rank:
        os._exit(9)
    return wait_for_lost_rank()


def hangs(rank: int, folder: Path) -> str:
    if rank:
        time.sleep(3 * TIMEOUT)
        os._exit(9)
    return wait_for_lost_rank()


def wait_for_lost_rank() -> str:
    """The message of the remaining rank; both ways to wait end in time, with exit code 5."""
    start = time.monotonic()
    with pytest.raises(FacelmkError, match='env_cfg.dist_cfg.timeout') as gathering:
        gather([])
    with (
        pytest.raises(FacelmkError, match='rank 0 of 2 .*env_cfg.dist_cfg.timeout') as reducing,
        ranks.translate_lost_rank_errors(),
    ):
        distributed.all_reduce(torch.zeros(1))
    assert gathering.value.exit_code == reducing.value.exit_code == 5
    assert time.monotonic() - start < 2 * TIMEOUT + 2
    return str(gathering.value)


ACTS: dict[str, Callable[[int, Path], Any]] = {act.__name__: act for act in (restricted, seeds, dies, hangs)}


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


def on_two_ranks(act: str, folder: Path) -> list[Any]:
    """The results of two forked ranks; None for a rank that ended without one."""
    folder.chmod(0o777)
    for parent in list(folder.parents)[:3]:  # pytest's folders are closed to other users
        with contextlib.suppress(PermissionError):
            parent.chmod(parent.stat().st_mode | 0o055)
    context = multiprocessing.get_context('fork')
    port = free_port()
    processes = [context.Process(target=work, args=(rank, port, act, folder)) for rank in (0, 1)]
    for process in processes:
        process.start()
    processes[0].join(30)
    processes[1].join(0 if act == 'hangs' else 30)
    assert processes[0].exitcode == 0
    if processes[1].is_alive():
        processes[1].kill()
    texts = [(folder / f'{rank}.json').read_text() for rank in (0, 1)]
    return [json.loads(text) if text else None for text in texts]


@on_the_cpu
@fault('H07')
@pytest.mark.parametrize(('act', 'cause'), [('dies', 'onnection'), ('hangs', 'imed out')])
def test_a_lost_rank_ends_the_others(act: str, cause: str, tmp_path: Path) -> None:
    first, second = on_two_ranks(act, tmp_path)
    assert cause in first and second is None


@on_the_cpu
@fault('H08', 'H09')
def test_ranks_need_no_common_folder(tmp_path: Path) -> None:
    assert on_two_ranks('restricted', tmp_path) == [pytest.approx(nme(0, 1), abs=1e-12, rel=0)] * 2


@on_the_cpu
@fault('H10')
def test_ranks_of_different_seeds_are_refused(tmp_path: Path) -> None:
    on_two_ranks('seeds', tmp_path)


@pytest.fixture
def used_port() -> Iterator[int]:
    """A port that a server listens on."""
    with socket.create_server(('', 0)) as listening:
        yield listening.getsockname()[1]


@on_the_cpu
@fault('H11')
def test_a_port_in_use_is_named(used_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=used_port, RANK=0, WORLD_SIZE=2, LOCAL_RANK=0).items():
        monkeypatch.setenv(name, str(value))
    with pytest.raises(FacelmkError, match=f'port {used_port} .*MASTER_PORT'):
        ranks.join_ranks('pytorch', Config({'env_cfg': {'dist_cfg': {'timeout': 1}}}))


def test_more_ranks_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    monkeypatch.setattr(
        ranks, '_init_process_group', lambda backend, timeout: pytest.fail('the process group was formed')
    )
    for name, value in dict(RANK=0, WORLD_SIZE=16, LOCAL_RANK=0, LOCAL_WORLD_SIZE=8).items():
        monkeypatch.setenv(name, str(value))
    with pytest.raises(MissingResource, match='8 ranks.*2 GPUs') as caught:
        ranks.join_ranks('pytorch', Config())
    assert caught.value.exit_code == 3


@pytest.fixture
def tools(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Run tools/dist_*.sh with a `python` that prints its arguments instead of starting ranks."""
    fake_python = tmp_path / 'bin with spaces' / 'python'
    fake_python.parent.mkdir()
    fake_python.write_text(f'#!/usr/bin/env bash\n[ "$1" = - ] && exec "{sys.executable}" "$@"\nprintf "%s\\n" "$@"\n')
    fake_python.chmod(0o755)

    def run(script: str, *arguments: str, **variables: Any) -> subprocess.CompletedProcess:
        inherited = {key: value for key, value in os.environ.items() if key not in ('PORT', 'NNODES', 'NODE_RANK')}
        environment = inherited | {'PATH': f'{fake_python.parent}:{os.environ["PATH"]}'}
        return subprocess.run(
            ['bash', str(ROOT / 'tools' / script), *arguments],
            capture_output=True,
            text=True,
            env=environment | {key: str(value) for key, value in variables.items()},
            timeout=30,
        )

    return run


@fault('H11')
def test_scripts_choose_a_free_port_or_name_the_used_one(tools: Callable, used_port: int) -> None:
    def port(**variables: Any) -> int:
        lines = tools('dist_train.sh', 'c.py', '2', **variables).stdout.splitlines()
        return int(next(line for line in lines if line.startswith('--master-port=')).split('=')[1])

    chosen = {port() for _ in range(3)}
    assert len(chosen) > 1 and used_port not in chosen
    assert port(PORT=(unused := free_port())) == unused
    assert port(NNODES=2, NODE_RANK=1, PORT=used_port) == used_port  # the first machine listens there, not this one
    refused = tools('dist_test.sh', 'c.py', 'x.pth', '2', PORT=used_port)
    assert refused.returncode == 2 and f'PORT={used_port}' in refused.stderr and not refused.stdout


def test_scripts_take_paths_with_spaces(tools: Callable) -> None:
    arguments = tools('dist_train.sh', 'a b/cfg 1.py', '2', '--work-dir', 'o u t').stdout.splitlines()
    assert arguments[-5:] == ['a b/cfg 1.py', '--launcher', 'pytorch', '--work-dir', 'o u t']
    arguments = tools('dist_test.sh', 'a b/cfg 1.py', 'c d.pth', '2').stdout.splitlines()
    assert arguments[-4:] == ['a b/cfg 1.py', 'c d.pth', '--launcher', 'pytorch']


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A slow server of one weight file, and the requests that it has received."""
    requests: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
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
    yield f'http://127.0.0.1:{service.server_port}/{name}', requests
    service.shutdown()
    service.server_close()


def fetch(rank: int, url: str, cache: str) -> None:
    os.environ.update(LOCAL_RANK=str(rank), FACELMK_HOME=cache)
    if rank == 0:
        time.sleep(0.3)  # so that the others start first
    os._exit(0 if download.fetch(url).read_bytes() == WEIGHTS else 1)


@fault('H13')
def test_one_rank_of_a_machine_downloads(server: tuple[str, list[str]], tmp_path: Path) -> None:
    url, requests = server
    context = multiprocessing.get_context('fork')
    processes = [context.Process(target=fetch, args=(rank, url, str(tmp_path))) for rank in (0, 1, 2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(20)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(requests) == 1


def test_a_rank_that_waits_in_vain_downloads_itself(
    server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another process holds the lock of the unfinished file and adds nothing to it."""
    monkeypatch.setenv('FACELMK_HOME', str(tmp_path))
    monkeypatch.setattr(download, 'PATIENCE_S', 0.3)
    url, path = server[0], download.cached(server[0])
    path.parent.mkdir(parents=True)
    with path.with_name(f'.{path.name}.part').open('ab') as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        start = time.monotonic()
        assert download.fetch(url).read_bytes() == WEIGHTS
        assert 0.3 <= time.monotonic() - start < 3
