"""facelmk data browse CONFIG."""

import argparse
from pathlib import Path

from ..options import add_config, number_from, read_config
from .browse_output import check_target, write_samples

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
    add_config(browse)
    browse.add_argument(
        '--out',
        metavar='PAGE',
        help='the page: FILE.html, or a folder for index.html (default: work_dirs/<config>/browse.html)',
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


def run(options: argparse.Namespace) -> None:
    config = read_config(options)
    target = options.out or Path(config.work_dir, 'browse.html')
    check_target(options.output_dir, target)
    from ...report.browse import samples_of

    write_samples(options, samples_of(config, options.phase), target, MODES[options.mode], options.config)
