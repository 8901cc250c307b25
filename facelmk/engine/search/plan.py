"""The plan of a search: how many trials, how long each round is, and the file that says what is done."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from mmengine import Config

from ...errors import FacelmkError
from ...files.atomic import write_bytes
from ...registry import METRICS
from ..saving.best import metric_direction, metric_directions
from .space import Space, Values

FILE = 'search.json'


@dataclass
class Trial:
    """The values of a training, and its best figure after each round; `failure` says why it has no further one."""

    number: int
    values: Values
    scores: list[float] = field(default_factory=list)
    failure: str = ''


@dataclass(frozen=True)
class Plan:
    """What a search does. The best 1 of `keep` trials are trained further in each round."""

    space: Space
    trials: int
    keep: int
    seed: int
    sampler: str
    metric: str
    greater: bool  # whether a greater figure is better
    key: str  # train_cfg.max_epochs or train_cfg.max_iters
    length: int  # its value in the config
    config: str  # the digest of the config

    def rounds(self) -> list[tuple[int, int]]:
        """Return the number of trials and the length of each round: 9, 3 and 1 trials for 6, 18 and 54 epochs."""
        last = 0
        while self.keep > 1 and self.keep ** (last + 1) <= min(self.trials, self.length):
            last += 1
        return [
            (self.trials // self.keep**i, math.ceil(self.length / self.keep ** (last - i))) for i in range(last + 1)
        ]

    def until(self, length: int) -> str:
        """Return the length of a training as text, such as 'epoch 18 of 54'."""
        return f'{"epoch" if self.key.endswith("epochs") else "iteration"} {length} of {self.length}'

    def until_round(self, count: int) -> str:
        """Return how far a trial of `count` rounds was trained."""
        return self.until(self.rounds()[count - 1][1]) if count else self.until(0)

    def best(self, trials: Sequence[Trial], number: int, count: int) -> list[Trial]:
        """Return the best `count` of the trials that were trained in a round."""
        able = [trial for trial in trials if len(trial.scores) > number]
        return sorted(able, key=lambda trial: (-1 if self.greater else 1) * trial.scores[number])[:count]

    def ranked(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return the trials of the last round, of the round before, ..., in each the best first; then the failed."""
        able = [trial for trial in trials if not trial.failure]
        groups = (
            self.best([trial for trial in able if len(trial.scores) == number + 1], number, len(able))
            for number in reversed(range(len(self.rounds())))
        )
        return [*chain.from_iterable(groups), *(trial for trial in trials if trial.failure)]

    def facts(self) -> dict[str, Any]:
        """Return the plan as json has it."""
        facts = asdict(self)
        plain: dict[str, Any] = json.loads(
            json.dumps(facts | {'space': {key: asdict(part) for key, part in self.space.items()}})
        )
        return plain


def make_plan(
    config: Config, space: Space, trials: int, keep: int, seed: int, sampler: str, metric: str | None
) -> Plan:
    """Return the plan of a search over values of a config."""
    loop, evaluator = config.get('train_cfg') or {}, config.get('val_evaluator')
    if config.get('val_dataloader') is None or not evaluator:
        raise FacelmkError(f'{config.filename}: a search compares the figures of the validation, and there is none')
    name = 'max_iters' if loop.get('max_iters') is not None else 'max_epochs'
    if key := next((key for key in space if key.startswith('train_cfg')), None):
        raise FacelmkError(f'{key}: trials are compared after equally long trainings. Search other values')
    best = ((config.get('default_hooks') or {}).get('checkpoint') or {}).get('save_best') or 'auto'
    metrics = [METRICS.build(part) for part in (evaluator if isinstance(evaluator, list) else [evaluator])]
    metric = metric or (best if isinstance(best, str) else best[0])
    if metric == 'auto':
        metric = next(iter(metric_directions(metrics)), '')
    direction = metric_direction(metric, metrics)
    if direction is None:
        known = ', '.join(metric_directions(metrics))
        raise FacelmkError(f'--metric {metric}: val_evaluator has no such metric. Known: {known}')
    digest = hashlib.sha256(config.pretty_text.encode()).hexdigest()
    return Plan(
        space, trials, keep, seed, sampler, metric, direction == 'greater', f'train_cfg.{name}', loop[name], digest
    )


def write_trials(plan: Plan, trials: Sequence[Trial], folder: Path) -> None:
    """Write the plan and its trials into the folder of the search."""
    content = {'plan': plan.facts(), 'trials': [asdict(trial) for trial in trials]}
    write_bytes(folder / FILE, json.dumps(content, indent=1).encode())


def read_trials(plan: Plan, folder: Path) -> list[Trial]:
    """Return the trials of a search that was stopped; none if there was no search in this folder."""
    file = folder / FILE
    if not file.exists():
        return []
    try:
        content = json.loads(file.read_text(encoding='utf-8'))
        earlier, trials = content['plan'], [Trial(**row) for row in content['trials']]
    except (ValueError, TypeError, KeyError) as error:
        raise FacelmkError(f'{file} is no list of trials ({error}). Delete it, or use another --work-dir') from error
    if changed := [key for key, value in plan.facts().items() if earlier.get(key) != value]:
        raise FacelmkError(
            f'{folder} has the trials of another search (not the same: {", ".join(changed)}). Use another --work-dir, '
            'or delete this folder'
        )
    return trials
