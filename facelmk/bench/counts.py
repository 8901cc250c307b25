"""What can be counted exactly, so that tests can hold it: bytes between processes, and torch operations."""

import pickle
from collections.abc import Callable
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode


class OperationCounter(TorchDispatchMode):
    """Counts the operations that torch starts inside of the block, those of the backward pass included."""

    count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return function(*args, **(kwargs or {}))


def operations(work: Callable[[], object]) -> int:
    """Return how many operations torch starts for `work`, views included."""
    with OperationCounter() as counter:
        work()
    return counter.count


def batch_bytes(batch: Any) -> int:
    """Return the bytes of a batch on its way from a loader process to the training: tensors, ids, names."""
    return len(pickle.dumps(batch))
