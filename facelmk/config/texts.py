"""How messages show the values of a config."""

from typing import Any


def short(value: Any) -> str:
    """A value in one line."""
    text = repr(value)
    return text if len(text) < 80 else f'{text[:70]} ...'
