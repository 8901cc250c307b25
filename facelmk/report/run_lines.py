"""What a run prints on the quiet console: what is run, the progress, a line for each epoch, the best validation."""

import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine import hooks
from mmengine.device import get_device
from mmengine.dist import get_world_size, is_main_process
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..config.folders import name_of_config
from ..datasets.joined import RepeatedFaces
from ..engine.console import RunLines, show
from ..files.progress import Progress, duration, terminal_width
from .tables import Layout, Table

MAX_COUNTED_FACES = 200_000  # counting the pictures of larger sets takes seconds
LOSSES = 50  # whose mean the progress shows


def opening(verb: str, runner: Runner) -> str:
    """Return the line that says what is run, on which device, and where it writes."""
    name = name_of_config(runner.cfg.filename)
    return f'{verb} {name} on {_device()}, writes to {_short_path(runner.work_dir)}'


def _short_path(path: str) -> str:
    """Return a path as it is, or from the current folder if that is shorter."""
    return min(os.path.relpath(path), path, key=len)


def _device() -> str:
    ranks = get_world_size()
    device = get_device()
    here = torch.cuda.get_device_name() if device == 'cuda' else device
    if device == 'cpu':
        here += f' ({_plural(torch.get_num_threads(), "thread")})'
    return here + (f', {ranks} ranks' if ranks > 1 else '')


def describe_data(dataset: Any) -> str:
    """Return the size of a data set: faces and, where it is cheap to count them, pictures."""
    name, count = getattr(dataset, 'sample_name', 'sample'), len(dataset)
    faces = _plural(count, name)
    columns: Any = getattr(getattr(dataset, 'reader', dataset), 'faces', None)
    if not hasattr(columns, 'paths') or count > MAX_COUNTED_FACES:
        return faces
    return f'{faces} in {_plural(len(set(columns.paths())), "picture")}'


def _plural(count: int, one: str, several: str = '') -> str:
    return f'{count} {one if count == 1 else several or f"{one}s"}'


def _batch_and_unit(loader: Any) -> tuple[int, str]:
    """Return how many samples a step of all ranks has, and the unit of the rate."""
    return (loader.batch_size or 1) * get_world_size(), f'{getattr(loader.dataset, "sample_name", "sample")}s/s'


def headline_figures(metrics: Mapping[str, float], first: str | None = None) -> list[tuple[str, float]]:
    """Return the figures of the whole set, `first` before the others; those of subsets have a name with a slash."""
    keys = [key for key in metrics if '/' not in key and isinstance(metrics[key], (int, float))]
    if first in metrics:
        keys = [str(first), *(key for key in keys if key != first)]
    return [(key, metrics[key]) for key in keys]


def figures_text(figures: Sequence[tuple[str, float]]) -> str:
    """Return figures as text, with two digits after the point."""
    return '  '.join(f'{key} {value:.2f}' for key, value in figures)


class TrainingLines(RunLines):
    """Prints the lines of a training, and shows its progress. Only the first rank prints."""

    priority = 'VERY_LOW'  # after CheckpointHook, which knows the best validation

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.epoch_start = time.monotonic()
        self.losses = deque[float](maxlen=LOSSES)
        self.loss_sum, self.loss_count = 0.0, 0  # of the epoch
        self.waiting = ''  # the line of an epoch, until its validation is done
        self.best: tuple[str, dict[str, float]] | None = None
        self.last: tuple[str, dict[str, float]] | None = None

    def introduce(self, runner: Runner) -> None:
        _print(opening('train', runner))

    def before_train(self, runner: Runner) -> None:
        """Print the data, and where a resumed run continues."""
        loader = runner.train_dataloader
        repeated = loader.dataset if isinstance(loader.dataset, RepeatedFaces) else None
        data = f'{describe_data(repeated.dataset if repeated else loader.dataset)} to train on'
        data += f', {_plural(repeated.times, "time")} in an epoch' if repeated and repeated.times > 1 else ''
        if runner.val_loop is not None:
            data += f', {describe_data(runner.val_dataloader.dataset)} to validate on'
        if self._by_epoch(runner):
            length = f'{_plural(runner.max_epochs, "epoch")} of {_plural(len(loader), "batch", "batches")}'
        else:
            length = _plural(runner.max_iters, 'batch', 'batches')
        _print(f'{data}; {length}{f" of {loader.batch_size}" if loader.batch_size else ""}')
        if runner.iter and runner.iter < runner.max_iters:
            file = _short_path(str(runner._load_from))
            _print(f'resumes {file} after {self._position(runner.epoch, runner.iter, runner)}')
        batch, unit = _batch_and_unit(loader)
        self.progress = Progress('training', runner.max_iters, runner.iter, unit, batch)

    def _by_epoch(self, runner: Runner) -> bool:
        return isinstance(runner.train_loop, EpochBasedTrainLoop)

    def _position(self, epochs: int, iterations: int, runner: Runner) -> str:
        if self._by_epoch(runner) and iterations % len(runner.train_dataloader) == 0:
            return f'epoch {epochs} of {runner.max_epochs}'
        return f'iteration {iterations} of {runner.max_iters}'

    def before_train_epoch(self, runner: Runner) -> None:
        self._print_waiting()
        self.epoch_start, self.loss_sum, self.loss_count = time.monotonic(), 0.0, 0
        if self.progress is not None and self._by_epoch(runner):
            self.progress.what = f'epoch {runner.epoch + 1} of {runner.max_epochs}'

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        loss = (outputs or {}).get('loss')
        if isinstance(loss, torch.Tensor) and loss.device.type == 'cpu':  # the guard has read it; no wait for the GPU
            self.losses.append(float(loss))
            self.loss_sum += float(loss)
            self.loss_count += 1
        if self.progress is not None:
            recent = f'loss {sum(self.losses) / len(self.losses):.4g}' if self.losses else ''
            self.progress.show(runner.iter + 1, recent)

    def after_train_epoch(self, runner: Runner) -> None:
        if not self._by_epoch(runner):
            return
        loss = f'  loss {self.loss_sum / self.loss_count:.4g}' if self.loss_count else ''
        seconds = duration(time.monotonic() - self.epoch_start)
        self.waiting = f'epoch {runner.epoch + 1} of {runner.max_epochs}{loss}  {seconds}'

    def before_val_epoch(self, runner: Runner) -> None:
        self.validation = Validation(runner.val_loop)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.validation.show(batch_idx)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        seconds = self.validation.close()
        if self.progress is not None:
            self.progress.idle_s += seconds
        where = self.waiting or self._position(runner.epoch, runner.iter, runner)
        key, is_best = self._is_best(runner, metrics or {})
        figures = headline_figures(metrics or {}, key)
        parts = [figures_text(figures[:1]) + (' (best so far)' if is_best else ''), figures_text(figures[1:])]
        self.waiting = '  '.join([where, *(part for part in parts if part)])
        self.last = self._position(runner.epoch, runner.iter, runner), dict(metrics or {})
        if is_best:
            self.best = self.last
        self._print_waiting()

    def _is_best(self, runner: Runner, metrics: Mapping[str, float]) -> tuple[str | None, bool]:
        """Return the figure that chooses the best checkpoint, and whether this validation is the best so far."""
        saving = next((hook for hook in runner.hooks if isinstance(hook, hooks.CheckpointHook)), None)
        keys = list(getattr(saving, 'key_indicators', ()) or ())
        if not keys or keys[0] not in metrics:
            return None, False
        score = runner.message_hub.runtime_info.get('best_score' if len(keys) == 1 else f'best_score_{keys[0]}')
        is_tie = self.best is not None and self.best[1].get(keys[0]) == score  # CheckpointHook keeps the first
        return keys[0], score == metrics[keys[0]] and not is_tie

    def _print_waiting(self) -> None:
        if self.waiting:
            _print(self.waiting)
        self.waiting = ''

    def after_train(self, runner: Runner) -> None:
        """Print how long the training took, and the table of the best validation."""
        if self.progress is not None:
            self.progress.lines = False
            self.progress.close()
        self._print_waiting()
        where, metrics = self.best or self.last or ('', {})
        if metrics:
            name = f'{where} ({"best" if self.best else "last"})'
            _print(validation_table(name, metrics, runner.val_dataloader.dataset).text(terminal_width()))
        best = runner.message_hub.runtime_info.get('best_ckpt')
        saved = f', best weights in {_short_path(best)}' if best else ''
        if self.progress is not None and runner.iter > self.progress.before:
            _print(f'trained for {duration(time.monotonic() - self.progress.start)}{saved}')


class Validation:
    """The progress of a validation or a test."""

    def __init__(self, loop: Any, what: str = 'validating', lines: bool = False) -> None:
        loader = loop.dataloader
        self.size = len(loader.dataset)
        self.batch, unit = _batch_and_unit(loader)
        self.progress = Progress(what, self.size, 0, unit, lines=lines)

    def show(self, batch_idx: int) -> None:
        """Show the faces that are done."""
        self.progress.show(min((batch_idx + 1) * self.batch, self.size))

    def close(self) -> float:
        """Remove the bar; return how many seconds this took."""
        self.progress.lines = False  # the results follow
        self.progress.close()
        return time.monotonic() - self.progress.start


class TestLines(RunLines):
    """Prints what is tested, and shows the progress."""

    priority = 'VERY_LOW'

    def __init__(self, source: str) -> None:
        self.source = source

    def before_test_epoch(self, runner: Runner) -> None:
        data = describe_data(runner.test_loop.dataloader.dataset)
        _print(f'{opening("test", runner)}: {data}, weights {self.source}')
        self.testing = Validation(runner.test_loop, 'testing', lines=True)

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.testing.show(batch_idx)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self.testing.close()


def validation_table(name: str, metrics: Mapping[str, float], dataset: Any) -> Table:
    """Return the figures of a validation by subset."""
    info = getattr(dataset, 'metainfo', None) or {}
    subsets = [subset for subset in info.get('subsets', ()) if any(key.endswith(f'/{subset}') for key in metrics)]
    numbers = {key: float(value) for key, value in metrics.items() if isinstance(value, (int, float))}
    layout = Layout(subsets, None if info.get('headline') else info.get('whole', 'all'))
    return Table(layout.columns, {name: layout.rows(numbers)})


def _print(text: str) -> None:
    if is_main_process():
        show(text)
