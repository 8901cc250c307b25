"""The processes that load data: their faults are told as what they are, and signals are left to the run they serve."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from mmengine import Config
from torch.utils.data import DataLoader

from ...errors import FacelmkError, TrainingFault

PATIENCE = 300  # seconds that a batch may take to load; `timeout` of a data loader replaces it
_RAISED = 'in DataLoader worker process '
_ENDED = ('is killed by signal', 'exited unexpectedly')
_TIMED_OUT = 'DataLoader timed out after'  # all of them torch's words


def limit_patience(config: Config) -> None:
    """Let no data loader wait for ever for a worker that hangs, as torch does."""
    for phase in ('train', 'val', 'test'):
        loader = config.get(f'{phase}_dataloader')
        if loader:  # torch takes no time-out where nobody is waited for
            loader['timeout'] = loader.get('timeout', PATIENCE) if loader.get('num_workers') else 0


@contextmanager
def translate_worker_errors() -> Iterator[None]:
    """Tell a worker that was killed or hangs as a fault of the training, and its errors as they were raised."""
    try:
        yield
    except FacelmkError as error:
        if _RAISED not in str(error):
            raise
        kind = type(error)
        own = str(error).rpartition(f'{kind.__module__}.{kind.__qualname__}: ')[2].strip()
        raise kind(own) from None  # torch wraps it in the worker's stack
    except Exception as error:
        if (fault := _fault(error)) is not None:
            raise fault from error
        raise


def _fault(error: BaseException | None) -> TrainingFault | None:
    """A worker's fault behind an error: torch tells of a dead one wherever the run happens to be, in a save too."""
    while error is not None:
        told = str(error).strip()
        if isinstance(error, RuntimeError) and told.startswith(_TIMED_OUT):
            return TrainingFault(
                f'{told}: a worker hangs, or reads from a slow disk. Look at what the data set and '
                'its pipeline wait for, or allow more seconds (train_dataloader.timeout, '
                'val_dataloader.timeout). Training goes on with --resume'
            )
        if isinstance(error, RuntimeError) and any(word in told for word in _ENDED):
            return TrainingFault(
                f'{told.rstrip(".")}. Most often the machine was out of memory: use fewer workers '
                '(train_dataloader.num_workers) or smaller batches. Training goes on with --resume'
            )
        error = error.__context__
    return None


def leave_signals(loader: DataLoader) -> None:
    """Let a loader's workers live on when Ctrl-C or SIGTERM reaches them too, until the run has saved its state."""
    if not isinstance(loader.worker_init_fn, partial) or loader.worker_init_fn.func is not _start:
        loader.worker_init_fn = partial(_start, loader.worker_init_fn)


def _start(more: Callable[[int], None] | None, number: int) -> None:
    if hasattr(signal, 'sigwaitinfo'):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    if more is not None:
        more(number)


def _end_with_parent(parent: int) -> None:
    """Heed SIGTERM only from the process that started this one, which ends a worker so if it does not end by itself."""
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
