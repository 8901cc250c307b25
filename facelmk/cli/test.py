"""facelmk test CONFIG CHECKPOINT"""

import argparse
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path

from .options import add_config, add_run, drawing, from_hrnet, read_config

habits = from_hrnet


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "The original HRNet's form is taken too: --cfg FILE.yaml --model-file FILE"
    add_config(parser)
    parser.add_argument(
        'checkpoint', metavar='CHECKPOINT', help="a path, a URL, or a config's name for its published weights"
    )
    add_run(parser)
    parser.add_argument('--out', metavar='FILE', help='write the metrics to this file too (json)')
    parser.add_argument('--dump', metavar='FILE', help="write each face's landmarks and error (json; *.pth: a tensor)")
    parser.add_argument('--report', metavar='DIR', help='write a page with tables, curves and pictures')
    parser.add_argument(
        '--badcase',
        nargs='?',
        type=int,
        const=20,
        metavar='N',
        help='draw the N faces with the largest errors (default: 20)',
    )
    parser.add_argument('--baseline', '--floor', action='store_true', help='also test the mean training face')
    parser.add_argument('--json', action='store_true', help='print the metrics as json')


def run(options: argparse.Namespace) -> None:
    from ..config.build_errors import check_complete, translate_build_errors
    from ..engine.ranks import among_ranks
    from ..engine.run import Drawing, test
    from ..report import Collector, conclude

    config = read_config(options)
    check_complete(config, 'test')
    with among_ranks(), translate_build_errors(config):
        with redirect_stdout(sys.stderr) if options.json else nullcontext():  # the log must not stand in the json
            runner, metrics = test(
                config,
                options.checkpoint,
                options.launcher,
                Drawing(**drawing(options, config.work_dir)),
                [Collector()],
            )
        dump = options.dump
        if dump is None and Path(options.config).suffix in ('.yaml', '.yml'):  # the original HRNet leaves this file
            dump = str(Path(config.work_dir, 'predictions.pth'))
        conclude(
            runner,
            metrics,
            options.checkpoint,
            out=options.out,
            dump=dump,
            page=options.report,
            badcase=options.badcase,
            floor=options.baseline,
            as_json=options.json,
            work_dir=Path(config.work_dir),
        )
        del runner
