"""Tables of metrics, as text or HTML."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

ALL_FACES = 'test'  # the name of the column of all faces
INTERVAL = '95 % interval'
MOST_NARROW, MOST_LETTERS = 3, 24  # columns, and letters of their names, of a table that fits a phone as it is


def number(value: float | None, digits: int = 2) -> str:
    """Return a value as text, or a dash if there is none."""
    return '–' if value is None or math.isnan(value) else f'{value:.{digits}f}'


def range_text(limits: Sequence[float] | None, digits: int = 2) -> str:
    """Return an interval as text, or a dash if there is none."""
    return '–' if limits is None or math.isnan(limits[0]) else ' to '.join(number(limit, digits) for limit in limits)


@dataclass
class Row:
    """The name of a metric and one value or text a column; None if there is no value."""

    name: str
    values: Sequence[float | str | None]
    digits: int = 2

    def cells(self) -> list[str]:
        """Return the values as text."""
        return [value if isinstance(value, str) else number(value, self.digits) for value in self.values]


@dataclass
class Table:
    """Named blocks of rows with the same columns; `note` explains the numbers."""

    columns: Sequence[str]
    blocks: Mapping[str, Sequence[Row]]
    note: str = ''

    def text(self, width: int | None = None) -> str:
        """Return the table for a terminal; one row a column of the table if it is wider than `width`."""
        lines = self._lines()
        if width is not None and max(map(len, lines)) > width:
            lines = self._tall_lines()
        note = self.note if width is None else '\n'.join(textwrap.wrap(self.note, width))
        return '\n'.join([*lines, note] if note else lines)

    def _tall_lines(self) -> list[str]:
        first = max(map(len, (*self.blocks, *self.columns)))
        lines = []
        for title, block in self.blocks.items():
            cells = [row.cells() for row in block]
            widths = [max(len(row.name), *map(len, texts)) for row, texts in zip(block, cells, strict=True)]
            lines.append(_line(title, [row.name for row in block], first, widths))
            lines += [_line(name, [*texts], first, widths) for name, *texts in zip(self.columns, *cells, strict=True)]
        return lines

    def _lines(self) -> list[str]:
        rows = [row for block in self.blocks.values() for row in block]
        first = max(len(name) for name in (*self.blocks, *(row.name for row in rows)))
        widths = [max(len(name), *(len(row.cells()[i]) for row in rows)) for i, name in enumerate(self.columns)]
        lines = []
        for title, block in self.blocks.items():
            lines.append(_line(title, self.columns, first, widths))
            lines += [_line(row.name, row.cells(), first, widths) for row in block]
        return lines

    def html(self) -> str:
        """Return the table for a page, escaped; on a narrow screen the cells of a wide one stand below each other."""
        head = ''.join(f'<th scope="col">{escape(name)}</th>' for name in self.columns)
        bodies = []
        for title, block in self.blocks.items():
            bodies.append(f'<tbody><tr class="block"><th scope="col">{escape(title)}</th>{head}</tr>')
            bodies += [f'<tr><th scope="row">{escape(row.name)}</th>{_cells(row, self.columns)}</tr>' for row in block]
            bodies.append('</tbody>')
        title = ', '.join(self.blocks) or 'table'
        is_wide = len(self.columns) > MOST_NARROW or sum(map(len, self.columns)) > MOST_LETTERS
        kind = ' class="wide"' if is_wide else ''
        return (
            f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">'
            f'<table{kind}>{"".join(bodies)}</table></div><p class="note">{escape(self.note)}</p>'
        )


def _line(name: str, cells: Sequence[str], first: int, widths: Sequence[int]) -> str:
    return '  '.join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))])


def _cells(row: Row, columns: Sequence[str]) -> str:
    """Return the cells of a row; each has the name of its column, which a narrow screen shows before it."""
    cells = zip(columns, row.cells(), strict=True)
    return ''.join(f'<td data-name="{escape(name)}">{escape(cell)}</td>' for name, cell in cells)


def subset_rows(metrics: Mapping[str, float], subsets: Sequence[str], all_faces: str | None = ALL_FACES) -> list[Row]:
    """Return one row a metric, from keys such as 'NME' and 'NME/pose': all faces (if in a column), then subsets."""
    names = [key for key in metrics if key.rpartition('/')[2] not in subsets]
    columns = [*([''] if all_faces else []), *(f'/{subset}' for subset in subsets)]
    return [Row(name, [metrics.get(name + column) for column in columns]) for name in names]


@dataclass
class Layout:
    """The columns of a table: all faces (`all_faces` is their name, or None), then subsets, and an interval.

    With `intervals`, a column with the 95 % interval follows that of all faces or of the subset `headline`.
    """

    subsets: Sequence[str]
    all_faces: str | None = ALL_FACES
    headline: str | None = None
    intervals: bool = False

    @property
    def position(self) -> int:
        """The index of the column with the interval."""
        return 1 if self.all_faces or self.headline is None else 1 + list(self.subsets).index(self.headline)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._insert([*([self.all_faces] if self.all_faces else []), *self.subsets], INTERVAL)

    def rows(
        self, values: Mapping[str, float], intervals: Mapping[str, Sequence[float]] | None = None, digits: int = 2
    ) -> list[Row]:
        """Return one row a name, from keys such as 'NME' and 'NME/pose', with the intervals of the names."""
        rows = subset_rows(values, self.subsets, self.all_faces)
        return [
            Row(row.name, self._insert(row.values, range_text((intervals or {}).get(row.name), digits)), digits)
            for row in rows
        ]

    def count_row(self, name: str, counts: Sequence[int]) -> Row:
        """Return a row of numbers of faces."""
        return Row(name, self._insert(counts, ''), digits=0)

    def _insert(self, cells: Sequence[Any], interval: str) -> list[Any]:
        return [*cells[: self.position], *([interval] if self.intervals else []), *cells[self.position :]]


def result_table(
    metrics: Mapping[str, float],
    subsets: Sequence[str],
    sizes: Sequence[int],
    normaliser: str,
    baseline: Mapping[str, float] | None = None,
    all_faces: str | None = ALL_FACES,
    units: str = 'NME, FR and AUC in per cent',
    lost: Sequence[int] = (),
    intervals: Mapping[str, Sequence[float]] | None = None,
    headline: str | None = None,
) -> Table:
    """Return the model's metrics by subset, the number of faces (`sizes`) of each column, and the baseline's metrics.

    `lost` are the numbers of faces without a prediction, which FR and AUC count as failures.
    `all_faces` is the name of the column of all faces; None if there is none. `intervals` are by the keys of `metrics`.
    """
    layout = Layout(subsets, all_faces, headline, intervals is not None)
    counts = [
        layout.count_row('faces', sizes),
        *([layout.count_row('without a prediction', lost)] if any(lost) else []),
    ]
    blocks = {'model': [*layout.rows(metrics, intervals), *counts]}
    if baseline is not None:
        blocks['baseline: mean face in the box'] = layout.rows(baseline)
    return Table(layout.columns, blocks, f'{units}; errors over {normaliser}.')
