"""A signal during training ends it at once where its state is complete, and else at the end of the step."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from mmengine.dist import get_world_size
from mmengine.runner import Runner

from ...files.signals import Interrupted, interruptible, postponed
from ..saving.state import random_state, restore_random_state

_END = object()


@dataclass
class Progress:
    """What a training has done beside its iterations: `first` is the iteration at which it started or resumed."""

    first: int
    validates: bool = False
    validated: int = -1  # the iteration before the last complete validation


def run_until_signal(loop: Any, run: Callable[[], Any]) -> Any:
    """Run a training loop; after a signal, the hooks' `after_interrupt(runner, number)` save its state.

    A step and the hooks always run to their end. A validation, and the wait for a batch, end at once. Several ranks
    must stop at the same place: CheckpointHook agrees on it.
    """
    loop.progress = Progress(loop.iter)
    try:
        with postponed(), _watched(loop.runner, loop.progress):
            return run()
    except Interrupted as stop:
        loop.runner.call_hook('after_interrupt', number=stop.number)
        raise


@contextmanager
def _watched(runner: Runner, progress: Progress) -> Iterator[None]:
    """Note when a validation starts and ends, and let signals interrupt it, but not its hooks."""
    call_hook, validation = runner.call_hook, runner.val_loop
    run_validation = None if validation is None else validation.run

    def call_and_note(name: str, **options: Any) -> None:
        with postponed():
            call_hook(name, **options)
            if name in ('before_val_epoch', 'after_val_epoch'):
                progress.validates = name == 'before_val_epoch'
                progress.validated = -1 if progress.validates else runner.iter

    def validate() -> Any:
        with _draws_undone(), may_stop(get_world_size() == 1):
            return run_validation() if run_validation is not None else None

    vars(runner)['call_hook'] = call_and_note
    if validation is not None:
        vars(validation)['run'] = validate
    try:
        yield
    finally:
        del vars(runner)['call_hook']
        if validation is not None:
            del vars(validation)['run']


def may_stop(allowed: bool) -> Any:
    """Return a context in which a signal ends the run at once, if `allowed`."""
    return interruptible() if allowed else nullcontext()


def awaited(batches: Iterable[Any], runner: Runner) -> Iterator[Any]:
    """Yield batches; a signal ends the wait for a batch, unless the gradients of several are summed up."""
    iterator = iter(batches)
    while True:
        wrapper = runner.optim_wrapper
        summed = getattr(wrapper, '_inner_count', 0) % getattr(wrapper, '_accumulative_counts', 1)
        undone = nullcontext() if runner.train_dataloader.num_workers else _draws_undone()  # workers draw by themselves
        with undone, may_stop(get_world_size() == 1 and not summed):
            batch = next(iterator, _END)
        if batch is _END:
            return
        yield batch


@contextmanager
def _draws_undone() -> Iterator[None]:
    """Undo the random draws of an interrupted batch or validation: the resumed run starts it again."""
    before = random_state()
    try:
        yield
    except Interrupted:
        restore_random_state(before)
        raise
