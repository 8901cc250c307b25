"""Defective records: all of them are listed, and stop the reading or are left out, as a reader is asked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.logging import print_log

from ..errors import DataDefect

LONG = 80  # letters of a name or value that a message shows


class Defect(NamedTuple):
    """What is wrong with a record of a file."""

    file: str
    record: str
    wrong: str


class _Listing(NamedTuple):
    """Defects, and the records that they are about: the first of a record is told, what follows from it is not."""

    defects: list[Defect]
    places: set[tuple[str, str]]


_collected: ContextVar[_Listing | None] = ContextVar('collected', default=None)


@contextmanager
def collecting() -> Iterator[list[Defect]]:
    """Within it defects are listed instead of raised, and reading goes on behind them."""
    listing = _Listing([], set())
    token = _collected.set(listing)
    try:
        with np.errstate(invalid='ignore', over='ignore'):  # readers go on with numbers that are none
            yield listing.defects
    finally:
        _collected.reset(token)


def are_collected() -> bool:
    """Whether defects are being listed."""
    return _collected.get() is not None


def refuse(file: Path, defects: Sequence[tuple[str, str]]) -> None:
    """Refuse records (name, what is wrong): raise DataDefect if there are any, or list them if they are collected."""
    listing = _collected.get()
    if listing is None:
        stop([Defect(str(file), record, wrong) for record, wrong in dict(reversed(defects)).items()][::-1])
        return
    for record, wrong in defects:
        place = str(file), record
        if place not in listing.places:
            listing.places.add(place)
            listing.defects.append(Defect(*place, wrong))


def stop(defects: Sequence[Defect], shown: int = 5) -> None:
    """Raise DataDefect if there are any defects: their number, and the first few by name."""
    if defects:
        raise DataDefect(
            f"{told(defects, shown)}. Mend or remove what is listed ('facelmk data check' lists all), or "
            "read the rest with defects='skip'"
        )


def leave_out(defects: Sequence[Defect]) -> None:
    """Say in the log which records are left out."""
    if defects:
        print_log(f'left out, as defects="skip" says: {told(defects)}', logger='current', level=30)


def told(defects: Sequence[Defect], shown: int = 5) -> str:
    """Defects in one line: how many there are, and the first few."""
    files = {defect.file for defect in defects}
    number = f'{len(defects)} defective record{"s"[: len(defects) > 1]}'
    if len(files) == 1:
        start, listed = f'{files.pop()}: {number}', [f'{record}: {wrong}' for _, record, wrong in defects[:shown]]
    else:
        start, listed = f'{number} in {len(files)} files', [': '.join(defect) for defect in defects[:shown]]
    more = f'; and {len(defects) - shown} more' if len(defects) > shown else ''
    return f'{start}: {"; ".join(listed)}{more}'


def short(value: Any) -> str:
    """A name or a value as a message shows it: in one line, printable, and not too long."""
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= LONG else f'{text[:LONG]}...'
