"""The sha256 of a file."""

import hashlib
from pathlib import Path


def sha256_of(path: str | Path) -> str:
    """Return the sha256 of a file as 64 hexadecimal digits."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
