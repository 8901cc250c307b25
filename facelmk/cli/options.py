"""Options that several verbs share."""
import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError

if TYPE_CHECKING:
    from mmengine import Config


def add_config(parser: argparse.ArgumentParser) -> None:
    """CONFIG, --data and --cfg-options."""
    parser.add_argument('config', metavar='CONFIG', help='a config file, or the name of one that comes with facelmk')
    parser.add_argument('--data', metavar='DIR', help="where the data set lies, in place of the config's own folder")
    parser.add_argument('--cfg-options', nargs='+', action='extend', metavar='KEY=VALUE',
                        help='replace values of the config: model.flip_test=False')


def add_run(parser: argparse.ArgumentParser) -> None:
    """Where a run writes, what it draws, and with whom it runs."""
    parser.add_argument('--work-dir', help='where logs and checkpoints go (default: work_dirs/<config>)')
    parser.add_argument('--show-dir', help='draw predictions into this folder')
    parser.add_argument('--show', action='store_true', help='draw predictions on the screen')
    parser.add_argument('--interval', type=int, default=1, help='draw every so many faces (default: 1)')
    parser.add_argument('--wait-time', type=float, default=1., help='seconds that a picture stays on the screen')
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none',
                        help='who started the ranks of a distributed run')
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0, help=argparse.SUPPRESS)


def from_hrnet(words: Sequence[str]) -> list[str]:
    """The original HRNet's `VERB --cfg F.yaml --model-file F.pth` as `VERB CONFIG CHECKPOINT`."""
    given, rest, left = {}, [], iter(words)
    for word in left:
        flag, equals, value = word.partition('=')
        if flag in ('--cfg', '--model-file'):
            given[flag] = value if equals else next(left, '')
        else:
            rest.append(word)
    for place, flag in ((1, '--cfg'), (2, '--model-file')):
        rest[place:place] = [given[flag]] if flag in given else []
    return rest


def read_config(options: argparse.Namespace) -> 'Config':
    """The config with what the command line says of it."""
    from ..engine.config import load_config  # brings torch, which --help does without

    config = load_config(options.config, _values(options.cfg_options or ()))
    if getattr(options, 'data', None):
        from ..engine.folders import move_data

        move_data(config, options.data)
    if getattr(options, 'work_dir', None):
        config.work_dir = options.work_dir
    if 'local_rank' in options:
        os.environ.setdefault('LOCAL_RANK', str(options.local_rank))
    return config


def _values(pairs: Iterable[str]) -> dict[str, Any]:
    """Dotted keys and what stands behind '=', read as mmengine reads it: numbers, True, None, [1,2], (a,b), text."""
    from mmengine import DictAction

    if wrong := [pair for pair in pairs if '=' not in pair]:
        raise FacelmkError(f'--cfg-options {wrong[0]}: write KEY=VALUE, without spaces around the =')
    return {key: DictAction._parse_iterable(value) for key, value in (pair.split('=', 1) for pair in pairs)}


def drawing(options: argparse.Namespace, work_dir: str) -> dict[str, Any]:
    """The arguments of `engine.run.Drawing`."""
    folder = None if options.show_dir is None else str(Path(work_dir, options.show_dir))
    return dict(folder=folder, show=options.show, interval=options.interval, wait=options.wait_time)
