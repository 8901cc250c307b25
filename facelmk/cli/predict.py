"""facelmk predict [CONFIG] PICTURE [PICTURE ...] [--model MODEL]."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError, UnknownName, close_names
from ..files.progress import Progress
from .box_options import add_faces
from .options import (
    add_config_options,
    add_plain,
    check_checkpoint,
    example,
    keep_stdout_for_json,
    number_from,
    read_config,
)
from .speed_options import add_speed, chooses_speed, chosen_speed, words_of_amp

if TYPE_CHECKING:
    from mmengine import Config

    from ..inference.folders import PictureSource
    from ..inference.runtime import ExportedPredictor
    from ..inference.stream import PicturePredictor
    from .found import Found

translate_arguments = words_of_amp

LIST = 'predictions.json'
GPU = '/dev/nvidiactl'  # NVIDIA's driver makes it; torch would need a second to look for a GPU


def arguments(parser: argparse.ArgumentParser) -> None:
    example(parser, 'facelmk predict photo.jpg')
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='PICTURE',
        help="pictures, URLs of pictures, folders, patterns such as 'album/*.jpg'; a config may come first, "
        'instead of --model',
    )
    _add_model(parser)
    add_faces(parser)
    parser.add_argument(
        '--out',
        metavar='PATH',
        help=f'the drawing of one picture; or a folder for all drawings and {LIST}; or a .json file for the '
        'numbers alone (default: work_dirs/MODEL/predict)',
    )
    parser.add_argument('--json', action='store_true', help='print the numbers as json; without --out nothing is drawn')
    parser.add_argument('--strict', action='store_true', help='stop at the first picture that cannot be used')
    add_plain(parser)
    parser.add_argument('-v', '--verbose', action='store_true', help='print model, device, detector and times')


def _add_model(parser: argparse.ArgumentParser) -> None:
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


def run(options: argparse.Namespace) -> None:
    from .found import new_list

    with new_list() as found:
        with keep_stdout_for_json(options.json):
            pictures, out, others = _find_faces(options, found)
        if options.json:
            found.print()
        else:
            found.report(out, others)
        found.check(pictures)


def _find_faces(options: argparse.Namespace, found: 'Found') -> tuple[int, Path | None, int]:
    """Predict and write; return the number of pictures, what was written, and the number of other files."""
    from ..files.atomic import check_output
    from ..inference.boxes import AUTO, parse_boxes
    from ..inference.folders import find_pictures
    from .found import count

    boxes_of = parse_boxes(options.boxes)
    if options.detector is not None and options.boxes != AUTO:
        raise FacelmkError(f'--detector {options.detector} with --boxes {options.boxes}. Expected one of them alone')
    check_checkpoint(options.weights)
    model, inputs = _model_and_inputs(options)
    out = _output(options, model)
    if out is not None:
        check_output(out, _is_folder(out))
    pictures, others = find_pictures(inputs, out)
    drawings = _drawings(pictures, out)
    predictor = _load(options, model)
    start = time.perf_counter()
    _write(out, drawings, found, lambda new: _predict(predictor, pictures, boxes_of, new, options, found))
    if options.verbose:
        seconds = time.perf_counter() - start
        print(f'{count(len(pictures), "picture")} in {seconds:.2f} s, {seconds / len(pictures):.3f} s each')
    return len(pictures), out, others


def _model_and_inputs(options: argparse.Namespace) -> 'tuple[str | Config | None, list[str]]':
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
    if model is not None and not _is_exported(model):
        from ..inference.names import check_model

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


def _load(options: argparse.Namespace, model: 'str | Config | None') -> 'PicturePredictor':
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
    from ..inference.runtime import find_exported, is_available, load_exported
    from ..zoo import DEFAULT

    if not isinstance(model, (str, type(None))):
        return None
    changed = options.weights or options.no_flip or chooses_speed(options)
    if _is_exported(model):
        if changed or options.device not in (None, 'cpu'):
            raise FacelmkError(
                f'{model} is an exported file: --weights, --no-flip, --device and the options of precision and memory '
                'layout have no effect. Remove them'
            )
        return load_exported(str(model), options.batch_size, options.detector)
    on_cpu = options.device == 'cpu' or (options.device is None and not os.path.exists(GPU))
    path = find_exported(model or DEFAULT)
    if path is None or changed or not on_cpu or not is_available():
        return None
    return load_exported(path, options.batch_size, options.detector)


def _is_exported(model: Any) -> bool:
    """Whether a model is an exported file."""
    return isinstance(model, str) and Path(model).suffix.lower() in ('.onnx', '.xml')


def _output(options: argparse.Namespace, model: 'str | Config | None') -> Path | None:
    """The file or folder to write; None for no output."""
    if options.out is not None:
        if not options.out.strip():  # an unset variable of the shell; Path('') would be the current folder
            raise FacelmkError("--out '': expected a file or a folder. The current folder is --out .")
        return Path(options.out).expanduser()
    if options.json:
        return None
    if model is None or isinstance(model, str):
        from ..zoo import DEFAULT

        return Path('work_dirs', Path(model or DEFAULT).stem, 'predict')
    return Path(model.work_dir, 'predict')


def _drawings(pictures: list['PictureSource'], out: Path | None) -> dict[str, Path]:
    from ..inference.folders import name_drawings

    return {} if out is None or out.suffix.lower() == '.json' else name_drawings(pictures, out)


def _is_folder(out: Path) -> bool:
    from ..inference.folders import ENDINGS

    return out.suffix.lower() not in {'.json', *ENDINGS}


def _write(
    out: Path | None, drawings: dict[str, Path], found: 'Found', predict: Callable[[dict[str, Path]], None]
) -> None:
    """Write drawings and numbers to `out`; those of a folder appear together, at the end."""
    from ..files.atomic import output_folder

    if out is None or not _is_folder(out):
        predict(drawings)
        if out is not None and out.suffix.lower() == '.json':
            found.write(out)
        return
    with output_folder(out, last=[LIST]) as draft:
        predict({source: draft / path.relative_to(out) for source, path in drawings.items()})
        found.write(draft / LIST)


def _predict(
    model: 'PicturePredictor',
    pictures: list['PictureSource'],
    boxes_of: Any,
    drawings: dict[str, Path],
    options: argparse.Namespace,
    found: 'Found',
) -> None:
    """Add a row of numbers for each picture to `found`, or its error; write the drawings."""
    boxes = {}
    for picture in pictures:
        try:
            boxes[picture.source] = boxes_of(picture.source)
        except FacelmkError as error:
            if options.strict:
                raise
            found.fail(picture.source, error)
    skip = None if options.strict else found.fail
    stream = model.stream(boxes, boxes.values(), skip=skip, refine=options.refine, min_score=options.min_score)
    with Progress('predicting', len(pictures), unit='pictures/s') as progress:
        for faces in stream:
            found.add({'path': faces.source} | faces.to_dict())
            if faces.source in drawings:
                faces.save(drawings[faces.source])
            progress.show(found.pictures + len(found.failures))
