"""Values that are drawn at random."""

from collections.abc import Sequence

import numpy as np

from .plan import Plan, Trial
from .space import Values

DRAWS = 10_000  # before all values of a small space count as tried


def draw_at_random(plan: Plan, earlier: Sequence[Trial]) -> Values | None:
    """Return values that no earlier trial has; None if there are none. They depend on the seed and their number."""
    random, tried = np.random.default_rng((plan.seed, len(earlier))), [trial.values for trial in earlier]
    for _ in range(DRAWS):
        values = {key: part.draw(random) for key, part in plan.space.items()}
        if values not in tried:
            return values
    return None
