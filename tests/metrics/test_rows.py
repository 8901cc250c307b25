"""Rows as columns, and what the metrics of an evaluator share."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator

from facelmk.metrics import AUC, EPE, NME, PCK, FailureRate, batch
from facelmk.metrics.base import ErrorRow
from facelmk.metrics.batch import batch_of
from facelmk.metrics.once import once
from facelmk.metrics.rows import Rows, merged


def table(*rows):
    return Rows.of(ErrorRow, rows)


FIRST, SECOND, THIRD = (
    ErrorRow('b', 0.5, 3, ('pose',)),
    ErrorRow('a', float('inf'), 1, ()),
    ErrorRow('c', 0.25, 2, ('pose', 'blur')),
)


def test_columns_hold_the_rows():
    rows = table(FIRST, SECOND)
    rows.extend(table(THIRD))
    rows.extend([SECOND])
    assert len(rows) == 4 and list(rows) == [FIRST, SECOND, THIRD, SECOND]
    assert rows[2] == rows[-2] == THIRD and list(rows[1:3]) == [SECOND, THIRD]
    assert rows.error.tolist() == [0.5, np.inf, 0.25, np.inf] and rows.points.dtype == np.int64
    assert rows.tagged('pose').tolist() == [True, False, True, False]
    assert list(rows[rows.error < 1]) == [FIRST, THIRD]
    copy = rows[:]
    rows.clear()
    assert len(rows) == 0 and len(copy) == 4 and list(table()) == []
    with pytest.raises(IndexError):
        rows[0]
    assert not hasattr(rows, 'tag')


def test_merged_rows_are_in_the_order_of_ids_and_keep_the_first():
    again = ErrorRow('b', 0.75, 9, ())
    assert list(merged([table(FIRST, SECOND), table(THIRD, again)])) == [SECOND, FIRST, THIRD]


@pytest.fixture
def computed(monkeypatch):
    """How often distances were computed."""
    calls = []
    plain = batch.point_distances
    monkeypatch.setattr(batch, 'point_distances', lambda *arrays: calls.append(0) or plain(*arrays))
    return calls


def evaluate(metrics, faces):
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = {'markup': 'five', 'subsets': ()}
    for truth, predictions in faces:
        evaluator.process(predictions, truth)
    return evaluator.evaluate(sum(len(predictions) for _, predictions in faces))


def several(make, count=3):
    rng = np.random.default_rng(0)
    points = rng.random((count, 4, 5, 2)) * 100
    return [
        make(p, p + rng.standard_normal(p.shape), norm=[50.0] * 4, ids=[f'{i}-{k}' for k in range(4)])
        for i, p in enumerate(points)
    ]


def test_all_metrics_use_one_table_of_errors(computed, batch):
    faces = several(batch)
    metrics = [NME('file'), FailureRate(0.02, 'file'), AUC(0.1, 'file'), PCK(0.05, 'file'), EPE()]
    together = evaluate(metrics, faces)
    assert len(computed) == len(faces)
    alone = {}
    for metric in (NME('file'), FailureRate(0.02, 'file'), AUC(0.1, 'file'), PCK(0.05, 'file'), EPE()):
        alone |= evaluate([metric], faces)
    assert together == alone and len(computed) == 6 * len(faces)


def test_other_predictions_or_truth_are_another_batch(batch):
    truth, predictions = batch(np.zeros((2, 5, 2)), np.ones((2, 5, 2)))
    first = batch_of(truth['data_samples'], predictions)
    assert batch_of(truth['data_samples'], predictions) is first
    predictions[1]['landmarks'] = torch.full((5, 2), 3.0)
    second = batch_of(truth['data_samples'], predictions)
    assert second is not first and second.predictions[1]['landmarks'].max() == 3
    truth['data_samples']['norm'] = torch.tensor([1.0, 2.0])
    assert batch_of(truth['data_samples'], predictions).columns['norm'].tolist() == [1, 2]


def test_predictions_in_another_order_are_sorted_to_their_faces(batch):
    truth, predictions = batch(np.arange(20.0).reshape(2, 5, 2), np.arange(20.0).reshape(2, 5, 2))
    columns = batch_of(truth['data_samples'], predictions[::-1]).columns
    assert columns['landmarks'][0, 0].tolist() == [10, 11]


class Plain(NME):
    """A metric of a project of its own, which returns a list of rows."""

    def rows(self, predictions, truth):
        return [
            ErrorRow(p['id'], 0.25 * (i + 1), 2, tags)
            for i, (p, tags) in enumerate(zip(predictions, truth['tags'], strict=True))
        ]


def test_a_metric_may_return_a_list_of_rows(batch):
    assert evaluate([Plain('file')], several(batch, 2)) == {'NME': pytest.approx(62.5)}


def test_a_first_call_without_arguments_is_computed():
    assert once(lambda: 5)() == 5
