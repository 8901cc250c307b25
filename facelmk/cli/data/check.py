"""facelmk data check SOURCE."""

import argparse
import json
from typing import Any

from ..options import add_plain, keep_stdout_for_json
from .source import PHASES, add_source, check_source, sets

PURPOSE = 'find defects of a data set: pictures, points, boxes, duplicates, counts; exit code 4 if there are any'
EXAMPLE = 'facelmk data check faces.csv --markup 300w'
DEFECTIVE = 4


def arguments(check: argparse.ArgumentParser) -> None:
    add_source(check)
    check.add_argument(
        '--phase',
        choices=PHASES,
        nargs='+',
        default=list(PHASES),
        help='the phases of a config (default: all, each data set once)',
    )
    check.add_argument(
        '--pictures',
        choices=('decode', 'there', 'none'),
        default='decode',
        help='decode pictures, check only that they exist, or ignore them (default: decode)',
    )
    check.add_argument('--json', action='store_true', help='print the defects as json')
    add_plain(check)


def run(options: argparse.Namespace) -> int:
    check_source(options.source)
    from ...datasets.tools.check import check, shared_pictures, turned_pictures

    with keep_stdout_for_json(options.json):
        results = {name: check(read, options.pictures) for name, read in sets(options, options.phase)}
    notes = turned_pictures(results) + shared_pictures(results)
    if options.json:
        report: dict[str, Any] = {'sets': {name: result.to_dict() for name, result in results.items()}, 'notes': notes}
        print(json.dumps(report, indent=2))
    else:
        for name, result in results.items():
            for defect in result.defects:
                print(': '.join(filter(None, dict.fromkeys((name, *defect)))))
            print(f'{name}: {result.summary()}')
        print(*(f'note: {note}' for note in notes), sep='\n', end='\n' if notes else '')
    return DEFECTIVE if any(result.defects for result in results.values()) else 0
