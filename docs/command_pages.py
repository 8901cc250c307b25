"""The pages of the reference about the command line, from its argument parsers."""

import argparse
import importlib
import re
import textwrap
from collections.abc import Iterator

from rst_text import escaped, title

from facelmk import cli


def parser_of(verb: str) -> argparse.ArgumentParser:
    """The parser of a verb, with its subcommands."""
    parser = argparse.ArgumentParser(f'facelmk {verb}', description=cli.VERBS[verb], allow_abbrev=False)
    importlib.import_module(f'facelmk.cli.{verb}').arguments(parser)
    return parser


def actions_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The subcommands of a parser."""
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def usage(parser: argparse.ArgumentParser) -> str:
    """The usage of a parser in lines of 88 characters."""
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=88)
    return parser.format_usage().removeprefix('usage: ').strip()


def option(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """The entry of one argument."""
    formatter = argparse.HelpFormatter(parser.prog)
    value = '' if action.nargs == 0 else formatter._format_args(action, str(action.metavar or action.dest.upper()))
    names = [f'{name} {value}'.strip() for name in action.option_strings] or [value]
    details = formatter._expand_help(action) if action.help else ''
    if action.choices and action.metavar:
        details += f' ({", ".join(map(str, action.choices))})'
    return f'.. option:: {", ".join(names)}\n\n   {escaped(details)}\n'


def command(parser: argparse.ArgumentParser, mark: str) -> Iterator[str]:
    """Yield the section of a parser, then those of its subcommands."""
    yield title(parser.prog, mark)
    description = parser.description or ''
    yield escaped(description[:1].upper() + description[1:]) + '.\n'
    yield f'.. code-block:: text\n\n{textwrap.indent(usage(parser), "   ")}\n'
    if parser.epilog and parser.epilog.startswith('example: '):
        yield f'For example:\n\n.. code-block:: bash\n\n{textwrap.indent(parser.epilog[9:], "   ")}\n'
    yield f'.. program:: {parser.prog}\n'
    yield from (option(action, parser) for action in parser._actions if shown(action))
    for action in actions_of(parser).values():
        yield from command(action, '-')


def shown(action: argparse.Action) -> bool:
    """Whether an argument has an entry of its own."""
    hidden = action.help == argparse.SUPPRESS or '--help' in action.option_strings
    return not hidden and not isinstance(action, argparse._SubParsersAction)


def exit_codes() -> dict[str, str]:
    """What each exit code means, from the docstring of the command line."""
    sentence = (cli.__doc__ or '').partition('Exit codes: ')[2].partition('.')[0]
    return dict(re.findall(r'(\d+) ([^,]+)', sentence))


def command_pages() -> Iterator[tuple[str, str]]:
    """Yield path and text of each page about the command line."""
    rows = [f'   * - :doc:`facelmk {verb} <{verb}>`\n     - {escaped(purpose)}' for verb, purpose in cli.VERBS.items()]
    codes = [f'   * - {code}\n     - {text}' for code, text in exit_codes().items()]
    table = '.. list-table::\n   :widths: auto\n'
    toctree = '.. toctree::\n   :hidden:\n\n' + '\n'.join(f'   {verb}' for verb in cli.VERBS) + '\n'
    lines = [title('Command line'), 'Made from the argument parsers. `facelmk VERB --help` prints the same.\n']
    lines += [table, *rows, '', title('Exit codes', '-'), table, *codes, '', toctree]
    yield 'reference/commands/index.rst', '\n'.join(lines)
    for verb in cli.VERBS:
        yield f'reference/commands/{verb}.rst', '\n'.join(command(parser_of(verb), '='))
