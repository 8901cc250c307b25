"""facelmk data stats SOURCE."""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..options import add_plain, keep_stdout_for_json
from .source import PHASES, add_source, check_source, sets

PURPOSE = 'describe a data set in numbers: sizes, poses, boxes, missing points, swapped sides, copied pictures'
EXAMPLE = 'facelmk data stats my_faces'


def arguments(stats: argparse.ArgumentParser) -> None:
    add_source(stats)
    stats.add_argument(
        '--phase', choices=PHASES, nargs='+', default=list(PHASES), help='the phases of a config (default: all)'
    )
    stats.add_argument('--json', action='store_true', help='print the numbers as json')
    add_plain(stats)


def run(options: argparse.Namespace) -> None:
    check_source(options.source)
    from ...datasets.tools.stats import shared_contents, statistics

    known: dict[str, str | None] = {}  # the hash of each picture
    with keep_stdout_for_json(options.json):
        datasets = {name: read('skip') for name, read in sets(options, options.phase)}
        numbers = {name: statistics(dataset, known) for name, dataset in datasets.items()}
        paths = {name: [str(data.face(i).get('path', '')) for i in range(len(data))] for name, data in datasets.items()}
        notes = shared_contents(paths, known) if len(paths) > 1 else []
    if options.json:
        print(json.dumps({'sets': numbers, 'notes': notes}, indent=2))
        return
    for name, values in numbers.items():
        print(name)
        rows = list(_rows(values))
        width = max(len(key) for key, _ in rows)
        print(*(f'  {key:<{width}} {text}' for key, text in rows), sep='\n')
    print(*(f'note: {note}' for note in notes), sep='\n', end='\n' if notes else '')


def _rows(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each number; numbers of one kind stand in one row."""
    for key, value in values.items():
        name = key.replace('_', ' ')
        if isinstance(value, Mapping) and any(isinstance(child, Mapping) for child in value.values()):
            flat = {f'{name}: {inner.replace("_", " ")}': child for inner, child in value.items()}
            yield from ((inner, _text(child)) for inner, child in flat.items() if child != {})
        elif value or value == 0:
            yield name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ', '.join(f'{key.replace("_", " ")} {child}' for key, child in value.items())
    if isinstance(value, list):
        return '; '.join(' = '.join(one) if isinstance(one, list) else str(one) for one in value)
    return str(value)
