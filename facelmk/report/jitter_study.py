"""The error by shift and scale of the box, and how much the landmarks of a face move when the box moves."""

import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import geometry
from ..files.atomic import atomic_write
from ..metrics import FailureRate
from ..metrics.bootstrap import Interval, groups_of, mean_intervals, weighted_mean
from .collect import Array, Results
from .detail import face_weights
from .logs import pyplot
from .page.lines import Line, line_chart
from .tables import INTERVAL, Row, Table, range_text

SHIFTS = (0.025, 0.05, 0.1, 0.2)  # of the longer side of the box, in a random direction and the opposite one
SCALES = (0.05, 0.1, 0.2, 0.3)  # the side is multiplied and divided by 1 + this
STILL_NOISE, STILL_CROPS = 0.01, 8  # standard deviation of shift, per axis, and of scale
SEED = 0
DRAWS = 2  # boxes a level
COUNT = 1 + DRAWS * (len(SHIFTS) + len(SCALES)) + STILL_CROPS
PICTURE = 'jitter.png'


def jittered_boxes(box: Array, name: str) -> Array:
    """Return the boxes (COUNT, 4) of a face: its own, shifted ones, scaled ones, and those of a still face.

    They depend on the id of the face alone, so two models are tested in the same boxes.
    """
    rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
    angle = rng.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), np.sin(angle)])
    moves: list[tuple[Any, float]] = [(0 * direction, 1.0)]
    moves += [(sign * shift * direction, 1.0) for shift in SHIFTS for sign in (1, -1)]
    moves += [(0 * direction, (1 + scale) ** sign) for scale in SCALES for sign in (1, -1)]
    noise = STILL_NOISE * rng.standard_normal((STILL_CROPS, 3))
    moves += [(row[:2], math.exp(row[2])) for row in noise]
    centre, side = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max()
    return np.stack([geometry.square_box(centre + side * shift, side * factor) for shift, factor in moves])


@dataclass
class Level:
    """The error at one level of box noise, in per cent, and the share of faces above the threshold."""

    kind: str
    noise: float
    error: float
    interval: Interval
    failures: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers for json."""
        values = {'noise': self.noise, 'nme': self.error, 'interval': list(self.interval)}
        return values | ({} if self.failures is None else {'failure_rate': self.failures})


@dataclass
class JitterStudy:
    """The jitter curve of a model, and its still-face jitter."""

    normaliser: str
    threshold: float | None
    levels: list[Level]
    still: tuple[float, Interval]

    key = 'jitter'
    title = 'Jitter of the box'

    def of_kind(self, kind: str) -> list[Level]:
        """Return the levels of 'shift' or 'scale', without noise first."""
        return [level for level in self.levels if level.kind in (kind, 'none')]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers for json."""
        still = {'noise': STILL_NOISE, 'crops': STILL_CROPS, 'deviation': self.still[0]}
        return {kind: [level.to_dict() for level in self.of_kind(kind)] for kind in ('shift', 'scale')} | {
            'seed': SEED,
            'still': still | {'interval': list(self.still[1])},
        }

    def tables(self) -> list[Table]:
        """Return the table of the curve, and that of the still face."""
        columns = ['NME', INTERVAL, *([] if self.threshold is None else [f'FR@{self.threshold:g}'])]
        rows = []
        for level in self.levels:
            name = 'none' if level.kind == 'none' else f'{level.kind} by {100 * level.noise:g} %'
            failures = [] if self.threshold is None else [level.failures]
            rows.append(Row(name, [level.error, range_text(level.interval), *failures]))
        note = (
            f'A shift is a share of the side of the box; scale by s is times and divided by 1 + s. In per cent of '
            f'{self.normaliser}.'
        )
        still = Row('standard deviation of a landmark', [self.still[0], range_text(self.still[1])])
        still_note = (
            f'Each face in {STILL_CROPS} boxes that move and grow by {100 * STILL_NOISE:g} % of the side (standard '
            'deviation).'
        )
        return [
            Table(columns, {'noise of the box': rows}, note),
            Table(['in %', INTERVAL], {'still face': [still]}, still_note),
        ]

    def text(self) -> str:
        """Return the tables for a terminal."""
        return '\n'.join(table.text() for table in self.tables())

    def html(self) -> str:
        """Return the charts and tables for a page."""
        tables = ''.join(table.html() for table in self.tables())
        charts = ''.join(self._chart(kind) for kind in ('shift', 'scale'))
        note = 'The error against the noise of the box; flat is better. The pale area is the 95 % interval.'
        return f'<p class="note">{note}</p><div class="charts">{charts}</div>{tables}'

    def _chart(self, kind: str) -> str:
        levels = self.of_kind(kind)
        noise, errors = [100 * level.noise for level in levels], [level.error for level in levels]
        line = Line('NME', noise, errors, [level.interval for level in levels])
        return line_chart([line], f'{kind} of the box, in % of its side', 'NME in %', from_zero=True)

    def draw(self, folder: Path) -> Path:
        """Write the curve into a folder."""
        plt = pyplot(show=False)
        figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout='constrained')
        for panel, kind in zip(panels, ('shift', 'scale'), strict=True):
            levels = self.of_kind(kind)
            noise = [100 * level.noise for level in levels]
            panel.fill_between(noise, *zip(*(level.interval for level in levels), strict=True), alpha=0.2)
            panel.plot(noise, [level.error for level in levels], marker='o', markersize=3)
            panel.set(xlabel=f'{kind} of the box, in % of its side')
            panel.grid(alpha=0.3)
        panels[0].set(ylabel='NME in %', ylim=(0, None))
        atomic_write(folder / PICTURE, lambda file: figure.savefig(file, dpi=130, format='png'))
        plt.close(figure)
        return folder / PICTURE


def jitter_study(results: Results, landmarks: Array) -> JitterStudy:
    """Return the study of a test from the landmarks (N, COUNT, K, 2) of its faces in their `jittered_boxes`."""
    errors = np.stack([results.errors_of(crop) for crop in np.moveaxis(landmarks, 1, 0)], 1)
    rows = results.rows_of(results.headline)
    rows = rows[np.isfinite(errors[rows]).all(1)]
    weights, groups = face_weights(results)[rows], groups_of(results.groups[rows])
    failure = next((metric for metric in results.metrics if isinstance(metric, FailureRate)), None)
    threshold = None if failure is None else failure.threshold
    kinds = [('none', 0.0, 1), *(('shift', s, DRAWS) for s in SHIFTS), *(('scale', s, DRAWS) for s in SCALES)]
    ends = np.cumsum([count for *_, count in kinds])
    parts = np.split(errors[rows], ends, 1)[:-1]
    terms = {f'{i}': (100 * part.mean(1), weights) for i, part in enumerate(parts)}
    terms['still'] = 100 * deviation(results, landmarks[:, ends[-1] :])[rows], np.ones(len(rows))
    limits = mean_intervals(terms, groups)
    levels = [
        Level(
            kind,
            noise,
            weighted_mean(*terms[f'{i}']),
            limits[f'{i}'],
            None if threshold is None else 100 * float(np.mean(parts[i] > threshold)),
        )
        for i, (kind, noise, _) in enumerate(kinds)
    ]
    return JitterStudy(results.normaliser, threshold, levels, (weighted_mean(*terms['still']), limits['still']))


def deviation(results: Results, landmarks: Array) -> Array:
    """Return the mean standard deviation (N,) of the visible landmarks (N, crops, K, 2), as a share of the normaliser.

    That of a landmark is the root of its variances in x and y together.
    """
    of_points = np.sqrt(landmarks.var(1, ddof=1).sum(-1))
    visible = results.visible > 0
    mean = np.where(visible, of_points, 0.0).sum(-1) / np.maximum(visible.sum(-1), 1)
    return mean / np.where(results.length > 0, results.length, np.nan)
