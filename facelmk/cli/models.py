"""facelmk models list, show, get: the zoo. facelmk models stats CONFIG, facelmk models publish IN OUT."""

import argparse
import json
from datetime import date
from pathlib import Path

from .options import add_action, add_actions, add_config, add_plain, check_checkpoint, number_from, read_config


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = add_actions(parser, "facelmk models list '*300w*'")
    purpose = 'list the models with weights'
    listing = add_action(actions, 'list', _list, purpose, "facelmk models list '*300w*'")
    listing.add_argument('pattern', nargs='?', default='*', metavar='PATTERN', help='of names or landmark schemes')
    listing.add_argument('--json', action='store_true', help='print all that is known as json')
    purpose = 'print all that is known of one model'
    show = add_action(actions, 'show', _show, purpose, 'facelmk models show facelmk_nano')
    show.add_argument('name', metavar='NAME', help='a model of `facelmk models list`')
    show.add_argument('--json', action='store_true', help='print it as json')
    purpose = 'print the path of the weights of a model; they are downloaded if this machine does not have them'
    get = add_action(actions, 'get', _get, purpose, 'facelmk models get facelmk_nano --out weights')
    get.add_argument('name', metavar='NAME', help='a model of `facelmk models list`')
    get.add_argument('--out', metavar='DIR', help='copy the file into this folder')
    add_plain(get)
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
    publish.add_argument(
        'target',
        metavar='OUT',
        help='the file to write; its name becomes OUT-<hash>_<date>.pth, or .safetensors if OUT ends so',
    )
    publish.add_argument('--markup', metavar='NAME', help='keep one landmark scheme of a network that joins several')
    publish.add_argument('--half', action='store_true', help='store the weights of convolutions as float16')
    publish.add_argument(
        '--config', metavar='CONFIG', help='write this config into the file, so that it can be loaded without one'
    )
    publish.add_argument('--json', action='store_true', help='print its path and sha256 as json')


def run(options: argparse.Namespace) -> None:
    options.act(options)


def _list(options: argparse.Namespace) -> None:
    from ..errors import UnknownName, did_you_mean
    from ..zoo import find_model, list_models
    from ..zoo.listing import line_of

    names = list_models(options.pattern)
    if not names:
        raise UnknownName(
            f'no model of the zoo matches {options.pattern!r}. {did_you_mean(options.pattern, list_models())} '
            '`facelmk models list` shows all'
        )
    if options.json:
        print(json.dumps([find_model(name).to_dict() for name in names], indent=2))
        return
    width = max(map(len, names))
    print(f'{"model":<{width}}  {"scheme":<20}{"M params":>9}{"GMACs":>8}{"NME":>7}  weights')
    for line in map(line_of, names):
        nme = '' if line.NME is None else f'{line.NME:.2f}'
        numbers = f'{line.parameters / 1e6:>9.2f}{line.macs / 1e9:>8.2f}{nme:>7}'
        print(f'{line.name:<{width}}  {line.scheme:<20}{numbers}  {line.weights}')
    print(
        'NME: the first of its figures, in per cent; they are on different data. `facelmk models show NAME` has all of '
        'them, the protocol and the licences.'
    )


def _show(options: argparse.Namespace) -> None:
    from ..zoo import find_model

    values = find_model(options.name).to_dict()
    if options.json:
        print(json.dumps(values, indent=2))
        return
    for key, value in values.items():
        if isinstance(value, dict):
            value = '; '.join(f'{name}: {text}' for name, text in value.items())
        absent = 'not measured' if key in ('cpu_ms', 'cpu') else '-'
        print(f'{key:<12}{absent if value in (None, "", []) else value}')


def _get(options: argparse.Namespace) -> None:
    from ..files.atomic import check_output, write_bytes
    from ..zoo import find_model

    model = find_model(options.name)
    if options.out is None:
        print(model.get())
        return
    check_output(options.out, folder=True)
    path = model.get()
    target = Path(options.out, Path(model.file or model.url or path).name)
    write_bytes(target, path.read_bytes())
    print(target)


def _stats(options: argparse.Namespace) -> None:
    from ..errors import FacelmkError

    if len(set(options.shape)) > 1:
        raise FacelmkError(f'--shape {" ".join(map(str, options.shape))}: crops are square. Give one number')
    if options.batch_size != 1:
        raise FacelmkError(f'--batch-size {options.batch_size}: the counts are those of one crop. Multiply them')
    config, size = read_config(options), options.shape[0]
    from ..report.model_stats import model_cost

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
    from ..config import find_config
    from ..files.atomic import check_output

    check_output(Path(options.target).parent, folder=True)
    check_checkpoint(options.source)
    config = find_config(options.config) if options.config else None
    from ..checkpoint import publish
    from ..config import load_config
    from ..files.digest import sha256_of

    config_text = None if config is None else load_config(config).pretty_text
    path = publish(options.source, options.target, options.markup, date.today(), options.half, config_text)
    digest = sha256_of(path)
    print(json.dumps({'file': str(path), 'sha256': digest}) if options.json else f'{path}\nsha256 {digest}')
