"""facelmk train CONFIG."""

import argparse
from collections.abc import Sequence

from ..errors import FacelmkError
from .options import add_config, add_run, drawing, example, from_hrnet, read_config
from .speed_options import add_speed, put_speed, words_of_amp


def translate_arguments(words: Sequence[str]) -> list[str]:
    """Translate the options of the original HRNet, and those of MMPose."""
    return words_of_amp(from_hrnet(words))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "train a model. The original HRNet's --cfg FILE.yaml works, too"
    example(parser, 'facelmk train hrnetv2_w18_wflw --resume --fast')
    add_config(parser)
    add_run(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from this checkpoint, or from the newest one of the work folder',
    )
    add_speed(parser, training=True)
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the real batch size')
    parser.add_argument('--no-validate', action='store_true', help='train without validation')


def run(options: argparse.Namespace) -> None:
    from ..config.build_errors import check_complete, translate_build_errors
    from ..engine.ranks import translate_lost_rank_errors
    from ..engine.run import Drawing, train

    config = read_config(options)
    put_speed(config, options)
    resume = 'auto' if options.resume is None and config.get('resume') else options.resume
    if resume == '':
        raise FacelmkError('--resume is empty. Name a checkpoint, or leave the = out to use the newest one')
    check_complete(config, 'train', () if options.no_validate else ('val',))
    with translate_lost_rank_errors(), translate_build_errors(config):
        train(
            config,
            resume,
            scale_rate=options.auto_scale_lr,
            validate=not options.no_validate,
            launcher=options.launcher,
            drawing=Drawing(**drawing(options, config.work_dir)),
        )
