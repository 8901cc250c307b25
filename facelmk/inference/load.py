"""Load a model, with its weights and a detector, as a Predictor."""

from pathlib import Path
from typing import Any

import torch
from mmengine import Config

from ..checkpoint import find_checkpoint, load_checkpoint, load_pretrained
from ..config import config_names, load_config
from ..errors import FacelmkError, MissingResource
from ..registry import MODELS
from .predictor import Predictor


def load(
    config: str | Path | Config,
    weights: str | Path | None = None,
    device: str | torch.device | None = None,
    flip_test: bool | None = None,
    pretrained: str | Path | bool | None = None,
    batch_size: int = 16,
    detector: Any = None,
) -> Predictor:
    """Return a Predictor of a config (a path, a name, or a loaded one) with weights (a path, a URL, a config's name).

    Without `weights` the published ones of the config are downloaded. Without `device` a GPU is used if there is one.
    `flip_test` replaces the config's value. `pretrained` names weights for the backbone alone; False leaves the network
    without weights, for one that is not trained yet.
    """
    config = config if isinstance(config, Config) else load_config(config)
    chosen_device = find_device(device)
    source = find_checkpoint(weights_for(config, weights)) if weights is not None or pretrained is None else None
    landmarker = MODELS.build(config.model)
    if flip_test is not None:
        landmarker.flip_test = flip_test
    if source is not None:
        load_checkpoint(landmarker, source)
    elif isinstance(pretrained, (str, Path)):
        load_pretrained(landmarker.backbone, pretrained)
    return Predictor(landmarker.to(chosen_device), config, batch_size, detector)


def weights_for(config: Config, weights: str | Path | None = None) -> str | Path:
    """Return a path or URL: `weights` itself, or what the config of that name or this config publishes."""
    if weights is not None and (Path(weights).is_file() or str(weights) not in config_names()):
        return weights
    publisher = config if weights is None else load_config(weights)
    result = publisher.get('result') or {}
    if 'checkpoint' in result:
        return result['checkpoint']
    name = publisher.filename or 'this config'
    if 'checkpoint_page' in result:
        raise MissingResource(
            f'the weights of {name} are on a page for browsers: {result["checkpoint_page"]}. '
            'Download them there and give their path'
        )
    raise MissingResource(
        f'{name} publishes no weights. Give the path or URL of a checkpoint that was trained with it, or '
        'pretrained=False for an untrained network'
    )


def find_device(device: str | torch.device | None = None) -> torch.device:
    """Return the device of that name; without a name the GPU if there is one."""
    try:
        chosen = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
    except RuntimeError as error:
        raise FacelmkError(f"device={device!r} does not exist. Expected 'cpu', 'cuda' or 'cuda:0'") from error
    if chosen.type == 'cuda' and (chosen.index or 0) >= torch.cuda.device_count():
        raise MissingResource(f"device={device!r}: torch sees {torch.cuda.device_count()} GPUs here. Use device='cpu'")
    if chosen.type not in ('cpu', 'cuda'):
        try:
            torch.zeros(1, device=chosen).item()
        except Exception as error:  # each device has its own
            reason = str(error).partition('\n')[0]
            raise MissingResource(f"device={device!r} does not work here: {reason}. Use device='cpu'") from error
    return chosen
