"""Pointers to checkpoints that are saved in a checkpoint: names of files in the folder where it lies."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine import hooks
from mmengine.runner import Runner

from .newest import own_name

_POINTERS = ('best_ckpt', 'last_ckpt')


def folder_of_run(runner: Runner) -> Path:
    """Return the folder to which a run writes its checkpoints."""
    folders = (hook.out_dir for hook in runner.hooks if isinstance(hook, hooks.CheckpointHook))
    return Path(next(filter(None, folders), runner.work_dir))


def relative_pointers(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return mmengine's `runtime_info` with names in place of paths; numbers of checkpoints are numbers."""
    result = {
        key: own_name(value) if key.startswith(_POINTERS) and isinstance(value, str) else value
        for key, value in info.items()
    }
    if 'keep_ckpt_ids' in result:
        result['keep_ckpt_ids'] = [number for number in result['keep_ckpt_ids'] if type(number) is int]
    return result


def best_here(name: str | None, runner: Runner, folder: str | Path) -> str | None:
    """Return the path of the best checkpoint of a resumed run, or None if the run was resumed from another folder."""
    source = Path(runner._load_from or '').parent
    if not name or source.resolve() != Path(folder).resolve():
        return None
    return str(Path(folder, own_name(name)))
