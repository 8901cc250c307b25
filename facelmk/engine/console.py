"""The quiet console of a run: what a person reads. The log file keeps all lines of mmengine."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from ..files.progress import close_bar, drop_output, say, show_plain_lines

IGNORED = ('will be deprecated in future',)  # mmengine's warnings about its own code
_quiet = False
_replaced: list[tuple[logging.Logger, logging.Handler, logging.Handler]] = []  # logger, own handler, mmengine's


class RunLines(Hook):
    """The base of a hook that prints what a person reads of a run."""

    def introduce(self, runner: Runner) -> None:
        """Print what is run, before the data are read or drawn."""


class ConsoleHandler(logging.StreamHandler):
    """Prints notes on stdout, warnings and errors on stderr, each without date and name of the logger.

    It has a stream because mmengine's backend of MLflow reads it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the console shows a record."""
        is_for_file = record.levelno < logging.WARNING and not getattr(record, 'shown', False)
        return not is_for_file and not any(text in str(record.msg) for text in IGNORED) and bool(super().filter(record))

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno < logging.WARNING:
            show(text)
        else:
            show(f'{record.levelname.lower()}: {text}', error=True)


def show(text: str, error: bool = False) -> None:
    """Print a line. If its reader has gone, as with `| head`, the run continues without it."""
    stream = sys.stderr if error else sys.stdout
    try:
        say(text, stream)
    except BrokenPipeError:
        drop_output(stream)  # else the start of a loader's workers, which flushes stdout, would end the run


@contextmanager
def quiet_console(quiet: bool = True) -> Iterator[None]:
    """Within it, loggers print on the console only what a person reads; otherwise mmengine prints its log."""
    global _quiet
    before, _quiet = _quiet, quiet
    if not quiet:
        show_plain_lines(True)  # the lines of mmengine's handlers know no bar
    try:
        if quiet:
            quieten(MMLogger.get_current_instance())
        yield
    finally:
        _quiet = before
        while _replaced:
            logger, own, original = _replaced.pop()
            logger.handlers[:] = [original if handler is own else handler for handler in logger.handlers]
        close_bar()


def quieten(logger: logging.Logger) -> None:
    """Replace mmengine's console handler of a logger, if the console is quiet; files keep all lines."""
    for index, handler in enumerate(logger.handlers if _quiet else ()):
        if type(handler) is logging.StreamHandler:
            is_main = os.environ.get('RANK', '0') == '0'
            own = ConsoleHandler(handler.stream)
            own.setLevel(handler.level if is_main else logging.ERROR)
            own.filters = handler.filters
            logger.handlers[index] = own
            _replaced.append((logger, own, handler))
