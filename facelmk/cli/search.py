"""facelmk search CONFIG KEY=LOW:HIGH ..."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from .early_data import refuse_missing_files
from .options import add_config, add_plain, config_file, example, keep_stdout_for_json, number_from, read_config, values


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        'search values of a config, such as the learning rate: train several for a short time, and the best ones '
        'further. A search that was stopped continues with the same command'
    )
    example(parser, 'facelmk search quickstart optim_wrapper.optimizer.lr=3e-4:1e-2:log')
    add_config(parser)
    parser.add_argument(
        'ranges',
        metavar='KEY=RANGE',
        nargs='+',
        help='LOW:HIGH, LOW:HIGH:log (each factor of ten is as likely as the next), or a list such as 16,32,64',
    )
    parser.add_argument(
        '--trials', type=number_from('--trials', 1), default=9, metavar='N', help='trainings of the first round (9)'
    )
    parser.add_argument(
        '--keep',
        type=number_from('--keep', 1),
        default=3,
        metavar='N',
        help='the best 1 of N trials are trained N times as long in the next round, until the length of the config is '
        'reached (default: 3; 1 trains all trials to the end)',
    )
    parser.add_argument(
        '--metric', metavar='NAME', help='the figure of the validation that is compared (default: that of save_best)'
    )
    parser.add_argument('--seed', type=number_from('--seed', 0), default=0, help='of the drawn values (default: 0)')
    parser.add_argument(
        '--sampler',
        choices=('random', 'tpe'),
        default='random',
        help='random values, or those that Optuna expects to be good, which needs its package (default: random)',
    )
    parser.add_argument(
        '--work-dir', metavar='DIR', help='the folder of all trials (default: work_dirs/search/<config>)'
    )
    parser.add_argument('--json', action='store_true', help='print the trials as json, the best one first')
    add_plain(parser)


def run(options: argparse.Namespace) -> None:
    from ..engine.search.space import read_space
    from ..engine.search.tpe import check_optuna

    space = read_space(options.ranges, lambda text: values([f'list={text}'])['list'])
    if options.sampler == 'tpe':
        check_optuna()
    path = config_file(options)
    refuse_missing_files(options, 'train', 'val')
    options.work_dir = options.work_dir or str(Path('work_dirs', 'search', path.stem))
    config = read_config(options)
    _check_values(options, space)
    from ..engine.search.plan import make_plan
    from ..engine.search.run import search

    plan = make_plan(config, space, options.trials, options.keep, options.seed, options.sampler, options.metric)
    folder = Path(options.work_dir)
    with keep_stdout_for_json(options.json):
        rounds = ', '.join(f'{count} up to {plan.until(length)}' for count, length in plan.rounds())
        print(f'search {path.stem} by {plan.metric}, writes to {folder}; trials: {rounds}', flush=True)
        trials = search(plan, folder, lambda chosen, work_dir: _training(options, chosen, work_dir))
    _report(options, plan, trials, folder)


def _check_values(options: argparse.Namespace, space: Any) -> None:
    """Refuse a key that the config does not have, and a value that it does not take, before anything is trained."""
    from ..config import load_config

    fixed = values(options.cfg_options or ())
    for key, part in space.items():
        for value in part.ends():
            load_config(config_file(options), fixed | {key: value}, options.safe_config)


def _training(options: argparse.Namespace, chosen: Any, work_dir: Path) -> list[str]:
    """Return the command that trains values of the config in a work folder, or continues there."""
    from ..engine.search.run import words_of

    return [
        *(sys.executable, '-m', 'facelmk.cli', 'train', str(options.config), '--work-dir', str(work_dir), '--plain'),
        *('--resume', '--cfg-options', *(options.cfg_options or ()), *words_of(chosen)),
        *_shared(options),
    ]


def _shared(options: argparse.Namespace) -> list[str]:
    """Return the options of a search that its trainings have, too."""
    return [*(['--data', options.data] if options.data else []), *(['--safe-config'] if options.safe_config else [])]


def _report(options: argparse.Namespace, plan: Any, trials: Any, folder: Path) -> None:
    """Print the trials, the best one first, and the command that trains with its values."""
    from ..engine.search.run import result, trial_folder, words_of
    from ..report.record import to_json

    best = trials[0]
    if options.json:
        print(to_json({'metric': plan.metric, 'trials': [vars(trial) for trial in trials]}))
        return
    print('best first:')
    for trial in trials:
        print(f'  trial {trial.number}, {plan.until_round(len(trial.scores))}: {result(plan, trial)}')
    own = trial_folder(folder, best)
    files = own.glob(f'best_{plan.metric.replace("/", "_")}_*.pth')  # as mmengine names them
    print(f'weights: {max(files, key=lambda file: file.stat().st_mtime, default=own)}')
    words = [str(options.config), '--cfg-options', *(options.cfg_options or ()), *words_of(best.values)]
    print(f'again: facelmk train {shlex.join([*words, *_shared(options)])}')
