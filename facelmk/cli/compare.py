"""facelmk compare A.json B.json ..."""

import argparse
import sys
from pathlib import Path

from ..errors import FacelmkError
from .options import example

METRICS = 'metrics.json'  # of a work folder
ADVICE = f'Give the {METRICS} of a test, its folder, or the file that facelmk test wrote with --out'


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = 'compare tests of the same faces: the difference of their errors, with a 95 % interval'
    example(parser, 'facelmk compare work_dirs/a/metrics.json work_dirs/b/metrics.json --report page.html')
    parser.add_argument('a', metavar='A.json', help='the metrics.json of a test, its folder, or the file of its --out')
    parser.add_argument('b', metavar='B.json', help='the same of another test')
    parser.add_argument('others', metavar='C.json', nargs='*', help='further tests, each compared with A')
    parser.add_argument(
        '--report', metavar='PAGE', help='write one page with curves and tables: FILE.html, or a folder for index.html'
    )
    parser.add_argument('--json', action='store_true', help='print the comparison as json')


def run(options: argparse.Namespace) -> None:
    from ..datasets.records import translate_read_errors

    files = [_file(path) for path in (options.a, options.b, *options.others)]
    for path in files:  # before torch is imported
        with translate_read_errors(path, ADVICE):
            pass
    from ..report.compare_page import compare_page
    from ..report.page import check_page, write_page
    from ..report.paired import compare_all, comparison, difference_table, read_errors, verdict
    from ..report.record import to_json

    if options.report:
        check_page(options.report)
    pairs = compare_all([read_errors(file) for file in files])
    if options.json:
        found = [comparison(pair.a, pair.b, pair.differences, pair.names) for pair in pairs]
        print(to_json(found[0] if len(found) == 1 else {'comparisons': found}))
    else:
        for pair in pairs:
            print(difference_table(*pair).text(), verdict(pair.differences, pair.names), sep='\n')
    if options.report:
        page = write_page(compare_page(pairs), options.report)
        print(f'report: {page}', file=sys.stderr if options.json else sys.stdout)


def _file(path: str) -> str:
    """Return the metrics.json of a work folder, or the path itself."""
    if not Path(path).is_dir():
        return path
    inside = Path(path, METRICS)
    if not inside.is_file():
        raise FacelmkError(f'{path} holds no {METRICS}. Expected the work folder of a test, or the file of its --out')
    return str(inside)
