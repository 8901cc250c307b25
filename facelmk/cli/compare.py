"""facelmk compare A.json B.json."""

import argparse

from .options import example


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = 'compare two tests of the same faces: the difference of their errors, with a 95 % interval'
    example(parser, 'facelmk compare work_dirs/a/metrics.json work_dirs/b/metrics.json')
    parser.add_argument('a', metavar='A.json', help='the metrics.json of a test, or the file of its --out')
    parser.add_argument('b', metavar='B.json', help='the same of another test')
    parser.add_argument('--json', action='store_true', help='print the comparison as json')


def run(options: argparse.Namespace) -> None:
    from ..datasets.records import translate_read_errors

    for path in (options.a, options.b):  # before torch is imported
        with translate_read_errors(path):
            pass
    from ..report.paired import compare_errors, comparison, difference_table, read_errors, verdict
    from ..report.record import to_json

    a, b = read_errors(options.a), read_errors(options.b)
    differences = compare_errors(a, b)
    if options.json:
        print(to_json(comparison(a, b, differences)))
    else:
        print(difference_table(a, b, differences).text(), verdict(differences), sep='\n')
