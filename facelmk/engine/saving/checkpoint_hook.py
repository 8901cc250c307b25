"""When and how a run is saved: whole files of plain data, the old ones deleted only after the new one lies there."""

import shutil
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine import hooks
from mmengine.dist import all_reduce, get_world_size, is_main_process
from mmengine.runner import EpochBasedTrainLoop, Runner

from ...checkpoint import FORMAT, FORMAT_KEY, plain
from ...errors import FacelmkError, TrainingFault
from ...files.atomic import write_bytes
from ...registry import HOOKS
from ..faults.guards import refuse_spoilt
from ..faults.stopping import Stopped, asked
from ..faults.workers import leave_signals
from ..loops import EpochLoop, IterLoop, own_draws
from .best import direction
from .schedules import follow_config, initial_values, plain_schedules
from .state import check_place, history, is_plain, of_all_ranks, place, plain_history, restore_rank

_STATES = ('optimizer', 'param_schedulers', 'ema_state_dict', 'run')  # what goes on, beside weights and logs
_LOOK = 10  # several ranks agree on stopping, or on saving by the clock, at each such iteration


@HOOKS.register_module()
class CheckpointHook(hooks.CheckpointHook):
    """mmengine's, made safe: the figure of `save_best` knows its direction, no save costs the last good checkpoint.

    State is also saved inside an epoch, `every` so many iterations or `minutes`, as state_iter_N.pth, of which the
    newest is kept. `rule` overrules the figure's direction. A save that fails stops training; 'warn' goes on.
    """

    ranges = {'every': (1,), 'minutes': (0, float('inf'), True)}
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
            raise FacelmkError(f"CheckpointHook: on_failed_save={on_failed_save!r}; choose from 'stop', 'warn'")
        if options.get('backend_args') is None and options.get('file_client_args') is None:
            options['backend_args'] = {'backend': 'atomic'}
        super().__init__(*args, rule='less' if rule is None else rule, **options)
        self.told, self.every, self.minutes, self.on_failed_save = rule is not None, every, minutes, on_failed_save
        self.saved = time.monotonic()
        self.state: dict[str, Any] = {}

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        self._learn_directions(runner)
        if self.best_ckpt_path:  # of a resumed run, whose folder may be a copy of another's
            self.best_ckpt_path = str(Path(self.out_dir, Path(self.best_ckpt_path).name))
        if is_main_process() and Path(self.out_dir).is_dir():
            for left in Path(self.out_dir).glob('.*.pth.*'):  # by a process that was killed while it wrote
                left.unlink()
        if runner.val_loop is not None:
            own_draws(runner.val_dataloader, runner.seed)
            leave_signals(runner.val_dataloader)
        if self.resumed:
            self._go_on(runner, self.resumed)
        self.saved = time.monotonic()

    def _learn_directions(self, runner: Runner) -> None:
        if not self.save_best or self.told or runner.val_loop is None:
            return
        metrics = runner.val_loop.evaluator.metrics
        try:
            self._init_rule([direction(key, metrics) for key in self.save_best], self.save_best)
        except ValueError as error:
            raise FacelmkError(
                f"save_best={self.save_best}: {error} Set rule='less' or rule='greater' beside it; "
                "facelmk's metrics know it by themselves"
            ) from error

    def _go_on(self, runner: Runner, state: Mapping[str, Any]) -> None:
        """Stand where the saved run stood: schedules, place in the epoch, random draws, a validation that was due."""
        follow_config(runner, self.initial)
        sampler: Any = getattr(runner.train_dataloader, 'sampler', None)
        if getattr(sampler, 'seed', None) == self.drawn:  # mmengine takes the saved seed after the sampler was built
            sampler.seed = runner.seed
        restore_rank(runner, state['ranks'])
        done = state['place']['done']
        if isinstance(runner.train_loop, EpochLoop) and done:
            check_place(state['place'], place(runner, runner.epoch, done), 'This checkpoint')
            runner.train_loop.done = done
            if len(state['ranks']) == get_world_size():
                runner.train_loop.random = state['ranks'][runner.rank]['random']
        loop = runner.train_loop
        if state['due'] and runner.val_loop is not None:
            loop._decide_current_val_interval()
            if _validates(loop):
                runner.val_loop.run()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Turn plain data into what mmengine's `resume` wants."""
        if not runner._resume:
            return
        if not {'message_hub', 'optimizer'} <= checkpoint.keys() or 'epoch' not in checkpoint.get('meta', {}):
            raise FacelmkError(
                'This checkpoint holds weights, but no state of a run to resume (best_*.pth are such). '
                'To start a run from these weights, set load_from and leave --resume out'
            )
        try:
            plain({key: checkpoint[key] for key in _STATES if key in checkpoint}, 'checkpoint')
        except FacelmkError as error:
            raise FacelmkError(
                f'This checkpoint is not resumed, and nothing of it was run: {error}. To start a run '
                'from its weights alone, set load_from and leave --resume out'
            ) from error
        logged = checkpoint['message_hub']['log_scalars']
        checkpoint['message_hub']['log_scalars'] = {key: history(value) for key, value in logged.items()}
        self.resumed = checkpoint.get('run')
        self.initial, self.drawn = initial_values(runner), runner.seed

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Plain data alone, and no weights that are spoilt."""
        for key in ('state_dict', 'ema_state_dict'):
            refuse_spoilt(checkpoint.get(key, {}), self.last_ckpt)
        hub = checkpoint['message_hub']
        hub['log_scalars'] = {key: plain_history(value) for key, value in hub['log_scalars'].items()}
        hub['runtime_info'] = {key: value for key, value in hub['runtime_info'].items() if is_plain(value)}
        if 'param_schedulers' in checkpoint:
            checkpoint['param_schedulers'] = plain_schedules(checkpoint['param_schedulers'])
        checkpoint['run'], checkpoint[FORMAT_KEY] = self.state, FORMAT
        checkpoint.update(plain(checkpoint, 'checkpoint'))

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        wrapper = runner.optim_wrapper
        if getattr(wrapper, '_inner_count', 0) % getattr(wrapper, '_accumulative_counts', 1):
            return  # gradients of several batches are being summed up, and are not saved
        number, due = self._wanted(runner)
        if number or due:
            self._save_inside(runner, batch_idx + 1)
        if number:
            raise Stopped(
                number,
                f'training was asked to stop (signal {number}) and has saved its state as '
                f'{self.last_ckpt}; the same command with --resume goes on from there',
            )

    def _wanted(self, runner: Runner) -> tuple[int, bool]:
        """The signal that asks all ranks to stop, and whether state is to be saved now."""
        counted = self.every is not None and self.every_n_train_iters(runner, self.every)
        clock = self.minutes is not None and time.monotonic() - self.saved > 60 * self.minutes
        if get_world_size() == 1:
            return asked(), counted or clock
        if not self.every_n_train_iters(runner, _LOOK):
            return 0, counted
        device = next(runner.model.parameters()).device
        said = torch.tensor([asked(), int(clock)], device=device)
        all_reduce(said, 'max')
        return int(said[0]), counted or bool(said[1])

    def _save_inside(self, runner: Runner, done: int) -> None:
        if not self.by_epoch:
            self._save_checkpoint(runner)
            return
        self.state = dict(place=place(runner, runner.epoch, done), due=False, ranks=of_all_ranks(runner))
        name = f'state_iter_{runner.iter + 1}.pth'
        if self._write(runner, name, dict(epoch=runner.epoch, iter=runner.iter + 1)):
            self._prune_inside(name)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        """Write, note, and only then delete what is too old; mmengine 0.10.7 deletes first."""
        kind = 'epoch' if self.by_epoch else 'iter'  # either is counted on before a validation
        self.state = dict(
            place=place(runner, meta['epoch'], 0), due=getattr(runner, kind) != meta[kind], ranks=of_all_ranks(runner)
        )
        before, old = None, []
        if self.max_keep_ckpts > 0:
            before = list(self.keep_ckpt_ids)
            kept = [number for number in before if number != step] + [step]
            old = kept[: -self.max_keep_ckpts]
            self._keep(runner, kept[-self.max_keep_ckpts :])
        if not self._write(runner, self.filename_tmpl.format(step), meta):
            if before is not None:
                self._keep(runner, before)
            return
        if is_main_process():
            for number in old:
                Path(self.out_dir, self.filename_tmpl.format(number)).unlink(missing_ok=True)
        if self.by_epoch:
            self._prune_inside(None)

    def _keep(self, runner: Runner, numbers: Sequence[int]) -> None:
        self.keep_ckpt_ids = deque(numbers, self.max_keep_ckpts)
        runner.message_hub.update_info('keep_ckpt_ids', list(numbers))

    def _prune_inside(self, newest: str | None) -> None:
        """Delete states inside epochs that are behind the newest."""
        if is_main_process():
            for path in Path(self.out_dir).glob('state_iter_*.pth'):
                if path.name != newest:
                    path.unlink(missing_ok=True)

    def _write(self, runner: Runner, name: str, meta: dict) -> bool:
        """Write one checkpoint and the note that names it; whether that went well."""
        before, self.last_ckpt = self.last_ckpt, str(Path(self.out_dir, name))
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
                write_bytes(Path(runner.work_dir, 'last_checkpoint'), str(self.last_ckpt).encode())
        except OSError as error:
            self.last_ckpt = before
            runner.message_hub.update_info('last_ckpt', before)
            self._failed(runner, Path(self.out_dir, name), error)
            return False
        self.saved = time.monotonic()
        return True

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """mmengine's, with the previous best one hidden from it: 0.10.7 deletes that one before it writes."""
        several = getattr(self, 'best_ckpt_path_dict', None)
        old = {'': self.best_ckpt_path} if several is None else dict(several)
        known = dict(runner.message_hub.runtime_info)
        self._put_best(dict.fromkeys(old))
        self.state = {}  # the best weights are no place to go on from
        last = self.last_ckpt
        self.last_ckpt = None  # mmengine would write it once more, of another name
        try:
            super()._save_best_checkpoint(runner, metrics)
        except OSError as error:
            self._put_best(old)
            runner.message_hub._runtime_info.clear()
            runner.message_hub._runtime_info.update(known)
            self.last_ckpt = last
            self._failed(runner, Path(self.out_dir, 'best_*.pth'), error)
            return
        self.last_ckpt = last
        new = {'': self.best_ckpt_path} if several is None else dict(self.best_ckpt_path_dict)
        self._put_best({key: new[key] or old[key] for key in old})
        step = runner.epoch if self.by_epoch else runner.iter
        if last is not None and (any(new.values()) or Path(last).name == self.filename_tmpl.format(step)):
            self._save_checkpoint_with_step(runner, step, dict(epoch=runner.epoch, iter=runner.iter))
        if is_main_process():
            for key, path in old.items():
                if path and new[key] and new[key] != path:
                    Path(path).unlink(missing_ok=True)

    def _put_best(self, paths: Mapping[str, str | None]) -> None:
        if getattr(self, 'best_ckpt_path_dict', None) is None:
            self.best_ckpt_path = paths['']
        else:
            self.best_ckpt_path_dict = dict(paths)

    def _failed(self, runner: Runner, path: Path, error: OSError) -> None:
        free = shutil.disk_usage(path.parent if path.parent.is_dir() else runner.work_dir).free / 2**20
        text = (
            f'{path} could not be written ({error}); {free:.0f} MiB are free there. The last good checkpoint is '
            f'{self.last_ckpt or "none yet"}'
        )
        if self.on_failed_save == 'stop':
            raise TrainingFault(f'{text}. Make room, then go on with --resume') from error
        runner.logger.warning(f'{text}; training goes on')


def _validates(loop: EpochLoop | IterLoop) -> bool:
    """Whether mmengine's loop would validate where this one stands."""
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    done, last = (loop.epoch, loop.max_epochs) if by_epoch else (loop.iter, loop.max_iters)
    return done >= loop.val_begin and (done % loop.val_interval == 0 or done == last)
