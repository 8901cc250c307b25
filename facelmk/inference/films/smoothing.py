"""One-Euro filter of landmarks (https://doi.org/10.1145/2207676.2208639): calm when still, quick when moving."""

import math

import numpy as np
from numpy.typing import NDArray

CUTOFF_HZ = 0.7  # of a face at rest: lower is calmer and slower
SPEED_FACTOR = 25.0  # by how much the cutoff grows, in Hz for a speed of one face side a second
SPEED_CUTOFF_HZ = 1.0  # of the filter of the speed
JUMP = 0.25  # face sides that the face moves from one frame to the next where smoothing starts again
MAX_GAP_S = 0.5  # time without the face after which smoothing starts again


class Smoother:
    """Smooths the landmarks (K, 2) of one face from frame to frame.

    All lengths are in sides of the face, so that near and far faces are smoothed alike.
    """

    def __init__(self, cutoff: float = CUTOFF_HZ, speed_factor: float = SPEED_FACTOR) -> None:
        self.cutoff, self.speed_factor = cutoff, speed_factor
        self.points: NDArray[np.float64] | None = None
        self.raw = self.speed = np.zeros((0, 2))
        self.time = 0.0

    def __call__(self, landmarks: NDArray[np.float32], seconds: float) -> NDArray[np.float32]:
        """Return the smoothed landmarks (K, 2) of a frame at a time in seconds."""
        new, step = landmarks.astype(np.float64), seconds - self.time
        side = max(float(np.ptp(new, 0).max()), 1e-6)
        moved = math.inf if self.points is None else float(np.linalg.norm((new - self.raw).mean(0))) / side
        if self.points is None or moved > JUMP or not 0 < step <= MAX_GAP_S:
            self.points, self.speed = new, np.zeros_like(new)
        else:
            speed = (new - self.raw) / (side * step)
            self.speed += _weight(SPEED_CUTOFF_HZ, step) * (speed - self.speed)
            cutoff = self.cutoff + self.speed_factor * np.linalg.norm(self.speed, axis=1, keepdims=True)
            self.points = self.points + _weight(cutoff, step) * (new - self.points)
        self.raw, self.time = new, seconds
        return self.points.astype(np.float32)


def _weight(cutoff: NDArray[np.float64] | float, step: float) -> NDArray[np.float64]:
    """Return the weight of a new value in an exponential filter with a cutoff frequency in Hz."""
    rate = 2 * math.pi * np.asarray(cutoff) * step
    return rate / (rate + 1)
