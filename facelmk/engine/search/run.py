"""Run a search: train each trial in a process of its own, and the best ones further."""

import json
import math
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from ...errors import FacelmkError, TrainingFault
from ...files.lock import locked_folder
from ...files.progress import Progress, say
from .plan import Plan, Trial, read_trials, write_trials
from .random_values import draw_at_random
from .space import Values
from .tpe import draw_by_tpe

LOCK, CONSOLE = '.search.lock', 'console.txt'
STOP_S = 60.0  # after a signal, in which a training saves its state
Command = Callable[[Values, Path], list[str]]  # values of a config, a work folder -> the command that trains there


def search(plan: Plan, folder: Path, command: Command) -> list[Trial]:
    """Train the trials of a plan and return them, the best one first; a search that was stopped continues."""
    with locked_folder(folder, LOCK):
        trials = read_trials(plan, folder)
        if trials:
            say(f'{folder} has {len(trials)} trials of this search, which continues')
        with Progress('search', sum(count for count, _ in plan.rounds()), lines=False) as progress:
            for number, (count, length) in enumerate(plan.rounds()):
                for trial in _trials_of_round(plan, trials, number, count):
                    progress.show(sum(len(other.scores) for other in trials), f'trial {trial.number}')
                    _train(plan, trial, length, folder, command)
                    write_trials(plan, trials, folder)
                    say(f'trial {trial.number} of {plan.trials}, {plan.until(length)}: {result(plan, trial)}')
                if not any(trial.scores for trial in trials):
                    raise TrainingFault(f'All {len(trials)} trials failed. The last one: {trials[-1].failure}')
        return plan.ranked(trials)


def _trials_of_round(plan: Plan, trials: list[Trial], number: int, count: int) -> Iterator[Trial]:
    """Yield what is still to be trained in a round: new trials in the first one, then the best of the round before."""
    if number:
        chosen = plan.best(trials, number - 1, count)
        yield from (trial for trial in chosen if len(trial.scores) == number and not trial.failure)
        return
    draw = draw_at_random if plan.sampler == 'random' else draw_by_tpe
    while len(trials) < count:
        values = draw(plan, trials)
        if values is None:
            say(f'all {len(trials)} combinations of the values are tried')
            return
        trials.append(Trial(len(trials) + 1, values))
        yield trials[-1]


def _train(plan: Plan, trial: Trial, length: int, folder: Path, command: Command) -> None:
    """Train a trial up to a length; a fault of the training is the failure of the trial."""
    work_dir = trial_folder(folder, trial)
    work_dir.mkdir(parents=True, exist_ok=True)
    with open(work_dir / CONSOLE, 'a', encoding='utf-8') as console:
        code = _run(command(trial.values | {plan.key: length}, work_dir), console.fileno())
    if code == 0:
        trial.scores.append(_best_figure(plan, work_dir))
        return
    lines = (work_dir / CONSOLE).read_text(encoding='utf-8', errors='replace').strip().splitlines()
    reason = lines[-1].removeprefix('facelmk: ') if lines else ''
    is_of_values = code == TrainingFault.exit_code and 'could not be written' not in reason  # a full disk
    if code > 0 and not is_of_values:
        raise FacelmkError(f'Trial {trial.number} ended with exit code {code}: {reason} ({work_dir / CONSOLE})')
    trial.failure = reason if code > 0 else f'killed by signal {-code}'


def _run(words: list[str], output: int) -> int:
    """Run a command and return its exit code; if this process is stopped, the command saves its state first."""
    process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
            process.kill()


def _best_figure(plan: Plan, work_dir: Path) -> float:
    """Return the best value of the metric in all validations of a trial."""
    values = [
        line[plan.metric]
        for file in work_dir.glob('*/vis_data/scalars.json')
        for line in _lines(file)
        if not math.isnan(line.get(plan.metric, math.nan))
    ]
    if not values:
        raise FacelmkError(
            f'{work_dir} has no validation with {plan.metric}. Is train_cfg.val_begin behind the end of the first '
            'round? Lower it, or give fewer --trials'
        )
    return float(max(values) if plan.greater else min(values))


def _lines(file: Path) -> Iterator[dict[str, float]]:
    """Yield the lines of a log; the last one may be torn, if its training was killed."""
    for text in file.read_text(encoding='utf-8').splitlines():
        with suppress(ValueError):
            yield json.loads(text)


def trial_folder(folder: Path, trial: Trial) -> Path:
    """Return the work folder of a trial."""
    return folder / f'trial_{trial.number}'


def result(plan: Plan, trial: Trial) -> str:
    """Return the figure of a trial and its values as text."""
    figure = f'failed ({trial.failure})' if trial.failure else f'{plan.metric} {trial.scores[-1]:.4g}'
    return f'{figure}  {" ".join(words_of(trial.values))}'


def words_of(values: Values) -> list[str]:
    """Return values as the words of --cfg-options."""
    return [
        f'{key}={value if isinstance(value, str) else str(value).replace(" ", "")}' for key, value in values.items()
    ]
