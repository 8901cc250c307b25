"""facelmk predict [CONFIG] INPUT [INPUT ...] [--model MODEL]."""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataDefect, FacelmkError
from ..files.progress import Progress
from .box_options import add_faces
from .options import add_plain, check_checkpoint, example, keep_stdout_for_json, number_from
from .predict_model import add_model, load_model, model_and_inputs
from .predict_output import FORMATS, POINTS, Kind, Output, add_output, check_output_options, place_outputs, write_points
from .speed_options import words_of_amp

if TYPE_CHECKING:
    from ..faces import Faces
    from ..inference.folders import PictureSource
    from ..inference.stream import PicturePredictor
    from .found import Found

translate_arguments = words_of_amp

LIST = 'predictions.json'
WINDOW, PICTURE_S = 'facelmk', 1.0  # the title of --show, and how long a picture is shown
DETECT_EVERY = 15  # as in inference/films/follow.py, which --help need not import


def arguments(parser: argparse.ArgumentParser) -> None:
    example(parser, 'facelmk predict photo.jpg')
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='INPUT',
        help="pictures, URLs of pictures, films, the number of a camera, folders, patterns such as 'album/*.jpg'; a "
        'config may come first, instead of --model',
    )
    add_model(parser)
    add_faces(parser)
    add_output(parser)
    add_films(parser)
    parser.add_argument('--strict', action='store_true', help='stop at the first input that cannot be used')
    add_plain(parser)
    parser.add_argument('-v', '--verbose', action='store_true', help='print model, device, detector and times')


def add_films(parser: argparse.ArgumentParser) -> None:
    """Options of films and cameras."""
    parser.add_argument(
        '--smooth',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='in films, calm the landmarks with a One-Euro filter (default: --smooth)',
    )
    parser.add_argument(
        '--detect-every',
        type=number_from('--detect-every', 1),
        default=DETECT_EVERY,
        metavar='N',
        help=f'in films, frames from one search for new faces to the next (default: {DETECT_EVERY})',
    )
    parser.add_argument(
        '--seconds',
        type=number_from('--seconds', 0, float),
        metavar='S',
        help='end each film and camera after S seconds (default: at its end; Ctrl-C ends a camera)',
    )


def run(options: argparse.Namespace) -> None:
    from .found import new_list

    kind = check_output_options(options)  # before anything is loaded
    with new_list(kind) as found:
        with keep_stdout_for_json(options.json):
            inputs, out, others = _find_faces(options, kind, found)
        if options.json:
            found.print()
        else:
            found.report(out, others)
        found.check(inputs)


def _find_faces(options: argparse.Namespace, kind: Kind, found: 'Found') -> tuple[int, Path | None, int]:
    """Predict and write; return the number of inputs, what was written, and the number of other files."""
    from ..inference.boxes import AUTO, parse_boxes
    from ..inference.folders import find_pictures
    from .found import count

    boxes_of = parse_boxes(options.boxes)
    if options.detector is not None and options.boxes != AUTO:
        raise FacelmkError(f'--detector {options.detector} with --boxes {options.boxes}. Expected one of them alone')
    check_checkpoint(options.weights)
    model, inputs = model_and_inputs(options)
    output = Output.of(options, kind, model)
    output.check()
    pictures, others = find_pictures(inputs, output.path)
    files = place_outputs(pictures, output)
    predictor = load_model(options, model)
    start = time.perf_counter()
    _write(output, files, found, lambda new: _predict(predictor, pictures, boxes_of, new, options, found))
    if options.verbose:
        seconds = time.perf_counter() - start
        print(f'{count(len(pictures), "input")} in {seconds:.2f} s, {seconds / len(pictures):.3f} s each')
    return len(pictures), output.path, others


def _write(output: Output, files: dict[str, Path], found: 'Found', predict: Callable[[dict[str, Path]], None]) -> None:
    """Write drawings and numbers; those of a folder appear together, at the end."""
    from ..files.atomic import output_file, output_folder

    out = output.path
    if out is not None and output.kind is Kind.FOLDER:
        with output_folder(out, last=[LIST]) as draft:
            predict({source: draft / path.relative_to(out) for source, path in files.items()})
            found.write(draft / LIST)
    elif out is not None and output.kind is Kind.FILM:
        with output_file(out) as draft:
            predict(dict.fromkeys(files, draft))
    else:
        predict(files)
        if out is not None and output.kind in FORMATS:
            found.write(out)


def _predict(
    model: 'PicturePredictor',
    sources: Sequence['PictureSource'],
    boxes_of: Any,
    files: Mapping[str, Path],
    options: argparse.Namespace,
    found: 'Found',
) -> None:
    """Add a row of numbers for each picture and frame to `found`, or the error of an input; write the drawings."""
    from ..inference.folders import FilmSource
    from .predict_films import predict_film

    boxes = {}
    for source in sources:
        try:
            boxes[source.source] = boxes_of(source.source)
        except FacelmkError as error:
            if options.strict:
                raise
            found.fail(source.source, error)
    usable = [source for source in sources if source.source in boxes]
    for are_films, group in groupby(usable, lambda source: isinstance(source, FilmSource)):
        names = [source.source for source in group]
        if are_films:
            for name in names:
                predict_film(model, name, boxes[name], files.get(name), options, found)
        else:
            _predict_pictures(model, {name: boxes[name] for name in names}, files, options, found)


def _predict_pictures(
    model: 'PicturePredictor',
    boxes: Mapping[str, Any],
    files: Mapping[str, Path],
    options: argparse.Namespace,
    found: 'Found',
) -> None:
    from ..faces.drawing import show

    skip = None if options.strict else found.fail
    settings = dict(skip=skip, refine=options.refine, min_score=options.min_score)
    before = found.pictures + len(found.failures)
    with Progress('predicting', len(boxes), unit='pictures/s') as progress:
        for faces in model.stream(list(boxes), boxes.values(), **settings):
            try:
                found.add(faces.to_row())
            except DataDefect as error:  # of a name that the format cannot hold
                if options.strict:
                    raise
                found.fail(str(faces.source), error)
            if options.show:
                show(faces.plot(), WINDOW, PICTURE_S)
            if faces.source in files:
                write_faces(faces, files[faces.source], options)
            progress.show(found.pictures + len(found.failures) - before)


def write_faces(faces: 'Faces', path: Path, options: argparse.Namespace) -> None:
    """Write the points of a .pts file, or the drawing."""
    if path.suffix.lower() == '.pts':
        write_points(faces, path, in_folder=options.format == POINTS)
    else:
        faces.save(path)
