"""Finish a test: print the table, write metrics, predictions, pictures and the report page."""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import json_tricks
import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ..files.atomic import atomic_write, write_bytes
from ..files.progress import terminal_width
from .baseline import place_face, training_face
from .collect import Results, collect_results
from .detail import Block, details, landmark_lines
from .gallery import Gallery
from .page import write_page
from .page.frame import size_text
from .record import PER_FACE, new_entry, record, to_json
from .results_page import data_text, results_page
from .study import Study
from .tables import Layout, Table, result_table
from .training_page import log_beside


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
    detail: bool = False,
    studies: Sequence[Study] = (),
) -> dict[str, Any] | None:
    """Print and write the results of a test in the main process; return the content of metrics.json.

    `out` and `dump` are further files for metrics and predictions, `page` a file or folder for the report, `badcase`
    the number of worst faces to draw; `baseline` measures the mean training face, too. `detail` adds percentiles,
    regions, normalisers and landmarks. `studies` are results of other boxes.
    """
    if not is_main_process():
        return None
    results, files = collect_results(runner), [Path(work_dir, 'metrics.json'), *([Path(out)] if out else [])]
    blocks = details(results) if detail else {}
    entry = new_entry(metrics, runner.cfg, source, results) | {study.key: study.to_dict() for study in studies}
    if detail:
        entry['detail'] = {key: block.to_dict() for key, block in blocks.items()}
        entry['detail']['landmark'] = [
            100 * error if math.isfinite(error) else None for error in results.point_errors().tolist()
        ]
    record(entry, files)
    baseline_error = None
    if baseline:  # after the metrics are written: a missing training set must not cost them
        landmarks = place_face(training_face(runner.cfg), results.box)
        baseline_error = results.errors_of(landmarks)
        entry['baseline'] = results.metrics_of(landmarks)
        record(entry, files)
    if dump:
        write_predictions(results, dump)
    table = table_of(entry, results, blocks)
    _print(entry, table, results, detail, studies, as_json)
    for study in studies:
        study.draw(Path(work_dir))
    gallery = Gallery(runner.test_loop.dataloader.dataset, results)
    if badcase:
        gallery.write(results.worst()[:badcase], Path(work_dir, 'badcase'))
    if page:
        data = data_text(runner.cfg.test_dataloader.dataset)
        report = results_page(entry, table, results, gallery, data, baseline_error, studies, log_beside(source))
        file = write_page(report, page)
        print(
            f'report: {file} ({size_text(file.stat().st_size)}, one file)', file=sys.stderr if as_json else sys.stdout
        )
    return entry


def table_of(entry: Mapping[str, Any], results: Results, blocks: Mapping[str, Block]) -> Table:
    """Return the table of a test: metrics with intervals, the baseline, and blocks of details."""
    rows = [results.rows_of(subset) for subset in results.columns.values()]
    table = result_table(
        entry['metrics'],
        results.subsets,
        list(map(len, rows)),
        results.normalisers,
        entry.get('baseline'),
        results.all_faces,
        results.units,
        [int(np.isinf(results.error[indices]).sum()) for indices in rows],
        entry['intervals'],
        results.headline,
    )
    layout = Layout(results.subsets, results.all_faces, results.headline, intervals=True)
    further = {block.title: layout.rows(block.values, block.intervals) for block in blocks.values()}
    note = f'{table.note[:-1]}; intervals by a bootstrap over {results.drawn}.'
    return Table(table.columns, {**table.blocks, **further}, note)


def _print(
    entry: dict[str, Any], table: Table, results: Results, detail: bool, studies: Sequence[Study], as_json: bool
) -> None:
    """Print the json, without the errors of the faces, or the tables."""
    if as_json:
        print(to_json({key: value for key, value in entry.items() if key != PER_FACE}), flush=True)
        return
    lines = landmark_lines(results.point_errors().tolist(), results.normaliser) if detail else []
    print(table.text(terminal_width()), *lines, *(study.text() for study in studies), sep='\n', flush=True)


def write_predictions(results: Results, file: str | Path) -> None:
    """Write a list of {id, landmarks, scores, error, tags} as json; errors in per cent of the first normaliser.

    With a calibration, faces also have a `score`, and `errors`, the expected ones in pixels of the photograph.
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
            **results.score_and_errors(i),
        )
        for i in range(len(results))
    ]
    write_bytes(Path(file), (json_tricks.dumps(faces) + '\n').encode())
