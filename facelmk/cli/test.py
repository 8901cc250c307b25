"""facelmk test CONFIG CHECKPOINT."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FacelmkError
from .box_options import add_boxes, choose_boxes, describe_boxes
from .early_data import refuse_missing_files
from .options import (
    add_config,
    add_run,
    check_checkpoint,
    check_loggers,
    config_file,
    drawing,
    example,
    keep_stdout_for_json,
    number_from,
    read_config,
)
from .speed_options import add_speed, put_speed, words_of_other_tools

if TYPE_CHECKING:
    from mmengine import Config

    from ..engine.console import RunLines

OF_LANDMARKS = ('dump', 'report', 'badcase', 'detail', 'baseline', 'jitter', 'boxes', 'bbox_file', 'show', 'show_dir')


translate_arguments = words_of_other_tools


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "test a checkpoint. The original HRNet's --cfg FILE.yaml --model-file FILE work, too"
    example(parser, 'facelmk test hrnetv2_w18_wflw best.pth --report report --baseline')
    add_config(parser)
    parser.add_argument(
        'checkpoint', metavar='CHECKPOINT', help='a path, a URL, or a name that `facelmk models list` prints'
    )
    add_run(parser)
    add_boxes(parser)
    add_speed(parser)
    parser.add_argument('--out', metavar='FILE', help='write the metrics into this file, too (json)')
    parser.add_argument(
        '--dump', metavar='FILE', help='write the landmarks and error of each face (json; *.pth: a tensor)'
    )
    parser.add_argument(
        '--report',
        metavar='PAGE',
        help='write one page with tables, curves and pictures: FILE.html, or a folder for index.html',
    )
    parser.add_argument(
        '--badcase',
        nargs='?',
        type=number_from('--badcase', 1),
        const=20,
        metavar='N',
        help='draw the N faces with the largest errors (default: 20)',
    )
    parser.add_argument(
        '--detail',
        action='store_true',
        help='print percentiles of the error, the error by region, normaliser and landmark, too',
    )
    parser.add_argument('--baseline', action='store_true', help='test the mean training face, too')
    parser.add_argument('--floor', dest='baseline', action='store_true', help=argparse.SUPPRESS)  # its old name
    parser.add_argument('--json', action='store_true', help='print the metrics as json')


def _check_outputs(options: argparse.Namespace, work_dir: str) -> None:
    """Refuse what cannot be written before the test runs."""
    from ..files.atomic import check_output
    from ..report.page import check_page

    jitter = Path(work_dir, 'jitter.png') if options.jitter else None
    for path in filter(None, (Path(work_dir, 'metrics.json'), options.out, options.dump, jitter)):
        check_output(path)
    if options.badcase:
        check_output(Path(work_dir, 'badcase'), folder=True)
    if options.report:
        check_page(options.report)


def _refuse_options_of_landmarks(options: argparse.Namespace) -> None:
    """Refuse options that a detector, which predicts boxes, cannot follow."""
    for name in OF_LANDMARKS:
        if getattr(options, name, None):
            raise FacelmkError(
                f'--{name.replace("_", "-")} needs landmarks, and {options.config} is the config of a face detector, '
                'which predicts boxes. Leave the option out'
            )


def _test_detector(options: argparse.Namespace, config: 'Config') -> None:
    """Test a detector: its figures are of boxes in scenes, so there is no page, baseline or picture of landmarks."""
    from ..config.build_errors import check_complete, translate_build_errors
    from ..engine.console import quiet_console
    from ..engine.ranks import translate_lost_rank_errors
    from ..engine.run import test
    from ..report.conclude_scenes import conclude_scenes

    _refuse_options_of_landmarks(options)
    check_complete(config, 'test')
    _check_outputs(options, config.work_dir)
    with translate_lost_rank_errors(), translate_build_errors(config), quiet_console(not options.verbose):
        with keep_stdout_for_json(options.json):
            runner, metrics = test(config, options.checkpoint, options.launcher, lines=_lines(options))
        conclude_scenes(runner, metrics, options.checkpoint, options.out, options.json)
        del runner


def _lines(options: argparse.Namespace) -> 'RunLines | None':
    from ..report.run_lines import TestLines

    return None if options.verbose else TestLines(options.checkpoint)


def run(options: argparse.Namespace) -> None:
    config_file(options)
    check_checkpoint(options.checkpoint)
    check_loggers(options)
    refuse_missing_files(options, 'test')
    with keep_stdout_for_json(options.json):  # the log keeps the stdout of its first message
        config = read_config(options, ['test'])
        put_speed(config, options)
    from ..config.build_errors import check_complete, translate_build_errors
    from ..engine.console import quiet_console
    from ..engine.ranks import translate_lost_rank_errors
    from ..engine.run import Drawing, test
    from ..models.face_detector import is_face_detector
    from ..report import Collector, conclude
    from ..report.studies import run_studies

    with keep_stdout_for_json(options.json):
        is_detector = is_face_detector(config.get('model') or {})
    if is_detector:
        return _test_detector(options, config)
    box_step = choose_boxes(config, options)
    check_complete(config, 'test')
    _check_outputs(options, config.work_dir)
    with translate_lost_rank_errors(), translate_build_errors(config), quiet_console(not options.verbose):
        with keep_stdout_for_json(options.json):
            runner, metrics = test(
                config,
                options.checkpoint,
                options.launcher,
                Drawing(**drawing(options, config.work_dir)),
                [Collector()],
                box_step,
                _lines(options),
            )
            studies = run_studies(runner, describe_boxes(options), options.jitter)
        dump = options.dump
        if dump is None and Path(options.config).suffix in ('.yaml', '.yml'):  # the original HRNet writes this file
            dump = str(Path(config.work_dir, 'predictions.pth'))
        conclude(
            runner,
            metrics,
            options.checkpoint,
            out=options.out,
            dump=dump,
            page=options.report,
            badcase=options.badcase,
            baseline=options.baseline,
            as_json=options.json,
            work_dir=Path(config.work_dir),
            detail=options.detail,
            studies=studies,
        )
        del runner
