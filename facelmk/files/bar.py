"""The live progress bar: rich draws it in one line of the terminal."""

import sys
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

MIN_BAR_CELLS, MAX_BAR_CELLS = 8, 40


class Bar:
    """One line at the bottom of the terminal; lines that others print appear above it.

    No thread draws it, so a fork of the process finds no lock that is held.
    """

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr, force_terminal=True, force_jupyter=False)
        self.live = Live(
            console=self.console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=bool(getattr(sys.stdout, 'isatty', bool)()),
            redirect_stderr=True,
        )
        self.live.start()
        self.console.show_cursor(True)  # a process that is killed would leave it hidden

    def draw(self, what: str, done: float, total: float | None, facts: Sequence[str]) -> None:
        """Draw the present state."""
        self.live.update(layout(what, done, total, facts, self.console.width), refresh=True)

    def print(self, text: str) -> None:
        """Print a line above the bar, as long as it is."""
        self.console.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)

    def close(self) -> None:
        """Remove the bar."""
        self.live.stop()


def layout(what: str, done: float, total: float | None, facts: Sequence[str], width: int) -> RenderableType:
    """Return a bar between what is done and its facts; on a narrow terminal without the bar and the last facts."""
    room = width - 1
    text = f'{what}  {"  ".join(facts)}'
    while len(facts) > 1 and len(text) > room:
        facts = facts[:-1]
        text = f'{what}  {"  ".join(facts)}'
    cells = min(room - len(text) - 2, MAX_BAR_CELLS)
    if not total or cells < MIN_BAR_CELLS:
        return Text(text[:room], no_wrap=True)
    grid = Table.grid(padding=(0, 2))
    grid.add_row(Text(what), ProgressBar(total, done, width=cells), Text('  '.join(facts)))
    return grid
