"""facelmk predict CONFIG INPUT [INPUT ...]."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataDefect, FacelmkError
from .options import add_config, example, keep_stdout_for_json, number_from, read_config

if TYPE_CHECKING:
    from ..inference import Predictor
    from ..inference.folders import PictureSource

LIST = 'predictions.json'
MAX_NAMED = 5  # of the pictures that could not be used


def arguments(parser: argparse.ArgumentParser) -> None:
    example(parser, 'facelmk predict hrnetv2_w18_wflw photo.jpg --boxes full --out out.jpg')
    add_config(parser)
    parser.add_argument('inputs', nargs='+', metavar='INPUT', help='pictures, URLs of pictures, or folders of them')
    parser.add_argument(
        '--weights', metavar='FILE', help='a path or a URL (default: the published weights of the config)'
    )
    parser.add_argument(
        '--boxes',
        metavar='BOXES',
        help='the boxes of the faces: full (the full picture is one box), '
        'x1,y1,x2,y2 with ; between faces, or a .json or .csv file',
    )
    parser.add_argument(
        '--out',
        metavar='PATH',
        help=f'the drawing of one picture; or a folder for all drawings and {LIST}; or a .json file for the '
        'numbers alone (default: work_dirs/<config>/predict)',
    )
    parser.add_argument('--json', action='store_true', help='print the numbers as json; without --out nothing is drawn')
    parser.add_argument('--device', help='cpu, cuda, cuda:1 (default: a GPU if there is one)')
    parser.add_argument(
        '--no-flip', action='store_true', help='do not average with the prediction of the mirrored crop'
    )
    parser.add_argument('--strict', action='store_true', help='stop at the first picture that cannot be used')
    parser.add_argument(
        '--batch-size',
        type=number_from('--batch-size', 1),
        default=16,
        metavar='N',
        help='faces in one forward pass (default: 16)',
    )


def run(options: argparse.Namespace) -> None:
    from ..files.atomic import check_output
    from ..inference import load
    from ..inference.boxes import NEEDED, parse_boxes
    from ..inference.folders import find_pictures

    with keep_stdout_for_json(options.json):
        if options.boxes is None:
            raise FacelmkError(
                NEEDED.replace('boxes=[[x1, y1, x2, y2], ...]', '--boxes x1,y1,x2,y2').replace(
                    "boxes='full'", '--boxes full'
                )
            )
        boxes_of = parse_boxes(options.boxes)
        config = read_config(options)
        out = _output(options, config.work_dir)
        if out is not None:
            check_output(out, _is_folder(out))
        pictures, others = find_pictures(options.inputs, out)
        drawings = _drawings(pictures, out)
        model = load(
            config, options.weights, options.device, False if options.no_flip else None, batch_size=options.batch_size
        )
        rows, failed = _write(out, drawings, lambda new: _predict(model, pictures, boxes_of, new, options.strict))
    _report(options, rows, out, others)
    if failed:
        named = '; '.join(
            str(error) if name in str(error) else f'{name}: {error}' for name, error in list(failed.items())[:MAX_NAMED]
        )
        more = f'; and {len(failed) - MAX_NAMED} more' if len(failed) > MAX_NAMED else ''
        raise DataDefect(f'{len(failed)} of {len(pictures)} pictures could not be used: {named}{more}')


def _output(options: argparse.Namespace, work_dir: str) -> Path | None:
    """The file or folder to write; None for no output."""
    if options.out is None:
        return None if options.json else Path(work_dir, 'predict')
    return Path(options.out).expanduser()


def _drawings(pictures: list['PictureSource'], out: Path | None) -> dict[str, Path]:
    from ..inference.folders import name_drawings

    return {} if out is None or out.suffix.lower() == '.json' else name_drawings(pictures, out)


def _is_folder(out: Path) -> bool:
    from ..inference.folders import ENDINGS

    return out.suffix.lower() not in {'.json', *ENDINGS}


Results = tuple[list[dict[str, Any]], dict[str, FacelmkError]]


def _write(out: Path | None, drawings: dict[str, Path], predict: Callable[[dict[str, Path]], Results]) -> Results:
    """Write drawings and numbers to `out`; those of a folder appear together, at the end."""
    from ..files.atomic import output_folder, write_bytes

    if out is None or not _is_folder(out):
        rows, failed = predict(drawings)
        if out is not None and out.suffix.lower() == '.json':
            write_bytes(out, _json(rows))
        return rows, failed
    with output_folder(out, last=[LIST]) as draft:
        rows, failed = predict({source: draft / path.relative_to(out) for source, path in drawings.items()})
        write_bytes(draft / LIST, _json(rows))
    return rows, failed


def _json(rows: list[dict[str, Any]]) -> bytes:
    return f'{json.dumps(rows)}\n'.encode()


def _predict(
    model: 'Predictor', pictures: list['PictureSource'], boxes_of: Any, drawings: dict[str, Path], strict: bool
) -> Results:
    """Return a row of numbers for each picture, and the errors of the others; write the drawings."""
    rows, boxes, failed = [], {}, {}
    for picture in pictures:
        try:
            boxes[picture.source] = boxes_of(picture.source)
        except FacelmkError as error:
            if strict:
                raise
            failed[picture.source] = error
    for faces in model.stream(boxes, boxes.values(), skip=None if strict else failed.__setitem__):
        rows.append({'path': faces.source} | faces.to_dict())
        if faces.source in drawings:
            faces.save(drawings[faces.source])
    return rows, failed


def _report(options: argparse.Namespace, rows: list[dict[str, Any]], out: Path | None, others: int) -> None:
    if options.json:
        print(_json(rows).decode(), end='')
        return
    faces = sum(len(row['faces']) for row in rows)
    skipped = f', {_count(others, "other file")} skipped' if others else ''
    print(f'{_count(faces, "face")} in {_count(len(rows), "picture")}: {out}{skipped}')


def _count(number: int, what: str) -> str:
    return f'{number} {what}{"s"[: number != 1]}'
