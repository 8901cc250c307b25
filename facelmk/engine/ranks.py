"""Joining the other processes of a distributed run: torchrun's, Slurm's or MPI's, on GPUs or without."""

import gc
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from mmengine import Config
from torch import distributed

from ..errors import FacelmkError, MissingResource, TrainingFault

_SLURM = {'RANK': 'SLURM_PROCID', 'WORLD_SIZE': 'SLURM_NTASKS', 'LOCAL_RANK': 'SLURM_LOCALID'}
_MPI = {
    'RANK': 'OMPI_COMM_WORLD_RANK',
    'WORLD_SIZE': 'OMPI_COMM_WORLD_SIZE',
    'LOCAL_RANK': 'OMPI_COMM_WORLD_LOCAL_RANK',
}
TIMEOUT = 600  # seconds that a rank waits for the others; env_cfg.dist_cfg.timeout replaces it
_LOST = re.compile(r'gloo|nccl|connection (closed|reset|refused)|broken pipe|timed? ?out|recv|socket', re.IGNORECASE)


def join_ranks(launcher: str, config: Config) -> None:
    """Meet the other ranks and tell the Runner; NCCL where there are GPUs, gloo where there are none.

    No rank waits longer for another than `env_cfg.dist_cfg.timeout` seconds, 600 if nothing is said.
    """
    if launcher == 'none':
        return
    names = {'slurm': _SLURM, 'mpi': _MPI}.get(launcher, {})
    missing = [
        source
        for source in (names or {'RANK': 'RANK', 'WORLD_SIZE': 'WORLD_SIZE'}).values()
        if source not in os.environ
    ]
    if missing:
        raise FacelmkError(
            f'--launcher {launcher}: {", ".join(missing)} is not set; start the run with '
            'tools/dist_train.sh, tools/slurm_train.sh or mpirun, which set it'
        )
    os.environ.update({name: os.environ[source] for name, source in names.items()})
    os.environ.setdefault('MASTER_ADDR', _first_host())
    os.environ.setdefault('MASTER_PORT', '29500')
    cuda, options = torch.cuda.is_available(), config.get('env_cfg', {}).get('dist_cfg', {})
    backend = options.get('backend', 'nccl') if cuda else 'gloo'
    if cuda:
        _check_devices(backend)
        torch.cuda.set_device(int(os.environ.get('LOCAL_RANK', 0)) % torch.cuda.device_count())
    _meet(backend, options.get('timeout', TIMEOUT))
    _agree_on_seed(config.get('randomness', {}).get('seed'))
    config.launcher = 'pytorch'
    if not cuda:
        config.model_wrapper_cfg = dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)


def _check_devices(backend: str) -> None:
    """Refuse more of torchrun's ranks than this machine has GPUs, which NCCL cannot share."""
    ranks, devices = int(os.environ.get('LOCAL_WORLD_SIZE', 1)), torch.cuda.device_count()
    if backend == 'nccl' and ranks > devices:
        raise MissingResource(
            f'{ranks} ranks were started on this machine, and torch sees {devices} GPUs. Start at '
            f'most {devices}; --auto-scale-lr fits the learning rate to the smaller batch'
        )


def _meet(backend: str, timeout: float) -> None:
    """Form the group; a port that is taken, and ranks that do not come, are told."""
    place = f'{os.environ["MASTER_ADDR"]}:{os.environ["MASTER_PORT"]}'
    try:
        distributed.init_process_group(backend, timeout=timedelta(seconds=timeout), **_apart(timeout))
    except distributed.DistNetworkError as error:
        if 'EADDRINUSE' in str(error) or 'in use' in str(error):
            raise FacelmkError(
                f'port {os.environ["MASTER_PORT"]} of this machine is in use, so the ranks cannot meet '
                'there. Set MASTER_PORT (PORT for tools/dist_*.sh) to a free one'
            ) from error
        raise FacelmkError(
            f'rank {os.environ["RANK"]} of {os.environ["WORLD_SIZE"]} did not meet the others at '
            f'{place} within {timeout:g} s. Look whether all of them started, with the same address '
            f'and port: {error}'
        ) from error
    except distributed.DistStoreError as error:
        raise FacelmkError(
            f'not all of {os.environ["WORLD_SIZE"]} ranks came to {place} within {timeout:g} s. Look at '
            f'the logs of the others: {error}'
        ) from error


def _apart(timeout: float) -> dict[str, Any]:
    """Where ranks that torchrun started anew meet: apart from the addresses that the dead ones left.

    torch 2.13 keeps one store for all starts, so that a rank may wait for ever for one that is gone.
    """
    count = os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')
    if count == '0' or os.environ.get('TORCHELASTIC_USE_AGENT_STORE') != 'True':
        return {}
    store = distributed.TCPStore(
        os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT']), is_master=False, timeout=timedelta(seconds=timeout)
    )
    return {
        'store': distributed.PrefixStore(f'start_{count}', store),
        'rank': int(os.environ['RANK']),
        'world_size': int(os.environ['WORLD_SIZE']),
    }


def _agree_on_seed(seed: int | None) -> None:
    """Refuse ranks of different seeds, which would draw different orders; without one, mmengine agrees."""
    seeds: list[int | None] = [None] * distributed.get_world_size()
    distributed.all_gather_object(seeds, seed)
    if len(set(seeds)) > 1:
        told = ', '.join(f'rank {rank} has {found}' for rank, found in enumerate(seeds))
        raise FacelmkError(
            f'randomness.seed differs: {told}. The ranks would share out the data set in different '
            'orders; give all of them the same seed'
        )


@contextmanager
def among_ranks() -> Iterator[None]:
    """Part from the other ranks at the end; a rank that was lost is told as such, with what the network said of it."""
    try:
        yield
        leave_ranks()
    except RuntimeError as error:
        if not (distributed.is_available() and distributed.is_initialized()) or not _LOST.search(str(error)):
            raise
        raise TrainingFault(
            f'rank {distributed.get_rank()} of {distributed.get_world_size()} lost another rank: it '
            'has ended, or did not answer within the time-out (env_cfg.dist_cfg.timeout, in seconds). '
            f'Its own log says why; training goes on with --resume. {error}'
        ) from error


def leave_ranks() -> None:
    """Part from the other ranks, if there are any: all together, and with the runner's network gone before its links.

    A network that is still wrapped when Python ends can abort the process (seen with gloo, once in ten runs).
    """
    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()
        gc.collect()  # a runner and its hooks refer to each other
        distributed.destroy_process_group()


def _first_host() -> str:
    """The first of Slurm's nodes, or this machine."""
    nodes = os.environ.get('SLURM_STEP_NODELIST') or os.environ.get('SLURM_NODELIST')
    if not nodes:
        return '127.0.0.1'
    if shutil.which('scontrol'):
        listed = subprocess.run(['scontrol', 'show', 'hostname', nodes], capture_output=True, text=True, check=True)
        return listed.stdout.split()[0]
    return re.sub(r'\[(\w+).*', r'\1', nodes).split(',')[0]
