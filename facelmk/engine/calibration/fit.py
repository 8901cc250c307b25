"""The three buffers of a calibration from measured faces, by maximum likelihood."""

import numpy as np
from numpy.typing import NDArray

from ...errors import DataDefect
from .measure import Array, Measured

STEPS = 40  # of Newton's method, which converges after about ten
MIN_ERRORS = 50  # of a landmark; with fewer it gets the values of all landmarks together
POWERS = (0.1, 6.0)  # above 0, so that a larger spread always means a larger error
RIDGE = 1e-3  # keeps the slope finite where both kinds of faces are perfectly separated


def fit_errors(measured: Measured) -> tuple[Array, Array]:
    """Return scale and power (K,): expected error = scale * deviation ** power, for errors with a gamma distribution.

    A gamma distribution fits errors of all sizes relatively well; least squares would fit the largest ones alone.
    """
    counts = measured.counts & (measured.error > 0)
    if counts.sum() < MIN_ERRORS:
        raise DataDefect(
            f'{counts.sum()} landmarks are visible in the faces of the calibration. Expected at least {MIN_ERRORS}. '
            'Give more faces'
        )
    logs = np.log(measured.deviation)
    pooled = _fit_gamma(logs[counts], measured.error[counts])
    fits = [
        _fit_gamma(logs[used, k], measured.error[used, k]) if used.sum() >= MIN_ERRORS else pooled
        for k, used in enumerate(counts.T)
    ]
    scale, power = np.array(fits).T
    return scale, power


def _fit_gamma(x: Array, error: Array) -> tuple[float, float]:
    """Return scale and power of: mean error = scale * exp(x) ** power, by Newton's method with its mean slope."""
    shift, width = x.mean(), max(float(x.std()), 1e-6)
    inputs = np.column_stack([np.ones_like(x), (x - shift) / width])
    values = np.array([np.log(error.mean()), 0.0])
    for _ in range(STEPS):
        gradient = inputs.T @ (error / np.exp(inputs @ values) - 1)
        values += np.clip(np.linalg.solve(inputs.T @ inputs + RIDGE * np.eye(2), gradient), -1, 1)
    power = float(np.clip(values[1] / width, *POWERS))
    return float(error.mean() / np.exp(power * x).mean()), power


def fit_face(errors: Array, good: NDArray[np.bool_]) -> Array:
    """Return offset and slope (2,) of the probability that a face is good, by its relative expected errors (N, K)."""
    if good.all() or not good.any():
        raise DataDefect(
            f'{good.sum()} of {len(good)} faces of the calibration have an error below the threshold. Expected some, '
            'but not all: the network may be untrained. Or set model.calibration.threshold'
        )
    x = np.log(errors.mean(1))
    shift, width = x.mean(), max(float(x.std()), 1e-6)
    inputs = np.column_stack([np.ones_like(x), (x - shift) / width])
    values, penalty = np.zeros(2), RIDGE * len(x) * np.diag([0.0, 1.0])
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-np.clip(inputs @ values, -30, 30)))
        curvature = inputs.T @ (inputs * (probability * (1 - probability) + 1e-9)[:, None])
        gradient = inputs.T @ (good - probability) - penalty @ values
        values += np.clip(np.linalg.solve(curvature + penalty, gradient), -1, 1)
    slope = min(values[1] / width, -1e-3)  # a larger expected error never means a better face
    return np.array([values[0] - values[1] / width * shift, slope])
