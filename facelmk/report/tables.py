"""Metric tables: one structure, printed as text or as HTML."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WHOLE = 'test'


@dataclass
class Row:
    """A figure's name and its values, one a column; None where there is none."""

    name: str
    values: Sequence[float | None]
    digits: int = 2

    def cells(self) -> list[str]:
        """The values as text."""
        return ['–' if value is None or math.isnan(value) else f'{value:.{self.digits}f}' for value in self.values]


@dataclass
class Table:
    """Blocks of rows under the same columns; `note` says what the numbers are."""

    columns: Sequence[str]
    blocks: Mapping[str, Sequence[Row]]
    note: str = ''

    def text(self) -> str:
        """The table for a terminal."""
        rows = [row for block in self.blocks.values() for row in block]
        first = max(len(name) for name in (*self.blocks, *(row.name for row in rows)))
        widths = [max(len(name), *(len(row.cells()[i]) for row in rows)) for i, name in enumerate(self.columns)]
        lines = []
        for title, block in self.blocks.items():
            lines.append(_line(title, self.columns, first, widths))
            lines += [_line(row.name, row.cells(), first, widths) for row in block]
        return '\n'.join([*lines, self.note] if self.note else lines)

    def html(self) -> str:
        """The table for a page; its parts are escaped."""
        head = ''.join(f'<th scope="col">{escape(name)}</th>' for name in self.columns)
        bodies = []
        for title, block in self.blocks.items():
            bodies.append(f'<tbody><tr class="block"><th scope="col">{escape(title)}</th>{head}</tr>')
            bodies += [f'<tr><th scope="row">{escape(row.name)}</th>{_cells(row)}</tr>' for row in block]
            bodies.append('</tbody>')
        return '<table>' + ''.join(bodies) + f'</table><p class="note">{escape(self.note)}</p>'


def _line(name: str, cells: Sequence[str], first: int, widths: Sequence[int]) -> str:
    return '  '.join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))])


def _cells(row: Row) -> str:
    return ''.join(f'<td>{cell}</td>' for cell in row.cells())


def subset_rows(metrics: Mapping[str, float], subsets: Sequence[str], whole: str | None = WHOLE) -> list[Row]:
    """Metrics by key ('NME', 'NME/pose') as one row a figure: the whole set if it has a column, then each subset."""
    names = [key for key in metrics if key.rpartition('/')[2] not in subsets]
    columns = [*([''] if whole else []), *(f'/{subset}' for subset in subsets)]
    return [Row(name, [metrics.get(name + column) for column in columns]) for name in names]


def result_table(
    metrics: Mapping[str, float],
    subsets: Sequence[str],
    sizes: Sequence[int],
    normaliser: str,
    floor: Mapping[str, float] | None = None,
    whole: str | None = WHOLE,
) -> Table:
    """The model's figures by subset, how many faces (`sizes`) each column has, and the mean face's figures.

    `whole` is the name of the whole set's column; None where only its subsets have figures.
    """
    blocks = {'model': [*subset_rows(metrics, subsets, whole), Row('faces', sizes, digits=0)]}
    if floor is not None:
        blocks['mean face in the box'] = subset_rows(floor, subsets, whole)
    return Table(
        [*([whole] if whole else []), *subsets], blocks, f'NME, FR and AUC in per cent; errors over {normaliser}.'
    )
