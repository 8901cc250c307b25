"""facelmk train CONFIG."""

import argparse
import os

from ..errors import FacelmkError
from .options import add_config, add_run, check_checkpoint, config_file, drawing, example, from_hrnet, read_config

translate_arguments = from_hrnet


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "train a model. The original HRNet's --cfg FILE.yaml works, too"
    example(parser, 'facelmk train hrnetv2_w18_wflw --resume --amp')
    add_config(parser)
    add_run(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from this checkpoint, or from the newest one of the work folder',
    )
    parser.add_argument('--amp', action='store_true', help='use mixed precision')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the real batch size')
    parser.add_argument('--no-validate', action='store_true', help='train without validation')


def run(options: argparse.Namespace) -> None:
    config_file(options)
    if options.resume != 'auto' and not os.path.isdir(options.resume or '.'):
        check_checkpoint(options.resume)
    config = read_config(options)
    from ..config.build_errors import check_complete, translate_build_errors
    from ..engine.ranks import translate_lost_rank_errors
    from ..engine.run import Drawing, train

    resume = 'auto' if options.resume is None and config.get('resume') else options.resume
    if resume == '':
        raise FacelmkError('--resume is empty. Name a checkpoint, or leave the = out to use the newest one')
    check_complete(config, 'train', () if options.no_validate else ('val',))
    with translate_lost_rank_errors(), translate_build_errors(config):
        train(
            config,
            resume,
            options.amp,
            options.auto_scale_lr,
            not options.no_validate,
            options.launcher,
            Drawing(**drawing(options, config.work_dir)),
        )
