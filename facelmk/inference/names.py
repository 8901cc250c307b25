"""What the name of a model means: a model of the zoo, a checkpoint or a config. Nothing here needs torch."""

import os
from pathlib import Path
from typing import Any

from ..checkpoint import locate_checkpoint
from ..config import config_names, find_config
from ..config.evaluate import NotData, evaluate
from ..config.source import SUFFIXES, read_source
from ..errors import FacelmkError, MissingResource, UnknownName, did_you_mean
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


def check_start(model: str | Path) -> None:
    """Refuse a model without weights that a training could start from, as far as its config shows it."""
    check_model(model)
    if is_checkpoint(model) or is_model(model):
        return
    path = find_config_of(model)
    try:
        result = evaluate(read_source(path)).get('result') or {}
    except NotData:
        return  # loading the config says what is wrong
    if not {'checkpoint', 'checkpoint_page'}.intersection(result):
        raise MissingResource(
            f'--model {model} is a config without published weights, so no training can start from it. Give a model of '
            f'`facelmk models list`, such as facelmk_nano, or the path of a checkpoint that was trained with '
            f'{path.name}. To train this config from its beginning, write facelmk train {model} with your data in it'
        )


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
