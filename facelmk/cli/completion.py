"""facelmk completion SHELL: the script that lets a shell complete the commands of facelmk."""

import argparse
import importlib
from collections.abc import Iterable
from typing import Any

from ..errors import MissingResource
from .options import example

SHELLS = ('bash', 'zsh', 'tcsh', 'fish')
PIP = 'pip install shtab'
FILES = frozenset(
    [
        'FILE',
        'DIR|FILE',
        'PATH',
        'INPUT',
        'PAGE',
        'BOXES',
        'CHECKPOINT',
        'WEIGHTS',
        'LOG',
        'IN',
        'OUT',
        'A.json',
        'B.json',
        'C.json',
    ]
)
CONFIGS = ('CONFIG', 'SOURCE', 'A', 'B')  # a name of a config, or a file
FOLDER_OPTIONS = ('--work-dir', '--show-dir')


def arguments(parser: argparse.ArgumentParser) -> None:
    example(parser, 'facelmk completion bash > ~/.local/share/bash-completion/completions/facelmk')
    parser.add_argument('shell', choices=SHELLS, metavar='SHELL', help=', '.join(SHELLS))


def run(options: argparse.Namespace) -> None:
    try:
        import shtab  # optional
    except ImportError as error:
        raise MissingResource(f'shtab makes the script, and it is not installed: {PIP}') from error
    if options.shell not in shtab.SUPPORTED_SHELLS:
        raise MissingResource(f'this version of shtab ({shtab.__version__}) does not know {options.shell}: {PIP} -U')
    parser = all_verbs()
    _add_completions(parser, _kinds(shtab))
    print(shtab.complete(parser, options.shell))


def all_verbs() -> argparse.ArgumentParser:
    """Return the parser of all verbs, those with a second name twice."""
    from . import OTHER_NAMES, VERBS, build_parser

    parser = build_parser(*VERBS)
    verbs = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for name, verb in OTHER_NAMES.items():
        other = verbs.add_parser(name, help=f'another name of {verb}', allow_abbrev=False)
        importlib.import_module(f'{__package__}.{verb}').arguments(other)
    return parser


def _kinds(shtab: Any) -> dict[str, Any]:
    """Return what completes each kind of value: files, folders and names."""
    from ..config import config_names
    from ..markups import MARKUPS
    from ..zoo import list_models

    names = list_models()
    return {
        'file': shtab.FILE,
        'folder': shtab.DIRECTORY,
        'config': _names_or_files('config', config_names()),
        'model': _names_or_files('model', names),
        'markup': list(MARKUPS),
        'name': names,
    }


def _names_or_files(kind: str, names: Iterable[str]) -> dict[str, Any]:
    """Return the functions of the shells that complete names and files; tcsh completes either, so files."""
    words = ' '.join(names)
    return {
        'bash': f'_facelmk_{kind}',
        'zsh': f'_facelmk_{kind}',
        'tcsh': 'f',
        'fish': f"(string split ' ' '{words}'; __fish_complete_path (commandline -ct))",
        'preamble': {
            'bash': f'_facelmk_{kind}() {{ compgen -W "{words}" -- "$1"; compgen -f -- "$1"; }}\n',
            'zsh': f"_facelmk_{kind}() {{ _alternative 'names:{kind}:({words})' 'files:file:_files' }}\n",
        },
    }


def _add_completions(parser: argparse.ArgumentParser, kinds: dict[str, Any]) -> None:
    """Set what completes each argument of a parser and of those below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                _add_completions(sub, kinds)
        elif (kind := _kind_of(action)) is not None and not action.choices:
            if isinstance(kinds[kind], list):
                action.choices = kinds[kind]
            else:
                action.complete = kinds[kind]  # type: ignore[attr-defined]


def _kind_of(action: argparse.Action) -> str | None:
    metavar = action.metavar if isinstance(action.metavar, str) else ''
    if metavar in FILES:
        return 'file'
    if metavar == 'DIR' or {*FOLDER_OPTIONS}.intersection(action.option_strings):
        return 'folder'
    if metavar in CONFIGS:
        return 'config'
    if metavar == 'MODEL' or '--model' in action.option_strings:
        return 'model'
    if '--markup' in action.option_strings:
        return 'markup'
    return 'name' if action.dest == 'name' and not action.option_strings else None
