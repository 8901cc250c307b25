"""Options that several verbs share."""

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError, close_names, did_you_mean

if TYPE_CHECKING:
    from mmengine import Config


REMOVED = {  # options of MMPose's tools, and what to write here instead
    '--resume-from': '--resume CHECKPOINT',
    '--auto-resume': '--resume',
    '--load-from': '--cfg-options load_from=FILE',
    '--seed': '--cfg-options randomness.seed=N',
    '--deterministic': '--cfg-options randomness.deterministic=True',
    '--gpus': 'tools/dist_train.sh CONFIG GPUS',
    '--gpu-ids': 'CUDA_VISIBLE_DEVICES=N',
    '--gpu-id': 'CUDA_VISIBLE_DEVICES=N',
    '--options': '--cfg-options',
    '--autoscale-lr': '--auto-scale-lr',
    '--eval': 'val_evaluator and test_evaluator of the config',
    '--fuse-conv-bn': 'nothing: the results are the same',
}


class Parser(argparse.ArgumentParser):
    """argparse's parser, and those below it; the error of a wrong choice also gives the names near to it."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            if close := close_names(str(value), map(str, action.choices or ())):
                error.message = f'{error.message}. Did you mean {" or ".join(map(repr, close))}?'
            raise


def example(parser: argparse.ArgumentParser, command: str) -> None:
    """End the help of a verb with an example."""
    parser.epilog = f'example: {command}'


def add_actions(parser: argparse.ArgumentParser, command: str) -> Any:
    """Return the place for the actions of a verb, whose help ends with an example."""
    example(parser, command)
    return parser.add_subparsers(dest='action', required=True, metavar='ACTION')


def add_action(
    actions: Any, name: str, act: Callable[..., Any], purpose: str, command: str, details: str = ''
) -> argparse.ArgumentParser:
    """Add an action that calls `act`, with its purpose and an example in its help."""
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=purpose, description=purpose + details, allow_abbrev=False
    )
    example(parser, command)
    parser.set_defaults(act=act)
    return parser


def keep_stdout_for_json(as_json: bool) -> AbstractContextManager[Any]:
    """With --json, send what else is printed to stderr: the json alone goes to stdout."""
    return redirect_stdout(sys.stderr) if as_json else nullcontext()


def unknown_argument(word: str, parser: argparse.ArgumentParser) -> str:
    """Return the message for an argument that a verb does not take."""
    name = word.partition('=')[0]
    if name in REMOVED:
        return f'{name} is an option of MMPose. Use here: {REMOVED[name]}'
    if not name.startswith('-'):
        return f'unknown argument {word!r}. See {parser.prog} --help'
    below = [action.choices.values() for action in parser._actions if isinstance(action.choices, dict)]
    parsers = [parser, *(sub for subs in below for sub in subs)]
    known = {option for sub in parsers for option in sub._option_string_actions if option.startswith('--')}
    return f'{parser.prog} has no option {name}. {did_you_mean(name, known)}'


def number_from(option: str, least: float, kind: type = int) -> Callable[[str], Any]:
    """Return the argparse type of a number that is at least `least`."""

    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value < math.inf:
            raise FacelmkError(f'{option} {text}: expected {"an integer" if kind is int else "a number"} >= {least}')
        return value

    return read


def add_config(parser: argparse.ArgumentParser) -> None:
    """CONFIG and the options for reading it."""
    parser.add_argument('config', metavar='CONFIG', help='a config file, or the name of one that comes with facelmk')
    add_config_options(parser)


def add_config_options(
    parser: argparse.ArgumentParser,
    data_help: str = "the folder of the data set, instead of the config's own",
    metavar: str = 'DIR',
) -> None:
    """--data, --cfg-options and --safe-config."""
    parser.add_argument('--data', metavar=metavar, help=data_help)
    add_cfg_options(parser)
    add_safe(parser)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """--cfg-options."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        metavar='KEY=VALUE',
        help='replace values of the config, such as model.flip_test=False',
    )


def add_origin(parser: Any) -> None:
    """--origin."""
    parser.add_argument(
        '--origin',
        type=int,
        choices=(0, 1),
        help="the number of the first pixel in the annotations; 300W's .pts count from 1 (default: 0, in MATLAB's "
        'files 1)',
    )


def add_safe(parser: argparse.ArgumentParser) -> None:
    """--safe-config."""
    parser.add_argument(
        '--safe-config',
        action='store_true',
        help='refuse a config file that holds more than data; no code in it is run',
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Options of training and test: work folder, drawings, distributed start."""
    parser.add_argument('--work-dir', help='the folder for logs and checkpoints (default: work_dirs/<config>)')
    parser.add_argument('--show-dir', help='draw predictions into this folder')
    parser.add_argument('--show', action='store_true', help='draw predictions on the screen')
    parser.add_argument(
        '--interval', type=number_from('--interval', 1), default=1, help='draw every n-th face (default: 1)'
    )
    parser.add_argument(
        '--wait-time',
        type=number_from('--wait-time', 0, float),
        default=1.0,
        help='seconds each drawing stays on the screen',
    )
    parser.add_argument(
        '--launcher',
        choices=('none', 'pytorch', 'slurm', 'mpi'),
        default='none',
        help='the program that started the processes of a distributed run',
    )
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument(
        '-v',
        '--verbose',
        action='store_true',
        help="print all lines of the log: machine, hooks, config, and mmengine's line every few iterations",
    )
    add_plain(parser)
    parser.add_argument(
        '--logger',
        nargs='+',
        action='extend',
        choices=('tensorboard', 'wandb', 'mlflow'),
        metavar='NAME',
        help='write the figures to tensorboard, wandb or mlflow, too; each needs its package',
    )


def add_plain(parser: argparse.ArgumentParser) -> None:
    """--plain."""
    parser.add_argument(
        '--plain', action='store_true', help='show progress as a few plain lines, as without a terminal, not as a bar'
    )


def from_hrnet(words: Sequence[str]) -> list[str]:
    """Translate the original HRNet's `VERB --cfg F.yaml --model-file F.pth` into `VERB CONFIG CHECKPOINT`."""
    values, others, remaining = {}, [], iter(words)
    for word in remaining:
        flag, equals, value = word.partition('=')
        if flag in ('--cfg', '--model-file'):
            values[flag] = value if equals else next(remaining, '')
        else:
            others.append(word)
    for position, flag in ((1, '--cfg'), (2, '--model-file')):
        others[position:position] = [values[flag]] if flag in values else []
    return others


def read_config(options: argparse.Namespace, phases: Sequence[str] = ('train', 'val', 'test')) -> 'Config':
    """Return the config with the values of the command line; a misspelt name is refused before torch is imported.

    `phases` are those whose data the command reads; --data moves them.
    """
    path, cfg_options = config_file(options), values(options.cfg_options or ())
    _check_folders(options)
    from ..config import load_config  # imports torch, which --help and a misspelt name do not need

    config = load_config(path, cfg_options, getattr(options, 'safe_config', False))
    if getattr(options, 'data', None):
        from ..config.folders import move_data

        move_data(config, options.data, phases)
    if getattr(options, 'work_dir', None):
        config.work_dir = options.work_dir
    if getattr(options, 'logger', None):
        from ..config.loggers import add_loggers

        add_loggers(config, options.logger)
    if 'work_dir' in options:
        from ..config.folders import check_writable

        check_writable(config.work_dir)
    if 'local_rank' in options:
        os.environ.setdefault('LOCAL_RANK', str(options.local_rank))
    return config


def check_loggers(options: argparse.Namespace) -> None:
    """Refuse a --logger whose package is not installed before torch is imported."""
    from ..config.loggers import check_loggers

    check_loggers(options.logger or ())


def config_file(options: argparse.Namespace) -> Path:
    """Return the file of CONFIG; it is looked for once, because names of other projects are answered with a warning."""
    if 'config_file' not in options:
        from ..config import find_config

        options.config_file = find_config(options.config)
    path: Path = options.config_file
    return path


def _check_folders(options: argparse.Namespace) -> None:
    """Refuse a folder of data that does not exist, and a work folder that cannot be written into."""
    from ..config.folders import check_data_folder, check_writable

    if getattr(options, 'data', None):
        check_data_folder(options.data)
    if getattr(options, 'work_dir', None):
        check_writable(options.work_dir)


def check_checkpoint(source: str | None) -> None:
    """Refuse a checkpoint that does not exist before torch is imported; nothing is downloaded yet."""
    if source:
        from ..checkpoint import locate_checkpoint

        locate_checkpoint(source)


def values(pairs: Iterable[str]) -> dict[str, Any]:
    """Return {dotted key: value} of KEY=VALUE, in mmengine's notation: numbers, True, None, [1,2], (a,b), text."""
    pairs, parsed = list(pairs), dict[str, Any]()
    if wrong := [pair for pair in pairs if '=' not in pair]:
        raise FacelmkError(f'--cfg-options {wrong[0]}: write KEY=VALUE, without spaces around the =')
    if not pairs:
        return parsed
    from mmengine import DictAction

    from ..config.evaluate import ERRORS, MAX_RESULT, Budget

    for key, value in (pair.split('=', 1) for pair in pairs):
        if value[:1] in ('{', '"'):
            raise FacelmkError(
                f'--cfg-options {key}={value}: a dict is not possible here. Give its keys one by one: {key}.name=value'
            )
        try:
            parsed[key] = DictAction._parse_iterable(value)
        except (AssertionError, RecursionError) as error:  # mmengine's errors for brackets that do not match
            raise FacelmkError(
                f'--cfg-options {key}={value}: the brackets do not match. Write lists as [1,2], tuples '
                'as (1,2), all of it in quotes'
            ) from error
        try:
            Budget(MAX_RESULT).spend_all(parsed[key])  # as for the values of a file
        except (MemoryError, *ERRORS) as error:
            raise FacelmkError(f'--cfg-options {key}={value[:80]}: {error}. Put such a value into a config') from error
    return parsed


def drawing(options: argparse.Namespace, work_dir: str) -> dict[str, Any]:
    """Return the arguments of `engine.run.Drawing`."""
    folder = None if options.show_dir is None else str(Path(work_dir, options.show_dir))
    if folder is not None:
        from ..files.atomic import check_output

        check_output(folder, folder=True)
    return dict(folder=folder, show=options.show, interval=options.interval, wait=options.wait_time)
