"""Options that choose the box of each face, of a test and of a prediction."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError
from .options import number_from

if TYPE_CHECKING:
    from mmengine import Config

PROTOCOLS = ('tight', 'file', 'detector')
ANNOTATED = ('file', 'provided', 'bbox')  # values of a reader's `box` that mean a rectangle of the annotations


def add_boxes(parser: argparse.ArgumentParser) -> None:
    """--boxes, --detector, --bbox-file and --jitter."""
    parser.add_argument(
        '--boxes',
        choices=PROTOCOLS,
        help='crop the faces by the tight box of the true landmarks, by the boxes of the annotation file (or of '
        "--bbox-file), or by those of a detector (default: the config's)",
    )
    parser.add_argument(
        '--detector', metavar='NAME', help='the detector of --boxes detector (default: the shipped one)'
    )
    parser.add_argument(
        '--bbox-file', metavar='FILE', help='crop the faces by the boxes of a detector in this file (json, csv)'
    )
    parser.add_argument(
        '--jitter', action='store_true', help='test each face in shifted and scaled boxes, too: a table and jitter.png'
    )


def add_faces(parser: argparse.ArgumentParser) -> None:
    """--boxes, --detector, --refine and --min-score of a prediction."""
    parser.add_argument(
        '--boxes',
        default='auto',
        metavar='BOXES',
        help='auto (the detector finds the faces; the default), full (the full picture is one box), '
        'x1,y1,x2,y2 with ; between faces, or a .json or .csv file',
    )
    parser.add_argument(
        '--detector',
        metavar='NAME',
        help='a detector, such as YuNet, or the file of its weights (default: the one that comes with facelmk)',
    )
    parser.add_argument(
        '--refine',
        type=int,
        choices=range(4),
        metavar='N',
        help='how often a face is cropped again around its landmarks, 0 to 3 (default: 2 for detected faces, else 0)',
    )
    parser.add_argument(
        '--min-score',
        type=number_from('--min-score', 0, float),
        metavar='S',
        help='leave out faces with a lower score (default: 0.1 for detected faces of a calibrated model)',
    )


def choose_boxes(config: 'Config', options: argparse.Namespace) -> Any:
    """Change a config's test set as the options say; return the step that chooses the boxes, or None."""
    if options.detector is not None and options.boxes != 'detector':
        raise FacelmkError(f'--detector {options.detector} needs --boxes detector. Add it, or leave --detector out')
    if options.bbox_file and options.boxes in ('tight', 'detector'):
        raise FacelmkError(
            f'--bbox-file {options.bbox_file} and --boxes {options.boxes} are two sources of boxes. Choose one of them'
        )
    if options.bbox_file:
        use_boxes(config, options.bbox_file)
    elif options.boxes == 'file':
        _use_annotated_boxes(config)
    return _step(config, options)


def describe_boxes(options: argparse.Namespace) -> str | None:
    """Return what a study of the boxes is about, or None if there is nothing to compare with tight boxes."""
    from ..engine.recrop import LEAST_OVERLAP

    if options.boxes == 'detector':
        name = options.detector or 'the shipped detector'
        return (
            f'Boxes of {name}; a face has the one that overlaps its tight box most, with an intersection over union of '
            f'at least {LEAST_OVERLAP:g}'
        )
    if options.boxes == 'file':
        return f'Boxes of {options.bbox_file}' if options.bbox_file else 'Boxes of the annotation file'
    return None


def _step(config: 'Config', options: argparse.Namespace) -> Any:
    from ..engine.recrop import DetectedBox, TightBox

    if options.boxes == 'tight':
        return TightBox()
    if options.boxes != 'detector':
        return None
    from ..inference.detectors import find_detector

    # the detector runs in this process: a worker process could not use the GPU
    config.test_dataloader.update(num_workers=0, persistent_workers=False, timeout=0)
    return DetectedBox(find_detector(options.detector))


def use_boxes(config: 'Config', file: str) -> None:
    """Give all readers of the test's data set the boxes of a detector."""
    from ..datasets.base import with_reader_options

    loader = config.get('test_dataloader') or {}
    dataset = loader.get('dataset') or {}
    changed = with_reader_options(dataset, bbox_file=file)
    if changed == dataset:
        raise FacelmkError(
            f'--bbox-file {file}: test_dataloader.dataset of {config.filename} ({dataset.get("type")}) reads no '
            'annotation file, so no boxes can be added to its faces. Choose another config'
        )
    loader['dataset'] = changed


def _use_annotated_boxes(config: 'Config') -> None:
    """Let all readers of the test's data set use the rectangles of their annotations."""
    loader = config.get('test_dataloader') or {}
    dataset = loader.get('dataset') or {}
    changed, count = _with_annotated_boxes(dataset)
    if not count:
        raise FacelmkError(
            f'--boxes file: the annotations of test_dataloader.dataset of {config.filename} ({dataset.get("type")}) '
            'hold no boxes. Use --boxes tight, or give boxes with --bbox-file'
        )
    loader['dataset'] = changed


def _with_annotated_boxes(part: Any) -> tuple[Any, int]:
    """Return a part of a data set's config with the annotated boxes chosen, and the number of readers that have any."""
    from ..registry import DATASETS

    if isinstance(part, (list, tuple)):
        pairs = [_with_annotated_boxes(one) for one in part]
        return [one for one, _ in pairs], sum(count for _, count in pairs)
    if not isinstance(part, Mapping):
        return part, 0
    changed, count = dict(part), 0
    for key in {'dataset', 'datasets', 'layouts'} & part.keys():
        changed[key], found = _with_annotated_boxes(part[key])
        count += found
    reader = DATASETS.get(part['type']) if isinstance(part.get('type'), str) else None
    box = next((name for name in ANNOTATED if name in getattr(reader, 'boxes', ())), None)
    return (changed, count) if box is None else (changed | {'box': box}, count + 1)
