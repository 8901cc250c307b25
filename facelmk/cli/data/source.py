"""SOURCE: a config, or a file or folder of annotations."""

import argparse
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import FacelmkError, MissingResource, UnknownName
from ..options import add_cfg_options, add_origin, read_config

if TYPE_CHECKING:
    from ...datasets import FaceDataset

PHASES = ('train', 'val', 'test')


def add_source(parser: argparse.ArgumentParser) -> None:
    """SOURCE, and the options for reading it."""
    parser.add_argument(
        'source',
        metavar='SOURCE',
        help='a file or a folder of annotations: COCO style, CVAT, Label Studio, labelme, dlib, .csv (HRNet), .txt '
        '(WFLW), .mat (COFW), .npz, .pts, LaPa, 300W-LP; or a config, by file or name',
    )
    parser.add_argument('--markup', metavar='NAME', help='the landmark scheme of a file (default: found by the points)')
    parser.add_argument(
        '--flip-pairs', metavar='A:B,C:D', help='the mirror pairs of points of your own (default: by their names)'
    )
    parser.add_argument(
        '--image-root', metavar='DIR', help='the folder of the pictures (default: searched near the file)'
    )
    add_origin(parser)
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
    """Yield names and readers: the phases of a config, each data set once, or the files of SOURCE, which it also opens.

    Nothing is read yet, but the beginning of files of annotations, by which their format is found.
    """
    if not is_config(options.source):
        yield from _own_sets(options, phases)
        return
    options.config = options.source
    config = read_config(options, phases)
    from ...report.browse import dataset_of

    seen: list[object] = []
    for phase in phases:
        loader = config.get(f'{phase}_dataloader')
        if loader is not None and loader.dataset not in seen:
            seen.append(loader.dataset)
            yield phase, functools.partial(dataset_of, config, phase)


def _own_sets(options: argparse.Namespace, phases: Sequence[str]) -> Iterator[tuple[str, Callable[..., 'FaceDataset']]]:
    """Yield the annotation files of SOURCE: several of a folder by their part, such as train and val."""
    from ...datasets.open_faces import find_annotations, open_found
    from ...datasets.tools.split import own_parts

    found = find_annotations(Path(options.source))
    parts = own_parts([each.path.name for each in found]) or []
    names = parts if len(set(parts)) == len(found) else [str(each.path) for each in found]
    if len(found) == 1:
        names = [options.source]
    more = {'flip_pairs': options.flip_pairs, 'origin': options.origin}
    for name, each in zip(names, found, strict=True):
        if name not in PHASES or name in phases or len(found) == 1:
            yield name, functools.partial(open_found, each, options.markup, options.image_root, **more)


def only_set(options: argparse.Namespace, phase: str) -> Callable[..., 'FaceDataset']:
    """Return the reader of the one data set that SOURCE and a phase name."""
    return only_named_set(options, phase)[1]


def only_named_set(options: argparse.Namespace, phase: str) -> tuple[str, Callable[..., 'FaceDataset']]:
    """Return the name and the reader of the one data set that SOURCE and a phase name."""
    found = list(sets(options, [phase]))
    if not found:
        part = f'{phase}_dataloader' if is_config(options.source) else f'part {phase!r}'
        raise FacelmkError(f'{options.source} has no {part}. Choose another --phase')
    if len(found) > 1:
        names = ', '.join(name for name, _ in found)
        raise FacelmkError(f'{options.source} holds several files of annotations: {names}. Give one of them')
    return found[0]
