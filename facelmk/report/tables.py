"""Tables of metrics, as text or HTML."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

ALL_FACES = 'test'  # the name of the column of all faces


@dataclass
class Row:
    """The name of a metric and one value a column; None if there is no value."""

    name: str
    values: Sequence[float | None]
    digits: int = 2

    def cells(self) -> list[str]:
        """Return the values as text."""
        return ['–' if value is None or math.isnan(value) else f'{value:.{self.digits}f}' for value in self.values]


@dataclass
class Table:
    """Named blocks of rows with the same columns; `note` explains the numbers."""

    columns: Sequence[str]
    blocks: Mapping[str, Sequence[Row]]
    note: str = ''

    def text(self) -> str:
        """Return the table for a terminal."""
        rows = [row for block in self.blocks.values() for row in block]
        first = max(len(name) for name in (*self.blocks, *(row.name for row in rows)))
        widths = [max(len(name), *(len(row.cells()[i]) for row in rows)) for i, name in enumerate(self.columns)]
        lines = []
        for title, block in self.blocks.items():
            lines.append(_line(title, self.columns, first, widths))
            lines += [_line(row.name, row.cells(), first, widths) for row in block]
        return '\n'.join([*lines, self.note] if self.note else lines)

    def html(self) -> str:
        """Return the table for a page, escaped."""
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


def subset_rows(metrics: Mapping[str, float], subsets: Sequence[str], all_faces: str | None = ALL_FACES) -> list[Row]:
    """Return one row a metric, from keys such as 'NME' and 'NME/pose': all faces (if in a column), then subsets."""
    names = [key for key in metrics if key.rpartition('/')[2] not in subsets]
    columns = [*([''] if all_faces else []), *(f'/{subset}' for subset in subsets)]
    return [Row(name, [metrics.get(name + column) for column in columns]) for name in names]


def result_table(
    metrics: Mapping[str, float],
    subsets: Sequence[str],
    sizes: Sequence[int],
    normaliser: str,
    baseline: Mapping[str, float] | None = None,
    all_faces: str | None = ALL_FACES,
    units: str = 'NME, FR and AUC in per cent',
    lost: Sequence[int] = (),
) -> Table:
    """Return the model's metrics by subset, the number of faces (`sizes`) of each column, and the baseline's metrics.

    `lost` are the numbers of faces without a prediction, which FR and AUC count as failures.
    `all_faces` is the name of the column of all faces; None if there is none.
    """
    counts = [Row('faces', sizes, digits=0), *([Row('without a prediction', lost, digits=0)] if any(lost) else [])]
    blocks = {'model': [*subset_rows(metrics, subsets, all_faces), *counts]}
    if baseline is not None:
        blocks['baseline: mean face in the box'] = subset_rows(baseline, subsets, all_faces)
    return Table([*([all_faces] if all_faces else []), *subsets], blocks, f'{units}; errors over {normaliser}.')
