"""The Guard hook: a loss or gradient that is not finite stops training before it damages the weights."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from mmengine.dist import all_gather_object, all_reduce, get_rank
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from ...checkpoint import plain, read_checkpoint, save_checkpoint
from ...errors import FacelmkError, TrainingFault
from ...metrics.merging import name_some
from ...registry import HOOKS
from ..saving.newest import newest_checkpoint
from ..saving.pointers import folder_of_run
from ..saving.state import trained_network
from .memory import explain_out_of_memory
from .sizes import check_sizes, warn_batch_size

ACTIONS = ('stop', 'skip', 'rollback')
MAX_SCALER_SKIPS = 20  # in a row; by then a scale that starts at 65536, as torch's does, is less than 1
MAX_BATCH_FILES = 20  # of a run that continues


@HOOKS.register_module()
class Guard(Hook):
    """React to a loss or gradient that is not finite, before the optimizer steps; mmengine 0.10.7 trains on.

    `action`: 'stop' ends the run, names the loss term and the ids of the batch, and saves the batch in the work folder;
    'skip' drops the batch, with the gradients accumulated before it; 'rollback' also restores the last checkpoint. The
    latter two stop after `at_most` faults in a row, or as many rollbacks to the same checkpoint. With mixed precision
    the gradients are the scaler's task, and the hook counts the steps that it skips. All ranks do the same at the same
    iteration.
    """

    priority = 'VERY_HIGH'
    ranges = {'at_most': (1, 100_000)}

    def __init__(self, action: str = 'stop', at_most: int = 5) -> None:
        if action not in ACTIONS:
            raise FacelmkError(f'Guard.action={action!r}. Choose from {", ".join(map(repr, ACTIONS))}')
        self.action, self.at_most = action, at_most
        self.in_a_row = self.dropped = self.scaler_skips = self.rollbacks = 0
        self.source: str | None = None  # the checkpoint of the last rollback
        self.batch: Any = None
        self.losses: dict[str, Tensor] = {}  # the terms of the loss, which mmengine logs after the step
        self.norm: Tensor | None = None  # of the gradients
        self.norm_number: float | None = None
        self.rejected = self.stepped = False

    def before_train(self, runner: Runner) -> None:
        """Check sizes, then wrap the functions that sum up the loss, run backward and step the optimizer."""
        check_sizes(runner.train_dataloader, 'train_dataloader')
        if runner.val_loop is not None:
            check_sizes(runner.val_dataloader, 'val_dataloader')
        warn_batch_size(runner)
        explain_out_of_memory(runner)
        model, wrapper = trained_network(runner), runner.optim_wrapper
        if not hasattr(model, 'parse_losses') or not hasattr(wrapper, 'backward'):
            return  # several optimizers, or a network with its own way to sum up losses
        backward, step = wrapper.backward, wrapper.step
        parse: Any = model.parse_losses

        def parse_losses(losses: Mapping[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
            total, self.losses = parse(losses)
            return total, self.losses

        def guarded_backward(loss: Tensor, **options: Any) -> None:
            backward(loss, **options)
            self.rejected = self._is_faulty(wrapper, loss) and self._react(runner)

        def guarded_step(**options: Any) -> None:
            if not self.rejected:
                self.stepped = False
                step(**options)
                self._count_scaler_skips(runner)

        guarded_step._with_counter = True  # type: ignore[attr-defined]  # of the schedulers; the wrapped `step` counts
        vars(model)['parse_losses'] = parse_losses
        wrapper.backward, wrapper.step = guarded_backward, guarded_step
        if _clips_by_known_norm(wrapper):
            wrapper._clip_grad = lambda: self._clip(wrapper)
        wrapper.optimizer.register_step_pre_hook(self._note_step)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.batch = data_batch
        if self.action != 'stop':  # the forward pass puts a faulty batch into BatchNorm's statistics
            self.statistics = [value.clone() for value in trained_network(runner).buffers()]

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.in_a_row = self.in_a_row if self.rejected else 0
        self.rejected = False
        self.batch = None

    def _is_faulty(self, wrapper: Any, loss: Tensor) -> bool:
        """Return whether a loss or gradient of any rank is not finite; read this and all logged numbers at once."""
        total = loss.detach().clone()
        if not _has_scaled_gradients(wrapper):
            gradients = [cast(Tensor, parameter.grad) for parameter in _with_gradients(wrapper)]
            self.norm = torch.nn.utils.get_total_norm(gradients) if gradients else torch.zeros_like(total)
            total += self.norm.to(total)
        all_reduce(total)  # the sum is finite only if every part of it is
        return not math.isfinite(self._read(total))

    def _read(self, total: Tensor) -> float:
        """Read a number together with the norm and the loss terms, which stay as numbers in the memory of the CPU.

        Each read waits for the GPU, and mmengine would read each logged number separately.
        """
        terms = {name: value for name, value in self.losses.items() if getattr(value, 'device', None) == total.device}
        norm = () if self.norm is None else (self.norm,)
        number, *others = torch.stack([total, *(value.detach() for value in (*terms.values(), *norm))]).tolist()
        for (name, value), term in zip(terms.items(), others, strict=False):
            self.losses[name] = torch.tensor(term, dtype=value.dtype)
        self.norm_number = others[-1] if norm else None
        return float(number)

    def _clip(self, wrapper: Any) -> None:
        """Clip the gradients by the norm that is known already; mmengine would compute and read it once more."""
        options = wrapper.clip_grad_kwargs
        torch.nn.utils.clip_grads_with_norm_(
            _with_gradients(wrapper), options['max_norm'], cast(Tensor, self.norm), options.get('foreach')
        )
        wrapper.message_hub.update_scalar(f'train/{wrapper.grad_name}', self.norm_number)

    def _react(self, runner: Runner) -> bool:
        """Stop, or drop the batch on all ranks and return True."""
        text = self._describe_fault(runner)
        self.in_a_row += 1
        self.dropped += 1
        if self.action == 'stop' or self.in_a_row > self.at_most:
            faults = '' if self.action == 'stop' else f' These are {self.in_a_row} in a row, at_most={self.at_most}.'
            raise TrainingFault(
                f'{text}{faults} The weights did not change. Look at these samples, lower the '
                "learning rate, or drop such batches with guard.action='skip'"
            )
        runner.logger.warning(f'{text} It is dropped ({self.dropped} so far)')
        self.losses.clear()  # mmengine logs their mean over a window, which a NaN would make NaN
        runner.optim_wrapper.zero_grad()
        for value, before in zip(trained_network(runner).buffers(), self.statistics, strict=True):
            value.copy_(before)
        if self.action == 'rollback':
            self._roll_back(runner)
        return True

    def _describe_fault(self, runner: Runner) -> str:
        """Return the faults of all ranks with their samples; each rank with a fault saves its batch."""
        fault = self._non_finite_terms()
        if not any(all_gather_object(fault)):
            fault = _non_finite_gradients(runner)
        faults = all_gather_object(
            f'{fault}; samples {name_some(_ids(self.batch))}. {self._save_batch(runner, fault)}' if fault else ''
        )
        return f'iteration {runner.iter + 1}: ' + ' '.join(
            f'rank {rank}: {part}' if len(faults) > 1 else part for rank, part in enumerate(faults) if part
        )

    def _non_finite_terms(self) -> str:
        """Return the terms of this rank's loss that are not finite, with their values."""
        values = {
            name: float(value.detach())
            for name, value in self.losses.items()
            if 'loss' in name and not torch.isfinite(value)
        }
        parts = {name: value for name, value in values.items() if name != 'loss'} or values
        return ', '.join(f'{name} is {value}' for name, value in parts.items())

    def _save_batch(self, runner: Runner, fault: str) -> str:
        """Save the batch in the work folder; return a sentence that says where."""
        if self.dropped >= MAX_BATCH_FILES:
            return f'The batch is not saved: there are {MAX_BATCH_FILES} such files already.'
        batch = self.batch if isinstance(self.batch, Mapping) else {}
        path = Path(runner.work_dir, f'fault_iter_{runner.iter + 1}_rank_{get_rank()}.pth')
        entry = {
            'fault': fault,
            'iter': runner.iter + 1,
            'epoch': runner.epoch,
            'losses': {name: value.item() for name, value in self.losses.items()},
        }
        try:
            try:
                save_checkpoint(entry | plain({key: batch.get(key) for key in ('inputs', 'data_samples')}), path)
            except FacelmkError:  # the samples contain more than plain data
                save_checkpoint(entry | {'ids': _ids(self.batch)}, path)
        except OSError as error:
            return f'The batch could not be saved ({error}).'
        return f'The batch is saved as {path}.'

    def _roll_back(self, runner: Runner) -> None:
        """Restore weights, averages and optimizer of the last checkpoint; the learning rate stays."""
        source = newest_checkpoint(folder_of_run(runner), same_run=True) or (
            runner._load_from if runner._resume else None
        )
        if source is None:
            raise TrainingFault(
                f'There is no checkpoint in {runner.work_dir} to roll back to. Save earlier '
                "(default_hooks.checkpoint.every), or choose guard.action='skip'"
            )
        self.rollbacks, self.source = self.rollbacks + 1 if source == self.source else 1, source
        if self.rollbacks > self.at_most:
            raise TrainingFault(
                f'iteration {runner.iter + 1}: training was rolled back to {source} {self.at_most} times '
                '(at_most) without progress. Lower the learning rate, or clip gradients'
            )
        saved, groups = read_checkpoint(source), runner.optim_wrapper.param_groups
        rates = [group['lr'] for group in groups]
        resume, runner._resume = runner._resume, True  # EMAHook restores its averages only then
        for hook in runner.hooks:
            if hasattr(hook, 'ema_model'):
                hook.after_load_checkpoint(runner, saved)
        runner._resume = resume
        trained_network(runner).load_state_dict(saved['state_dict'])
        runner.optim_wrapper.load_state_dict(saved['optimizer'])
        for group, rate in zip(groups, rates, strict=True):
            group['lr'] = rate
        runner.logger.warning(f'The weights are those of {source} again')

    def _note_step(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """Note that the optimizer steps; a scaler calls fused optimizers even if it skips the step."""
        found_inf = getattr(optimizer, 'found_inf', None)
        self.stepped = found_inf is None or not bool(found_inf)

    def _count_scaler_skips(self, runner: Runner) -> None:
        """Count the steps that the scaler of mixed precision skips; a few are normal, until it has found its scale."""
        if self.stepped or not _has_scaled_gradients(runner.optim_wrapper):
            self.scaler_skips = 0
            return
        self.scaler_skips += 1
        self.dropped += 1
        text = (
            f'iteration {runner.iter + 1}: a gradient under mixed precision is not finite; samples '
            f'{name_some(_ids(self.batch))}. The step is skipped ({self.dropped} so far)'
        )
        if self.scaler_skips > MAX_SCALER_SKIPS:
            raise TrainingFault(
                f'{text}, {self.scaler_skips} in a row, with a loss scale of '
                f'{runner.optim_wrapper.loss_scaler.get_scale():g}. Lower the learning rate, clip '
                "gradients, use optim_wrapper.dtype='bfloat16', or train without mixed precision"
            )
        runner.logger.warning(text)


def _with_gradients(wrapper: Any) -> list[Tensor]:
    """Return the parameters that have gradients."""
    return [p for group in wrapper.param_groups for p in group['params'] if p.grad is not None]


def _clips_by_known_norm(wrapper: Any) -> bool:
    """Return whether the wrapper clips by the norm that the guard computes."""
    options = getattr(wrapper, 'clip_grad_kwargs', None) or {}
    by_norm = getattr(wrapper, 'clip_func', None) is torch.nn.utils.clip_grad_norm_
    return by_norm and float(options.get('norm_type', 2)) == 2 and not _has_scaled_gradients(wrapper)


def _has_scaled_gradients(wrapper: Any) -> bool:
    """Return whether the loss is scaled: its gradients may overflow while the scaler looks for its scale."""
    return isinstance(wrapper, AmpOptimWrapper) and wrapper.loss_scaler.is_enabled()


def _non_finite_gradients(runner: Runner) -> str:
    """Return which parameters have gradients that are not finite."""
    names = [
        name
        for name, value in trained_network(runner).named_parameters()
        if value.grad is not None and not torch.isfinite(value.grad).all()
    ]
    what = f'gradient of {name_some(names)} is not' if names else 'norm of its gradients overflows'
    return f'the loss is finite, the {what}'


def _ids(batch: Any) -> Sequence[str]:
    """Return the ids of a batch's samples."""
    samples = batch.get('data_samples') if isinstance(batch, Mapping) else None
    ids = samples.get('id') if isinstance(samples, Mapping) else None
    return [str(name) for name in ids] if ids is not None else ['without ids']


def refuse_non_finite_weights(weights: Mapping[str, Any], last: str | None) -> None:
    """Refuse to save weights that are not finite; `last` is the checkpoint before them."""
    for name, value in weights.items():
        if isinstance(value, Tensor) and value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise TrainingFault(
                f'The weights of {name} are not finite, so they are not saved. The last good checkpoint is '
                f'{last or "none yet"}. Lower the learning rate or clip gradients, then continue with --resume'
            )
