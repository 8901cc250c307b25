"""facelmk config show CONFIG, facelmk config diff A B, facelmk config check CONFIG"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError
from .options import add_config, add_safe, read_config, values

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
    add_safe(diff)
    diff.set_defaults(act=_diff)
    purpose = 'look over a config before a long run: keys, data, batch, schedule, disk, and one step on the CPU'
    check = what.add_parser(
        'check',
        help=purpose,
        description=purpose + '; exit code 2: wrong config, 3: weights that are not there, 4: wrong data',
    )
    add_config(check)
    check.add_argument('--work-dir', help='where the run would write (default: work_dirs/<config>)')
    check.add_argument('--gpus', type=int, default=1, metavar='N', help='how many GPUs the run will have (default: 1)')
    check.add_argument('--no-step', action='store_true', help='train no step and validate no batch')
    check.add_argument('--json', action='store_true', help='print the findings as json')
    check.set_defaults(act=_check)


def run(options: argparse.Namespace) -> int | None:
    return options.act(options)


def _show(options: argparse.Namespace) -> None:
    config = read_config(options)
    print(json.dumps(config.to_dict(), indent=2, default=str) if options.json else config.pretty_text)


def _check(options: argparse.Namespace) -> int:
    from ..config import complete, open_config
    from ..config.folders import move_data
    from ..engine.dryrun import check_config, exit_code

    if options.gpus < 1:
        raise FacelmkError(f'--gpus {options.gpus}: expected 1 or more')
    with redirect_stdout(sys.stderr):  # the parts' log
        config, source = open_config(options.config, values(options.cfg_options or ()), options.safe_config)
        complete(config)
        if options.data:
            move_data(config, options.data)
        config.work_dir = options.work_dir or config.work_dir
        found = check_config(config, source, options.gpus, not options.no_step)
    if options.json:
        print(json.dumps([finding._asdict() for finding in found], indent=2))
    else:
        print(*(f'{finding.severity:8}{finding.subject}: {finding.message}' for finding in found), sep='\n')
        wrong = sum(finding.severity == 'error' for finding in found)
        print(f'{options.config}: {wrong} error{"s" * (wrong != 1)}')
    return exit_code(found)


def _diff(options: argparse.Namespace) -> None:
    from ..config import load_config

    a, b = (
        dict(flat(_own(load_config(source, safe=options.safe_config)))) for source in (options.config, options.other)
    )
    changed = {
        key: (a.get(key, MISSING), b.get(key, MISSING))
        for key in (*a, *(key for key in b if key not in a))
        if a.get(key, MISSING) != b.get(key, MISSING)
    }
    if options.json:
        told = {key: [None if value is MISSING else value for value in pair] for key, pair in changed.items()}
        print(json.dumps(told, indent=2, default=str))
        return
    print(f'--- {options.config}\n+++ {options.other}')
    for key, pair in changed.items():
        print(
            key,
            *(f'  {sign} {value!r}' for sign, value in zip('-+', pair, strict=True) if value is not MISSING),
            sep='\n',
        )
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
