"""Training curves as a page, and as a section of the report of a test."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import FacelmkError
from .logs import Log, read_log
from .page import Page, Section
from .page.lines import Line, line_chart

MOST_CHARTS = 12


def default_keys(logs: Sequence[Log]) -> list[str]:
    """Return the keys that a reader looks for first: the loss, the learning rate and the metrics of the whole set."""
    known = {key for log in logs for key in log.keys()}  # noqa: SIM118
    metrics = [key for log in logs for line in log.val for key in line if key in log.metric_names() and '/' not in key]
    return [key for key in dict.fromkeys(['loss', *metrics, 'lr']) if key in known]


def curves_section(logs: Sequence[Log], keys: Sequence[str] | None = None, names: Sequence[str] = ()) -> Section | None:
    """Return a chart for each key with a line for each log; None if there is nothing to draw."""
    charts = []
    for key in (keys or default_keys(logs))[:MOST_CHARTS]:
        lines = [_line(log, key, name) for log, name in zip(logs, names or [log.name for log in logs], strict=True)]
        drawn = line_chart([line for line in lines if line], 'epoch', key)
        charts.append(drawn)
    if not any(charts):
        return None
    note = 'Each value of the log against the epoch. The ring marks the best epoch of a metric.'
    return Section('training', 'Training', f'<div class="charts">{"".join(charts)}</div>', note)


def _line(log: Log, key: str, name: str) -> Line | None:
    """Return the line of a key, with its best value if it is a metric; None for a log without the key."""
    if key not in log.keys():  # noqa: SIM118
        return None
    epochs, values = log.curve(key)
    return Line(name, epochs, values, best=log.best_of(key))


def training_page(
    logs: Sequence[Log], keys: Sequence[str] | None = None, title: str = '', names: Sequence[str] = ()
) -> Page:
    """Return a page with the curves of one or several runs, and their best epochs."""
    names = names or [log.name for log in logs]
    facts = {name: _best(log) for name, log in zip(names, logs, strict=True)}
    section = curves_section(logs, keys, names)
    if section is None:
        raise FacelmkError(f'{", ".join(names)}: no values to draw. Expected lines with a loss or a metric')
    return Page(title or 'Training curves', facts, [section])


def _best(log: Log) -> str:
    best = log.best()
    epochs = f'{log.epochs()} epochs'
    return f'{epochs}, best {best[0]} {best[2]:.4g} in epoch {best[1]}' if best else epochs


def log_beside(checkpoint: str | Path) -> Log | None:
    """Return the log of the training that wrote a checkpoint, if it lies in the same work folder."""
    if not Path(checkpoint).is_file():  # the name or the address of published weights
        return None
    files = list(Path(checkpoint).parent.glob('*/vis_data/scalars.json'))
    if not files:
        return None
    try:
        return read_log(max(files, key=lambda file: file.stat().st_mtime))
    except (FacelmkError, OSError):  # a damaged log must not cost the report
        return None
