"""facelmk config show CONFIG, facelmk config diff A B"""
import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .options import add_config, read_config

if TYPE_CHECKING:
    from mmengine import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest='what', required=True, metavar='WHAT')
    purpose = 'print a config as a run sees it: bases joined, defaults filled in'
    show = what.add_parser('show', help=purpose, description=purpose)
    add_config(show)
    show.add_argument('--json', action='store_true', help='print it as json')
    show.set_defaults(act=_show)
    purpose = 'print in which values two configs differ'
    diff = what.add_parser('diff', help=purpose, description=purpose)
    diff.add_argument('config', metavar='A', help='a config file, or the name of one that comes with facelmk')
    diff.add_argument('other', metavar='B', help='another one')
    diff.add_argument('--json', action='store_true', help='print {key: [in A, in B]}')
    diff.set_defaults(act=_diff)


def run(options: argparse.Namespace) -> None:
    options.act(options)


def _show(options: argparse.Namespace) -> None:
    config = read_config(options)
    print(json.dumps(config.to_dict(), indent=2, default=str) if options.json else config.pretty_text)


def _diff(options: argparse.Namespace) -> None:
    from ..engine.config import load_config

    a, b = (dict(flat(_own(load_config(source)))) for source in (options.config, options.other))
    changed = {key: (a.get(key, MISSING), b.get(key, MISSING)) for key in (*a, *(key for key in b if key not in a))
               if a.get(key, MISSING) != b.get(key, MISSING)}
    if options.json:
        told = {key: [None if value is MISSING else value for value in pair] for key, pair in changed.items()}
        print(json.dumps(told, indent=2, default=str))
        return
    print(f'--- {options.config}\n+++ {options.other}')
    for key, pair in changed.items():
        print(key, *(f'  {sign} {value!r}' for sign, value in zip('-+', pair, strict=True) if value is not MISSING),
              sep='\n')
    print(f'{len(changed)} values differ' if changed else 'no value differs')


MISSING = type('Missing', (), {'__repr__': lambda self: 'missing'})()


def _own(config: 'Config') -> dict[str, Any]:
    """The config without what follows from its file's name."""
    return {key: value for key, value in config.to_dict().items() if key not in ('work_dir', 'filename')}


def flat(value: Any, place: str = '') -> Iterator[tuple[str, Any]]:
    """The leaves of nested dicts and of lists that hold dicts, by dotted key."""
    if isinstance(value, dict) and (value or not place):
        for key, child in value.items():
            yield from flat(child, f'{place}.{key}' if place else str(key))
    elif isinstance(value, (list, tuple)) and any(isinstance(child, dict) for child in value):
        for i, child in enumerate(value):
            yield from flat(child, f'{place}.{i}')
    else:
        yield place, list(value) if isinstance(value, tuple) else value
