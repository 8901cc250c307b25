"""facelmk data check|convert|browse|stats|detect|cache: one module for each action."""

import argparse

from ..options import add_action, add_actions
from . import browse, cache, check, convert, detect, stats


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = add_actions(parser, check.EXAMPLE)
    modules = {'check': check, 'convert': convert, 'browse': browse, 'stats': stats, 'detect': detect, 'cache': cache}
    for name, module in modules.items():
        module.arguments(add_action(actions, name, module.run, module.PURPOSE, module.EXAMPLE))


def run(options: argparse.Namespace) -> int | None:
    return options.act(options)
