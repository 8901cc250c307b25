"""facelmk models stats CONFIG, facelmk models publish IN OUT."""

import argparse
import hashlib
import json
from datetime import date
from pathlib import Path

from .options import add_action, add_actions, add_config, number_from, read_config


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = add_actions(parser, 'facelmk models stats hrnetv2_w18_wflw')
    purpose = 'print parameters and multiply-accumulates of a model, by part'
    stats = add_action(actions, 'stats', _stats, purpose, 'facelmk models stats hrnetv2_w18_wflw --shape 256')
    add_config(stats)
    stats.add_argument(
        *('--shape', '--input-shape'),
        nargs='+',
        type=number_from('--shape', 1),
        default=[256],
        metavar='PIXELS',
        help='side of the crop (default: 256)',
    )
    stats.add_argument('--device', help=argparse.SUPPRESS)  # MMPose's; the counts are the same on each device
    stats.add_argument('--batch-size', type=int, default=1, help=argparse.SUPPRESS)  # MMPose's
    stats.add_argument('--json', action='store_true', help='print the numbers as json')
    purpose = 'write a small checkpoint to publish: weights only, with its hash in the name'
    command = 'facelmk models publish work_dirs/mine/epoch_60.pth mine.pth'
    publish = add_action(actions, 'publish', _publish, purpose, command)
    publish.add_argument('source', metavar='IN', help='a checkpoint of a training run')
    publish.add_argument('target', metavar='OUT', help='the file to write; its name becomes OUT-<hash>_<date>.pth')
    publish.add_argument('--markup', metavar='NAME', help='keep one landmark scheme of a network that joins several')
    publish.add_argument('--json', action='store_true', help='print its path and sha256 as json')


def run(options: argparse.Namespace) -> None:
    options.act(options)


def _stats(options: argparse.Namespace) -> None:
    from ..errors import FacelmkError
    from ..report.model_stats import model_cost

    if len(set(options.shape)) > 1:
        raise FacelmkError(f'--shape {" ".join(map(str, options.shape))}: crops are square. Give one number')
    if options.batch_size != 1:
        raise FacelmkError(f'--batch-size {options.batch_size}: the counts are those of one crop. Multiply them')
    config, size = read_config(options), options.shape[0]
    rows = model_cost(config, size)
    if options.json:
        parts = [vars(row) for row in rows]
        print(json.dumps({'config': Path(config.filename).stem, 'shape': [3, size, size], 'parts': parts}, indent=2))
        return
    print(f'{Path(config.filename).stem}, one crop of {size} x {size} pixels, without flip test')
    print(f'{"part":<14}{"parameters":>14}{"GMACs":>10}{"GFLOPs":>10}')
    for row in rows:
        print(f'{row.part:<14}{row.parameters:>14,}{row.macs / 1e9:>10.4f}{2 * row.macs / 1e9:>10.4f}')
    print(
        'One MAC is a multiplication and an addition: two FLOPs. MMPose prints MACs under the name FLOPs.\n'
        'Only convolutions and matrix products count.'
    )


def _publish(options: argparse.Namespace) -> None:
    from ..files.atomic import check_output

    check_output(Path(options.target).parent, folder=True)
    from ..checkpoint import publish

    path = publish(options.source, options.target, options.markup, date.today())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(json.dumps({'file': str(path), 'sha256': digest}) if options.json else f'{path}\nsha256 {digest}')
