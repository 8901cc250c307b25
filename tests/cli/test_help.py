"""The help of each verb and of each of its actions: all words are explained, and it ends with an example."""

import argparse
import shlex
from collections.abc import Iterator

import pytest

from facelmk.cli import OTHER_NAMES, VERBS, build_parser, main


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser, and those of its verbs and their actions."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from parsers(sub)


ALL = {parser.prog: parser for parser in parsers(build_parser(*VERBS))}


def test_all_verbs_and_their_actions_are_here() -> None:
    assert {f'facelmk {verb}' for verb in VERBS} < set(ALL) and 'facelmk data convert' in ALL and len(ALL) > 25


@pytest.mark.parametrize('prog', ALL)
def test_the_help_ends_with_an_example_that_parses(prog: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = ALL[prog].format_help().rstrip()
    last = text.rpartition('\n\n')[2]
    assert last.startswith('example: facelmk ')
    command = ' '.join(last.split()).removeprefix('example: ').partition(' > ')[0]
    assert command.startswith(prog)
    options = build_parser(*VERBS).parse_args(shlex.split(command)[1:])
    assert options.verb == shlex.split(command)[1]


@pytest.mark.parametrize('prog', ALL)
def test_each_argument_is_explained(prog: str) -> None:
    unexplained = [
        action.dest
        for action in ALL[prog]._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert unexplained == []
    assert prog == 'facelmk' or ALL[prog].description


@pytest.mark.parametrize(('name', 'verb'), OTHER_NAMES.items())
def test_other_names_of_verbs(name, verb, capsys):
    with pytest.raises(SystemExit) as stop:
        main([name, '--help'])
    assert stop.value.code == 0 and f'usage: facelmk {verb}' in capsys.readouterr().out
