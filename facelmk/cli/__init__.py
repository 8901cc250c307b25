"""`facelmk VERB ...`: one file a verb, each with `arguments(parser)` and `run(options)`; tools/*.py call the same.

Exit codes: 0 good, 1 a bug, 2 wrong input, 3 something missing, 4 defective data, 5 training cannot go on.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import FacelmkError, did_you_mean
from .options import refused

VERBS = {
    'predict': 'find landmarks in pictures and folders',
    'train': 'train a model',
    'test': 'test a checkpoint: metrics, predictions, a report',
    'config': 'show or compare configs',
    'data': 'look at data sets',
    'models': 'count what a model costs, publish a checkpoint',
    'plot': 'draw training curves from logs',
    'env': 'what this machine and its packages are',
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    # torch's idle threads spin by default; where loaders or others want the cores, training is then ten times slower
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser('facelmk', description='Facial landmarks: train, test, look, compare.')
    parser.add_argument('--version', action='version', version=__version__)
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')
    asked = next((word for word in given if not word.startswith('-')), None)
    if asked is not None and asked not in VERBS and given[0] == asked:
        print(
            f'facelmk: {asked!r} is no verb. {did_you_mean(asked, VERBS)} Verbs are: {", ".join(VERBS)}',
            file=sys.stderr,
        )
        return 2
    verb = next((word for word in given if word in VERBS), None)
    if verb is not None and given[0] not in (verb, '-h', '--help', '--version'):
        print(
            f'facelmk: {given[0]} stands before the verb; options follow it: facelmk {verb} ... {given[0]}',
            file=sys.stderr,
        )
        return 2
    for verb, purpose in VERBS.items():
        sub = verbs.add_parser(verb, help=purpose, description=purpose)
        if verb == asked:  # the other verbs' modules need not be imported
            module = importlib.import_module(f'{__name__}.{verb}')
            module.arguments(sub)
            given = getattr(module, 'habits', list)(given)
            sub.set_defaults(run=module.run)
    try:
        options, rest = parser.parse_known_args(given)
        if rest:
            raise FacelmkError(refused(rest[0], verbs.choices[options.verb]))
        answer = options.run(options) or 0
        sys.stdout.flush()
        return answer
    except BrokenPipeError:  # whoever read the output has gone, such as `| head`; Python would flush once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # what a shell says of a program that ended so
    except FacelmkError as error:
        print(f'facelmk: {error}', file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print('facelmk: interrupted', file=sys.stderr)
        return 130
