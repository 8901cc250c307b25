"""What `facelmk predict` writes: the suffix of --out decides, before anything is loaded."""

import argparse
import os
from collections.abc import Sequence
from enum import Enum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import FacelmkError

if TYPE_CHECKING:
    from mmengine import Config

    from ..faces import Faces
    from ..inference.folders import PictureSource


class Kind(Enum):
    """A kind of output."""

    NONE = 'nothing'
    FOLDER = 'a folder'
    PICTURE = 'a picture'
    FILM = 'a film'
    PTS = '.pts'
    JSON = '.json'
    CSV = '.csv'
    COCO = '.coco.json'
    CVAT = '.xml'


FORMATS = (Kind.JSON, Kind.CSV, Kind.COCO, Kind.CVAT)  # one file with the numbers of all inputs
PICTURES = ('.jpg', '.jpeg', '.png', '.webp', '.bmp', '.tif', '.tiff', '.jp2', '.ppm')
KINDS = {**dict.fromkeys(PICTURES, Kind.PICTURE), '.mp4': Kind.FILM} | {
    kind.value: kind for kind in (Kind.PTS, Kind.JSON, Kind.CSV, Kind.COCO, Kind.CVAT)
}
DRAWINGS, POINTS = 'drawings', 'pts'


def add_output(parser: argparse.ArgumentParser) -> None:
    """--out, --format, --show and --json."""
    parser.add_argument(
        '--out',
        metavar='PATH',
        help='a file, whose suffix says what it holds: .jpg .png (the drawing of one picture), .mp4 (of one film), '
        '.json .csv .coco.json .xml (the numbers of all inputs; .xml is CVAT), .pts (the landmarks of one picture); or '
        'a folder for all drawings and predictions.json (default: work_dirs/MODEL/predict)',
    )
    parser.add_argument(
        '--format',
        choices=(DRAWINGS, POINTS),
        default=DRAWINGS,
        help='what a folder gets: a drawing of each input, or a .pts file of each face (default: drawings)',
    )
    parser.add_argument(
        '--show',
        action='store_true',
        help='show the drawings in a window; q ends a film or a camera; without --out nothing is written',
    )
    parser.add_argument('--json', action='store_true', help='print the numbers as json; without --out nothing is drawn')


def check_output_options(options: argparse.Namespace) -> Kind:
    """Return the kind of output; refuse an unknown suffix, and options that do not go together."""
    if options.show:
        from ..faces.drawing import check_screen

        check_screen()
    if options.out is None:
        elsewhere = options.json or options.show
        kind = Kind.NONE if elsewhere and options.format == DRAWINGS else Kind.FOLDER
    else:
        kind = _kind_of(options.out)
    if options.format == POINTS and kind is not Kind.FOLDER:
        raise FacelmkError(f'--format pts with --out {options.out}. Expected a folder, such as --out points')
    if options.json and kind in (Kind.CSV, Kind.COCO, Kind.CVAT):
        raise FacelmkError(f'--json with --out {options.out}. Expected one of them alone: --json prints .json')
    return kind


def _kind_of(out: str) -> Kind:
    if not out.strip():  # an unset variable of the shell; Path('') would be the current folder
        raise FacelmkError("--out '': expected a file or a folder. The current folder is --out .")
    path = Path(out).expanduser()
    suffix = path.suffix.lower()
    if out.endswith(('/', os.sep)) or not suffix or (suffix not in KINDS and path.is_dir()):
        return Kind.FOLDER
    if path.name.lower().endswith(Kind.COCO.value):
        return Kind.COCO
    if suffix not in KINDS:
        raise FacelmkError(
            f'--out {out}: unknown suffix {path.suffix}. Expected one of {" ".join(KINDS)}, or a folder: a name '
            'without a suffix, or with / at its end'
        )
    return KINDS[suffix]


class Output(NamedTuple):
    """Where the output goes, None for nowhere; `points` is whether a folder gets .pts files."""

    path: Path | None
    kind: Kind
    points: bool = False

    @classmethod
    def of(cls, options: argparse.Namespace, kind: Kind, model: 'str | Config | None') -> 'Output':
        """Return what the options mean."""
        points = options.format == POINTS
        if options.out is not None:
            return cls(Path(options.out).expanduser(), kind, points)
        if kind is Kind.NONE:
            return cls(None, kind)
        if model is None or isinstance(model, str):
            from ..zoo import DEFAULT

            return cls(Path('work_dirs', Path(model or DEFAULT).stem, 'predict'), kind, points)
        return cls(Path(model.work_dir, 'predict'), kind, points)

    def check(self) -> None:
        """Refuse a path that cannot be written to."""
        from ..files.atomic import check_output

        if self.path is not None:
            check_output(self.path, self.kind is Kind.FOLDER)


def place_outputs(pictures: Sequence['PictureSource'], output: Output) -> dict[str, Path]:
    """Return the file of each input: its drawing, or its .pts; none if numbers alone are written."""
    from ..inference.folders import name_drawings, name_points

    if output.path is None or output.kind in FORMATS:
        return {}
    if output.points or output.kind is Kind.PTS:
        return name_points(pictures, output.path, output.kind is Kind.FOLDER)
    return name_drawings(pictures, output.path, output.kind is Kind.FOLDER)


def write_points(faces: 'Faces', path: Path, in_folder: bool) -> None:
    """Write a .pts file of each face; in a folder, no file replaces that of another picture."""
    if not in_folder:
        faces.to_pts(path)
        return
    for number, face in enumerate(faces, 1):
        stem = path.stem if len(faces) == 1 else f'{path.stem}_{number}'
        names = (path.with_stem(stem if i == 1 else f'{stem}_{i}') for i in count(1))
        face.to_pts(next(name for name in names if not name.exists()))
