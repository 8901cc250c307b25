"""The pages of the reference about the code: public names with their docstrings, and registered parts."""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from public_names import address_of, addresses, is_constant, parts, public_modules
from rst_text import escaped, title

ROOT = Path(__file__).parents[1]
REPEATED = 3  # names of a registry that its line shows


def first_line(value: Any) -> str:
    """The first line of a docstring."""
    return escaped((inspect.getdoc(value) or '').partition('\n')[0])


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
    module, _, name = address.rpartition('.')
    lines = [f'.. py:data:: {name}', f'   :module: {module}', *([f'   :value: {shown}'] if plain else [])]
    return '\n'.join([*lines, '', f'   {meaning(address, value)}', ''])


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
