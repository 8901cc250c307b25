"""facelmk data browse SOURCE."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..options import add_plain, add_safe, number_from, read_config
from .browse_output import check_target, write_samples
from .source import PHASES, add_source, check_source, is_config, only_named_set

if TYPE_CHECKING:
    from ...datasets import FaceDataset, SceneDataset

PURPOSE = 'draw the faces of a data set with their points, in the photograph and in the augmented crop'
EXAMPLE = 'facelmk data browse quickstart --count 8 --out faces.html'
MODES = {
    'original': 'original',
    'augmented': 'augmented',
    'both': 'both',
    'transformed': 'augmented',
    'pipeline': 'both',
}  # the last two are MMPose's names


def arguments(browse: argparse.ArgumentParser) -> None:
    add_source(browse)
    add_safe(browse)
    browse.add_argument(
        '--out',
        metavar='PAGE',
        help='the page: FILE.html, or a folder for index.html (default: work_dirs/<name of SOURCE>/browse.html)',
    )
    browse.add_argument('--output-dir', metavar='DIR', help='write each picture as a file into this folder, instead')
    browse.add_argument('--phase', choices=('train', 'val', 'test'), default='train', help='default: train')
    browse.add_argument(
        '--mode',
        choices=tuple(MODES),
        default='both',
        help="what to draw (default: both); MMPose's names: transformed (augmented) and pipeline (both)",
    )
    browse.add_argument(
        '--count',
        '--max-item-per-dataset',
        type=number_from('--count', 0),
        default=20,
        metavar='N',
        help='the number of faces, spread over the data set (default: 20; 0: all). A page shows at most 60',
    )
    browse.add_argument('--show', action='store_true', help='show them on the screen, too')
    browse.add_argument('--not-show', action='store_true', help='only write files (the default)')
    browse.add_argument(
        '--show-interval',
        type=number_from('--show-interval', 0, float),
        default=2.0,
        help='seconds each picture stays on the screen',
    )
    browse.add_argument('--json', action='store_true', help='print the paths of the pictures as json')
    add_plain(browse)


def _samples(options: argparse.Namespace) -> 'tuple[FaceDataset | SceneDataset, Path]':
    """Return the faces or scenes of SOURCE, and the folder for their pictures."""
    if is_config(options.source):
        options.config = options.source
        config = read_config(options, [options.phase])
        from ...report.browse import samples_of

        return samples_of(config, options.phase), Path(config.work_dir)
    from ...report.browse import with_usual_crop

    name, read = only_named_set(options, options.phase)
    if name not in PHASES:
        options.phase = None  # the annotations have no parts
    return with_usual_crop(read()), Path('work_dirs', Path(options.source).absolute().stem)


def run(options: argparse.Namespace) -> None:
    check_source(options.source)
    if options.out or options.output_dir:
        check_target(options.output_dir, options.out)
    dataset, work_dir = _samples(options)
    target = options.out or Path(work_dir, 'browse.html')
    write_samples(options, dataset, target, MODES[options.mode], options.source)
