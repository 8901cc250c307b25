"""What a look at a config finds, and the parts that could be built of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from mmengine.model import BaseModel

from ...datasets import FaceDataset
from ...errors import FacelmkError

ERROR, WARNING, NOTE = 'error', 'warning', 'note'


class Finding(NamedTuple):
    """One thing that was looked at; `code` is the exit code that an error asks for."""

    severity: str
    subject: str
    message: str
    code: int = 2


class Parts(NamedTuple):
    """What could be built of a config."""

    sets: dict[str, FaceDataset]
    model: BaseModel | None
    metrics: list[Any]


def attempt(build: Callable[[], Any], subject: str, code: int, found: list[Finding]) -> Any:
    """What `build` gives; None where it fails, which is then a finding. `code` is for errors that are not ours."""
    try:
        return build()
    except FacelmkError as error:
        found.append(Finding(ERROR, subject, str(error), code if error.exit_code in (3, 4) else 2))
    except Exception as error:  # of parts that are not ours, too
        found.append(Finding(ERROR, subject, f'{type(error).__name__}: {error}', code))
    return None
