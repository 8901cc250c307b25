"""Writes the tables of docs/benchmarks.md from docs/benchmarks.json: `python docs/make_benchmarks.py`.

`facelmk bench --json docs/benchmarks.json` measures. The text of the page is written by hand; a table stands between
`<!-- table: NAME -->` and `<!-- end -->`. With --check the script only compares.
"""

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from facelmk.bench import PARTS  # noqa: E402  the package of this clone
from facelmk.bench.row import NOT_MEASURED, with_unit  # noqa: E402
from facelmk.bench.run import is_measured  # noqa: E402

PAGE, RECORDS = ROOT / 'docs' / 'benchmarks.md', ROOT / 'docs' / 'benchmarks.json'
TABLE = re.compile(r'(<!-- table: (\w+) -->\n).*?(<!-- end -->)', re.S)
Record = dict[str, Any]


class Line(NamedTuple):
    """A line of the first table: the row of a part whose quantity matches `pattern`, and the figure to reach."""

    what: str
    part: str
    pattern: str
    aim: str


LINES = (Line('loading a sample from a photograph', 'loader', r'photograph.*MMPose', '>= 3.3x'),)


def records() -> list[Record]:
    """Return the rows that were measured last."""
    return json.loads(RECORDS.read_text(encoding='utf-8'))['rows']


def matching(line: Line) -> list[Record]:
    """Return the rows that a line of the first table is about: exactly one, unless its part was not measured."""
    return [row for row in records() if row['part'] == line.part and re.search(line.pattern, row['quantity'])]


def summary() -> str:
    """Return the first table: the figures that the project aims at."""
    head = ('what', 'figure', 'aim', 'compared with', 'command')
    rows = []
    for line in LINES:
        row = next(iter(matching(line)), None)
        cells = (figure(row, line.aim), line.aim, row['peer_name'] if row else '')
        rows.append((line.what, *cells, f'`facelmk bench {line.part}`'))
    return table(head, rows)


def figure(row: Record | None, aim: str) -> str:
    """Return what a line of the first table shows: a ratio if the aim is one, otherwise the amount."""
    if row is None or not is_measured(row):
        return NOT_MEASURED
    return ratio_text(row) if aim.endswith('x') else amount_text(row['ours'])


def part_table(part: str) -> str:
    """Return all rows of a part."""
    head = ('quantity', 'facelmk', 'compared with', 'which takes', 'ratio', 'note')
    rows = [
        (
            row['quantity'],
            amount_text(row['ours']),
            row['peer_name'],
            amount_text(row['peer']),
            ratio_text(row),
            row['note'],
        )
        for row in records()
        if row['part'] == part
    ]
    return table(head, rows or [(PARTS[part], '', '', '', '', NOT_MEASURED)])


def environment() -> str:
    """Return the machine and the versions."""
    facts = json.loads(RECORDS.read_text(encoding='utf-8'))['environment']
    cpu = facts['cpu']
    return table(
        ('of the run', ''),
        [
            ('date', facts['date']),
            ('processor', f'{cpu["model"]}: {", ".join(cpu["flags"])}'),
            ('cores', f'{facts["cores"]}, {facts["threads"]} of them used'),
            ('load of the last minute', f'{facts["load_before"]} before, {facts["load_after"]} after'),
            ('rounds', 'few: --quick' if facts['quick'] else 'as many as fit into the time of a row'),
            *facts['versions'].items(),
        ],
    )


def amount_text(amount: dict[str, Any] | None) -> str:
    """Return a time or another amount with its unit; of a time, the time of the clock too if it differs much."""
    if amount is None:
        return ''
    if 'unit' in amount:
        return with_unit(amount['size'], amount['unit'])
    return with_unit(amount['cpu'], 's')


def ratio_text(row: Record) -> str:
    """Return a ratio with the quartiles of the rounds: '6.30x (6.10 to 6.52)'."""
    if row['ratio'] is None:
        return ''
    quartiles = row['ratio_range']
    return f'{row["ratio"]:.2f}x' + (f' ({quartiles[0]:.2f} to {quartiles[1]:.2f})' if quartiles else '')


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ['---'] * len(head), *rows]
    return ''.join(f'| {" | ".join(cell.replace("|", "/") for cell in line)} |\n' for line in lines)


TABLES: dict[str, Callable[[], str]] = {
    'summary': summary,
    'environment': environment,
    **{part: lambda part=part: part_table(part) for part in PARTS},  # type: ignore[misc]
}


def page() -> str:
    """Return the whole page with new tables."""
    return TABLE.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], PAGE.read_text(encoding='utf-8'))


def main() -> int:
    """Write the page. With --check, compare it only: the exit code is 1 if it is not up to date."""
    text = page()
    if '--check' in sys.argv:
        return int(PAGE.read_text(encoding='utf-8') != text)
    PAGE.write_text(text, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
