"""facelmk export [MODEL] [WEIGHTS]."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError
from .options import check_checkpoint, example, keep_stdout_for_json, number_from

if TYPE_CHECKING:
    from ..export.parity import Crops
    from ..export.source import Source

ENDINGS = {'onnx': '.onnx', 'openvino': '.xml', 'torchscript': '.pt'}


def arguments(parser: argparse.ArgumentParser) -> None:
    example(parser, 'facelmk export facelmk_nano --out nano.onnx')
    parser.add_argument(
        'model',
        nargs='?',
        metavar='MODEL',
        help='a name of the zoo, a checkpoint, or a config (default: the model that comes with facelmk)',
    )
    parser.add_argument('weights', nargs='?', metavar='WEIGHTS', help='a checkpoint for a config')
    parser.add_argument('--format', choices=tuple(ENDINGS), default='onnx', help='the kind of file (default: onnx)')
    parser.add_argument('--int8', action='store_true', help='convolutions in eight bits (onnx only)')
    parser.add_argument('--out', metavar='FILE', help='the file to write (default: MODEL.onnx, .xml or .pt)')
    parser.add_argument(
        '--flip',
        action=argparse.BooleanOptionalAction,
        default=None,
        help='average with the mirrored crop inside the graph (default: what the config says)',
    )
    parser.add_argument(
        '--pictures',
        nargs='+',
        metavar='PATH',
        help='pictures or folders of faces to compare with torch on (default: drawn faces)',
    )
    parser.add_argument('--boxes', metavar='BOXES', default='full', help='the boxes in these pictures (default: full)')
    parser.add_argument(
        '--faces',
        type=number_from('--faces', 3),
        default=24,
        metavar='N',
        help='the number of drawn faces (default: 24)',
    )
    parser.add_argument(
        '--tolerance',
        type=number_from('--tolerance', 0, float),
        default=0.01,
        metavar='PX',
        help='the largest difference of a point from torch, in pixels of the crop (default: 0.01)',
    )
    parser.add_argument('--json', action='store_true', help='print the facts of the file as json')


def run(options: argparse.Namespace) -> None:
    with keep_stdout_for_json(options.json):
        _check_packages(options)
        if options.out is not None:
            _check_out(Path(options.out), options.format)
        _check_model(options)
        from ..export.run import export_model
        from ..export.source import open_model

        source = open_model(options.model, options.weights, options.flip)
        out = Path(options.out or f'{source.name}{"-int8" if options.int8 else ""}{ENDINGS[options.format]}')
        crops = _crops(options, source)
        exported = export_model(source, crops, out, options.format, options.int8, options.tolerance, print)
        print(f'{exported.path}: {exported.bytes / 1e6:.2f} MB, {exported.facts.inputs}')
    if options.json:
        values: dict[str, Any] = json.loads(exported.facts.to_text())
        print(json.dumps(values | {'path': str(exported.path), 'bytes': exported.bytes}))


def _check_out(out: Path, kind: str) -> None:
    """Refuse a file that cannot be written before the model is opened."""
    from ..files.atomic import check_output

    if out.suffix != ENDINGS[kind]:
        raise FacelmkError(f'--out {out}: --format {kind} is written as {ENDINGS[kind]}. Give such a name')
    check_output(out)


def _check_model(options: argparse.Namespace) -> None:
    """Refuse a model or weights that do not exist before torch is imported; a detector may be exported, too."""
    from ..inference.names import check_model
    from ..zoo import is_model

    check_checkpoint(options.weights)
    if options.model is not None and not is_model(options.model):
        check_model(options.model)


def _check_packages(options: argparse.Namespace) -> None:
    """Ask for a missing optional package before torch is imported and faces are drawn."""
    if options.format != 'torchscript':
        from ..export.packages import check_packages

        check_packages(options.format)


def _crops(options: argparse.Namespace, source: 'Source') -> 'Crops':
    from ..export.crops import drawn_crops, picture_crops
    from ..inference.boxes import parse_boxes

    if options.pictures is None:
        return drawn_crops(source, options.faces)
    return picture_crops(source, options.pictures, parse_boxes(options.boxes))
