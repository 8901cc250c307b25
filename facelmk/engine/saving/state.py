"""The state of a run beside its weights, as plain data: random states, position in the data, history of the log."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.hooks import EMAHook
from mmengine.logging import HistoryBuffer
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from ...checkpoint import plain
from ...errors import FacelmkError


def random_state() -> dict[str, Any]:
    """Return the states of the random generators of Python, NumPy and torch in this process."""
    name, keys, *rest = np.random.get_state()
    state = {
        'python': random.getstate(),
        'torch': torch.get_rng_state(),
        'numpy': (name, torch.from_numpy(np.asarray(keys, np.int64)), *rest),
    }
    return state | ({'cuda': torch.cuda.get_rng_state()} if torch.cuda.is_available() else {})


def restore_random_state(state: Mapping[str, Any]) -> None:
    """Set the random generators to what `random_state` returned."""
    version, words, gauss = state['python']
    random.setstate((version, tuple(words), gauss))
    name, keys, *rest = state['numpy']
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())


def trained_network(runner: Runner) -> nn.Module:
    """Return the network of a run, without its wrapper for several ranks."""
    model: nn.Module = runner.model
    inner: nn.Module = model.module if is_model_wrapper(model) else model  # type: ignore[assignment]
    return inner


def networks(runner: Runner) -> list[nn.Module]:
    """Return the network in training, and the averaged networks of EMAHooks."""
    return [trained_network(runner), *(hook.ema_model.module for hook in runner.hooks if isinstance(hook, EMAHook))]


def gather_rank_states(runner: Runner) -> list[dict[str, Any]]:
    """Return each rank's random states and, with several ranks, its BatchNorm statistics: ranks share only weights."""
    state: dict[str, Any] = {'random': random_state()}
    if get_world_size() > 1:
        state['buffers'] = [{name: value.cpu() for name, value in part.named_buffers()} for part in networks(runner)]
    return all_gather_object(state)


def restore_rank_state(runner: Runner, states: list[dict[str, Any]]) -> None:
    """Restore this rank's state; impossible with another number of ranks, which is a warning."""
    if len(states) != get_world_size():
        runner.logger.warning(
            f'The checkpoint holds the states of {len(states)} ranks, this run has {get_world_size()}: random '
            'draws will differ from those of a run without a stop'
        )
        return
    state = states[get_rank()]
    for network, buffers in zip(networks(runner), state.get('buffers', ()), strict=False):
        for name, value in network.named_buffers():
            value.copy_(buffers[name])
    restore_random_state(state['random'])


def data_position(runner: Runner, epoch: int, batches_done: int) -> dict[str, int]:
    """Return the position in the data: how many batches of an epoch are done, and the sizes that they depend on."""
    loader = runner.train_dataloader
    return {
        'epoch': epoch,
        'done': batches_done,
        'batch': loader.batch_size or 0,
        'ranks': get_world_size(),
        'samples': len(loader.dataset),
    }


def run_state(runner: Runner, epoch: int, batches_done: int, validation_due: bool) -> dict[str, Any]:
    """Return what a resumed run needs; the keys `place` and `due` are part of the file format."""
    position = data_position(runner, epoch, batches_done)
    return dict(place=position, due=validation_due, ranks=gather_rank_states(runner))


def check_position(saved: Mapping[str, int], current: Mapping[str, int]) -> None:
    """Refuse to resume inside an epoch if batch size, ranks or data set differ."""
    for key, what in (('batch', 'a batch size of'), ('ranks', 'ranks:'), ('samples', 'samples:')):
        if saved[key] != current[key]:
            raise FacelmkError(
                f'This checkpoint was saved after {saved["done"]} batches of an epoch with {what} '
                f'{saved[key]}; this run has {what} {current[key]}, so the remaining samples of that epoch are '
                'unknown. Use the same as before, or resume from the end of an epoch (epoch_N.pth)'
            )


def plain_history(history: HistoryBuffer) -> dict[str, Any]:
    """Return the history of a logged number as tensors; mmengine 0.10.7 pickles an object that torch cannot read."""
    values, counts = history.data
    return {
        'values': torch.from_numpy(values.copy()),
        'counts': torch.from_numpy(counts.copy()),
        'length': history.max_length,
    }


def restore_history(saved: Any) -> Any:
    """Return the HistoryBuffer of a `plain_history`; return anything else unchanged."""
    if not isinstance(saved, Mapping) or not isinstance(saved.get('values'), Tensor):
        return saved
    return HistoryBuffer(saved['values'].cpu().numpy(), saved['counts'].cpu().numpy(), saved['length'])


def is_plain(value: Any) -> bool:
    """Whether a checkpoint may hold this."""
    try:
        plain(value)
    except FacelmkError:
        return False
    return True


def refuse_without_state(checkpoint: Mapping[str, Any], source: Any = 'This checkpoint') -> None:
    """Refuse to resume from weights alone."""
    if not {'message_hub', 'optimizer'} <= checkpoint.keys() or 'epoch' not in (checkpoint.get('meta') or {}):
        raise FacelmkError(
            f'{source} contains weights, but no state of a run to resume (as best_*.pth do). '
            'To start a new run from these weights, set load_from and leave --resume out'
        )
