"""What the checks of a config report, and the parts that could be built from it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from mmengine.model import BaseModel

from ...errors import FacelmkError

ERROR, WARNING, NOTE = 'error', 'warning', 'note'


class Finding(NamedTuple):
    """The result of one check; `code` is the exit code of the command where it is an error."""

    severity: str
    subject: str
    message: str
    code: int = 2


class Parts(NamedTuple):
    """The parts that could be built from a config: data sets by phase, the model, the metrics of validation."""

    datasets: dict[str, Any]
    model: BaseModel | None
    metrics: list[Any]


def attempt(action: Callable[[], Any], subject: str, code: int, findings: list[Finding]) -> Any:
    """The result of `action`; None where it fails, which is added to `findings`.

    `code` is the exit code of errors that are no FacelmkError.
    """
    try:
        return action()
    except FacelmkError as error:
        findings.append(Finding(ERROR, subject, str(error), code if error.exit_code in (3, 4) else 2))
    except Exception as error:  # of parts that other projects wrote, too
        findings.append(Finding(ERROR, subject, f'{type(error).__name__}: {error}', code))
    return None
