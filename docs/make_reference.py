"""Write the reference of the code and of the command line, and the pages of the clone's own files: `make docs` runs it.

The pages are made from the package and its argument parsers each time the docs are built, so git ignores them.
"""

import argparse
import importlib
import inspect
import re
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from public_names import address_of, addresses, is_constant, parts, public_modules

from facelmk import cli

DOCS = Path(__file__).parent
ROOT = DOCS.parent
FILES = {  # pages of the clone that are outside of docs/
    'CONTRIBUTING.md': 'contributing',
    'CHANGELOG.md': 'changes',
    'SECURITY.md': 'security',
    'CODE_OF_CONDUCT.md': 'conduct',
    'zoo/README.md': 'weights',
}
REPEATED = 3  # names of a registry that its line shows


def title(text: str, mark: str = '=') -> str:
    return f'{text}\n{mark * len(text)}\n'


def escaped(text: str) -> str:
    """Plain text for reStructuredText; what is between backticks is code."""
    pieces = re.split(r'(`[^`]+`)', text)
    return ''.join(
        f'`{piece}`' if piece.startswith('`') else re.sub(r'([\\*|]|_(?=\W|$))', r'\\\1', piece) for piece in pieces
    )


def first_line(value: Any) -> str:
    return escaped((inspect.getdoc(value) or '').partition('\n')[0])


# -- the code


def module_page(module: str) -> str:
    """The page of a public module: its names, documented where they are shortest."""
    here = {name: f'{module}.{name}' for name in public_modules().get(module, [])}
    documented = [address for address in addresses() if address.rpartition('.')[0] == module]
    lines = [title(module), f'.. automodule:: {module}\n   :no-members:\n']
    lines += [block(address) for address in documented]
    elsewhere = [name for name, address in here.items() if address not in documented]
    if elsewhere:
        links = (f':py:obj:`~{address_of(getattr(importlib.import_module(module), name))}`' for name in elsewhere)
        lines.append(f'It has these names, too: {", ".join(links)}.\n')
    return '\n'.join(lines)


def block(address: str) -> str:
    """The directive that documents one name."""
    value = addresses()[address]
    if is_constant(value):
        return constant(address, value)
    if inspect.isclass(value):
        return f'.. autoclass:: {address}\n   :members:\n'
    return f'.. autofunction:: {address}\n'


def constant(address: str, value: Any) -> str:
    """A constant with its value if that is short, and the comment of its line."""
    shown = repr(value)
    plain = (
        len(shown) <= 60 and not shown.startswith('<') and '\n' not in shown and isinstance(value, (int, str, tuple))
    )
    lines = [f'.. py:data:: {address}', f'   :value: {shown}' if plain else '', '', f'   {meaning(address, value)}', '']
    return '\n'.join(lines)


def meaning(address: str, value: Any) -> str:
    """What a constant is: the names of a registry, or the comment of the line that assigns it."""
    if hasattr(value, 'module_dict'):
        names = list(value)
        shown = ', '.join(names[:REPEATED]) + (', ...' if len(names) > REPEATED else '')
        return f'The registry of the kind `{value.name}`' + (f': {shown}' if names else '. facelmk has no part of it')
    module, _, name = address.rpartition('.')
    sources = [ROOT / path for path in (f'{module.replace(".", "/")}.py', f'{module.replace(".", "/")}/__init__.py')]
    text = next(path.read_text(encoding='utf-8') for path in sources if path.is_file())
    comment = re.search(rf'^[\w, ]*\b{name}\b[\w, ]* = .*  # (.+)$', text, re.M)
    return escaped(comment[1]) if comment else f'A value of type `{type(value).__name__}`.'


def parts_page() -> str:
    """The page of all registered parts: one table for each registry."""
    lines = [title('Registered parts'), 'What a config can name, by registry. A name is the `type` of a part.\n']
    for registry, registered in parts().items():
        lines += [title(registry, '-'), '.. list-table::\n   :widths: auto\n']
        for name, part in registered.items():
            lines.append(f'   * - :py:obj:`{name} <{address_of(part)}>`\n     - {first_line(part)}')
        lines.append('')
    return '\n'.join(lines)


def code_pages() -> Iterator[tuple[str, str]]:
    """Yield path and text of each page about the code."""
    modules = sorted({*public_modules(), *(address.rpartition('.')[0] for address in addresses())})
    toctree = [f'   {module}' for module in modules]
    intro = 'Every public name, from the docstrings of the code. Other names may change in any version.\n'
    lines = [title('Python'), intro, '.. toctree::\n   :maxdepth: 1\n', '   parts', *toctree, '']
    yield 'reference/api/index.rst', '\n'.join(lines)
    yield 'reference/api/parts.rst', parts_page()
    for module in modules:
        yield f'reference/api/{module}.rst', module_page(module)


# -- the command line


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


# -- the files of the clone


def relinked(text: str, path: str) -> str:
    """A page of the clone with its links as seen from docs/project/."""

    def link(match: re.Match) -> str:
        target = match[1]
        if re.match(r'https?:|mailto:|#', target):
            return match[0]
        file, mark, anchor = target.partition('#')
        inside = (ROOT / path).parent.joinpath(file).resolve().relative_to(ROOT).as_posix()
        if inside in FILES:
            return f']({FILES[inside]}.md{mark}{anchor})'
        return (
            f'](../{inside.removeprefix("docs/")}{mark}{anchor})'
            if inside.startswith('docs/')
            else f'](../../{inside})'
        )

    return re.sub(r'\]\(([^)\s]+)\)', link, text)


def project_pages() -> Iterator[tuple[str, str]]:
    """Yield path and text of each file of the clone that is a page of the site."""
    for path, name in FILES.items():
        if (ROOT / path).is_file():
            yield f'project/{name}.md', relinked((ROOT / path).read_text(encoding='utf-8'), path)


def pages() -> dict[str, str]:
    """All pages that are made from something else, by their path below docs/."""
    return dict([*code_pages(), *command_pages(), *project_pages()])


def write_pages() -> None:
    """Write all pages; an unchanged one keeps its time, so that Sphinx does not read it again."""
    texts = pages()
    for folder in ('reference', 'project'):
        for path in (DOCS / folder).rglob('*.*'):
            if path.relative_to(DOCS).as_posix() not in texts:
                path.unlink()
    for name, text in texts.items():
        path = DOCS / name
        if not path.is_file() or path.read_text(encoding='utf-8') != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding='utf-8')


if __name__ == '__main__':
    shutil.rmtree(DOCS / 'reference', ignore_errors=True)
    write_pages()
