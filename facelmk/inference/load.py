"""Load a model, with its weights and a detector, as a Predictor: by a name of the zoo, a checkpoint or a config."""

from pathlib import Path
from typing import Any

import torch
from mmengine import Config

from ..checkpoint import find_checkpoint, load_checkpoint, load_content, load_pretrained
from ..config import config_folder, load_config
from ..errors import FacelmkError, MissingResource
from ..models import FaceDetector
from ..registry import MODELS, registered_parts_only
from ..zoo import DEFAULT, is_model
from ..zoo.index import rows
from .checkpoint_config import OpenedCheckpoint, open_checkpoint
from .names import check_model, find_config_of, is_checkpoint
from .predictor import Predictor

MAX_REASON = 200  # characters of another library's message


def load(
    model: str | Path | Config | None = None,
    weights: str | Path | None = None,
    device: str | torch.device | None = None,
    flip_test: bool | None = None,
    pretrained: str | Path | bool | None = None,
    batch_size: int = 16,
    detector: Any = None,
    markup: str | None = None,
    speed: Any = None,
) -> Predictor:
    """Return a Predictor of a model of the zoo, a checkpoint (a path or URL), or a config (a path, a name, loaded).

    Without `model` it is the one that comes with facelmk. A checkpoint holds its config, which is read as data, so that
    no code in it runs. `weights` (a path, a URL, a name of the zoo) replaces those of the model. Without `device` a GPU
    is used if there is one. `flip_test` replaces the config's value. `pretrained` names weights for the backbone alone;
    False leaves the network without weights, for one that is not trained yet. `detector` finds the faces where no boxes
    are given; None is the one that comes with facelmk. `markup` is the landmark scheme of the faces: '300w' gives 68
    points where the network predicts 98. `speed` is 'fast', which measures what is the fastest here, a precision such
    as 'bf16', or a dict of the switches of a config's entry `speed`; by default a config's own, else float32.
    """
    chosen_device = find_device(device)
    model = DEFAULT if model is None else model
    with registered_parts_only(is_checkpoint(model)):
        opened = open_checkpoint(model) if is_checkpoint(model) else None
        config, own_weights = config_and_weights(model, opened)
        source = None
        if weights is not None or pretrained is None:
            source = find_checkpoint(weights if weights is not None else own_weights or weights_of_config(config))
        landmarker = MODELS.build(config.model)
        if isinstance(landmarker, FaceDetector):
            raise FacelmkError(
                f'{name_of(model)} finds faces, not landmarks. Expected a model for landmarks. As a detector, it is '
                f'given by its weights: detector=FILE'
            )
        if flip_test is not None:
            landmarker.flip_test = flip_test
        if opened is not None and source == opened.path:
            load_content(landmarker, opened.content, source)
        elif source is not None:
            load_checkpoint(landmarker, source)
        elif isinstance(pretrained, (str, Path)):
            load_pretrained(landmarker.backbone, pretrained)
        landmarker = landmarker.to(chosen_device)
        if speed is None and not is_checkpoint(model):  # that of a training need not suit this device
            speed = config.get('speed')
        if speed is not None:
            from ..engine.fastest import speed_up_prediction  # here, for the start-up time of those who do not use it
            from ..engine.speed import Speed

            switches = Speed.read(speed)
            speed = speed_up_prediction(landmarker, config.model.get('size', 256), switches, chosen_device)
        predictor = Predictor(landmarker, config, batch_size, detector, speed)
        if markup is not None:
            predictor.choose_markup(markup)
        return predictor


def name_of(model: Any) -> str:
    """Return what to call a model in messages: its file or name."""
    return str(model.filename or 'this config') if isinstance(model, Config) else str(model)


def config_and_weights(
    model: str | Path | Config, opened: OpenedCheckpoint | None = None
) -> tuple[Config, str | Path | None]:
    """Return the config of a model, and its weights; None where the config has to name them.

    `opened` is the checkpoint that `model` names, if it has been read already.
    """
    if isinstance(model, Config):
        return model, None
    if is_checkpoint(model):
        opened = opened or open_checkpoint(model)
        advice = f'Name the config that it was trained with: facelmk.load(CONFIG, weights={str(opened.path)!r})'
        return opened.config(advice), opened.path
    if is_model(model):
        check_model(model)
        return load_config(rows()[str(model)]['config']), str(model)
    return load_config(find_config_of(model)), None


def weights_of_config(config: Config) -> str | Path:
    """Return the path or URL of the weights that a config publishes, or the name of its model in the zoo."""
    result, file = config.get('result') or {}, Path(config.filename or 'this config')
    if 'checkpoint' in result:
        address: str = result['checkpoint']
        return address
    if 'checkpoint_page' in result:
        raise MissingResource(
            f'the weights of {file} are on a page for browsers: {result["checkpoint_page"]}. '
            'Download them there and give their path'
        )
    if is_model(file.stem) and file.parent.resolve() == config_folder().resolve():
        return file.stem
    raise MissingResource(
        f'{file} publishes no weights. Give the path or URL of a checkpoint that was trained with it (facelmk predict '
        'takes it as --weights). In Python, pretrained=False returns an untrained network'
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
            reason = str(error).partition('\n')[0].partition('. ')[0][:MAX_REASON]
            raise MissingResource(f"device={device!r} does not work here: {reason}. Use device='cpu'") from error
    return chosen
