"""Guards of a training: a loss or gradient that is not finite stops it before the weights are spoilt."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
from ..saving.newest import newest
from ..saving.state import networks
from .memory import explain_out_of_memory
from .sizes import check_sizes, warn_batch_size

ACTIONS = ('stop', 'skip', 'rollback')
SCALINGS = 20  # a scaler that starts at 65536, as torch's does, has then come down to less than 1
KEPT = 20  # batches for study, of a run that goes on


@HOOKS.register_module()
class Guard(Hook):
    """Answers a loss or gradient that is not finite, before the optimizer steps; mmengine 0.10.7 trains on.

    `action`: 'stop' ends the run with the term and the ids of the batch, which is kept in the work folder; 'skip' drops
    the batch, and what is summed up with it; 'rollback' also goes back to the weights of the last checkpoint. The
    latter two stop after `at_most` in a row, or as many times back to the same checkpoint. Gradients under mixed
    precision are left to its scaler, whose skipped steps are counted. All ranks do the same at the same iteration.
    """

    priority = 'VERY_HIGH'

    def __init__(self, action: str = 'stop', at_most: int = 5) -> None:
        if action not in ACTIONS:
            raise FacelmkError(f'Guard: action={action!r}; choose from {", ".join(map(repr, ACTIONS))}')
        self.action, self.at_most = action, at_most
        self.in_a_row = self.dropped = self.scalings = self.returns = 0
        self.source: str | None = None  # the checkpoint that was gone back to last
        self.batch: Any = None
        self.losses: dict[str, Tensor] = {}
        self.refused = self.stepped = False

    def before_train(self, runner: Runner) -> None:
        """Look on where the loss is summed up, and where the optimizer would step."""
        check_sizes(runner.train_dataloader, 'train_dataloader')
        if runner.val_loop is not None:
            check_sizes(runner.val_dataloader, 'val_dataloader')
        warn_batch_size(runner)
        explain_out_of_memory(runner)
        model, wrapper = networks(runner)[0], runner.optim_wrapper
        if not hasattr(model, 'parse_losses') or not hasattr(wrapper, 'backward'):
            return  # several optimizers, or a network that sums up its losses by itself
        backward, step = wrapper.backward, wrapper.step
        parse: Any = model.parse_losses

        def parse_losses(losses: Mapping[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
            total, self.losses = parse(losses)
            return total, self.losses

        def guarded_backward(loss: Tensor, **options: Any) -> None:
            backward(loss, **options)
            self.refused = self._spoilt(runner, loss) and self._answer(runner)

        def guarded_step(**options: Any) -> None:
            if not self.refused:
                self.stepped = False
                step(**options)
                self._count_scalings(runner)

        guarded_step._with_counter = True  # type: ignore[attr-defined]  # the schedulers', which `step` keeps
        vars(model)['parse_losses'] = parse_losses
        wrapper.backward, wrapper.step = guarded_backward, guarded_step
        wrapper.optimizer.register_step_pre_hook(self._note_step)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.batch = data_batch
        if self.action != 'stop':  # a spoilt batch spoils BatchNorm's statistics before its loss is known
            self.statistics = [value.clone() for network in networks(runner)[:1] for value in network.buffers()]

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if self.refused:
            self.refused = False
        else:
            self.in_a_row = 0
        self.batch = None

    def _spoilt(self, runner: Runner, loss: Tensor) -> bool:
        """Whether a loss or gradient of any rank is not finite."""
        wrapper, total = runner.optim_wrapper, loss.detach().clone()
        if not _scales(wrapper):
            gradients = [p.grad for group in wrapper.param_groups for p in group['params'] if p.grad is not None]
            total += torch.nn.utils.get_total_norm(gradients).to(total) if gradients else 0
        all_reduce(total)  # a sum that is finite has nothing else in it
        return not torch.isfinite(total)  # the one number that a GPU is waited for

    def _answer(self, runner: Runner) -> bool:
        own = self._spoilt_terms()
        if not any(all_gather_object(own)):
            own = _spoilt_gradients(runner)
        told = all_gather_object(
            f'{own}; samples {name_some(_ids(self.batch))}. {self._keep_batch(runner, own)}' if own else ''
        )
        text = f'iteration {runner.iter + 1}: ' + ' '.join(
            f'rank {rank}: {part}' if len(told) > 1 else part for rank, part in enumerate(told) if part
        )
        self.in_a_row += 1
        self.dropped += 1
        if self.action == 'stop' or self.in_a_row > self.at_most:
            again = '' if self.action == 'stop' else f' These are {self.in_a_row} in a row, at_most={self.at_most}.'
            raise TrainingFault(
                f'{text}{again} The weights were not changed by it. Look at these samples, lower the '
                "learning rate, or let guard.action='skip' drop such batches"
            )
        runner.logger.warning(f'{text} It is dropped ({self.dropped} so far)')
        self.losses.clear()  # mmengine logs these, and a mean over NaN is NaN for as long as its window
        runner.optim_wrapper.zero_grad()
        for value, kept in zip(networks(runner)[0].buffers(), self.statistics, strict=True):
            value.copy_(kept)
        if self.action == 'rollback':
            self._roll_back(runner)
        return True

    def _spoilt_terms(self) -> str:
        """The terms of this rank's loss that are not finite, in words."""
        found = {
            name: float(value.detach())
            for name, value in self.losses.items()
            if 'loss' in name and not torch.isfinite(value)
        }
        parts = {name: value for name, value in found.items() if name != 'loss'} or found
        return ', '.join(f'{name} is {value}' for name, value in parts.items())

    def _keep_batch(self, runner: Runner, fault: str) -> str:
        """Write the batch down for study; says where it is."""
        if self.dropped >= KEPT:
            return f'The batch is not kept, as {KEPT} are.'
        batch = self.batch if isinstance(self.batch, Mapping) else {}
        path = Path(runner.work_dir, f'fault_iter_{runner.iter + 1}_rank_{get_rank()}.pth')
        told = {
            'fault': fault,
            'iter': runner.iter + 1,
            'epoch': runner.epoch,
            'losses': {name: value.item() for name, value in self.losses.items()},
        }
        try:
            try:
                save_checkpoint(told | plain({key: batch.get(key) for key in ('inputs', 'data_samples')}), path)
            except FacelmkError:  # samples that are no plain data
                save_checkpoint(told | {'ids': _ids(self.batch)}, path)
        except OSError as error:
            return f'The batch could not be kept ({error}).'
        return f'The batch is kept as {path}.'

    def _roll_back(self, runner: Runner) -> None:
        """Weights, averages and optimizer of the last checkpoint; the rate and the place in the data stay."""
        source = newest(runner.work_dir, own=True) or (runner._load_from if runner._resume else None)
        if source is None:
            raise TrainingFault(
                f'There is no checkpoint in {runner.work_dir} to roll back to. Save earlier '
                "(default_hooks.checkpoint.every), or choose guard.action='skip'"
            )
        self.returns, self.source = self.returns + 1 if source == self.source else 1, source
        if self.returns > self.at_most:
            raise TrainingFault(
                f'iteration {runner.iter + 1}: training came back to {source} {self.at_most} times '
                '(at_most) and got no further. Lower the learning rate, or clip gradients'
            )
        saved, groups = read_checkpoint(source), runner.optim_wrapper.param_groups
        rates = [group['lr'] for group in groups]
        resume, runner._resume = runner._resume, True
        for hook in runner.hooks:
            if hasattr(hook, 'ema_model'):
                hook.after_load_checkpoint(runner, saved)
        runner._resume = resume
        networks(runner)[0].load_state_dict(saved['state_dict'])
        runner.optim_wrapper.load_state_dict(saved['optimizer'])
        for group, rate in zip(groups, rates, strict=True):
            group['lr'] = rate
        runner.logger.warning(f'Back to the weights of {source}')

    def _note_step(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """Note that the optimizer steps; fused ones are called by a scaler even where it has found a fault."""
        found = getattr(optimizer, 'found_inf', None)
        self.stepped = found is None or not bool(found)

    def _count_scalings(self, runner: Runner) -> None:
        """Count the steps that the scaler of mixed precision leaves out; a few, as it finds its scale, are usual."""
        if self.stepped or not _scales(runner.optim_wrapper):
            self.scalings = 0
            return
        self.scalings += 1
        self.dropped += 1
        text = (
            f'iteration {runner.iter + 1}: a gradient under mixed precision is not finite; samples '
            f'{name_some(_ids(self.batch))}. The step is left out ({self.dropped} so far)'
        )
        if self.scalings > SCALINGS:
            raise TrainingFault(
                f'{text}, {self.scalings} in a row, with a loss scale of '
                f'{runner.optim_wrapper.loss_scaler.get_scale():g}. Lower the learning rate, clip '
                "gradients, use optim_wrapper.dtype='bfloat16', or train without mixed precision"
            )
        runner.logger.warning(text)


def _scales(wrapper: Any) -> bool:
    """Whether gradients are of a scaled loss, which may overflow while the scaler looks for its scale."""
    return isinstance(wrapper, AmpOptimWrapper) and wrapper.loss_scaler.is_enabled()


def _spoilt_gradients(runner: Runner) -> str:
    """The parameters whose gradients are not finite, in words."""
    found = [
        name
        for name, value in networks(runner)[0].named_parameters()
        if value.grad is not None and not torch.isfinite(value.grad).all()
    ]
    return 'the loss is finite, the ' + (
        f'gradient of {name_some(found)} is not' if found else 'norm of its gradients overflows'
    )


def _ids(batch: Any) -> Sequence[str]:
    """The ids of a batch's samples, as text."""
    samples = batch.get('data_samples') if isinstance(batch, Mapping) else None
    found = samples.get('id') if isinstance(samples, Mapping) else None
    return [str(name) for name in found] if found is not None else ['without ids']


def refuse_spoilt(weights: Mapping[str, Any], last: str | None) -> None:
    """Refuse weights that are to be saved and are not finite; `last` is the checkpoint before them."""
    for name, value in weights.items():
        if isinstance(value, Tensor) and value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise TrainingFault(
                f'{name} is not finite any more; such weights are not saved. The last good checkpoint '
                'is that before it (--resume finds it). Lower the learning rate, or clip gradients'
            )
