"""Training logs as numbers: mmengine's vis_data/scalars.json and MMPose's old .log.json."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import DataDefect, FacelmkError, MissingResource, UnknownName, did_you_mean

Line = dict[str, Any]
PLACES = {'step', 'epoch', 'iter', 'mode'}
ASIDE = PLACES | {'time', 'data_time', 'memory', 'eta', 'lr'}


@dataclass
class Log:
    """A run's lines: those of training, and those of validation, each with its `epoch`."""

    name: str
    train: list[Line] = field(default_factory=list)
    val: list[Line] = field(default_factory=list)

    def keys(self) -> list[str]:
        """What can be drawn, in the log's order."""
        return list(dict.fromkeys(key for line in (*self.train, *self.val) for key in line if key not in PLACES))

    def curve(self, key: str) -> tuple[list[float], list[float]]:
        """A key's places, in epochs (or iterations where the log counts no epochs), and its values."""
        trained, checked = ([line for line in part if key in line] for part in (self.train, self.val))
        if not trained and not checked:
            raise UnknownName(f'{self.name}: no line has {key!r}. {did_you_mean(key, self.keys())}')
        if trained and 'epoch' in trained[0]:
            return _fractions(trained), [line[key] for line in trained]
        lines = trained or checked
        return [line.get('epoch') or line['step'] for line in lines], [line[key] for line in lines]

    def best(self, key: str | None = None) -> tuple[str, int, float] | None:
        """The validation figure `key` (the first if left out), the epoch where it is best, and its value there."""
        names = [name for line in self.val for name in line if name not in ASIDE]
        if not names:
            return None
        key = key if key in names else names[0]
        lines = [line for line in self.val if isinstance(line.get(key), (int, float))]
        pick = max if greater_is_better(key) else min
        top = pick(lines, key=lambda line: line[key])
        return key, top['epoch'], top[key]

    def times(self, whole: bool = False) -> dict[int, float]:
        """Mean seconds of an iteration by epoch; an epoch's first line, which waits for workers, counts if `whole`."""
        found: dict[int, list[float]] = {}
        for line in self.train:
            if 'time' in line:
                found.setdefault(line.get('epoch', 1), []).append(line['time'])
        return {epoch: statistics.fmean(times if whole else times[1:] or times) for epoch, times in found.items()}


def greater_is_better(key: str) -> bool:
    """Whether a figure of that name is the better the greater: AUC, AP and their like."""
    return any(part.upper().startswith(('AUC', 'AP', 'AR', 'PCK', 'ACC')) for part in key.split('/'))


def read_log(source: str | Path) -> Log:
    """A log file, or the newest one in a work folder."""
    file = _find(Path(source))
    lines = list(_lines(file))
    if any('mode' in line for line in lines):
        return Log(str(source), _of('train', lines), _of('val', lines))
    train = [line for line in lines if _of_training(line)]
    val = [dict(line, epoch=line.get('step')) for line in lines if not _of_training(line) and 'step' in line]
    if not train and not val:
        raise DataDefect(f'{file}: no line of training or validation; give a scalars.json or a .log.json')
    return Log(str(source), train, val)


def _of(mode: str, lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.get('mode') == mode]


def _of_training(line: Line) -> bool:
    """mmengine's lines do not say what they are of; those of training hold a loss or their iteration."""
    return 'loss' in line or 'iter' in line


def _find(source: Path) -> Path:
    if source.is_file():
        return source
    if not source.is_dir():
        raise MissingResource(f'{source}: no such log; give a scalars.json, a .log.json or a work folder')
    found = [*source.glob('**/vis_data/scalars.json'), *source.glob('**/*.log.json')]
    if not found:
        raise MissingResource(f'{source}: no */vis_data/scalars.json and no *.log.json in it; has it been trained in?')
    return max(found, key=lambda file: file.stat().st_mtime)


def _lines(file: Path) -> Iterable[Line]:
    for number, text in enumerate(file.read_text(encoding='utf-8').splitlines(), 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except ValueError as error:
            raise DataDefect(
                f'{file}, line {number}: no json ({error}); give a scalars.json or a .log.json, not the .log for people'
            ) from error
        if not isinstance(line, dict):
            raise DataDefect(f'{file}, line {number}: {type(line).__name__}, expected an object')
        yield line


def _fractions(lines: Sequence[Line]) -> list[float]:
    """Places of training lines in epochs; `iter` counts from the start (mmengine) or from each epoch (MMPose 0.x)."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for line in lines:
        first.setdefault(line['epoch'], line['iter'])
        last[line['epoch']] = line['iter']
    a, b = min(first), max(first)
    if a < b and first[b] > last[a]:
        length = (first[b] - first[a]) / (b - a)
        return [line['iter'] / length for line in lines]
    length = max(last.values())
    return [line['epoch'] - 1 + line['iter'] / length for line in lines]


def draw_curves(
    logs: Sequence[Log],
    keys: Sequence[str],
    out: str | Path,
    title: str = '',
    legend: Sequence[str] | None = None,
    show: bool = False,
) -> Path:
    """Curves of `keys` of each log, one panel a key, into a picture, and on the screen too where `show` says so."""
    labels = list(legend or [log.name for log in logs])
    if len(labels) != len(logs):
        raise FacelmkError(f'--legend has {len(labels)} names for {len(logs)} logs; give one a log')
    plt = _pyplot(show)
    figure, panels = plt.subplots(len(keys), 1, figsize=(8, 3.4 * len(keys)), squeeze=False, layout='constrained')
    for key, (panel,) in zip(keys, panels, strict=True):
        for log, label in zip(logs, labels, strict=True):
            places, values = log.curve(key)
            panel.plot(places, values, label=label, marker='o' if len(places) < 40 else '', markersize=3)
        panel.set(xlabel='epoch' if any('epoch' in line for line in logs[0].train) else 'iteration', ylabel=key)
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    figure.suptitle(title)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    try:
        figure.savefig(out, dpi=130)
    except ValueError as error:
        raise FacelmkError(f'{out}: no such picture can be written ({error}); use .png, .svg or .pdf') from error
    if show:
        plt.show()
    plt.close(figure)
    return Path(out)


def _pyplot(show: bool) -> Any:
    """matplotlib, loaded only where something is drawn."""
    import matplotlib

    if not show:
        matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    if show and plt.get_backend().lower() == 'agg':
        raise MissingResource('there is no screen to show curves on; leave --show out and look at the picture of --out')
    return plt
