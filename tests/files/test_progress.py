"""Progress: one bar on a terminal, few plain lines elsewhere, nothing on stdout, messages on lines of their own."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import environment

from facelmk.files import progress
from facelmk.files.progress import Progress, duration, say, short_number, show_plain_lines, track

WORK = """
import sys
from facelmk.files import progress
progress.BAR_AFTER_S = progress.BAR_S = 0
{setup}
with progress.Progress('drawing', 40, unit='faces/s') as work:
    for done in range(1, 41):
        work.show(done, 'loss 0.5')
        if done == 20:
            progress.say('a note ' + 'x' * 150)
            print('printed by others')
            print('warning', file=sys.stderr)
{end}
"""


def in_terminal(script: str, width: int = 100, **variables: str) -> str:
    """What a script writes on a terminal of this width."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack('HHHH', 24, width, 0, 0))
    values = {key: value for key, value in environment(**({'TERM': 'xterm'} | variables)).items() if key != 'COLUMNS'}
    process = subprocess.Popen(
        [sys.executable, '-c', script], stdin=child, stdout=child, stderr=child, env=values, close_fds=True
    )
    os.close(child)
    printed = b''.join(iter(lambda: read(parent), b''))
    process.wait()
    os.close(parent)
    return printed.decode(variables.get('PYTHONIOENCODING', 'utf-8'))


def read(file: int) -> bytes:
    try:
        return os.read(file, 65536)
    except OSError:  # the process has closed the terminal
        return b''


def screen(printed: str) -> list[str]:
    """The lines that stay, without those that were erased, and without colours."""
    plain = re.sub(r'\x1b\[[\d;?]*[a-zA-Z]', lambda match: '\0' if match[0] == '\x1b[2K' else '', printed)
    return [line.rpartition('\0')[2].strip('\r') for line in plain.split('\n')]


def test_the_bar_is_gone_at_the_end_and_messages_stay() -> None:
    printed = in_terminal(WORK.format(setup='', end="print('end')"))
    assert '39/40' in printed and 'faces/s' in printed and 'loss 0.5' in printed and '\u2501' in printed
    kept = [line for line in screen(printed) if line]
    assert 'a note ' + 'x' * 150 in kept and 'printed by others' in kept and 'warning' in kept
    assert kept[-1] == 'end' and '\x1b[?25l' not in printed.rpartition('\x1b[?25h')[2]  # the cursor is visible


def test_an_error_follows_on_its_own_line() -> None:
    """The handler of a command closes the bar before it prints the message."""
    end = "progress.Progress('more', 9).show(3)\nprogress.close_bar()\nprint('facelmk: stopped', file=sys.stderr)"
    assert [line for line in screen(in_terminal(WORK.format(setup='', end=end))) if line][-1] == 'facelmk: stopped'


@pytest.mark.parametrize('width', [40, 20])
def test_a_narrow_terminal_has_one_line_without_a_bar(width: int) -> None:
    printed = in_terminal(WORK.format(setup='', end=''), width)
    drawn = [line for line in re.split(r'\x1b\[2K|[\r\n]', printed) if line.startswith('drawing')]
    assert drawn and all(len(re.sub(r'\x1b\[[\d;?]*[a-zA-Z]', '', line)) < width for line in drawn)
    assert '\u2501' not in printed and '39/40' in printed


def test_no_colour_and_ascii() -> None:
    printed = in_terminal(WORK.format(setup='', end=''), NO_COLOR='1', LC_ALL='C', PYTHONIOENCODING='ascii')
    assert '39/40' in printed and not re.search(r'\x1b\[[\d;]*m', printed.replace('\x1b[0m', ''))


@pytest.mark.parametrize(
    ('setup', 'variables'), [('progress.show_plain_lines(True)', {}), ('', {'TERM': 'dumb'})], ids=['--plain', 'dumb']
)
def test_no_bar(setup: str, variables: dict[str, str]) -> None:
    printed = in_terminal(WORK.format(setup=f'progress.FIRST_LINE_S = 0\n{setup}', end=''), **variables)
    assert '\x1b' not in printed and 'drawing: ' in printed


def test_a_pipe_gets_no_bar_and_stdout_no_progress() -> None:
    done = subprocess.run(
        [sys.executable, '-c', WORK.format(setup='progress.FIRST_LINE_S = 0', end='')],
        capture_output=True,
        text=True,
        env=environment(TERM='xterm'),
        check=True,
    )
    assert '\x1b' not in done.stdout + done.stderr and done.stdout.splitlines()[1] == 'printed by others'
    assert 'drawing: ' in done.stderr and 'drawing: ' not in done.stdout


def test_rich_is_imported_for_a_bar_only() -> None:
    script = WORK.format(setup='', end="assert 'rich' not in sys.modules and 'torch' not in sys.modules")
    subprocess.run([sys.executable, '-c', script], capture_output=True, env=environment(), check=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test sets."""
    now = [0.0]
    monkeypatch.setattr(time, 'monotonic', lambda: now[0])
    return now


def lines_of_work(clock: list[float], seconds: int) -> None:
    with Progress('checking', seconds) as work:
        for done in range(1, seconds + 1):
            clock[0] += 1
            work.show(done)


@pytest.mark.parametrize(
    ('seconds', 'count'), [(5, 0), (15, 0), (60, 2), (600, 4), (3600, 5), (24 * 3600, 28)], ids=lambda value: str(value)
)
def test_the_number_of_lines_is_small(seconds: int, count: int, clock: list[float], capsys) -> None:
    lines_of_work(clock, seconds)
    printed = capsys.readouterr()
    assert not printed.out and len(printed.err.splitlines()) == count, printed.err


def test_a_line_has_count_remaining_time_and_rate(clock: list[float], capsys) -> None:
    lines_of_work(clock, 100)
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first == 'checking: 15/100, 1 min 25 s left, 1.0 a second'
    assert last == 'checking: 100/100, in 1 min 40 s, 1.0 a second'


def test_what_was_done_before_and_pauses_do_not_change_the_rate(clock: list[float], capsys) -> None:
    work = Progress('epoch 2 of 3', 100, 50, 'faces/s', per_step=8)
    work.idle_s = 10.0  # a validation
    clock[0] = 20.0
    work.show(60)
    assert capsys.readouterr().err == 'epoch 2 of 3: 60/100, 1 min 20 s left, 8.0 faces/s\n'


@pytest.mark.parametrize('hide', ['rank', 'fork'])
def test_others_show_nothing(hide: str, clock: list[float], capsys, monkeypatch) -> None:
    if hide == 'rank':
        monkeypatch.setenv('LOCAL_RANK', '1')
    else:
        monkeypatch.setattr(progress, '_PROCESS', -1)
    lines_of_work(clock, 100)
    assert not any(capsys.readouterr())


def test_track_yields_all_and_ends_at_an_error(clock: list[float], capsys) -> None:
    def items() -> Iterator[int]:
        for i in range(40):
            clock[0] += 1
            yield i

    assert list(track(items(), 'reading', unit='files/s')) == list(range(40))
    assert [line.split(',')[0] for line in capsys.readouterr().err.splitlines()] == ['reading: 15']
    with pytest.raises(ZeroDivisionError):
        for number in track(range(5), 'reading'):
            number / 0
    assert not any(capsys.readouterr())


def test_track_lines_counts_megabytes(tmp_path: Path, clock: list[float], capsys) -> None:
    file = tmp_path / 'long.csv'
    file.write_text('a' * 999_999 + '\n' + 'b' * 999_999 + '\n')
    with file.open() as stream:
        for _ in progress.track_lines(stream, 'reading long.csv'):
            clock[0] += 16
    assert capsys.readouterr().err.splitlines()[0].startswith('reading long.csv: 1.0/2.0, 16 s left')


def test_texts() -> None:
    assert [duration(s) for s in (0.4, 59.4, 59.6, 250, 7500)] == [
        '0 s',
        '59 s',
        '1 min 0 s',
        '4 min 10 s',
        '2 h 5 min',
    ]
    assert [short_number(v) for v in (0.123, 3.44, 56.1, 789)] == ['0.12', '3.4', '56', '789']
    show_plain_lines(False)
    say('')
