"""facelmk data check|convert|browse: one file a word."""

import argparse

from . import browse, check, convert


def arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest='what', required=True, metavar='WHAT')
    for name, purpose, module in (
        ('check', check.PURPOSE, check),
        ('convert', convert.PURPOSE, convert),
        ('browse', browse.PURPOSE, browse),
    ):
        word = what.add_parser(name, help=purpose, description=purpose)
        module.arguments(word)
        word.set_defaults(act=module.run)


def run(options: argparse.Namespace) -> int | None:
    return options.act(options)
