"""What the name of a model means: a model of the zoo, a checkpoint or a config. Nothing here needs torch."""

import os
from pathlib import Path
from typing import Any

from ..checkpoint import locate_checkpoint
from ..config import config_names, find_config
from ..config.source import SUFFIXES
from ..errors import FacelmkError, UnknownName, did_you_mean
from ..zoo import LANDMARKS, is_model, list_models
from ..zoo.index import rows

CHECKPOINTS = ('.pth', '.pt', '.ckpt', '.tar', '.bin', '.safetensors')  # endings of files of weights


def is_checkpoint(model: Any) -> bool:
    """Whether this is the path or URL of a checkpoint, neither a config nor a name of the zoo."""
    if not isinstance(model, (str, Path)) or is_model(model):
        return False
    ending = Path(model).suffix.lower()
    return ending in CHECKPOINTS or '://' in str(model) or (os.path.isfile(model) and ending not in SUFFIXES)


def check_model(model: str | Path) -> None:
    """Refuse a model that does not exist, or that finds no landmarks; nothing is downloaded."""
    if is_checkpoint(model):
        locate_checkpoint(model)
    elif not is_model(model):
        find_config_of(model)
    elif (task := rows()[str(model)].get('task', LANDMARKS)) != LANDMARKS:
        raise FacelmkError(f'{model!r} finds {task}, not landmarks. Expected detector={model!r}')


def find_config_of(model: str | Path) -> Path:
    """Return the file of a config given by path or name; the error also names the models of the zoo."""
    try:
        return find_config(model)
    except UnknownName as error:
        if '/' in str(model) or Path(model).suffix in SUFFIXES or str(model) in config_names():
            raise
        raise UnknownName(
            f'{model!r} is neither a model of the zoo nor a config nor a checkpoint. '
            f'{did_you_mean(str(model), [*list_models(), *config_names()])} `facelmk models list` shows the models'
        ) from error
