"""Notes: lines of the log that a person reads on the quiet console, too."""

from typing import Any

SHOWN = {'shown': True}  # the `extra` of such a record


def note(text: str, logger: Any = None) -> None:
    """Log a line that the quiet console shows; `logger` is by default that of the run."""
    if logger is None:
        from mmengine.logging import MMLogger  # mmengine imports torch

        logger = MMLogger.get_current_instance()
    logger.info(text, extra=SHOWN)
