"""facelmk bench [PART ...]."""

import argparse
import json
from pathlib import Path

from ..bench import PARTS
from ..errors import UnknownName, did_you_mean
from .options import example, number_from


def arguments(parser: argparse.ArgumentParser) -> None:
    example(parser, 'facelmk bench codec metric --json bench.json')
    parser.add_argument(
        'parts',
        nargs='*',
        metavar='PART',
        help=f'what to measure: {", ".join(f"{name} ({purpose})" for name, purpose in PARTS.items())} (default: all)',
    )
    parser.add_argument('--json', metavar='FILE', help='write the rows and the environment into this file')
    parser.add_argument('--quick', action='store_true', help='fewer rounds and smaller data: less exact')
    parser.add_argument(
        '--threads',
        type=number_from('--threads', 1),
        default=1,
        metavar='N',
        help='threads of torch and OpenCV (default: 1)',
    )


def run(options: argparse.Namespace) -> None:
    if unknown := [part for part in options.parts if part not in PARTS]:
        raise UnknownName(f'no part of the benchmark is called {unknown[0]!r}. {did_you_mean(unknown[0], PARTS)}')
    if options.json:
        from ..files.atomic import check_output

        check_output(options.json)
    from ..bench.environment import environment, environment_lines, load
    from ..bench.row import Options
    from ..bench.run import head_line, row_line, row_record, run_parts

    chosen = Options(options.quick, options.threads)
    facts = environment(chosen)
    records = []
    print(
        'CPU time of one call or sample, medians; a ratio above 1 means that facelmk takes less', head_line(), sep='\n'
    )
    for part, row in run_parts(options.parts or PARTS, chosen):
        records.append(row_record(part, row))
        print(row_line(row), flush=True)
    facts['load_after'] = load()
    print(environment_lines(facts))
    if options.json:
        from ..files.atomic import write_bytes

        text = json.dumps({'environment': facts, 'rows': records}, indent=2, ensure_ascii=False)
        write_bytes(Path(options.json), f'{text}\n'.encode())
