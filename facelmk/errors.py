"""What every layer may raise: each error says what went wrong, where, what was expected and what to do next."""

import difflib
from collections.abc import Iterable


class FacelmkError(Exception):
    """What went wrong, where, what was expected and what to do next; `exit_code` is the command line's answer."""

    exit_code = 2


class UnknownName(FacelmkError, KeyError):
    """A name that is in no registry, mark-up list or option list."""

    def __str__(self) -> str:
        return str(self.args[0])


class MissingResource(FacelmkError):
    """A file, a download or an optional package that is not there."""

    exit_code = 3


class DataDefect(FacelmkError):
    """An annotation or a picture that cannot be used."""

    exit_code = 4


class TrainingFault(FacelmkError):
    """Training that cannot go on."""

    exit_code = 5


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that names the closest known names to `name`."""
    known = sorted(map(str, known))
    plain = {k.lower().replace('_', '').replace('-', ''): k for k in known}
    close = difflib.get_close_matches(str(name).lower().replace('_', '').replace('-', ''), plain, n=3, cutoff=0.5)
    if close:
        return 'Did you mean ' + ' or '.join(repr(plain[c]) for c in close) + '?'
    return 'Known: ' + ', '.join(known) + '.'
