"""What a run is made of beside weights: random states, its place in the data, the history of its log; as plain data."""

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
    """Where the random generators of Python, NumPy and torch stand in this process."""
    kind, keys, place, drawn, kept = np.random.get_state()
    state = {
        'python': random.getstate(),
        'torch': torch.get_rng_state(),
        'numpy': (kind, torch.from_numpy(np.asarray(keys, np.int64)), place, drawn, kept),
    }
    return state | ({'cuda': torch.cuda.get_rng_state()} if torch.cuda.is_available() else {})


def restore_random(state: Mapping[str, Any]) -> None:
    """Put the random generators where they stood."""
    kind, words, gauss = state['python']
    random.setstate((kind, tuple(words), gauss))
    name, keys, *rest = state['numpy']
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())


def networks(runner: Runner) -> list[nn.Module]:
    """The network in training, and those that EMAHooks average."""
    own = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return [own, *(hook.ema_model.module for hook in runner.hooks if isinstance(hook, EMAHook))]


def of_all_ranks(runner: Runner) -> list[dict[str, Any]]:
    """Each rank's random states and, where there are several, its BatchNorm statistics: ranks share only weights."""
    own: dict[str, Any] = {'random': random_state()}
    if get_world_size() > 1:
        own['buffers'] = [{name: value.cpu() for name, value in part.named_buffers()} for part in networks(runner)]
    return all_gather_object(own)


def restore_rank(runner: Runner, states: list[dict[str, Any]]) -> None:
    """Give this rank back what was its own; with another number of ranks there is none."""
    if len(states) != get_world_size():
        runner.logger.warning(
            f'The state of {len(states)} ranks cannot be shared out over {get_world_size()}: random '
            'draws will differ from those of an undisturbed run'
        )
        return
    own = states[get_rank()]
    for network, buffers in zip(networks(runner), own.get('buffers', ()), strict=False):
        for name, value in network.named_buffers():
            value.copy_(buffers[name])
    restore_random(own['random'])


def place(runner: Runner, epoch: int, done: int) -> dict[str, int]:
    """`done` batches of an epoch, and what says which samples these were."""
    loader = runner.train_dataloader
    return {
        'epoch': epoch,
        'done': done,
        'batch': loader.batch_size or 0,
        'ranks': get_world_size(),
        'samples': len(loader.dataset),
    }


def check_place(found: Mapping[str, int], here: Mapping[str, int], source: str) -> None:
    """Refuse to go on inside an epoch whose batches are cut in another way."""
    for key, what in (('batch', 'a batch size of'), ('ranks', 'ranks:'), ('samples', 'samples:')):
        if found[key] != here[key]:
            raise FacelmkError(
                f'{source} was saved after {found["done"]} batches of an epoch with {what} '
                f'{found[key]}; here {what} {here[key]}, so what is left of that epoch is not '
                'known. Use the same as before, or resume from the end of an epoch (epoch_N.pth)'
            )


def plain_history(history: HistoryBuffer) -> dict[str, Any]:
    """A logged number's past as tensors; mmengine 0.10.7 pickles the object, which torch then refuses to read."""
    values, counts = history.data
    return {
        'values': torch.from_numpy(values.copy()),
        'counts': torch.from_numpy(counts.copy()),
        'length': history.max_length,
    }


def history(found: Any) -> Any:
    """The HistoryBuffer of what `plain_history` made; anything else as it is."""
    if not isinstance(found, Mapping) or not isinstance(found.get('values'), Tensor):
        return found
    return HistoryBuffer(found['values'].cpu().numpy(), found['counts'].cpu().numpy(), found['length'])


def is_plain(value: Any) -> bool:
    """Whether a checkpoint may hold this."""
    try:
        plain(value)
    except FacelmkError:
        return False
    return True
