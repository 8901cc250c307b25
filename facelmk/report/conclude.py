"""What is left of a test: a table on the screen, numbers and predictions in files, pictures, a page."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import json_tricks
import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ..engine.run import record
from ..files.atomic import atomic_write
from .baseline import placed, training_face
from .collect import Results, collected
from .gallery import Gallery
from .page import write_page
from .tables import result_table


def conclude(
    runner: Runner,
    metrics: dict[str, float],
    source: str,
    out: str | None = None,
    dump: str | None = None,
    page: str | None = None,
    badcase: int | None = None,
    floor: bool = False,
    as_json: bool = False,
    work_dir: str | Path = '.',
) -> dict[str, Any] | None:
    """Write and print what a test found; the main process does it and returns what metrics.json holds.

    `out` and `dump` are further files for metrics and predictions, `page` a folder for the report, `badcase` the number
    of worst faces to draw, `floor` asks for the mean training face beside the model.
    """
    if not is_main_process():
        return None
    results, files = collected(runner), [Path(work_dir, 'metrics.json'), *([Path(out)] if out else [])]
    entry = _record(runner, metrics, source, len(results), files)
    guess = None
    if floor:  # after the first writing: a training set that is not there must not cost the test
        guess = placed(training_face(runner.cfg), results.box)
        entry = _record(runner, metrics, source, len(results), files, results.figures(guess))
    if dump:
        write_predictions(results, dump)
    sizes = [len(results.within(subset)) for subset in results.columns.values()]
    table = result_table(metrics, results.subsets, sizes, results.normalisers, entry.get('floor'), results.whole)
    print(json_tricks.dumps(entry, indent=2, allow_nan=True) if as_json else table.text(), flush=True)
    gallery = Gallery(runner.test_loop.dataloader.dataset, results)
    if badcase:
        gallery.write(results.worst()[:badcase], Path(work_dir, 'badcase'))
    if page:
        index = write_page(
            Path(page), entry, table, results, gallery, None if guess is None else results.errors_of(guess)
        )
        print(f'report: {index}', file=sys.stderr if as_json else sys.stdout)
    return entry


def _record(
    runner: Runner,
    metrics: dict[str, float],
    source: str,
    faces: int,
    files: Sequence[Path],
    floor: dict[str, float] | None = None,
) -> dict[str, Any]:
    """Write the numbers to each of the files."""
    *_, entry = [record(metrics, runner.cfg, source, faces, file, floor) for file in files]
    return entry


def write_predictions(results: Results, file: str | Path) -> None:
    """A list of {id, landmarks, scores, error, tags} as json; errors in per cent of the first metric's normaliser.

    A file whose name ends in .pth holds the landmarks alone, a tensor (N, K, 2) in the order of the data set, as the
    original HRNet's predictions.pth does.
    """
    if Path(file).suffix == '.pth':
        landmarks = torch.from_numpy(results.landmarks[np.argsort(results.places)]).float()
        atomic_write(Path(file), lambda stream: torch.save(landmarks, stream))
        return
    faces = [
        dict(
            id=results.ids[i],
            landmarks=results.landmarks[i].round(4).tolist(),
            scores=results.scores[i].round(6).tolist(),
            error=100 * float(results.error[i]) if math.isfinite(results.error[i]) else None,
            tags=list(results.tags[i]),
        )
        for i in range(len(results))
    ]
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(json_tricks.dumps(faces) + '\n')
