"""Guards of a training: a loss or gradient that is not finite stops it before the weights are spoilt."""
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_reduce, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from ..registry import HOOKS, FacelmkError, TrainingFault
from .checkpoint import plain, read_checkpoint, save_checkpoint
from .newest import newest
from .sizes import check_sizes
from .state import networks

ACTIONS = ('stop', 'skip', 'rollback')


@HOOKS.register_module()
class Guard(Hook):
    """Answers a loss or gradient that is not finite, before the optimizer steps; mmengine 0.10.7 trains on.

    `action`: 'stop' ends the run with the term and the ids of the batch, which is kept in the work folder; 'skip' drops
    the batch; 'rollback' also goes back to the weights of the last checkpoint. The latter two stop after `at_most` in
    a row. Gradients under AMP are left to its scaler.
    """
    priority = 'VERY_HIGH'

    def __init__(self, action: str = 'stop', at_most: int = 5) -> None:
        if action not in ACTIONS:
            raise FacelmkError(f'Guard: action={action!r}; choose from {", ".join(map(repr, ACTIONS))}')
        self.action, self.at_most = action, at_most
        self.in_a_row = self.dropped = 0
        self.batch: Any = None
        self.losses: dict[str, Tensor] = {}
        self.refused = False

    def before_train(self, runner: Runner) -> None:
        """Look on where the loss is summed up, and where the optimizer would step."""
        check_sizes(runner.train_dataloader, 'train_dataloader')
        if runner.val_loop is not None:
            check_sizes(runner.val_dataloader, 'val_dataloader')
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
            fault = self._fault(runner, loss)
            self.refused = self._agreed(fault, loss) and self._answer(runner, fault)

        def guarded_step(**options: Any) -> None:
            if not self.refused:
                step(**options)

        guarded_step._with_counter = True  # type: ignore[attr-defined]  # the schedulers', which `step` keeps
        vars(model)['parse_losses'] = parse_losses
        wrapper.backward, wrapper.step = guarded_backward, guarded_step

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.batch = data_batch
        if self.action != 'stop':  # a spoilt batch spoils BatchNorm's statistics before its loss is known
            self.statistics = [value.clone() for network in networks(runner)[:1] for value in network.buffers()]

    def _fault(self, runner: Runner, loss: Tensor) -> str:
        """What is not finite, in words; nothing where all is well."""
        wrapper = runner.optim_wrapper
        mixed = isinstance(wrapper, AmpOptimWrapper)
        checked = self.losses.get('loss', loss).detach() if mixed else loss.detach()
        gradients = [p.grad for group in wrapper.param_groups for p in group['params'] if p.grad is not None]
        norm = checked.new_zeros(()) if mixed or not gradients else torch.nn.utils.get_total_norm(gradients)
        if torch.isfinite(checked + norm.to(checked)):  # one number to wait for where there is a GPU
            return ''
        terms = [f'{name} is {float(value.detach())}' for name, value in self.losses.items()
                 if name != 'loss' and not torch.isfinite(value)]
        if terms:
            return ', '.join(terms)
        return f'the loss is {float(checked)}, the norm of its gradients {float(norm)}'

    def _agreed(self, fault: str, loss: Tensor) -> bool:
        """Whether any rank has a fault: all of them must leave the step out, or none."""
        if self.action == 'stop' or get_world_size() == 1:
            return bool(fault)
        faults = torch.tensor(int(bool(fault)), device=loss.device)
        all_reduce(faults, 'max')
        return bool(faults)

    def _answer(self, runner: Runner, fault: str) -> bool:
        ids = _ids(self.batch)
        path = self._keep_batch(runner, fault) if fault else None
        text = (f'iteration {runner.iter + 1}: {fault or "another rank has a fault"}; samples {", ".join(ids[:8])}'
                f'{", ..." if len(ids) > 8 else ""}. The batch is kept as {path}')
        self.in_a_row += 1
        self.dropped += 1
        if self.action == 'stop' or self.in_a_row > self.at_most:
            again = '' if self.action == 'stop' else f' ({self.in_a_row} in a row, at_most={self.at_most})'
            raise TrainingFault(f'{text}{again}. The weights were not changed by it. Look at these samples, lower the '
                                "learning rate, or let guard.action='skip' drop such batches")
        runner.logger.warning(f'{text}. It is dropped ({self.dropped} so far)')
        runner.optim_wrapper.zero_grad()
        for value, kept in zip(networks(runner)[0].buffers(), self.statistics, strict=True):
            value.copy_(kept)
        if self.action == 'rollback':
            self._roll_back(runner)
        return True

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if self.refused:
            self.refused = False
        else:
            self.in_a_row = 0
        self.batch = None

    def _keep_batch(self, runner: Runner, fault: str) -> Path:
        """Write the batch down for study."""
        batch = self.batch if isinstance(self.batch, Mapping) else {}
        path = Path(runner.work_dir, f'fault_iter_{runner.iter + 1}_rank_{get_rank()}.pth')
        losses = {name: value.item() for name, value in self.losses.items()}
        self.losses.clear()  # mmengine logs these, and a mean over NaN is NaN for as long as its window
        told = {'fault': fault, 'iter': runner.iter + 1, 'epoch': runner.epoch, 'losses': losses}
        try:
            save_checkpoint(told | plain({key: batch.get(key) for key in ('inputs', 'data_samples')}), path)
        except FacelmkError:  # samples that are no plain data
            save_checkpoint(told | {'ids': _ids(self.batch)}, path)
        return path

    def _roll_back(self, runner: Runner) -> None:
        """Weights, averages and optimizer of the last checkpoint; the rate and the place in the data stay."""
        source = newest(runner.work_dir)
        if source is None:
            raise TrainingFault(f'There is no checkpoint in {runner.work_dir} to roll back to. Save earlier '
                                '(default_hooks.checkpoint.every), or choose guard.action=\'skip\'')
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


def _ids(batch: Any) -> list[str]:
    """The ids of a batch's samples, as text."""
    samples = batch.get('data_samples') if isinstance(batch, Mapping) else None
    found = samples.get('id') if isinstance(samples, Mapping) else None
    return [str(name) for name in found] if found is not None else ['without ids']


def refuse_spoilt(weights: Mapping[str, Any], last: str | None) -> None:
    """Refuse weights that are to be saved and are not finite; `last` is the checkpoint before them."""
    for name, value in weights.items():
        if isinstance(value, Tensor) and value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise TrainingFault(f'{name} is not finite any more; such weights are not saved. The last good checkpoint '
                                'is that before it (--resume finds it). Lower the learning rate, or clip gradients')
