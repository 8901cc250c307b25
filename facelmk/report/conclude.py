"""Finish a test: print the table, write metrics, predictions, pictures and the report page."""

import math
import sys
from pathlib import Path
from typing import Any

import json_tricks
import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ..files.atomic import atomic_write, write_bytes
from .baseline import place_face, training_face
from .collect import Results, collect_results
from .gallery import Gallery
from .page import write_page
from .record import record
from .tables import result_table


def conclude(
    runner: Runner,
    metrics: dict[str, float],
    source: str,
    out: str | None = None,
    dump: str | None = None,
    page: str | None = None,
    badcase: int | None = None,
    baseline: bool = False,
    as_json: bool = False,
    work_dir: str | Path = '.',
) -> dict[str, Any] | None:
    """Print and write the results of a test in the main process; return the content of metrics.json.

    `out` and `dump` are further files for metrics and predictions, `page` a folder for the report, `badcase` the number
    of worst faces to draw; `baseline` measures the mean training face, too.
    """
    if not is_main_process():
        return None
    results, files = collect_results(runner), [Path(work_dir, 'metrics.json'), *([Path(out)] if out else [])]
    entry = record(metrics, runner.cfg, source, len(results), files)
    baseline_error = None
    if baseline:  # after the metrics are written: a missing training set must not cost them
        landmarks = place_face(training_face(runner.cfg), results.box)
        baseline_error = results.errors_of(landmarks)
        entry = record(metrics, runner.cfg, source, len(results), files, results.metrics_of(landmarks))
    if dump:
        write_predictions(results, dump)
    rows = [results.rows_of(subset) for subset in results.columns.values()]
    table = result_table(
        metrics,
        results.subsets,
        list(map(len, rows)),
        results.normalisers,
        entry.get('baseline'),
        results.all_faces,
        results.units,
        [int(np.isinf(results.error[indices]).sum()) for indices in rows],
    )
    print(json_tricks.dumps(entry, indent=2, allow_nan=True) if as_json else table.text(), flush=True)
    gallery = Gallery(runner.test_loop.dataloader.dataset, results)
    if badcase:
        gallery.write(results.worst()[:badcase], Path(work_dir, 'badcase'))
    if page:
        index = write_page(Path(page), entry, table, results, gallery, baseline_error)
        print(f'report: {index}', file=sys.stderr if as_json else sys.stdout)
    return entry


def write_predictions(results: Results, file: str | Path) -> None:
    """Write a list of {id, landmarks, scores, error, tags} as json; errors in per cent of the first normaliser.

    Landmarks and error of a face without a prediction are null.
    A file with the suffix .pth holds only the landmarks, a tensor (N, K, 2) in the order of the data set, as the
    original HRNet's predictions.pth does.
    """
    if Path(file).suffix == '.pth':
        landmarks = torch.from_numpy(results.landmarks[np.argsort(results.indices)]).float()
        atomic_write(Path(file), lambda stream: torch.save(landmarks, stream))
        return
    faces = [
        dict(
            id=results.ids[i],
            landmarks=results.landmarks[i].round(4).tolist() if np.isfinite(results.landmarks[i]).all() else None,
            scores=results.scores[i].round(6).tolist(),
            error=100 * float(results.error[i]) if math.isfinite(results.error[i]) else None,
            tags=list(results.tags[i]),
        )
        for i in range(len(results))
    ]
    write_bytes(Path(file), (json_tricks.dumps(faces) + '\n').encode())
