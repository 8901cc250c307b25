"""facelmk config show CONFIG, config diff A B, config check CONFIG, config translate FILE."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FacelmkError
from .options import add_action, add_actions, add_config, add_safe, number_from, read_config, values

if TYPE_CHECKING:
    from mmengine import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = add_actions(parser, 'facelmk config diff hrnetv2_w18_wflw hrnetv2_w18_wflw_dark')
    _add_show(actions)
    _add_diff(actions)
    _add_check(actions)
    _add_translate(actions)


def _add_show(actions: Any) -> None:
    purpose = 'print a config as a run uses it: bases joined, defaults filled in'
    show = add_action(actions, 'show', _show, purpose, 'facelmk config show hrnetv2_w18_wflw --json')
    add_config(show)
    show.add_argument('--json', action='store_true', help='print it as json')


def _add_diff(actions: Any) -> None:
    purpose = 'print the values in which two configs differ'
    diff = add_action(actions, 'diff', _diff, purpose, 'facelmk config diff hrnetv2_w18_wflw mine.py')
    diff.add_argument('config', metavar='A', help='a config file, or the name of one that comes with facelmk')
    diff.add_argument('other', metavar='B', help='another config')
    diff.add_argument('--json', action='store_true', help='print {key: [in A, in B]}')
    add_safe(diff)


def _add_check(actions: Any) -> None:
    purpose = 'check a config before a long run: keys, data, batch, schedule, disk, and one step on the CPU'
    codes = '. Exit code 2: wrong config, 3: missing weights, 4: wrong data'
    check = add_action(actions, 'check', _check, purpose, 'facelmk config check hrnetv2_w18_wflw --gpus 8', codes)
    add_config(check)
    check.add_argument('--work-dir', help='the work folder of the run (default: work_dirs/<config>)')
    check.add_argument(
        '--gpus',
        type=number_from('--gpus', 1),
        default=1,
        metavar='N',
        help='how many GPUs the run will have (default: 1)',
    )
    check.add_argument('--no-step', action='store_true', help='skip the training step and the validation batch')
    check.add_argument('--json', action='store_true', help='print the findings as json')


def _add_translate(actions: Any) -> None:
    purpose = 'print a config file of MMPose 1.x as a config of facelmk'
    translate = add_action(
        actions, 'translate', _translate, purpose, 'facelmk config translate theirs.py --out mine.py'
    )
    translate.add_argument('config', metavar='FILE', help='a config file of MMPose 1.x for landmarks of faces')
    translate.add_argument('--out', metavar='FILE', help='write it into this file (*.py) instead')
    add_safe(translate)


def run(options: argparse.Namespace) -> int | None:
    return options.act(options)


def _show(options: argparse.Namespace) -> None:
    config = read_config(options)
    print(json.dumps(config.to_dict(), indent=2, default=str) if options.json else config.pretty_text)


def _check(options: argparse.Namespace) -> int:
    from ..config import find_config

    path = find_config(options.config)
    from ..config import complete, open_config
    from ..config.folders import move_data
    from ..engine.dryrun import check_config, exit_code

    with redirect_stdout(sys.stderr):  # for the log
        config, source = open_config(path, values(options.cfg_options or ()), options.safe_config)

        def fill_in() -> None:
            complete(config)
            if options.data:
                move_data(config, options.data)
            config.work_dir = options.work_dir or config.work_dir

        findings = check_config(config, source, fill_in, options.gpus, not options.no_step)
    if options.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=2))
    else:
        print(*(f'{finding.severity:8}{finding.subject}: {finding.message}' for finding in findings), sep='\n')
        errors = sum(finding.severity == 'error' for finding in findings)
        print(f'{options.config}: {errors} error{"s" * (errors != 1)}')
    return exit_code(findings)


def _translate(options: argparse.Namespace) -> None:
    from ..config import find_config
    from ..files.atomic import write_bytes

    path = find_config(options.config)
    from ..compat.mmpose_config.write import translated_text

    if options.out and (not options.out.endswith('.py') or Path(options.out).resolve() == path.resolve()):
        raise FacelmkError(f'--out {options.out}: expected another file than {path}, which ends in .py')
    text = translated_text(path, options.safe_config)
    if options.out:
        write_bytes(Path(options.out), text.encode())
    else:
        print(text, end='')


def _diff(options: argparse.Namespace) -> None:
    from ..config import find_config

    paths = [find_config(source) for source in (options.config, options.other)]
    from ..config import load_config

    configs = (load_config(path, safe=options.safe_config) for path in paths)
    a, b = (dict(flat(_without_name(config))) for config in configs)
    changed = {
        key: (a.get(key, MISSING), b.get(key, MISSING))
        for key in (*a, *(key for key in b if key not in a))
        if a.get(key, MISSING) != b.get(key, MISSING)
    }
    if options.json:
        pairs = {key: [None if value is MISSING else value for value in pair] for key, pair in changed.items()}
        print(json.dumps(pairs, indent=2, default=str))
        return
    print(f'--- {options.config}\n+++ {options.other}')
    for key, pair in changed.items():
        signed = zip('-+', pair, strict=True)
        print(key, *(f'  {sign} {value!r}' for sign, value in signed if value is not MISSING), sep='\n')
    print(f'{len(changed)} values differ' if changed else 'no value differs')


MISSING = type('Missing', (), {'__repr__': lambda self: 'missing'})()


def _without_name(config: 'Config') -> dict[str, Any]:
    """The config without the values that come from the name of its file."""
    return {key: value for key, value in config.to_dict().items() if key not in ('work_dir', 'filename')}


def flat(value: Any, path: str = '') -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested dicts, and of lists that hold dicts, with their dotted keys."""
    if isinstance(value, dict) and (value or not path):
        for key, child in value.items():
            yield from flat(child, f'{path}.{key}' if path else str(key))
    elif isinstance(value, (list, tuple)) and any(isinstance(child, dict) for child in value):
        for i, child in enumerate(value):
            yield from flat(child, f'{path}.{i}')
    else:
        yield path, list(value) if isinstance(value, tuple) else value
