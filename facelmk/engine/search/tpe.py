"""Values that Optuna proposes from the figures of earlier trials (its tree-structured Parzen estimator)."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ...errors import MissingResource
from .space import Range, Values

if TYPE_CHECKING:
    from .plan import Plan, Trial

ASKS = 20  # proposals that were tried before, after which values are drawn at random


def check_optuna() -> None:
    """Refuse --sampler tpe without Optuna, which is not imported yet."""
    if find_spec('optuna') is None:
        raise MissingResource(
            '--sampler tpe needs Optuna, not installed here. Install: pip install optuna; or leave --sampler out'
        )


def draw_by_tpe(plan: 'Plan', earlier: Sequence['Trial']) -> Values | None:
    """Return values that no earlier trial has; None if there are none. The same trials and seed give the same ones."""
    import optuna

    from .random_values import draw_at_random  # it imports torch, which check_optuna comes before

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=plan.seed + len(earlier), n_startup_trials=5)
    study = optuna.create_study(direction='maximize' if plan.greater else 'minimize', sampler=sampler)
    parts = {key: _distribution(part) for key, part in plan.space.items()}
    for trial in earlier:
        if trial.scores:
            study.add_trial(
                optuna.trial.create_trial(
                    params={key: _index(plan.space[key], value) for key, value in trial.values.items()},
                    distributions=parts,
                    value=trial.scores[0],
                )
            )
    for _ in range(ASKS):
        proposed = study.ask(parts).params
        values = {key: _value(part, proposed[key]) for key, part in plan.space.items()}
        if values not in [trial.values for trial in earlier]:
            return values
    return draw_at_random(plan, earlier)


def _distribution(part: Any) -> Any:
    from optuna import distributions

    if not isinstance(part, Range):
        return distributions.CategoricalDistribution(range(len(part.values)))
    if part.whole:
        return distributions.IntDistribution(int(part.low), int(part.high), log=part.log)
    return distributions.FloatDistribution(part.low, part.high, log=part.log)


def _index(part: Any, value: Any) -> Any:
    """Return what Optuna sees of a value: its index, if it is one of a list."""
    return value if isinstance(part, Range) else part.values.index(value)


def _value(part: Any, proposed: Any) -> Any:
    return part.rounded(proposed) if isinstance(part, Range) else part.values[proposed]
