"""The bounds of what a weight file may ask for: one budget for all work, and the nesting of what was read."""

import re
from collections.abc import Collection
from typing import Any

from torch import Tensor

from .objects import Stub

FREE_BYTES = 24 << 20  # what the objects of any file may take, beside its tensors
BYTES_A_BYTE = 1.5  # and how much more for each byte of the file
TENSOR_COST = 700  # bytes, with its storage
CONTAINER_COST, ITEM_COST = 240, 8
MAX_DEPTH = 100  # of containers in one another
MAX_REPEATS = 2  # of the file's bytes by tensors that show the same numbers
MAX_REPEATED_BYTES = 1 << 24  # beside these
TEXT_LENGTH = 60  # of a name in an error message
_WIDE = re.compile(rb'[\xc4-\xff]')


class Budget:
    """The bytes that the objects of a file may take. What takes longer than memory of its size costs more.

    Twenty megabytes give 54 million, which are spent in about a second.
    """

    def __init__(self, file_bytes: int) -> None:
        self.all = self.left = FREE_BYTES + int(BYTES_A_BYTE * file_bytes)

    def spend(self, cost: int) -> None:
        """Take this much; raise ValueError if no more is left."""
        self.left -= cost
        if self.left < 0:
            raise ValueError(
                f'reading it takes more than {self.all} bytes or as much time, which a file of its size should not. '
                'Expected some thousand tensors and plain data'
            )


def letter_bytes(raw: bytes) -> int:
    """The bytes that Python takes for each letter of this text in UTF-8; one wide letter makes all wide."""
    return 4 if _WIDE.search(raw) else 1


def shorten(text: str) -> str:
    """A text from a file, short enough for an error message."""
    return text if len(text) <= TEXT_LENGTH else f'{text[:TEXT_LENGTH]}...'


def check_content(value: Any, file_bytes: int) -> None:
    """Raise ValueError for nesting that no walk ends in, and for tensors that show the file again and again.

    What is reached twice counts twice, as it does in every walk that follows.
    """
    waiting, budget = [(value, 0)], Budget(file_bytes)
    shown, most = 0, MAX_REPEATS * file_bytes + MAX_REPEATED_BYTES
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, Tensor):
            budget.spend(TENSOR_COST)
            shown += item.nbytes
            if shown > most:
                raise ValueError(f'its tensors claim {shown} bytes, {file_bytes} are there')
            continue
        children = _children(item)
        budget.spend(CONTAINER_COST + ITEM_COST * len(children))
        if depth > MAX_DEPTH:
            raise ValueError(f'its lists and dicts lie more than {MAX_DEPTH} deep in one another')
        waiting += [(child, depth + 1) for child in children if isinstance(child, (dict, list, tuple, Stub, Tensor))]


def _children(container: Any) -> Collection[Any]:
    """The items of a container; of a network that was pickled whole, its parts and tensors."""
    if isinstance(container, Stub):
        return [value for group in ('_modules', '_parameters', '_buffers') for value in container.part(group).values()]
    if isinstance(container, dict):
        return container.values()
    return container if isinstance(container, (list, tuple)) else ()
