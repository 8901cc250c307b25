"""Hyper-parameter search: ranges, rounds, failures, a stopped search. The trainings are small programs."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facelmk.engine.search.plan import FILE, Plan, Trial, make_plan
from facelmk.engine.search.random_values import draw_at_random
from facelmk.engine.search.run import search, words_of
from facelmk.engine.search.space import Choice, Range, read_space
from facelmk.errors import FacelmkError, TrainingFault

# writes a validation with the error (lr - 1)^2 + 1 / epochs, after one that is worse; lr above 8 is a fault
TRAINING = """
import json, pathlib, sys
lr, epochs, folder = float(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
if lr > 8:
    sys.exit(print('facelmk: the loss is not finite') or 5)
log = folder / str(epochs) / 'vis_data' / 'scalars.json'
log.parent.mkdir(parents=True)
error = (lr - 1) ** 2 + 1 / epochs
log.write_text(''.join(json.dumps({'NME': value, 'step': epochs}) + chr(10) for value in (error + 9, error)))
"""
PLAN = Plan({'lr': Range(0.01, 10.0, log=True)}, 9, 3, 0, 'random', 'NME', False, 'train_cfg.max_epochs', 54, 'digest')


class Trainings:
    """The command of a search, which remembers what was trained."""

    def __init__(self, script: str = TRAINING) -> None:
        self.script, self.rows = script, list[tuple[float, int]]()

    def __call__(self, values: dict[str, Any], work_dir: Path) -> list[str]:
        self.rows.append((values['lr'], values['train_cfg.max_epochs']))
        return [sys.executable, '-S', '-c', self.script, *map(str, self.rows[-1]), str(work_dir)]


def read(word: str) -> Any:
    (part,) = read_space([word], json.loads).values()
    return part


def test_ranges_of_the_command_line() -> None:
    assert read('a.b=1e-4:1e-2:log') == Range(1e-4, 1e-2, True) and read('a=-1:2') == Range(-1, 2)
    assert read('a=16,32,32,64') == Choice((16, 32, 64)) and read('a="x:y","z"') == Choice(('x:y', 'z'))
    for wrong in ('a', 'a=', '=1:2', 'a=1', 'a=2:1', 'a=1:1', 'a=1:b', 'a=0:1:log', 'a=1:2:cubic', 'a=1:nan'):
        with pytest.raises(FacelmkError):
            read(wrong)
    with pytest.raises(FacelmkError, match='two ranges'):
        read_space(['a=1:2', 'a=3:4'], json.loads)
    assert words_of({'a': [1, 2], 'b': 'two words', 'c': 1e-5}) == ['a=[1,2]', 'b=two words', 'c=1e-05']


def test_drawn_values_are_of_the_range_and_new() -> None:
    plan = replace(PLAN, space={'lr': Range(1e-4, 1e-2, True), 'batch': Range(8, 10), 'kind': Choice(('a', 'b'))})
    trials: list[Trial] = []
    while len(trials) < 200:
        trials.append(Trial(len(trials), draw_at_random(plan, trials) or {}))
    assert {trial.values['batch'] for trial in trials} == {8, 9, 10}
    assert {trial.values['kind'] for trial in trials} == {'a', 'b'}
    rates = np.array([trial.values['lr'] for trial in trials])
    assert rates.min() >= 1e-4 and rates.max() <= 1e-2 and abs((rates < 1e-3).mean() - 0.5) < 0.12
    assert draw_at_random(plan, trials) == draw_at_random(plan, trials) != draw_at_random(replace(plan, seed=1), trials)
    few = replace(PLAN, space={'a': Choice(tuple(range(8))), 'b': Choice(tuple(range(8)))})
    tried: list[Trial] = []
    while values := draw_at_random(few, tried):
        tried.append(Trial(len(tried), values))
    assert len(tried) == 64  # all of them
    few = replace(PLAN, space={'lr': Choice((1, 2))})
    assert draw_at_random(few, [Trial(1, {'lr': 1}), Trial(2, {'lr': 2})]) is None


@pytest.mark.parametrize(
    'trials, keep, length, rounds',
    [
        (9, 3, 54, [(9, 6), (3, 18), (1, 54)]),
        (9, 3, 6, [(9, 2), (3, 6)]),
        (10, 2, 3, [(10, 2), (5, 3)]),
        (4, 1, 7, [(4, 7)]),
        (2, 3, 60, [(2, 60)]),
        (9, 3, 1, [(9, 1)]),
    ],
)
def test_rounds(trials: int, keep: int, length: int, rounds: list[tuple[int, int]]) -> None:
    assert replace(PLAN, trials=trials, keep=keep, length=length).rounds() == rounds


def test_the_best_trials_are_trained_further(tmp_path: Path) -> None:
    run = Trainings()
    ranked = search(PLAN, tmp_path, run)
    first, second, last = run.rows[:9], run.rows[9:-1], run.rows[-1]
    able = sorted((lr for lr, _ in first if lr <= 8), key=lambda lr: abs(lr - 1))
    assert {epochs for _, epochs in first} == {6} and {epochs for _, epochs in second} == {18} and last[1] == 54
    assert [lr for lr, _ in second] == able[:3] and last[0] == able[0]
    assert ranked[0].values == {'lr': able[0]} and ranked[0].scores[-1] == pytest.approx((able[0] - 1) ** 2 + 1 / 54)
    assert [len(trial.scores) for trial in ranked[:4]] == [3, 2, 2, 1]
    assert search(PLAN, tmp_path, Trainings('boom')) == ranked  # all is done: nothing is trained
    greater = search(replace(PLAN, greater=True), tmp_path / 'greater', Trainings())
    assert greater[0].values != ranked[0].values


def test_a_failed_trial_and_only_failed_trials(tmp_path: Path) -> None:
    plan = replace(PLAN, space={'lr': Choice((1, 9, 2))})
    ranked = search(plan, tmp_path / 'some', Trainings())
    assert [trial.values['lr'] for trial in ranked] == [1, 2, 9] and 'not finite' in ranked[-1].failure
    with pytest.raises(TrainingFault, match='not finite'):
        search(replace(PLAN, space={'lr': Range(8.5, 9.5)}, trials=2), tmp_path / 'all', Trainings())
    with pytest.raises(FacelmkError, match='exit code 3: gone'):
        search(PLAN, tmp_path / 'missing', Trainings('import sys; sys.exit(print("facelmk: gone") or 3)'))
    full = 'import sys; sys.exit(print("facelmk: x.pth could not be written") or 5)'
    with pytest.raises(FacelmkError, match='could not be written'):
        search(PLAN, tmp_path / 'full', Trainings(full))
    with pytest.raises(FacelmkError, match='no validation with NME'):
        search(PLAN, tmp_path / 'none', Trainings('pass'))


def test_a_stopped_search_continues_and_another_one_is_refused(tmp_path: Path) -> None:
    whole = search(PLAN, tmp_path / 'whole', Trainings())
    run = Trainings()

    def stopping(values: dict[str, Any], work_dir: Path) -> list[str]:
        if len(run.rows) == 10:
            raise KeyboardInterrupt
        return run(values, work_dir)

    with pytest.raises(KeyboardInterrupt):
        search(PLAN, tmp_path / 'stopped', stopping)
    assert search(PLAN, tmp_path / 'stopped', run) == whole and len(run.rows) == 9 + 3 + 1
    with pytest.raises(FacelmkError, match='seed'):
        search(replace(PLAN, seed=1), tmp_path / 'stopped', run)
    (tmp_path / 'stopped' / FILE).write_text('{')
    with pytest.raises(FacelmkError, match=FILE):
        search(PLAN, tmp_path / 'stopped', run)


def test_the_plan_takes_metric_and_length_from_the_config() -> None:
    from facelmk.config import load_config

    config = load_config('quickstart')
    plan = make_plan(config, {}, 9, 3, 0, 'random', None)
    assert (plan.metric, plan.greater, plan.key, plan.length) == ('NME', False, 'train_cfg.max_epochs', 6)
    assert make_plan(config, {}, 9, 3, 0, 'random', 'AUC@0.1').greater
    with pytest.raises(FacelmkError, match='EPE'):
        make_plan(config, {}, 9, 3, 0, 'random', 'EPE')
    with pytest.raises(FacelmkError, match='max_epochs'):
        make_plan(config, {'train_cfg.max_epochs': Range(1, 2)}, 9, 3, 0, 'random', None)


def test_optuna_proposes_values(tmp_path: Path) -> None:
    pytest.importorskip('optuna', reason='optuna is not installed: --sampler tpe is not tried')
    plan = replace(PLAN, sampler='tpe', trials=12, keep=1, space={'lr': Range(0.01, 10.0, True), 'n': Range(1, 3)})
    ranked = search(plan, tmp_path / 'a', Trainings())
    assert len(ranked) == 12 and all(isinstance(trial.values['n'], int) for trial in ranked)
    assert search(plan, tmp_path / 'b', Trainings()) == ranked
