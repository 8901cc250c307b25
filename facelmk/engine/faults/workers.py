"""Data loader workers: translate their errors, and let them finish their batch when a signal stops the run."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from mmengine import Config
from torch.utils.data import DataLoader

from ...errors import FacelmkError, TrainingFault
from ...files.allocator import reuse_freed_memory
from ...files.processes import POLL_S
from ...files.signals import SIGNALS

WORKER_TIMEOUT_S = 300  # for one batch; `timeout` of a data loader replaces it
# parts of torch's messages
_RAISED = 'in DataLoader worker process '
_ENDED = ('is killed by signal', 'exited unexpectedly')
_TIMED_OUT = 'DataLoader timed out after'


def set_worker_timeouts(config: Config) -> None:
    """Give each data loader a time-out; torch's default waits for ever for a worker that hangs."""
    for phase in ('train', 'val', 'test'):
        loader = config.get(f'{phase}_dataloader')
        if loader:  # torch refuses a time-out without workers
            loader['timeout'] = loader.get('timeout', WORKER_TIMEOUT_S) if loader.get('num_workers') else 0


@contextmanager
def translate_worker_errors() -> Iterator[None]:
    """Translate a killed or hanging worker into a TrainingFault; raise an error of a worker as it was raised there."""
    try:
        yield
    except FacelmkError as error:
        if _RAISED not in str(error):
            raise
        cls = type(error)
        message = str(error).rpartition(f'{cls.__module__}.{cls.__qualname__}: ')[2].strip()
        raise cls(message) from None  # torch puts the worker's traceback before the message
    except Exception as error:
        if (fault := _worker_fault(error)) is not None:
            raise fault from error
        raise


def _worker_fault(error: BaseException | None) -> TrainingFault | None:
    """Return the fault of a worker in an error's context: torch reports it anywhere in the run, in a save too."""
    while error is not None:
        message = str(error).strip()
        if isinstance(error, RuntimeError) and message.startswith(_TIMED_OUT):
            return TrainingFault(
                f'{message}: a worker hangs, or the disk is slow. Find out what the data set and '
                'its pipeline wait for, or allow more seconds (train_dataloader.timeout, '
                'val_dataloader.timeout). Then continue with --resume'
            )
        if isinstance(error, RuntimeError) and any(part in message for part in _ENDED):
            return TrainingFault(
                f'{message.rstrip(".")}. The most common cause is that the machine ran out of memory. Use fewer '
                'workers (train_dataloader.num_workers) or smaller batches, then continue with --resume'
            )
        error = error.__context__
    return None


def shield_workers_from_signals(loader: DataLoader) -> None:
    """Make a loader's workers ignore signals, so that they live until the run has saved its state."""
    if not isinstance(loader.worker_init_fn, partial) or loader.worker_init_fn.func is not _init_worker:
        loader.worker_init_fn = partial(_init_worker, loader.worker_init_fn)


def _init_worker(next_init: Callable[[int], None] | None, worker_id: int) -> None:
    reuse_freed_memory()
    if hasattr(signal, 'sigtimedwait'):
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    if next_init is not None:
        next_init(worker_id)


def _end_with_parent(parent: int) -> None:
    """Exit when the parent has ended, or when it sends SIGTERM, as torch does to a worker that does not end in time."""
    while os.getppid() == parent:
        received = signal.sigtimedwait({signal.SIGTERM}, POLL_S)
        if received is not None and received.si_pid == parent:
            break
    os._exit(0)
