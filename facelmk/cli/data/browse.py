"""facelmk data browse SOURCE."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..options import add_plain, add_safe, number_from, read_config
from .source import add_source, check_source, is_config, only_set

if TYPE_CHECKING:
    from ...datasets import FaceDataset, SceneDataset

PURPOSE = 'draw the faces of a data set with their points, in the photograph and in the augmented crop'
EXAMPLE = 'facelmk data browse quickstart --count 8 --out faces'
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
    browse.add_argument('--out', '--output-dir', metavar='DIR', help='default: work_dirs/<name of SOURCE>/browse')
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
        help='the number of faces, spread over the data set (default: 20; 0: all)',
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
        config = read_config(options)
        from ...report.browse import samples_of

        return samples_of(config, options.phase), Path(config.work_dir)
    from ...report.browse import with_usual_crop

    dataset = with_usual_crop(only_set(options, options.phase)())
    return dataset, Path('work_dirs', Path(options.source).absolute().stem)


def run(options: argparse.Namespace) -> None:
    check_source(options.source)
    dataset, work_dir = _samples(options)
    from ...faces import save, show
    from ...files.atomic import check_output, output_folder
    from ...files.progress import track
    from ...report.browse import browse, file_name

    folder = Path(options.out or Path(work_dir, 'browse'))
    check_output(folder, folder=True)
    files = []
    with output_folder(folder) as draft:
        pictures = track(browse(dataset, MODES[options.mode], options.count), 'drawing', unit='pictures/s')
        for number, (name, picture) in enumerate(pictures):
            file = file_name(number, name)
            save(picture, draft / file)
            files.append(str(folder / file))
            if options.show and not options.not_show:
                show(picture, name, options.show_interval)
    print(
        json.dumps(files, indent=2)
        if options.json
        else f'{len(files)} pictures of {len(dataset)} {dataset.sample_name}s ({options.phase}) in {folder}'
    )
