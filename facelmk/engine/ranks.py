"""Join the processes of a distributed run, started by torchrun, Slurm or MPI, with GPUs or without."""

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
TIMEOUT_S = 600  # that a rank waits for the others; env_cfg.dist_cfg.timeout replaces it
_CONNECTION_ERROR = re.compile(
    r'gloo|nccl|connection (closed|reset|refused)|broken pipe|timed? ?out|recv|socket', re.IGNORECASE
)


def join_ranks(launcher: str, config: Config) -> None:
    """Form the process group and set the config's launcher; NCCL with GPUs, gloo without.

    A rank waits at most `env_cfg.dist_cfg.timeout` seconds for another (default: 600).
    """
    if launcher == 'none':
        return
    _set_variables(launcher)
    cuda, options = torch.cuda.is_available(), config.get('env_cfg', {}).get('dist_cfg', {})
    backend = options.get('backend', 'nccl') if cuda else 'gloo'
    if cuda:
        _check_devices(backend)
        torch.cuda.set_device(int(os.environ.get('LOCAL_RANK', 0)) % torch.cuda.device_count())
    _init_process_group(backend, options.get('timeout', TIMEOUT_S))
    _agree_on_seed(config.get('randomness', {}).get('seed'))
    config.launcher = 'pytorch'
    if not cuda:
        config.model_wrapper_cfg = dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)


def rank_of(launcher: str) -> int:
    """Return the number of this process, 0 without a launcher; refuse a launcher whose variables are missing."""
    if launcher == 'none':
        return 0
    _set_variables(launcher)
    return int(os.environ['RANK'])


def _set_variables(launcher: str) -> None:
    """Set torch's environment variables from those of the launcher."""
    names = {'slurm': _SLURM, 'mpi': _MPI}.get(launcher, {})
    required = names.values() or ('RANK', 'WORLD_SIZE')
    missing = [variable for variable in required if variable not in os.environ]
    if missing:
        raise FacelmkError(
            f'--launcher {launcher}: the environment variable {", ".join(missing)} is not set. Start the run with '
            'tools/dist_train.sh, tools/slurm_train.sh or mpirun, which set it'
        )
    os.environ.update({name: os.environ[variable] for name, variable in names.items()})
    os.environ.setdefault('MASTER_ADDR', _first_host())
    os.environ.setdefault('MASTER_PORT', '29500')


def _check_devices(backend: str) -> None:
    """Refuse more ranks than this machine has GPUs: NCCL cannot share one."""
    ranks, devices = int(os.environ.get('LOCAL_WORLD_SIZE', 1)), torch.cuda.device_count()
    if backend == 'nccl' and ranks > devices:
        raise MissingResource(
            f'{ranks} ranks were started on this machine, and torch sees {devices} GPUs. Start at '
            f'most {devices}. --auto-scale-lr adapts the learning rate to the smaller batch'
        )


def _init_process_group(backend: str, timeout: float) -> None:
    """Form the process group; raise an error that names a port in use, or the address where ranks are missing."""
    address = f'{os.environ["MASTER_ADDR"]}:{os.environ["MASTER_PORT"]}'
    try:
        distributed.init_process_group(backend, timeout=timedelta(seconds=timeout), **_store_after_restart(timeout))
    except distributed.DistNetworkError as error:
        if 'EADDRINUSE' in str(error) or 'in use' in str(error):
            raise FacelmkError(
                f'port {os.environ["MASTER_PORT"]} of this machine is in use, so the ranks cannot connect '
                'to it. Set MASTER_PORT (PORT for tools/dist_*.sh) to a free one'
            ) from error
        raise FacelmkError(
            f'rank {os.environ["RANK"]} of {os.environ["WORLD_SIZE"]} could not connect to the others at '
            f'{address} within {timeout:g} s. Check that all of them were started with the same address '
            f'and port: {error}'
        ) from error
    except distributed.DistStoreError as error:
        raise FacelmkError(
            f'not all of {os.environ["WORLD_SIZE"]} ranks connected to {address} within {timeout:g} s. Look '
            f'at the logs of the others: {error}'
        ) from error


def _store_after_restart(timeout: float) -> dict[str, Any]:
    """Return a store for ranks that torchrun restarted, without the addresses of the dead ranks.

    torch 2.13 uses one store for all starts, so that a rank may wait for ever for a dead one.
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
    """Refuse ranks with different seeds; if the config has none, mmengine chooses one for all ranks."""
    seeds: list[int | None] = [None] * distributed.get_world_size()
    distributed.all_gather_object(seeds, seed)
    if len(set(seeds)) > 1:
        listed = ', '.join(f'rank {rank} has {value}' for rank, value in enumerate(seeds))
        raise FacelmkError(
            f'randomness.seed differs: {listed}. Each rank would shuffle the data set in another order. '
            'Give all of them the same seed'
        )


@contextmanager
def translate_lost_rank_errors() -> Iterator[None]:
    """Leave the process group at the end; translate connection errors into a TrainingFault that names the cause."""
    try:
        yield
        leave_process_group()
    except RuntimeError as error:
        if not (distributed.is_available() and distributed.is_initialized()) or not _CONNECTION_ERROR.search(
            str(error)
        ):
            raise
        raise TrainingFault(
            f'rank {distributed.get_rank()} of {distributed.get_world_size()} lost another rank: it '
            'has ended, or did not answer within the time-out (env_cfg.dist_cfg.timeout, in seconds). '
            f'Read its log for the reason, then continue with --resume. {error}'
        ) from error


def leave_process_group() -> None:
    """Wait for the other ranks, free the wrapped network, then destroy the process group.

    A network that is still wrapped when Python ends can abort the process (seen with gloo, once in ten runs).
    """
    if _has_group():
        distributed.barrier()
        gc.collect()  # a runner and its hooks refer to each other
        distributed.destroy_process_group()


def _has_group() -> bool:
    return distributed.is_available() and distributed.is_initialized()


def _first_host() -> str:
    """Return the first of Slurm's nodes, or this machine."""
    nodes = os.environ.get('SLURM_STEP_NODELIST') or os.environ.get('SLURM_NODELIST')
    if not nodes:
        return '127.0.0.1'
    if shutil.which('scontrol'):
        listed = subprocess.run(['scontrol', 'show', 'hostname', nodes], capture_output=True, text=True, check=True)
        return listed.stdout.split()[0]
    return re.sub(r'\[(\w+).*', r'\1', nodes).split(',')[0]
