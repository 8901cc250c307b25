"""Learning-rate schedules of a resumed run: follow the config where it differs from the checkpoint."""

import copy
from collections.abc import Sequence
from typing import Any

from mmengine.runner import Runner

from ...checkpoint import plain
from ...errors import FacelmkError
from ...files.notes import note

# these values change with each step; all others come from the config
_CHANGING = {'last_step', '_global_step', '_last_value', 'verbose', 'best', 'num_bad_epochs', 'cooldown_counter'}
_NO_DATA = object()


def plain_schedules(states: Any) -> Any:
    """Return scheduler states without functions, which a new scheduler has anyway."""
    if isinstance(states, dict):
        return {key: data for key, value in states.items() if (data := plain_schedules(value)) is not _NO_DATA}
    if isinstance(states, (list, tuple)):
        return [plain_schedules(value) for value in states]
    try:
        return plain(states)
    except FacelmkError:
        return _NO_DATA


def differ(schedulers: Sequence[Any], saved: Sequence[dict]) -> bool:
    """Whether new schedulers, as the config describes them, differ from the saved states."""
    if len(schedulers) != len(saved):
        return True
    states = [plain_schedules(scheduler.state_dict()) for scheduler in schedulers]
    return any(
        value != old.get(key)
        for state, old in zip(states, saved, strict=True)
        for key, value in state.items()
        if key not in _CHANGING
    )


def initial_values(runner: Runner) -> list[dict[str, Any]]:
    """Return the initial values (initial_lr, ...) of each parameter group; call it before a checkpoint is loaded."""
    return [
        {name: group[name] for name in group if name.startswith('initial_')}
        for group in runner.optim_wrapper.param_groups
    ]


def follow_config(runner: Runner, initial: Sequence[dict[str, Any]]) -> None:
    """Replay a changed schedule from its start to the current iteration; mmengine 0.10.7 freezes the rate instead."""
    config, groups = runner.cfg.get('param_scheduler'), runner.optim_wrapper.param_groups
    if not isinstance(runner.param_schedulers, list) or config is None or not all(initial):
        return
    saved = [plain_schedules(scheduler.state_dict()) for scheduler in runner.param_schedulers]
    old_values = [{name: value for name, value in group.items() if name != 'params'} for group in groups]
    for group, start in zip(groups, initial, strict=True):
        group.update(start, **{name.removeprefix('initial_'): value for name, value in start.items()})
    new = runner.build_param_scheduler(copy.deepcopy(config))
    runner.optim_wrapper._global_step = 0  # otherwise a scheduler warns that it steps before the optimizer
    if not differ(new, saved):
        for group, old in zip(groups, old_values, strict=True):
            group.update(old)
        return
    runner.param_schedulers = new
    epoch_length = len(runner.train_dataloader)
    for number in range(1, runner.iter + 1):
        _step(new, by_epoch=False)
        if number % epoch_length == 0 and number // epoch_length <= runner.epoch:
            _step(new, by_epoch=True)
    note(
        'The schedule of the config differs from that of the checkpoint: training follows the config, with a '
        f'learning rate of {groups[0]["lr"]:.3g} (was {old_values[0]["lr"]:.3g})',
        runner.logger,
    )


def _step(schedulers: Sequence[Any], by_epoch: bool) -> None:
    for scheduler in schedulers:
        if scheduler.by_epoch == by_epoch:
            scheduler.step()
