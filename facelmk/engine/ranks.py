"""Joining the other processes of a distributed run: torchrun's, Slurm's or MPI's, on GPUs or without."""
import gc
import os
import re
import shutil
import subprocess

import torch
from mmengine import Config
from torch import distributed

from ..registry import FacelmkError

_SLURM = {'RANK': 'SLURM_PROCID', 'WORLD_SIZE': 'SLURM_NTASKS', 'LOCAL_RANK': 'SLURM_LOCALID'}
_MPI = {'RANK': 'OMPI_COMM_WORLD_RANK', 'WORLD_SIZE': 'OMPI_COMM_WORLD_SIZE',
        'LOCAL_RANK': 'OMPI_COMM_WORLD_LOCAL_RANK'}


def join_ranks(launcher: str, config: Config) -> None:
    """Meet the other ranks and tell the Runner; NCCL where there are GPUs, gloo where there are none."""
    if launcher == 'none':
        return
    names = {'slurm': _SLURM, 'mpi': _MPI}.get(launcher, {})
    missing = [source for source in (names or {'RANK': 'RANK', 'WORLD_SIZE': 'WORLD_SIZE'}).values()
               if source not in os.environ]
    if missing:
        raise FacelmkError(f'--launcher {launcher}: {", ".join(missing)} is not set; start the run with '
                           'tools/dist_train.sh, tools/slurm_train.sh or mpirun, which set it')
    os.environ.update({name: os.environ[source] for name, source in names.items()})
    os.environ.setdefault('MASTER_ADDR', _first_host())
    os.environ.setdefault('MASTER_PORT', '29500')
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ['LOCAL_RANK']) % torch.cuda.device_count())
    distributed.init_process_group(config.get('env_cfg', {}).get('dist_cfg', {}).get('backend', 'nccl')
                                   if cuda else 'gloo')
    config.launcher = 'pytorch'
    if not cuda:
        config.model_wrapper_cfg = dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)


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
