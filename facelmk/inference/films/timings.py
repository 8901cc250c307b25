"""Where the time of a film goes: seconds of each step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

READ, DETECT, LANDMARKS, DRAW, WRITE = 'read', 'detect', 'landmarks', 'draw', 'write'


class Timings(dict[str, float]):
    """Seconds of each step, such as {'read': 0.9, 'detect': 0.2}; `frames` is the number of frames."""

    frames = 0

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the time of this block to a step."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self[step] = self.get(step, 0.0) + time.perf_counter() - start

    def __str__(self) -> str:
        """Return milliseconds a frame, in all and of each step."""
        frames, total = max(self.frames, 1), sum(self.values())
        steps = ', '.join(f'{step} {1000 * seconds / frames:.1f}' for step, seconds in self.items())
        rate = self.frames / total if total else 0.0
        return f'{1000 * total / frames:.1f} ms a frame ({steps}), {rate:.0f} frames a second'
