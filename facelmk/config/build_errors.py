"""Errors of parts while they are built from a config, told as mistakes of the config: which part, and what it said."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from mmengine import Config

from ..errors import FacelmkError
from .schema import REQUIRED_TOGETHER, missing_keys

WRONG = (TypeError, ValueError, LookupError, AttributeError, AssertionError, ArithmeticError)


@contextmanager
def parts_named(config: Config) -> Iterator[None]:
    """Answer what a part says to arguments that it cannot use; errors that come later are left alone."""
    try:
        yield
    except FacelmkError:
        raise
    except WRONG as error:
        part = _unbuilt(error.__traceback__)
        if part is None:
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise FacelmkError(
            f'{config.filename}: {part} cannot be built as the config says: {type(error).__name__}: '
            f'{error} ({place.filename}:{place.lineno}). facelmk config check {config.filename} looks '
            'at all of it'
        ) from error


def _unbuilt(trace: TracebackType | None) -> str | None:
    """The innermost part that was being built when an error came; None where nothing was."""
    found = None
    while trace is not None:
        code, names = trace.tb_frame.f_code, trace.tb_frame.f_locals
        if code.co_name == 'build_from_cfg':
            found = _kind(names.get('cfg')) or found
        elif 'mmengine/runner/runner.py' in code.co_filename.replace('\\', '/'):
            if code.co_name.startswith('build_'):
                found = f'the {code.co_name.removeprefix("build_").replace("_", " ")}'
            elif code.co_name in ('__init__', 'set_randomness', 'setup_env'):
                found = 'the run'
        trace = trace.tb_next
    return found


def _kind(part: Any) -> str | None:
    return str(part['type']) if isinstance(part, dict) and 'type' in part else None


def check_whole(config: Config, wanted: str, also: Sequence[str] = ()) -> None:
    """Refuse a config that does not say all that a phase needs, or only a part of it for one of the others."""
    gone = [key for key in ('model', *REQUIRED_TOGETHER[wanted]) if config.get(key) is None]
    for phase in also:
        gone += missing_keys(phase, config)
    if gone:
        raise FacelmkError(f'{config.filename} does not say all that a run needs: there is no {", ".join(gone)}')
