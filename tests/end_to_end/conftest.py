"""Run the tools in processes of their own, on runs of a few seconds."""

import pytest
from processes import free_port, run_tool, start_tool, tiny_options


@pytest.fixture(scope='session')
def tool():
    """Runs a tool: tool('train.py', 'quickstart', ..., cwd=folder) returns its output."""
    return run_tool


@pytest.fixture
def launch(tmp_path):
    """Starts a tool, which writes into launched.txt, and does not wait for it. After the test it is terminated."""
    started = []

    def start(*arguments, **options):
        with (tmp_path / 'launched.txt').open('w') as output:
            started.append(start_tool(*arguments, output=output, **options))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.wait()


@pytest.fixture(scope='session')
def port():
    """Returns a free port."""
    return free_port


@pytest.fixture(scope='session')
def tiny():
    """Returns the options of a run of a few seconds."""
    return tiny_options


@pytest.fixture(scope='session')
def trained(tmp_path_factory):
    """The work folder and the output of a quick start of two epochs."""
    folder = tmp_path_factory.mktemp('trained')
    printed = run_tool('train.py', 'quickstart', *tiny_options(), cwd=folder)
    return folder / 'work_dirs' / 'quickstart', printed
