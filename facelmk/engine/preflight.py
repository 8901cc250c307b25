"""What can be refused before a run draws, reads data, makes its work folder or writes a log: missing or wrong files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine import Config
from torch import nn

from ..checkpoint import find_checkpoint, fit, load_checkpoint, read_checkpoint, weights_of
from ..checkpoint.dialects import translate
from ..config.loggers import check_backends
from ..datasets.needs import refuse_missing_data
from ..errors import FacelmkError, UnknownName, did_you_mean
from ..files.atomic import check_output
from ..registry import DATASETS, MODELS
from .saving.newest import checkpoint_folder, newest_checkpoint
from .saving.state import refuse_without_state


def check_training(config: Config, resume: str | None) -> None:
    """Refuse missing data and weights, a network that cannot be built, and a checkpoint that this run cannot resume."""
    check_backends(config)
    folder = checkpoint_folder(config)
    check_output(folder, folder=True)
    source = newest_checkpoint(folder) if resume == 'auto' else resume
    path = None if source is None else find_checkpoint(source)
    if path is None and config.get('load_from'):
        find_checkpoint(config.load_from)
    check_data(config, 'train', 'val')
    network: nn.Module = MODELS.build(config.model)
    check_custom_keys(config, network)
    pretrained = getattr(getattr(network, 'backbone', None), 'pretrained', None)
    if isinstance(pretrained, (str, Path)) and pretrained != 'timm':  # timm downloads with its own library
        _find_pretrained(pretrained)
    if path is not None:
        _check_resumable(network, path)


def _check_resumable(network: nn.Module, path: Path) -> None:
    checkpoint = read_checkpoint(path)
    refuse_without_state(checkpoint, path)
    weights = weights_of(checkpoint, path)
    fit(network, weights if weights.keys() == network.state_dict().keys() else translate(weights)[0], str(path))


def check_custom_keys(config: Config, network: nn.Module) -> None:
    """Refuse keys of `paramwise_cfg.custom_keys` that are part of no parameter's name: they would change nothing."""
    wrapper: Any = config.get('optim_wrapper') or {}
    names = [name for name, _ in network.named_parameters()]
    for key in (wrapper.get('paramwise_cfg') or {}).get('custom_keys') or ():
        if not any(key in name for name in names):
            parts = {part for name in names for part in name.split('.') if not part.isdigit()}
            raise UnknownName(
                f'optim_wrapper.paramwise_cfg.custom_keys has {key!r}, which is part of no name of the parameters. '
                f'{did_you_mean(key, parts)}'
            )


def check_test(config: Config, source: str) -> None:
    """Refuse a missing checkpoint, missing data, and a checkpoint that does not fit the network."""
    check_backends(config)
    path = find_checkpoint(source)
    check_data(config, 'test')
    load_checkpoint(MODELS.build(config.model), path)


def check_data(config: Config, *phases: str) -> None:
    """Refuse data sets whose files are not on the disk."""
    refuse_missing_data(config, phases, absent_files)


def absent_files(dataset: Mapping[str, Any]) -> list[Path]:
    """Return the files that a data set itself needs, by the rule of its class, and that are not on the disk."""
    reader = DATASETS.get(dataset['type']) if isinstance(dataset.get('type'), str) else None
    absent = getattr(reader, 'absent', None)
    return [] if absent is None else absent(dataset)


def _find_pretrained(source: str | Path) -> None:
    try:
        find_checkpoint(source)
    except FacelmkError as error:
        raise type(error)(f'{error}. To start from scratch instead, set model.backbone.pretrained=None') from error
