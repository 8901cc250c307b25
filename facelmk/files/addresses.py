"""What is an address of the network. This imports nothing, because each command asks it about its inputs."""

from typing import Any


def is_url(source: Any) -> bool:
    """Whether a picture has to be downloaded."""
    return isinstance(source, str) and source[:8].lower().startswith(('http://', 'https://'))
