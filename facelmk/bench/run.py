"""Run the parts of the benchmark, and write their rows as text and as json."""

import importlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from ..errors import MissingResource
from .row import NOT_MEASURED, Options, Row, not_measured, with_unit

WIDTHS = (52, 9, 9, 9, 7)  # of the columns without the note
HEAD = ('quantity', 'ours', '95 %', 'peer', 'ratio', 'note')


def run_parts(parts: Iterable[str], options: Options) -> Iterator[tuple[str, Row]]:
    """Yield (part, row) of each part. A part without its packages or files has a row that says so."""
    set_threads(options.threads)
    for part in parts:
        try:
            for row in importlib.import_module(f'{__package__}.{part}').rows(options):
                yield part, row
        except (ImportError, MissingResource) as error:
            yield part, not_measured(part, str(error))


def set_threads(count: int) -> None:
    """Set the threads of torch, of OpenCV, and of the processes that a part starts."""
    os.environ['OMP_NUM_THREADS'] = os.environ['MKL_NUM_THREADS'] = str(count)
    import cv2  # here, so that libraries read these variables when they start
    import torch

    torch.set_num_threads(count)
    cv2.setNumThreads(0 if count == 1 else count)


def head_line() -> str:
    """Return the line above the rows."""
    return _line(HEAD)


def row_line(row: Row) -> str:
    """Return a row as a line of text: CPU times, what 95 % of ours stay below, and the ratio to a peer."""
    ratio = '' if row.ratio is None else f'{row.ratio:.2f}x'
    note = '; '.join(text for text in (row.peer_name and f'against {row.peer_name}', row.note) if text)
    p95 = '' if row.p95 is None else with_unit(row.p95, 's')
    return _line((row.quantity, str(row.ours or ''), p95, str(row.peer or ''), ratio, note))


def row_record(part: str, row: Row) -> dict[str, Any]:
    """Return a row as it stands in the json file."""
    record = {'part': part, **asdict(row), 'ratio': row.ratio, 'ratio_range': row.ratio_range}
    del record['ratios']
    return record


def is_measured(record: dict[str, Any]) -> bool:
    """Return whether a row of the json file has a figure."""
    return not record['note'].startswith(NOT_MEASURED)


def _line(cells: tuple[str, ...]) -> str:
    quantity, *numbers, note = cells
    columns = [quantity.ljust(WIDTHS[0]), *(cell.rjust(width) for cell, width in zip(numbers, WIDTHS[1:], strict=True))]
    return '  '.join([*columns, note]).rstrip()
