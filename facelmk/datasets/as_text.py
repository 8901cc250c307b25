"""How numbers and landmarks are called in written files."""

import numpy as np
from numpy.typing import ArrayLike

from ..markups import Markup


def to_floats(values: ArrayLike) -> list[float]:
    """Return numbers with as few digits as float32 needs."""
    return [float(str(value)) for value in np.asarray(values, np.float32).ravel()]


def point_names(markup: Markup) -> list[str]:
    """Return the label of each point: its name, or its index from 0."""
    return list(markup.names) or list(map(str, range(markup.size)))
