"""Which model `facelmk predict` uses: its options, and the predictor that they choose."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError, UnknownName, close_names
from .options import add_config_options, number_from, read_config
from .speed_options import add_speed, chooses_speed, chosen_speed

if TYPE_CHECKING:
    from mmengine import Config

    from ..inference.runtime import ExportedPredictor
    from ..inference.stream import PicturePredictor


def add_model(parser: argparse.ArgumentParser) -> None:
    """--model and what changes it."""
    parser.add_argument(
        '--model',
        metavar='MODEL',
        help='a name of `facelmk models list`, a checkpoint, or a config (default: the model that comes with facelmk)',
    )
    parser.add_argument('--weights', metavar='FILE', help='a path or a URL (default: the weights of the model)')
    parser.add_argument(
        '--markup',
        metavar='NAME',
        help="the landmark scheme of the faces, such as 300w for 68 points (default: the model's own)",
    )
    parser.add_argument('--device', help='cpu, cuda, cuda:1 (default: a GPU if there is one)')
    parser.add_argument(
        '--no-flip', action='store_true', help='do not average with the prediction of the mirrored crop'
    )
    parser.add_argument(
        '--batch-size',
        type=number_from('--batch-size', 1),
        default=16,
        metavar='N',
        help='faces in one forward pass (default: 16)',
    )
    add_speed(parser)
    add_config_options(parser)


def model_and_inputs(options: argparse.Namespace) -> 'tuple[str | Config | None, list[str]]':
    """Return the model, None for the one that comes with facelmk, and the inputs: the first may be a config instead."""
    from ..config import config_names
    from ..inference.folders import check_inputs

    model, inputs = options.model, options.inputs
    if model is None and not os.path.exists(inputs[0]) and '.' not in inputs[0] and inputs[0] not in config_names():
        if close := close_names(inputs[0], config_names()):
            raise UnknownName(
                f'{inputs[0]} is neither a picture, a folder nor a config. Did you mean '
                f'{" or ".join(map(repr, close))}?'
            )
    if model is None and _is_config(inputs[0]):
        model, inputs = inputs[0], inputs[1:]
        if not inputs:
            raise FacelmkError(f'{model} is a config, and there is no picture. Write: facelmk predict {model} PICTURE')
        check_inputs(inputs)
        options.config = model
        return read_config(options), inputs
    if model is not None:
        from ..inference.names import check_model
        from ..inference.runtime.find import is_exported

        if not is_exported(model):
            check_model(model)
    if options.cfg_options or options.safe_config or options.data:
        if model is None:
            raise FacelmkError('--cfg-options, --safe-config and --data change a config. Name it: --model CONFIG')
        options.config = model
        return read_config(options), inputs
    return model, inputs


def _is_config(word: str) -> bool:
    """Whether the first input is a config instead of a picture."""
    from ..config import config_names
    from ..config.source import SUFFIXES

    if os.path.isdir(word) or '://' in word:
        return False
    return Path(word).suffix.lower() in SUFFIXES or (word in config_names() and not os.path.exists(word))


def load_model(options: argparse.Namespace, model: 'str | Config | None') -> 'PicturePredictor':
    """Return the Predictor; with --boxes auto its detector is built, too, so that a missing one is reported early."""
    from ..inference.boxes import AUTO

    start = time.perf_counter()
    predictor: Any = _load_exported(options, model) or _load_network(options, model)
    if options.fast:
        print(f'--fast: {predictor}', file=sys.stderr)
    if options.markup is not None:
        predictor.choose_markup(options.markup)
    detector = predictor.detector if options.boxes == AUTO else f'none, --boxes {options.boxes}'
    if options.verbose:
        print(f'{predictor}, detector: {detector}. Loaded in {time.perf_counter() - start:.2f} s')
    return predictor


def _load_network(options: argparse.Namespace, model: 'str | Config | None') -> 'PicturePredictor':
    from ..inference import load  # imports torch, which an exported file does not need

    return load(
        model,
        options.weights,
        options.device,
        False if options.no_flip else None,
        batch_size=options.batch_size,
        detector=options.detector,
        speed=chosen_speed(options) or None,
    )


def _load_exported(options: argparse.Namespace, model: 'str | Config | None') -> 'ExportedPredictor | None':
    """Return the predictor of an exported file: `model`, or on a CPU with ONNX Runtime that of the shipped model."""
    from ..inference.runtime import find_faster, is_exported, load_exported

    if not isinstance(model, (str, type(None))):
        return None
    changed = options.weights or options.no_flip or chooses_speed(options)
    if is_exported(model):
        if changed or options.device not in (None, 'cpu'):
            raise FacelmkError(
                f'{model} is an exported file: --weights, --no-flip, --device and the options of precision and memory '
                'layout have no effect. Remove them'
            )
        return load_exported(str(model), options.batch_size, options.detector)
    path = None if changed else find_faster(model, options.device)
    return None if path is None else load_exported(path, options.batch_size, options.detector)
