"""`facelmk VERB ...`: one module for each verb, with `arguments(parser)` and `run(options)`; tools/*.py call the same.

Exit codes: 0 good, 1 a bug, 2 wrong input, 3 a missing resource, 4 defective data, 5 training cannot continue.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from .. import __version__
from ..errors import FULL_DISK, FacelmkError, MissingResource, UnwritableOutput, did_you_mean
from ..files.progress import close_bar, drop_output, show_plain_lines
from ..files.signals import Stopped, graceful_shutdown
from .options import Parser, example, unknown_argument

VERBS = {
    'predict': 'find landmarks in pictures, films, cameras and folders',
    'serve': 'show landmarks in a web page of this machine, and answer programs in JSON',
    'train': 'train a model',
    'test': 'test a checkpoint: metrics, predictions, a report',
    'calibrate': 'fit expected errors and scores of faces, and check them',
    'compare': 'compare two tests of the same faces: which one is better?',
    'search': 'search values of a config, such as the learning rate, by short trainings',
    'config': 'show, compare and check configs',
    'data': 'check, convert and draw data sets',
    'export': 'write a model as ONNX, OpenVINO or TorchScript, for programs without torch',
    'models': 'list models with weights, count parameters and operations, publish a checkpoint',
    'plot': 'draw training curves from logs',
    'bench': 'measure speed and memory on this machine, beside MMPose-style code',
    'completion': 'print the script that lets a shell complete these commands',
    'env': 'list this machine, its packages and their problems',
}
OTHER_NAMES = {'video': 'predict', 'doctor': 'env'}  # what users of other packages try first
BROKEN_PIPE = 141  # what a shell reports of a program whose reader has gone
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # torch's idle threads spin by default; with loaders on the same cores, training is then ten times slower
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == 'strict':
        sys.stdout.reconfigure(errors='backslashreplace')  # a file's name may not fit the terminal's encoding
    words = list(sys.argv[1:] if arguments is None else arguments)
    words[:1] = [OTHER_NAMES.get(word, word) for word in words[:1]]
    if problem := _misplaced_verb(words):
        print(f'facelmk: {problem}', file=sys.stderr)
        return 2
    try:
        with graceful_shutdown():
            return _run(words)
    except BrokenPipeError:  # the reader of the output has gone, such as `| head`
        drop_output(sys.stdout)
        return BROKEN_PIPE
    except FacelmkError as error:
        if not isinstance(error, Stopped) or os.environ.get('RANK', '0') == '0':  # all ranks stop together
            print(f'facelmk: {error}', file=sys.stderr)
        return error.exit_code
    except OSError as error:
        if error.filename is not None:
            print(f'facelmk: {error.filename}: {error.strerror}. Check this path and its rights', file=sys.stderr)
            return MissingResource.exit_code if isinstance(error, FileNotFoundError) else FacelmkError.exit_code
        if error.errno not in FULL_DISK:
            raise
        drop_output(sys.stdout)
        print(f'facelmk: {UnwritableOutput("stdout", error)}', file=sys.stderr)
        return MissingResource.exit_code
    except KeyboardInterrupt:
        print('facelmk: interrupted', file=sys.stderr)
        return INTERRUPTED


def _misplaced_verb(words: Sequence[str]) -> str | None:
    """Why the first word cannot be run; None if it is a verb, or a question about facelmk itself."""
    first = words[0] if words else '--help'
    if not first.startswith('-') and first not in VERBS:
        return f'{first!r} is no verb. {did_you_mean(first, VERBS)} Verbs: {", ".join(VERBS)}'
    verb = next((word for word in words if word in VERBS), None)
    if verb is not None and first not in (verb, '-h', '--help', '--version'):
        return f'{first} stands before the verb. Options follow it: facelmk {verb} ... {first}'
    return None


def build_parser(*filled: str) -> argparse.ArgumentParser:
    """Return the parser of the command line, with the options of these verbs: only their modules are imported."""
    parser = Parser('facelmk', description='Facial landmarks: train, test, predict, compare.')
    example(parser, 'facelmk predict photo.jpg')
    parser.add_argument('--version', action='version', version=__version__)
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')
    for verb, purpose in VERBS.items():
        sub = verbs.add_parser(verb, help=purpose, description=purpose, allow_abbrev=False)
        sub.set_defaults(parser=sub)
        if verb in filled:
            module = importlib.import_module(f'{__name__}.{verb}')
            module.arguments(sub)
            sub.set_defaults(run=module.run)
    return parser


def _run(words: list[str]) -> int:
    """Parse the command line and run its verb."""
    parser = build_parser(*words[:1])
    if words and words[0] in VERBS:
        words = getattr(importlib.import_module(f'{__name__}.{words[0]}'), 'translate_arguments', list)(words)
    options, unknown = parser.parse_known_args(words)
    if unknown and not any(word.startswith('-') for word in unknown):
        unknown = _add_to_list(options, unknown, options.parser)
    if unknown:
        raise FacelmkError(unknown_argument(unknown[0], options.parser))
    show_plain_lines(getattr(options, 'plain', False))
    try:
        with _parts_of(options):
            exit_code = options.run(options) or 0
    finally:
        close_bar()
    sys.stdout.flush()
    return exit_code


def _add_to_list(options: argparse.Namespace, words: list[str], parser: argparse.ArgumentParser) -> list[str]:
    """Add words to the list of words that a verb takes, and return the others.

    argparse itself takes only those that follow one another: `predict CONFIG --boxes full PICTURE` has two groups.
    """
    lists = [action.dest for action in parser._actions if action.nargs == '+' and not action.option_strings]
    if not lists:
        return words
    getattr(options, lists[-1]).extend(words)
    return []


def _parts_of(options: argparse.Namespace) -> AbstractContextManager[None]:
    """The rule of --safe-config, which holds until the verb ends."""
    if not getattr(options, 'safe_config', False):
        return nullcontext()
    from ..registry import registered_parts_only  # imports torch, which --help does not need

    return registered_parts_only()
