"""Read and draw training logs: mmengine's vis_data/scalars.json and the .log.json of old MMPose."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..datasets.records import read_text
from ..errors import DataDefect, FacelmkError, MissingResource, UnknownName, did_you_mean
from ..files.atomic import atomic_write

Line = dict[str, Any]
POSITION_KEYS = {'step', 'epoch', 'iter', 'mode'}
NO_METRIC = POSITION_KEYS | {'time', 'data_time', 'memory', 'eta', 'lr'}


@dataclass
class Log:
    """The lines of a run: training lines, and validation lines with their `epoch`."""

    name: str
    train: list[Line] = field(default_factory=list)
    val: list[Line] = field(default_factory=list)

    def keys(self) -> list[str]:
        """Return the keys that can be drawn, in the order of the log."""
        return list(dict.fromkeys(key for line in (*self.train, *self.val) for key in line if key not in POSITION_KEYS))

    def curve(self, key: str) -> tuple[list[float], list[float]]:
        """Return the epochs of a key's values (iterations if the log counts no epochs), and the values."""
        train, val = ([line for line in part if key in line] for part in (self.train, self.val))
        if not train and not val:
            raise UnknownName(f'{self.name}: no line has {key!r}. {did_you_mean(key, self.keys())}')
        if train and 'epoch' in train[0]:
            return _epoch_fractions(train), [line[key] for line in train]
        lines = train or val
        return [line.get('epoch') or line['step'] for line in lines], [line[key] for line in lines]

    def metric_names(self) -> list[str]:
        """Return the metrics of the validation lines, in the order of the log."""
        return list(dict.fromkeys(name for line in self.val for name in line if name not in NO_METRIC))

    def best_of(self, key: str) -> int | None:
        """Return the index of the best value in the curve of a metric; None for other keys."""
        if key not in self.metric_names() or any(key in line for line in self.train):
            return None
        values = self.curve(key)[1]
        return (max if greater_is_better(key) else min)(range(len(values)), key=values.__getitem__)

    def epochs(self) -> int:
        """Return the last epoch of the log; 0 if it counts none."""
        return max((line.get('epoch') or 0 for line in (*self.train, *self.val)), default=0)

    def best(self, key: str | None = None) -> tuple[str, int, float] | None:
        """Return the validation metric `key` (default: the first), the epoch where it is best, and its value there."""
        names = self.metric_names()
        if not names:
            return None
        key = key if key in names else names[0]
        lines = [line for line in self.val if isinstance(line.get(key), (int, float))]
        pick = max if greater_is_better(key) else min
        top = pick(lines, key=lambda line: line[key])
        return key, top['epoch'], top[key]

    def times(self, include_first: bool = False) -> dict[int, float]:
        """Return the mean seconds of an iteration by epoch; the first line of an epoch also waits for workers."""
        times: dict[int, list[float]] = {}
        for line in self.train:
            if 'time' in line:
                times.setdefault(line.get('epoch', 1), []).append(line['time'])
        return {epoch: statistics.fmean(part if include_first else part[1:] or part) for epoch, part in times.items()}


def greater_is_better(key: str) -> bool:
    """Return whether a greater value of this metric is better, as for AUC and AP."""
    return any(part.upper().startswith(('AUC', 'AP', 'AR', 'PCK', 'ACC')) for part in key.split('/'))


def read_log(source: str | Path) -> Log:
    """Read a log file, or the newest one in a work folder."""
    file = _log_file(Path(source))
    lines = list(_lines(file))
    if any('mode' in line for line in lines):
        return Log(str(source), _lines_of('train', lines), _lines_of('val', lines))
    train = [line for line in lines if _is_training(line)]
    val = [dict(line, epoch=line.get('step')) for line in lines if not _is_training(line) and 'step' in line]
    if not train and not val:
        raise DataDefect(f'{file}: no line of training or validation. Expected a scalars.json or a .log.json')
    return Log(str(source), train, val)


def _lines_of(mode: str, lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.get('mode') == mode]


def _is_training(line: Line) -> bool:
    """Return whether a line of mmengine belongs to training: it then has a loss or an iteration, and never a mode."""
    return 'loss' in line or 'iter' in line


def _log_file(source: Path) -> Path:
    if source.is_file():
        return source
    if not source.is_dir():
        raise MissingResource(f'{source}: no such file or folder. Give a scalars.json, a .log.json or a work folder')
    files = [*source.glob('**/vis_data/scalars.json'), *source.glob('**/*.log.json')]
    if not files:
        raise MissingResource(
            f'{source}: no */vis_data/scalars.json and no *.log.json in it. Expected the work folder of a training'
        )
    return max(files, key=lambda file: file.stat().st_mtime)


def _lines(file: Path) -> Iterable[Line]:
    content = read_text(file, 'Give a scalars.json or a .log.json')
    lines = content.splitlines()
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except ValueError as error:
            if 1 < number == len(lines) and not content.endswith('\n'):
                return  # the run was killed, or its disk was full, while it wrote this line
            raise DataDefect(
                f'{file}, line {number}: not json ({error}). Give a scalars.json or a .log.json, not a .log'
            ) from error
        if not isinstance(line, dict):
            raise DataDefect(f'{file}, line {number}: {type(line).__name__}. Expected a json object')
        yield line


def _epoch_fractions(lines: Sequence[Line]) -> list[float]:
    """Return each training line's epoch as a fraction; `iter` counts from the start, or each epoch (MMPose 0.x)."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for line in lines:
        first.setdefault(line['epoch'], line['iter'])
        last[line['epoch']] = line['iter']
    start, end = min(first), max(first)
    if start < end and first[end] > last[start]:
        length = (first[end] - first[start]) / (end - start)
        return [line['iter'] / length for line in lines]
    length = max(last.values())
    return [line['epoch'] - 1 + line['iter'] / length for line in lines]


def check_legend(logs: Sequence[Log], legend: Sequence[str] | None) -> None:
    """Refuse a legend with another number of names than there are logs."""
    if legend and len(legend) != len(logs):
        raise FacelmkError(f'--legend has {len(legend)} names for {len(logs)} logs. Give one name a log')


def check_keys(logs: Sequence[Log], keys: Sequence[str]) -> None:
    """Refuse a key that one of the logs does not have."""
    for log in logs:
        for key in keys:
            log.curve(key)


def draw_curves(
    logs: Sequence[Log],
    keys: Sequence[str],
    out: str | Path,
    title: str = '',
    legend: Sequence[str] | None = None,
    show: bool = False,
) -> Path:
    """Draw curves of `keys` of each log, one panel a key, into a picture, and also on the screen with `show`."""
    check_legend(logs, legend)
    labels = list(legend or [log.name for log in logs])
    plt = pyplot(show)
    figure, panels = plt.subplots(len(keys), 1, figsize=(8, 3.4 * len(keys)), squeeze=False, layout='constrained')
    for key, (panel,) in zip(keys, panels, strict=True):
        for log, label in zip(logs, labels, strict=True):
            if key not in log.keys():  # noqa: SIM118
                continue
            epochs, values = log.curve(key)
            (line,) = panel.plot(epochs, values, label=label, marker='o' if len(epochs) < 40 else '', markersize=3)
            if (best := log.best_of(key)) is not None:
                name = f'{label}: best {values[best]:.4g} in epoch {epochs[best]:g}'
                panel.plot(epochs[best], values[best], 'o', markersize=11, fillstyle='none', color=line.get_color())
                line.set_label(name)
        panel.set(xlabel='epoch' if any('epoch' in line for line in logs[0].train) else 'iteration', ylabel=key)
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    figure.suptitle(title)
    form = Path(out).suffix[1:] or 'png'
    try:
        atomic_write(Path(out), lambda file: figure.savefig(file, dpi=130, format=form))
    except ValueError as error:
        raise FacelmkError(f'{out}: this format cannot be written ({error}). Use .png, .svg or .pdf') from error
    if show:
        plt.show()
    plt.close(figure)
    return Path(out)


def pyplot(show: bool) -> Any:
    """Import matplotlib here, because only drawing needs it."""
    import matplotlib

    if not show:
        matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    if show and plt.get_backend().lower() == 'agg':
        raise MissingResource('there is no screen to show curves on. Leave --show out and open the file of --out')
    return plt
