"""Defective records of annotation files: a reader lists them all, then stops, skips them or keeps them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DataDefect

MAX_LETTERS = 80  # of a name or value in a message


class Defect(NamedTuple):
    """What is wrong with one record of a file."""

    file: str
    record: str
    wrong: str


class DefectList(list[Defect]):
    """The defects that a reader has found; only the first of each record, because others follow from it."""

    def __init__(self) -> None:
        super().__init__()
        self._records: set[tuple[str, str]] = set()

    def add(self, file: Path, record: str, wrong: str) -> None:
        """Add a defect unless one of this record is listed."""
        key = str(file), record
        if key not in self._records:
            self._records.add(key)
            self.append(Defect(*key, wrong))

    def add_all(self, file: Path, defects: Iterable[tuple[str, str]]) -> None:
        """Add defects of one file, as (record, what is wrong)."""
        for record, wrong in defects:
            self.add(file, record, wrong)

    def stop(self) -> None:
        """Raise DataDefect if the list is not empty."""
        if self:
            raise DataDefect(
                f"{summary(self)}. Correct or remove these records ('facelmk data check' lists all), or "
                "read the others with defects='skip'"
            )

    def warn_skipped(self) -> None:
        """Log which records are skipped."""
        if self:
            from mmengine.logging import print_log  # mmengine imports torch

            print_log(f'skipped because of defects="skip": {summary(self)}', logger='current', level=30)


def summary(defects: Sequence[Defect], shown: int = 5) -> str:
    """Return the number of defects and the first few of them, in one line."""
    files = {defect.file for defect in defects}
    number = f'{len(defects)} defective record{"s"[: len(defects) > 1]}'
    if len(files) == 1:
        start, lines = f'{files.pop()}: {number}', [f'{record}: {wrong}' for _, record, wrong in defects[:shown]]
    else:
        start, lines = f'{number} in {len(files)} files', [': '.join(defect) for defect in defects[:shown]]
    more = f'; and {len(defects) - shown} more' if len(defects) > shown else ''
    return f'{start}: {"; ".join(lines)}{more}'


def short(value: Any) -> str:
    """Return a name or value for a message: on one line, printable, at most 80 letters."""
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= MAX_LETTERS else f'{text[:MAX_LETTERS]}...'
