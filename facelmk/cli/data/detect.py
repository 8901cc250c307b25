"""facelmk data detect CONFIG --out FILE [--detector NAME]."""

import argparse
import json
from pathlib import Path

from ...errors import FacelmkError
from ..options import add_config, add_plain, read_config
from .source import PHASES

PURPOSE = 'run a detector over the pictures of a data set and write its boxes, for --bbox-file of a test'
EXAMPLE = 'facelmk data detect mine.py --detector YuNet --out boxes.json'


def arguments(detect: argparse.ArgumentParser) -> None:
    add_config(detect)
    detect.add_argument(
        '--detector',
        default='auto',
        metavar='NAME',
        help='a registered detector, or the file of its weights (default: auto, the one that comes with facelmk). The '
        'module of a detector of your own belongs into custom_imports of CONFIG',
    )
    detect.add_argument('--weights', metavar='FILE', help='the argument `weights` of the detector')
    detect.add_argument('--out', required=True, metavar='FILE', help='the file to write (json)')
    detect.add_argument('--phase', choices=PHASES, default='test', help='default: test')
    detect.add_argument('--score-thr', type=float, default=0.1, metavar='S', help='the lowest score (default: 0.1)')
    detect.add_argument(
        '--nms-thr',
        type=float,
        default=0.65,
        metavar='IOU',
        help='leave out boxes that overlap a better one by more than this (default: 0.65)',
    )
    detect.add_argument('--json', action='store_true', help='print the numbers of pictures and boxes as json')
    add_plain(detect)


def run(options: argparse.Namespace) -> None:
    from ...files.atomic import check_output, write_bytes

    if not 0 <= options.nms_thr <= 1:
        raise FacelmkError(f'--nms-thr {options.nms_thr}: expected 0 to 1')
    check_output(options.out)
    config = read_config(options, [options.phase])
    from ...inference.detect import detect_faces
    from ...inference.detectors import find_detector
    from ...report.browse import dataset_of

    detector = find_detector(options.detector, **({} if options.weights is None else {'weights': options.weights}))
    dataset = dataset_of(config, options.phase)
    pictures = list(detect_faces(dataset, detector, options.score_thr, options.nms_thr))
    rows = [row._asdict() for boxes in pictures for row in boxes]
    write_bytes(Path(options.out), (json.dumps(rows) + '\n').encode())
    numbers = {'file': options.out, 'pictures': len(pictures), 'boxes': len(rows), 'empty': pictures.count([])}
    print(
        json.dumps(numbers)
        if options.json
        else f'{len(rows)} boxes in {len(pictures)} pictures, {pictures.count([])} of them without a box: {options.out}'
    )
