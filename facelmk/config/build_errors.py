"""Errors that parts raise while they are built from a config, reported as mistakes of the config."""

import re
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from mmengine import Config

from ..errors import FacelmkError, MissingResource
from .schema import REQUIRED_TOGETHER, missing_keys

ARGUMENT_ERRORS = (TypeError, ValueError, LookupError, AttributeError, AssertionError, ArithmeticError)


@contextmanager
def translate_build_errors(config: Config) -> Iterator[None]:
    """Name the part that cannot use its arguments; errors that occur later pass unchanged."""
    try:
        yield
    except FacelmkError:
        raise
    except (*ARGUMENT_ERRORS, ImportError, re.error) as error:
        part = _part_in_construction(error.__traceback__)
        if part is None:
            raise
        if isinstance(error, ImportError):
            raise MissingResource(
                f'{config.filename}: {part} needs a package that is not there: {error}. Install it, or remove the part'
            ) from error
        line = traceback.extract_tb(error.__traceback__)[-1]
        raise FacelmkError(
            f'{config.filename}: {part} cannot be built as the config says: {type(error).__name__}: {error} '
            f'({line.filename}:{line.lineno}). facelmk config check {config.filename} checks all of it'
        ) from error


def _part_in_construction(trace: TracebackType | None) -> str | None:
    """The innermost part whose construction failed; None where the error occurred later."""
    part = None
    while trace is not None:
        code, names = trace.tb_frame.f_code, trace.tb_frame.f_locals
        if code.co_name == 'build_from_cfg':
            part = _type_of(names.get('cfg')) or part
        elif 'mmengine/runner/runner.py' in code.co_filename.replace('\\', '/'):
            if code.co_name.startswith('build_'):
                part = f'the {code.co_name.removeprefix("build_").replace("_", " ")}'
            elif code.co_name in ('__init__', 'set_randomness', 'setup_env'):
                part = 'the run'
        trace = trace.tb_next
    return part


def _type_of(values: Any) -> str | None:
    return str(values['type']) if isinstance(values, dict) and 'type' in values else None


def check_complete(config: Config, phase: str, others: Sequence[str] = ()) -> None:
    """Refuse a config that lacks a key of `phase`, or that has only a part of the keys of another phase."""
    missing = [key for key in ('model', *REQUIRED_TOGETHER[phase]) if config.get(key) is None]
    for other in others:
        missing += missing_keys(other, config)
    if missing:
        raise FacelmkError(f'{config.filename} lacks {", ".join(missing)}, which a run needs. Add these keys')
