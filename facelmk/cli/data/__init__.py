"""facelmk data check|convert|browse: one module for each action."""

import argparse

from ..options import example
from . import browse, check, convert


def arguments(parser: argparse.ArgumentParser) -> None:
    example(parser, check.EXAMPLE)
    actions = parser.add_subparsers(dest='action', required=True, metavar='ACTION')
    for name, module in (('check', check), ('convert', convert), ('browse', browse)):
        action = actions.add_parser(name, help=module.PURPOSE, description=module.PURPOSE)
        example(action, module.EXAMPLE)
        module.arguments(action)
        action.set_defaults(act=module.run)


def run(options: argparse.Namespace) -> int | None:
    return options.act(options)
