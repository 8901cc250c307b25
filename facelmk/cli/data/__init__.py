"""facelmk data check|convert|browse|detect: one module for each action."""

import argparse

from ..options import add_action, add_actions
from . import browse, check, convert, detect


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = add_actions(parser, check.EXAMPLE)
    for name, module in (('check', check), ('convert', convert), ('browse', browse), ('detect', detect)):
        module.arguments(add_action(actions, name, module.run, module.PURPOSE, module.EXAMPLE))


def run(options: argparse.Namespace) -> int | None:
    return options.act(options)
