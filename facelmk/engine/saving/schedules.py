"""Learning-rate schedules of a resumed run: those of its config count."""

import copy
from collections.abc import Sequence
from typing import Any

from mmengine.runner import Runner

from ...checkpoint import plain
from ...errors import FacelmkError

# what steps change; the rest is what the config says
_MOVING = {'last_step', '_global_step', '_last_value', 'verbose', 'best', 'num_bad_epochs', 'cooldown_counter'}
_NO_DATA = object()


def plain_schedules(states: Any) -> Any:
    """States of schedulers without functions, which a new scheduler knows by itself."""
    if isinstance(states, dict):
        return {key: kept for key, value in states.items() if (kept := plain_schedules(value)) is not _NO_DATA}
    if isinstance(states, (list, tuple)):
        return [plain_schedules(value) for value in states]
    try:
        return plain(states)
    except FacelmkError:
        return _NO_DATA


def changed(fresh: Sequence[Any], saved: Sequence[dict]) -> bool:
    """Whether a config asks for other schedules than those that were saved."""
    if len(fresh) != len(saved):
        return True
    asked = [plain_schedules(scheduler.state_dict()) for scheduler in fresh]
    return any(
        value != old.get(key)
        for state, old in zip(asked, saved, strict=True)
        for key, value in state.items()
        if key not in _MOVING
    )


def initial_values(runner: Runner) -> list[dict[str, Any]]:
    """What each group of parameters starts from, as the config says; to be asked before a checkpoint is loaded."""
    return [
        {name: group[name] for name in group if name.startswith('initial_')}
        for group in runner.optim_wrapper.param_groups
    ]


def follow_config(runner: Runner, initial: Sequence[dict[str, Any]]) -> None:
    """Go through a changed schedule from its start to where the run is; mmengine 0.10.7 freezes the rate instead."""
    config, groups = runner.cfg.get('param_scheduler'), runner.optim_wrapper.param_groups
    if not isinstance(runner.param_schedulers, list) or config is None or not all(initial):
        return
    saved = [plain_schedules(scheduler.state_dict()) for scheduler in runner.param_schedulers]
    before = [{name: value for name, value in group.items() if name != 'params'} for group in groups]
    for group, start in zip(groups, initial, strict=True):
        group.update(start, **{name.removeprefix('initial_'): value for name, value in start.items()})
    fresh = runner.build_param_scheduler(copy.deepcopy(config))
    runner.optim_wrapper._global_step = 0  # a scheduler warns where nothing was trained before it steps
    if not changed(fresh, saved):
        for group, old in zip(groups, before, strict=True):
            group.update(old)
        return
    runner.param_schedulers = fresh
    each = len(runner.train_dataloader)
    for number in range(1, runner.iter + 1):
        _step(fresh, by_epoch=False)
        if number % each == 0 and number // each <= runner.epoch:
            _step(fresh, by_epoch=True)
    runner.logger.info(
        'The schedule is another than that of the checkpoint: it goes on as the config says, with a '
        f'rate of {groups[0]["lr"]:.3g} (was {before[0]["lr"]:.3g})'
    )


def _step(schedulers: Sequence[Any], by_epoch: bool) -> None:
    for scheduler in schedulers:
        if scheduler.by_epoch == by_epoch:
            scheduler.step()
