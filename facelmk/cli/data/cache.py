"""facelmk data cache CONFIG [--out DIR]."""

import argparse
import json
from pathlib import Path

from ..options import add_config, add_plain, keep_stdout_for_json, number_from, read_config
from .source import PHASES

PURPOSE = 'store the part of each picture that training can reach, so that epochs need not decode whole pictures'
EXAMPLE = 'facelmk data cache hrnetv2_w18_wflw --kind packed'
STALE = 4


def arguments(cache: argparse.ArgumentParser) -> None:
    add_config(cache)
    cache.add_argument('--out', metavar='DIR', help="the folder (default: the config's own, or data/crop_cache)")
    cache.add_argument(
        '--kind',
        choices=('raw', 'packed'),
        help='packed: parts of the JPEG files, about a third of their size (default); raw: pixels, which load faster '
        'and are about 17 times as large. Both give the same crops as the pictures',
    )
    cache.add_argument(
        '--resize',
        type=number_from('--resize', 0, float),
        metavar='N',
        help='reduce parts to at most N times the side of the crop; crops then differ (default: never)',
    )
    cache.add_argument('--phase', choices=PHASES, default='train', help='default: train')
    cache.add_argument(
        '--workers', type=number_from('--workers', 1), metavar='N', help='processes (default: one for each core)'
    )
    cache.add_argument('--check', action='store_true', help='only compare; exit code 4 if faces are missing or stale')
    cache.add_argument('--json', action='store_true', help='print the numbers of faces and bytes as json')
    add_plain(cache)


def run(options: argparse.Namespace) -> int:
    from ...datasets.crops.build import gigabytes
    from ...datasets.crops.configs import DEFAULT_FOLDER, builder_of, crop_cache_of, largest_crop, set_crop_cache
    from ...datasets.crops.index import ABOUT, About, read_about
    from ...files.processes import cores
    from ...report.browse import dataset_of

    config = read_config(options, [options.phase])
    folder = Path(options.out or crop_cache_of(config, options.phase) or DEFAULT_FOLDER)
    set_crop_cache(config, options.phase, None)  # it may not be there yet
    stored = read_about(folder) if (folder / ABOUT).exists() or options.check else About('packed')
    kind = options.kind or stored.kind
    resize = stored.resize if options.resize is None else round(options.resize * largest_crop(config, options.phase))
    with keep_stdout_for_json(options.json):
        dataset = dataset_of(config, options.phase)
        builder = builder_of(config, options.phase, folder, About(kind, resize), dataset)
        workers = options.workers or cores()
        report = builder.check() if options.check else builder.build(workers)
    if options.json:
        print(json.dumps({'folder': str(folder), **report._asdict()}))
    else:
        for error in report.errors:
            print(f'not stored: {error}')
        print(
            f'{folder}: {report.current} of {report.total} faces, {gigabytes(report.bytes)}'
            f' ({builder.about.describe()}); {report.stale} stale, {report.missing} missing'
        )
        if not options.check and report.current:
            print(f'use it: facelmk train {options.config} --crop-cache {folder}')
    return STALE if options.check and report.current < report.total else 0
