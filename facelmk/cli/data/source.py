"""SOURCE: a config, or a file or folder of annotations."""

import argparse
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import MissingResource, UnknownName
from ..options import add_cfg_options, read_config

if TYPE_CHECKING:
    from ...datasets import FaceDataset

PHASES = ('train', 'val', 'test')


def add_source(parser: argparse.ArgumentParser) -> None:
    """SOURCE, and the options for reading it."""
    parser.add_argument(
        'source',
        metavar='SOURCE',
        help='a .json (COCO style), .csv (HRNet), .txt (WFLW) or .mat '
        '(COFW), a folder of .pts, of LaPa or of 300W-LP; or a config, by file or name',
    )
    parser.add_argument(
        '--markup', metavar='NAME', help='the landmark scheme of a file (default: by its number of points)'
    )
    parser.add_argument(
        '--image-root', metavar='DIR', help='the folder of the pictures (default: the folder of the file)'
    )
    parser.add_argument('--data', metavar='DIR', help="the folder of the data set, instead of a config's own")
    add_cfg_options(parser)


def is_config(source: str) -> bool:
    """Whether SOURCE is the file or name of a config, not a file of annotations."""
    path = Path(source)
    return path.suffix in ('.py', '.yaml', '.yml') or not (path.exists() or path.suffix or len(path.parts) > 1)


def check_source(source: str) -> None:
    """Refuse a SOURCE that does not exist before torch is imported."""
    if not is_config(source):
        if not Path(source).exists():
            raise MissingResource(f'{source} is not there (from {Path.cwd()}). Give a file or folder of annotations')
        return
    from ...config import find_config

    try:
        find_config(source)
    except UnknownName as error:
        raise UnknownName(f'{error} There is no file or folder of annotations with this name, either') from error


def sets(options: argparse.Namespace, phases: Sequence[str]) -> Iterator[tuple[str, Callable[..., 'FaceDataset']]]:
    """Yield names and readers: the phases of a config, each data set once, or the file itself. Nothing is read yet."""
    if not is_config(options.source):
        from ...datasets.open_faces import open_faces

        yield options.source, functools.partial(open_faces, options.source, options.markup, options.image_root)
        return
    options.config = options.source
    config = read_config(options)
    from ...report.browse import dataset_of

    seen: list[object] = []
    for phase in phases:
        loader = config.get(f'{phase}_dataloader')
        if loader is not None and loader.dataset not in seen:
            seen.append(loader.dataset)
            yield phase, functools.partial(dataset_of, config, phase)
