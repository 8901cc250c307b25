"""Writes the tables of docs/benchmarks.md from docs/benchmarks/*.json: `python docs/make_benchmarks.py`.

`facelmk bench PART --json docs/benchmarks/PART.json` measures. No two files may have the same row. The text of the page
is written by hand; each table is between `<!-- table: NAME -->` and `<!-- end -->`.
With --check the script only compares.
"""

import functools
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

PAGE, RECORDS = ROOT / 'docs' / 'benchmarks.md', ROOT / 'docs' / 'benchmarks'
TABLE = re.compile(r'(<!-- table: (\w+) -->\n).*?(<!-- end -->)', re.S)
Record = dict[str, Any]


class Line(NamedTuple):
    """A line of the first table: the row of a part whose quantity matches `pattern`, and the figure to reach."""

    what: str
    part: str  # or '' if `facelmk bench` has no row for it
    pattern: str
    aim: str
    command: str = ''  # default: facelmk bench PART


MILLION = 'FACELMK_BENCH_FACES=1000000 facelmk bench scale'
LINES = (
    Line('load a sample from a picture', 'loader', r'^load, pictures 1024 x 768$', '>= 3.3x'),
    Line('the same, with a lossless crop cache', 'loader', r'crop cache, packed$', '>= 6x'),
    Line('the same, with a cache of raw crops', 'loader', r'crop cache, raw$', '>= 12x'),
    Line('load a sample, against albumentations', 'loader', r'without targets', '>= 1.25x'),
    Line('encode a batch of heatmaps, MSRA', 'codec', r'^encode, MSRA', '>= 6x'),
    Line('encode a batch of heatmaps, unbiased', 'codec', r'^encode, unbiased', '>= 6x'),
    Line('decode a batch of heatmaps, quarter shift', 'codec', r'^decode, quarter', '>= 6x'),
    Line('decode a batch of heatmaps, DARK', 'codec', r'^decode, DARK', '>= 6x'),
    Line('NME, FR and AUC of 2,500 faces, against NME alone', 'metric', r'^NME, FailureRate, AUC of 2,500', '>= 1x'),
    Line('training step of HRNetV2-W18, fp32', 'step', r'^training step, HRNetV2-W18, batch 8, fp32$', '>= 1x'),
    Line('the same, best switches', 'step', r'^training step, HRNetV2-W18.*bf16 \+ channels_last \+ fused$', '>= 2.5x'),
    Line('predict one picture with a box, OpenVINO', 'predict', r'openvino, bfloat16$', '>= 3x'),
    Line('predict with the smallest network, against the bare runtime', 'predict', r'from array and box', '>= 0.91x'),
    Line('start of a packed set of 100,000 faces', 'scale', r'^next start, 100,000 faces', '<= 0.3 s'),
    Line('start of a packed set of 1,000,000 faces', 'scale', r'^next start, 1,000,000 faces', '<= 1 s', MILLION),
    Line('private memory of a loader at 1,000,000 faces', 'scale', r'^a forked loader, 1,000,000', '<= 50 MB', MILLION),
    Line('`facelmk predict` of one picture, with torch', 'imports', r'^predict one picture, with torch$', '<= 2.2 s'),
    Line(
        '`facelmk predict` of one picture, without torch',
        'imports',
        r'^predict one picture, without torch$',
        '<= 0.6 s',
    ),
    Line('`facelmk --help`', 'imports', r'--help', '<= 0.3 s'),
    Line('a wrong option', 'imports', r'misspelt option', '<= 0.3 s'),
    Line('a missing config', 'imports', r'config that does not exist', '<= 0.3 s'),
    Line('training step of HRNetV2-W18 on a GPU', '', '', '>= 2x'),
    Line('training on eight GPUs, against one', '', '', '>= 7.5x'),
)


@functools.cache
def runs() -> list[dict[str, Any]]:
    """Return the contents of the json files: the environment and the rows of each run."""
    return [json.loads(file.read_text(encoding='utf-8')) for file in sorted(RECORDS.glob('*.json'))]


def records() -> list[Record]:
    """Return the rows of all runs."""
    return [row for run in runs() for row in run['rows']]


def matching(line: Line) -> list[Record]:
    """Return the rows that a line of the first table is about."""
    return [row for row in records() if row['part'] == line.part and re.search(line.pattern, row['quantity'])]


def summary() -> str:
    """Return the first table: the figures that the project aims at."""
    rows = []
    for line in LINES:
        row = next(iter(matching(line)), None)
        command = line.command or (line.part and f'facelmk bench {line.part}')
        cells = (figure(row, line.aim), line.aim, row['peer_name'] if row and line.aim.endswith('x') else '')
        rows.append((line.what, *cells, command and f'`{command}`'))
    return table(('what', 'figure', 'aim', 'compared with', 'command'), rows)


def figure(row: Record | None, aim: str) -> str:
    """Return what a line of the first table shows: a ratio if the aim is one, otherwise the amount."""
    if row is None or not is_measured(row):
        return NOT_MEASURED
    return ratio_text(row) if aim.endswith('x') else amount_text(row['ours'])


def part_table(part: str) -> str:
    """Return all rows of a part."""
    head = ('quantity', 'facelmk', '95 % below', 'compared with', 'which takes', 'ratio', 'note')
    rows = [
        (
            row['quantity'],
            amount_text(row['ours']),
            with_unit(row['p95'], 's') if row.get('p95') else '',
            row['peer_name'],
            amount_text(row['peer']),
            ratio_text(row),
            row['note'],
        )
        for row in records()
        if row['part'] == part
    ]
    return table(head, rows or [(PARTS[part], '', '', '', '', '', NOT_MEASURED)])


def environment() -> str:
    """Return the machine and the versions, with a column for each run."""
    columns = [facts(run) for run in runs()]
    names = dict.fromkeys(name for column in columns for name in column)
    return table(
        ('run of', *(column['date'] for column in columns)),
        [(name, *(column.get(name, '') for column in columns)) for name in names if name != 'date'],
    )


def facts(run: dict[str, Any]) -> dict[str, str]:
    """Return what one run depends on."""
    about = run['environment']
    cpu, parts = about['cpu'], dict.fromkeys(row['part'] for row in run['rows'])
    return {
        'date': about['date'],
        'parts': ', '.join(parts),
        'processor': f'{cpu["model"]}: {", ".join(cpu["flags"])}',
        'cores': f'{about["cores"]}, {about["threads"]} of them used',
        'load of the last minute': f'{about["load_before"]} before, {about["load_after"]} after',
        'rounds': 'few (--quick)' if about['quick'] else 'as many as fit into the time of a row',
        **about['versions'],
    }


def amount_text(amount: dict[str, Any] | None) -> str:
    """Return a time or another amount with its unit."""
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
    **{part: functools.partial(part_table, part) for part in PARTS},
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
