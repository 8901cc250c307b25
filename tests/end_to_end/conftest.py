"""The real tools in processes of their own, on runs that take seconds."""

import pytest
from processes import free_port, run_tool, start_tool, tiny_options


@pytest.fixture(scope='session')
def tool():
    """Runs a tool: tool('train.py', 'quickstart', ..., cwd=folder) gives its output."""
    return run_tool


@pytest.fixture
def launch(tmp_path):
    """Starts a tool and does not wait for it; what still runs after the test is ended. It writes into launched.txt."""
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
    """Finds a port that nobody listens on."""
    return free_port


@pytest.fixture(scope='session')
def tiny():
    """Gives the options of a run of seconds."""
    return tiny_options


@pytest.fixture(scope='session')
def trained(tmp_path_factory):
    """The work folder of a quick start of two epochs, and what it printed."""
    folder = tmp_path_factory.mktemp('trained')
    printed = run_tool('train.py', 'quickstart', *tiny_options(), cwd=folder)
    return folder / 'work_dirs' / 'quickstart', printed
