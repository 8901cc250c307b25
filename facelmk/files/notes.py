"""Notes: lines of the log that a person reads on the quiet console, too."""

import logging
from typing import Any

SHOWN = {'shown': True}  # the `extra` of such a record


def log_for_file(text: str) -> None:
    """Log a line for the log file of a run; a command that has none, such as a prediction, prints nothing."""
    from mmengine.logging import MMLogger  # mmengine imports torch

    logger = MMLogger.get_current_instance()
    if any(isinstance(handler, logging.FileHandler) for handler in logger.handlers):
        logger.info(text)


def note(text: str, logger: Any = None) -> None:
    """Log a line that the quiet console shows; `logger` is by default that of the run."""
    if logger is None:
        from mmengine.logging import MMLogger  # mmengine imports torch

        logger = MMLogger.get_current_instance()
    logger.info(text, extra=SHOWN)
