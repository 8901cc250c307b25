"""facelmk train CONFIG, and facelmk train --data DIR|FILE for annotations of one's own."""

import argparse
import os
from pathlib import Path

from ..errors import FacelmkError
from .early_data import refuse_missing_files
from .options import (
    add_config_options,
    add_run,
    check_checkpoint,
    check_loggers,
    config_file,
    drawing,
    example,
    number_from,
    read_config,
)
from .own_data import add_own_data, check_own_options, own_config, report_end, report_start
from .speed_options import add_speed, put_speed, words_of_other_tools

DEFAULT_CROP_CACHE = 'data/crop_cache'  # written again: its module imports torch, which --help does not need


DATA_HELP = (
    "with CONFIG: the folder of its data set, instead of the config's own. Without CONFIG: a folder or a file of your "
    'own annotations'
)
translate_arguments = words_of_other_tools


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "train a model: that of a config, or with --data alone one for your own annotations. The original HRNet's "
        '--cfg FILE.yaml works, too'
    )
    example(parser, 'facelmk train --data my_faces')
    parser.add_argument(
        'config', metavar='CONFIG', nargs='?', help='a config file, or the name of one that comes with facelmk'
    )
    add_config_options(parser, DATA_HELP, 'DIR|FILE')
    add_own_data(parser)
    add_run(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from this checkpoint, or from the newest one of the work folder',
    )
    parser.add_argument(
        '--crop-cache',
        nargs='?',
        const=DEFAULT_CROP_CACHE,
        metavar='DIR',
        help=f'read pictures from the folder that `facelmk data cache` made (default: {DEFAULT_CROP_CACHE})',
    )
    parser.add_argument(
        '--workers',
        type=_workers,
        metavar='N',
        help="processes that load pictures (default: the config's number); auto: as many as a short probe needs",
    )
    add_speed(parser, training=True)
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the real batch size')
    parser.add_argument('--no-validate', action='store_true', help='train without validation')


def _workers(text: str) -> int | str:
    """Return the value of --workers: 'auto' or a whole number from 0."""
    return text if text == 'auto' else int(number_from('--workers', 0)(text))


def run(options: argparse.Namespace) -> None:
    check_own_options(options)
    is_own = options.config is None
    if is_own:
        options.config, options.data = str(own_config(options)), None
    config_file(options)
    if options.resume != 'auto' and not os.path.isdir(options.resume or '.'):
        check_checkpoint(options.resume)
    check_loggers(options)
    refuse_missing_files(options, 'train', 'val')
    config = read_config(options, ['train'] if options.no_validate else ['train', 'val'])
    put_speed(config, options)
    from ..config.build_errors import check_complete, translate_build_errors
    from ..engine.console import quiet_console
    from ..engine.ranks import translate_lost_rank_errors
    from ..engine.run import Drawing, train
    from ..report.run_lines import TrainingLines

    resume = 'auto' if options.resume is None and config.get('resume') else options.resume
    if resume == '':
        raise FacelmkError('--resume is empty. Name a checkpoint, or leave the = out to use the newest one')
    if options.workers is not None:
        config.train_dataloader.update(num_workers=options.workers, persistent_workers=options.workers != 0)
    if options.crop_cache is not None:
        from ..datasets.crops.configs import set_crop_cache
        from ..datasets.crops.index import read_about

        read_about(Path(options.crop_cache))  # it must be there before a work folder is made
        set_crop_cache(config, 'train', options.crop_cache)
    check_complete(config, 'train', () if options.no_validate else ('val',))
    with translate_lost_rank_errors(), translate_build_errors(config), quiet_console(not options.verbose):
        start = report_start(config) if is_own else None
        runner = train(
            config,
            resume,
            scale_rate=options.auto_scale_lr,
            validate=not options.no_validate,
            launcher=options.launcher,
            drawing=Drawing(**drawing(options, config.work_dir)),
            lines=None if options.verbose else TrainingLines(),
        )
        if start is not None:
            best = runner.message_hub.get_info('best_ckpt') or runner.message_hub.get_info('last_ckpt')
            report_end(config, Path(options.config), start, str(Path(config.work_dir, Path(best).name)))
