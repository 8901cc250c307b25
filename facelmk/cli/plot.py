"""facelmk plot logs LOG ..."""

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import FacelmkError, MissingResource
from .options import example

CURVES = 'curves.png'
MMPOSE_ACTIONS = ('plot_curve', 'cal_train_time')


def arguments(parser: argparse.ArgumentParser) -> None:
    example(parser, 'facelmk plot logs work_dirs/quickstart --out curves.html')
    actions = parser.add_subparsers(dest='action', required=True, metavar='ACTION')
    purpose = 'print best epoch and time per iteration of training logs, draw their curves'
    logs = actions.add_parser('logs', help=purpose, description=purpose, allow_abbrev=False)
    example(logs, 'facelmk plot logs work_dirs/a work_dirs/b --keys loss NME --out c.png')
    logs.add_argument(
        'logs',
        nargs='+',
        metavar='LOG',
        help="a scalars.json, MMPose's .log.json or a work folder; the first word may be "
        f'{" or ".join(MMPOSE_ACTIONS)}, as in MMPose',
    )
    logs.add_argument(
        '--keys',
        nargs='+',
        metavar='KEY',
        help='the curves, such as loss NME lr (default: loss, lr and the metrics of the whole set)',
    )
    logs.add_argument(
        '--out',
        metavar='FILE',
        help='the curves as a page (.html) or a picture: .png, .svg, .pdf (default: curves.png)',
    )
    logs.add_argument('--show', action='store_true', help='show the curves on the screen too')
    logs.add_argument('--title', default='', help='the title of the picture')
    logs.add_argument('--legend', nargs='+', metavar='NAME', help='a name for each log')
    logs.add_argument('--include-outliers', action='store_true', help='count the first time of each epoch, too')
    logs.add_argument('--json', action='store_true', help='print the summary as json')
    logs.add_argument('--backend', '--style', help=argparse.SUPPRESS)  # options of MMPose without effect here


def run(options: argparse.Namespace) -> None:
    from ..files.atomic import check_output

    action = options.logs[0] if options.logs[0] in MMPOSE_ACTIONS and len(options.logs) > 1 else None
    sources = options.logs[1:] if action else options.logs
    for source in sources:  # before torch is imported
        if not Path(source).exists():
            raise MissingResource(
                f'{source}: no such file or folder. Give a scalars.json, a .log.json or a work folder'
            )
    draw = options.out or options.show or options.keys or action == 'plot_curve'
    if draw and action != 'cal_train_time':
        check_output(options.out or CURVES)
    from ..report.logs import read_log

    logs = [read_log(source) for source in sources]
    summaries = [] if action == 'plot_curve' else [_summary(log, options) for log in logs]
    if draw and action != 'cal_train_time':
        path = _draw(logs, options)
        if not options.json:
            print(f'curves: {path}')
    if options.json:
        print(json.dumps(summaries, indent=2))
    else:
        print(*map(_text, summaries), sep='\n', end='\n' if summaries else '')


def _draw(logs: Sequence[Any], options: argparse.Namespace) -> Path:
    """Draw the curves into a page or a picture."""
    from ..report.logs import check_keys, check_legend, draw_curves
    from ..report.page import is_page, write_page
    from ..report.training_page import default_keys, training_page

    check_legend(logs, options.legend)
    check_keys(logs, options.keys or ())
    out, keys = Path(options.out or CURVES), options.keys or default_keys(logs)
    if not is_page(out):
        return draw_curves(logs, keys, out, options.title, options.legend, options.show)
    if options.show:
        raise FacelmkError(f'--show opens a picture, and {out} is a page. Open it in a browser, or leave --show out')
    return write_page(training_page(logs, keys, options.title, options.legend or ()), out)


def _summary(log: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Return epochs, best figure and seconds per iteration of a log."""
    summary: dict[str, Any] = {'log': log.name, 'epochs': log.epochs()}
    best = log.best((options.keys or [None])[-1])
    if best is not None:
        summary['best'] = dict(zip(('key', 'epoch', 'value'), best, strict=True))
    times = log.times(options.include_outliers)
    if times:
        slow, fast = max(times, key=times.get), min(times, key=times.get)
        summary['seconds_per_iteration'] = {
            'mean': statistics.fmean(times.values()),
            'deviation_over_epochs': statistics.pstdev(times.values()),
            'slowest': {'epoch': slow, 'mean': times[slow]},
            'fastest': {'epoch': fast, 'mean': times[fast]},
        }
    return summary


def _text(summary: dict[str, Any]) -> str:
    lines = [f'{summary["log"]}: {summary["epochs"]} epochs']
    if 'best' in summary:
        lines.append('  best {key}: {value:.4f} in epoch {epoch}'.format(**summary['best']))
    if 'seconds_per_iteration' in summary:
        time = summary['seconds_per_iteration']
        lines += [
            f'  slowest epoch {time["slowest"]["epoch"]}, average time is {time["slowest"]["mean"]:.4f} s/iter',
            f'  fastest epoch {time["fastest"]["epoch"]}, average time is {time["fastest"]["mean"]:.4f} s/iter',
            f"  standard deviation of the epochs' times: {time['deviation_over_epochs']:.4f} s",
            f'  average iter time: {time["mean"]:.4f} s/iter',
        ]
    return '\n'.join(lines)
