"""facelmk plot logs LOG..."""

import argparse
import json
import statistics
from typing import Any

HABITS = ('plot_curve', 'cal_train_time')  # MMPose's names for what to do with logs


def arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest='what', required=True, metavar='WHAT')
    purpose = 'best epoch, time per iteration and curves of training logs'
    logs = what.add_parser('logs', help=purpose, description=purpose)
    logs.add_argument(
        'logs',
        nargs='+',
        metavar='LOG',
        help="a scalars.json, MMPose's .log.json or a work folder; first may stand "
        f'{" or ".join(HABITS)}, as in MMPose',
    )
    logs.add_argument('--keys', nargs='+', metavar='KEY', help='what to draw: loss NME lr (default: loss)')
    logs.add_argument('--out', metavar='FILE', help='write the curves here: .png, .svg, .pdf (default: curves.png)')
    logs.add_argument('--show', action='store_true', help='show the curves on the screen too')
    logs.add_argument('--title', default='', help='a title for the picture')
    logs.add_argument('--legend', nargs='+', metavar='NAME', help='a name for each log')
    logs.add_argument('--include-outliers', action='store_true', help="count each epoch's first time too")
    logs.add_argument('--json', action='store_true', help='print the summary as json')
    logs.add_argument('--backend', '--style', help=argparse.SUPPRESS)  # MMPose's, without meaning here


def run(options: argparse.Namespace) -> None:
    from ..report.logs import draw_curves, read_log

    habit = options.logs[0] if options.logs[0] in HABITS and len(options.logs) > 1 else None
    logs = [read_log(source) for source in (options.logs[1:] if habit else options.logs)]
    draw = options.out or options.show or options.keys or habit == 'plot_curve'
    told = [] if habit == 'plot_curve' else [_summary(log, options) for log in logs]
    if draw and habit != 'cal_train_time':
        drawn = draw_curves(
            logs, options.keys or ['loss'], options.out or 'curves.png', options.title, options.legend, options.show
        )
        if not options.json:
            print(f'curves: {drawn}')
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        print(*map(_text, told), sep='\n', end='\n' if told else '')


def _summary(log: Any, options: argparse.Namespace) -> dict[str, Any]:
    """What a log comes to: epochs, best figure, seconds an iteration."""
    lines = (*log.train, *log.val)
    found: dict[str, Any] = {'log': log.name, 'epochs': max(line.get('epoch') or 0 for line in lines)}
    best = log.best((options.keys or [None])[-1])
    if best is not None:
        found['best'] = dict(zip(('key', 'epoch', 'value'), best, strict=True))
    times = log.times(options.include_outliers)
    if times:
        slow, fast = max(times, key=times.get), min(times, key=times.get)
        found['seconds_per_iteration'] = {
            'mean': statistics.fmean(times.values()),
            'deviation_over_epochs': statistics.pstdev(times.values()),
            'slowest': {'epoch': slow, 'mean': times[slow]},
            'fastest': {'epoch': fast, 'mean': times[fast]},
        }
    return found


def _text(found: dict[str, Any]) -> str:
    lines = [f'{found["log"]}: {found["epochs"]} epochs']
    if 'best' in found:
        lines.append('  best {key}: {value:.4f} in epoch {epoch}'.format(**found['best']))
    if 'seconds_per_iteration' in found:
        time = found['seconds_per_iteration']
        lines += [
            f'  slowest epoch {time["slowest"]["epoch"]}, average time is {time["slowest"]["mean"]:.4f} s/iter',
            f'  fastest epoch {time["fastest"]["epoch"]}, average time is {time["fastest"]["mean"]:.4f} s/iter',
            f"  standard deviation of the epochs' times: {time['deviation_over_epochs']:.4f} s",
            f'  average iter time: {time["mean"]:.4f} s/iter',
        ]
    return '\n'.join(lines)
