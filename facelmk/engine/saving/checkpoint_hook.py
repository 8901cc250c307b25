"""Save a run: atomic files of plain data; old checkpoints are deleted only after the new one is complete."""

import shutil
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.runner import Runner

from ...checkpoint import FORMAT, FORMAT_KEY, plain
from ...errors import FacelmkError, TrainingFault
from ...files import backend  # noqa: F401 - mmengine then writes by atomic writes
from ...registry import HOOKS
from ..faults.guards import refuse_non_finite_weights
from ..faults.workers import shield_workers_from_signals
from ..loops import EpochLoop, set_own_generator, validates_now
from .best import metric_direction
from .interrupted import SavesAtSignals
from .newest import newest_checkpoint, point_to
from .pointers import best_here, relative_pointers
from .schedules import follow_config, initial_values, plain_schedules
from .state import (
    check_position,
    data_position,
    is_plain,
    plain_history,
    refuse_without_state,
    restore_history,
    restore_rank_state,
    run_state,
)

_STATE_KEYS = ('optimizer', 'param_schedulers', 'ema_state_dict', 'run')  # the state of a run beside weights and logs


@HOOKS.register_module()
class CheckpointHook(SavesAtSignals):
    """mmengine's hook, made safe: a failed save never costs the last good checkpoint.

    The hook also saves inside an epoch, after `every` iterations or `minutes`, and keeps the newest state_iter_N.pth.
    The metric of `save_best` says whether less or greater is better; `rule` overrides it. A save that fails stops
    training, or only warns with on_failed_save='warn'.
    """

    ranges = {'every': (1, 100_000_000), 'minutes': (0, 100_000, True)}

    best_ckpt_path: str | None = None
    last_ckpt: str | None
    resumed: dict | None = None

    def __init__(
        self,
        *args: Any,
        rule: str | list[str] | None = None,
        every: int | None = None,
        minutes: float | None = None,
        on_failed_save: str = 'stop',
        **options: Any,
    ) -> None:
        if on_failed_save not in ('stop', 'warn'):
            raise FacelmkError(f"CheckpointHook.on_failed_save={on_failed_save!r}. Choose from 'stop', 'warn'")
        super().__init__(*args, rule='less' if rule is None else rule, **options)
        self.has_rule, self.every, self.minutes, self.on_failed_save = rule is not None, every, minutes, on_failed_save
        self.last_save_time = time.monotonic()
        self.state: dict[str, Any] = {}  # saved as checkpoint['run']; empty for the best weights

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        self._set_directions(runner)
        if self.save_best:
            self._set_best_paths(
                {key: best_here(path, runner, self.out_dir) for key, path in self._best_paths().items()}
            )
        if is_main_process() and Path(self.out_dir).is_dir():
            for temporary in Path(self.out_dir).glob('.*.pth.*'):  # of a process that was killed during a save
                temporary.unlink(missing_ok=True)
        if runner.val_loop is not None:
            set_own_generator(runner.val_dataloader, runner.seed)
            shield_workers_from_signals(runner.val_dataloader)
        if self.resumed:
            self._restore(runner, self.resumed)
        self.last_save_time = time.monotonic()

    def _set_directions(self, runner: Runner) -> None:
        if not self.save_best or self.has_rule or runner.val_loop is None:
            return
        metrics = runner.val_loop.evaluator.metrics
        try:
            self._init_rule([metric_direction(key, metrics) for key in self.save_best], self.save_best)
        except ValueError as error:
            raise FacelmkError(
                f"CheckpointHook.save_best={self.save_best}: {error} Set rule='less' or rule='greater'; "
                'only metrics of facelmk say which is better'
            ) from error

    def _restore(self, runner: Runner, state: Mapping[str, Any]) -> None:
        """Restore schedules, random states and the position in the epoch; run a validation that was still due."""
        follow_config(runner, self.initial_values)
        sampler: Any = getattr(runner.train_dataloader, 'sampler', None)
        if getattr(sampler, 'seed', None) == self.new_seed:  # mmengine restores the saved seed after building it
            sampler.seed = runner.seed
        restore_rank_state(runner, state['ranks'])
        loop, batches_done = runner.train_loop, state['place']['done']
        if isinstance(loop, EpochLoop) and batches_done:
            check_position(state['place'], data_position(runner, runner.epoch, batches_done))
            loop.batches_done = batches_done
            if len(state['ranks']) == get_world_size():
                loop.random_state = state['ranks'][runner.rank]['random']
        if state['due'] and runner.val_loop is not None:
            loop._decide_current_val_interval()
            if validates_now(loop):
                runner.val_loop.run()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Convert plain data into what mmengine's `resume` expects."""
        if not runner._resume:
            return
        refuse_without_state(checkpoint)
        try:
            plain({key: checkpoint[key] for key in _STATE_KEYS if key in checkpoint}, 'checkpoint')
        except FacelmkError as error:
            raise FacelmkError(
                f'This checkpoint is not resumed, and no code from it was run: {error}. To start a new run '
                'from its weights alone, set load_from and leave --resume out'
            ) from error
        checkpoint['message_hub']['runtime_info'] = relative_pointers(checkpoint['message_hub']['runtime_info'])
        logged = checkpoint['message_hub']['log_scalars']
        checkpoint['message_hub']['log_scalars'] = {key: restore_history(value) for key, value in logged.items()}
        self.resumed = checkpoint.get('run')
        self.initial_values, self.new_seed = initial_values(runner), runner.seed

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Reduce the checkpoint to plain data; refuse weights that are not finite."""
        for key in ('state_dict', 'ema_state_dict'):
            refuse_non_finite_weights(checkpoint.get(key, {}), self.last_ckpt)
        hub = checkpoint['message_hub']
        hub['log_scalars'] = {key: plain_history(value) for key, value in hub['log_scalars'].items()}
        info = {key: value for key, value in hub['runtime_info'].items() if is_plain(value)}
        hub['runtime_info'] = relative_pointers(info)
        if 'param_schedulers' in checkpoint:
            checkpoint['param_schedulers'] = plain_schedules(checkpoint['param_schedulers'])
        checkpoint['run'], checkpoint[FORMAT_KEY] = self.state, FORMAT
        checkpoint.update(plain(checkpoint, 'checkpoint'))

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        wrapper = runner.optim_wrapper
        if getattr(wrapper, '_inner_count', 0) % getattr(wrapper, '_accumulative_counts', 1):
            return  # accumulated gradients of several batches are not part of a checkpoint
        number, due = self._signal_and_due(runner)
        if number or due:
            self._save_inside_epoch(runner, batch_idx + 1)
        if number:
            raise self.stopped(number)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict, due: bool | None = None) -> None:
        """Write a checkpoint, then delete those beyond max_keep_ckpts; mmengine 0.10.7 deletes first."""
        progress = 'epoch' if self.by_epoch else 'iter'  # mmengine counts it up before a validation
        due = getattr(runner, progress) != meta[progress] if due is None else due
        self.state = run_state(runner, meta['epoch'], 0, due)
        previous = list(self.keep_ckpt_ids) if self.max_keep_ckpts > 0 else []
        steps = [number for number in previous if number != step] + [step]
        self._note_steps(runner, steps[-self.max_keep_ckpts :])
        if not self._write(runner, self.filename_tmpl.format(step), meta):
            self._note_steps(runner, previous)
            return
        if is_main_process() and self.max_keep_ckpts > 0:
            for number in steps[: -self.max_keep_ckpts]:
                Path(self.out_dir, self.filename_tmpl.format(number)).unlink(missing_ok=True)
        if self.by_epoch:
            self._delete_inside_epoch(None)

    def _note_steps(self, runner: Runner, steps: Sequence[int]) -> None:
        """Note which checkpoints exist, if their number is limited."""
        if self.max_keep_ckpts > 0:
            self.keep_ckpt_ids = deque(steps, self.max_keep_ckpts)
            runner.message_hub.update_info('keep_ckpt_ids', list(steps))

    def _write(self, runner: Runner, name: str, meta: dict) -> bool:
        """Write a checkpoint and `last_checkpoint`, which names it; return whether this succeeded."""
        previous, self.last_ckpt = self.last_ckpt, str(Path(self.out_dir, name))
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        try:
            runner.save_checkpoint(
                self.out_dir,
                name,
                save_optimizer=self.save_optimizer,
                meta=meta,
                save_param_scheduler=self.save_param_scheduler,
                by_epoch=self.by_epoch,
                backend_args=self.backend_args,
                **self.args,
            )
            if is_main_process():
                point_to(Path(self.last_ckpt))
        except OSError as error:
            self.last_ckpt = previous
            runner.message_hub.update_info('last_ckpt', previous)
            self._handle_failed_save(runner, Path(self.out_dir, name), error)
            return False
        self.last_save_time = time.monotonic()
        self.written = (meta['iter'], self.state['place']['done'], self.state['due'])
        return True

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """Call mmengine's method without its previous best checkpoint, which 0.10.7 would delete before it writes."""
        for key in self.save_best or ():
            if key not in metrics and key != 'auto':
                raise FacelmkError(
                    f'CheckpointHook.save_best={key!r}. Expected a figure of the validation: {", ".join(metrics)}'
                )
        old, info, last = self._best_paths(), dict(runner.message_hub.runtime_info), self.last_ckpt
        self._set_best_paths(dict.fromkeys(old))
        self.state = {}  # a run cannot resume from the best weights
        self.last_ckpt = None  # mmengine would write this one again, under another name
        try:
            super()._save_best_checkpoint(runner, metrics)
        except OSError as error:
            self._set_best_paths(old)
            runner.message_hub._runtime_info.clear()
            runner.message_hub._runtime_info.update(info)
            self.last_ckpt = last
            self._handle_failed_save(runner, Path(self.out_dir, 'best_*.pth'), error)
            return
        self.last_ckpt = last
        new = self._best_paths()
        self._set_best_paths({key: new[key] or old[key] for key in old})
        step = runner.epoch if self.by_epoch else runner.iter
        if last is not None and (any(new.values()) or Path(last).name == self.filename_tmpl.format(step)):
            self._save_checkpoint_with_step(runner, step, dict(epoch=runner.epoch, iter=runner.iter))
        if is_main_process():
            for key, path in old.items():
                if path and new[key] and new[key] != path:
                    Path(path).unlink(missing_ok=True)

    def _best_paths(self) -> dict[str, str | None]:
        """Return the best checkpoint by metric; '' stands for a single metric."""
        several = getattr(self, 'best_ckpt_path_dict', None)
        return {'': self.best_ckpt_path} if several is None else dict(several)

    def _set_best_paths(self, paths: Mapping[str, str | None]) -> None:
        if getattr(self, 'best_ckpt_path_dict', None) is None:
            self.best_ckpt_path = paths['']
        else:
            self.best_ckpt_path_dict = dict(paths)

    def _handle_failed_save(self, runner: Runner, path: Path, error: OSError) -> None:
        free = shutil.disk_usage(path.parent if path.parent.is_dir() else runner.work_dir).free / 2**20
        last = self.last_ckpt or newest_checkpoint(self.out_dir, same_run=True)  # None if nothing was saved yet
        text = (
            f'{path} could not be written ({error.strerror or error}). {free:.0f} MiB are free there. '
            f'The last good checkpoint is {last or "none yet"}'
        )
        if self.on_failed_save == 'stop':
            raise TrainingFault(f'{text}. Free some space, then continue with --resume') from error
        runner.logger.warning(f'{text}. Training continues')
