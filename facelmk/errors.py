"""The errors of all layers. Each message says what is wrong, where, what was expected and what to do next."""

import difflib
import errno
from collections.abc import Iterable

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FacelmkError(Exception):
    """The base class of all errors of facelmk; the command line exits with `exit_code`."""

    exit_code = 2


class UnknownName(FacelmkError, KeyError):
    """A name that no registry, landmark scheme or list of options has."""

    def __str__(self) -> str:
        return str(self.args[0])


class MissingResource(FacelmkError):
    """A missing file, download or optional package."""

    exit_code = 3


class DataDefect(FacelmkError):
    """An annotation or an image that cannot be used."""

    exit_code = 4


class TrainingFault(FacelmkError):
    """Training cannot continue."""

    exit_code = 5


class UnwritableOutput(FacelmkError, OSError):
    """A file or folder that cannot be written: `error` says why, `path` is what the user asked for."""

    def __init__(self, path: object, error: OSError, advice: str = '') -> None:
        full = error.errno in FULL_DISK
        default = (
            'Free some space, raise the quota or the limit (ulimit -f), or write to another disk'
            if full
            else 'Choose a path that this user can write to'
        )
        reason = error.strerror or str(error)
        super().__init__(f'{path} cannot be written: {reason}. {advice or default}')
        self.errno, self.strerror, self.filename = error.errno, reason, str(path)
        self.exit_code = 3 if full or error.errno in (errno.EROFS, errno.EIO) else 2

    def __str__(self) -> str:
        return str(self.args[0])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence with the known names that are closest to `name`, or with all of them if none is close."""
    known = sorted(set(map(str, known)))
    close = close_names(name, known)
    return 'Did you mean ' + ' or '.join(map(repr, close)) + '?' if close else 'Known: ' + ', '.join(known) + '.'


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """The known names that resemble `name`, the closest first."""
    by_letters = {_letters(str(k)): str(k) for k in known}
    return [by_letters[c] for c in difflib.get_close_matches(_letters(str(name)), by_letters, n=3, cutoff=0.5)]


def _letters(name: str) -> str:
    return name.lower().replace('_', '').replace('-', '')
