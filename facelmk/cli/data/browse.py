"""facelmk data browse CONFIG."""

import argparse
import json
from pathlib import Path
from typing import Any

from ..options import add_config, number_from, read_config

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
    check_target(options, target)
    from ...report.browse import samples_of

    browse_samples(options, samples_of(config, options.phase), target, options.config)


def check_target(options: argparse.Namespace, target: str | Path) -> None:
    """Refuse a page or folder that cannot be written, before the data is read."""
    from ...files.atomic import check_output
    from ...report.page import check_page

    if options.output_dir:
        check_output(options.output_dir, folder=True)
    else:
        check_page(target)


def browse_samples(options: argparse.Namespace, dataset: Any, target: str | Path, source: str) -> None:
    """Write the page of a data set, or its pictures with --output-dir, and say where."""
    from ...report.page.frame import size_text

    files = _pictures(options, dataset) if options.output_dir else [_page(options, dataset, target, source)]
    if options.show and not options.not_show:
        _show(options, dataset)
    where = options.output_dir or f'{files[0]} ({size_text(files[0].stat().st_size)}, one file)'
    words = f'{len(files)} pictures' if options.output_dir else 'page'
    if options.json:
        print(json.dumps([str(file) for file in files], indent=2))
    else:
        print(f'{words} of {len(dataset)} {dataset.sample_name}s ({options.phase}) in {where}')


def _page(options: argparse.Namespace, dataset: Any, target: str | Path, source: str) -> Path:
    from ...report.browse_page import browse_page
    from ...report.page import write_page

    facts = {'data': source, 'part': options.phase}
    page = browse_page(dataset, MODES[options.mode], options.count, f'{Path(source).name}: {options.phase}', facts)
    return write_page(page, target)


def _pictures(options: argparse.Namespace, dataset: Any) -> list[Path]:
    from ...faces import save
    from ...files.atomic import output_folder
    from ...report.browse import browse, file_name

    files = []
    with output_folder(options.output_dir) as draft:
        for number, (name, picture) in enumerate(browse(dataset, MODES[options.mode], options.count)):
            file = file_name(number, name)
            save(picture, draft / file)
            files.append(Path(options.output_dir, file))
    return files


def _show(options: argparse.Namespace, dataset: Any) -> None:
    from ...faces import show
    from ...report.browse import browse

    for name, picture in browse(dataset, MODES[options.mode], options.count):
        show(picture, name, options.show_interval)
