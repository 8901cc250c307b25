"""Data sets without a value for all faces, or with another name for it: 300W has four columns, AFLW two."""

import numpy as np
import pytest

from facelmk.metrics import AUC, NME
from facelmk.report.collect import Collector, Row, results
from facelmk.report.tables import result_table

TAGS = [('common', 'full')] * 2 + [('challenge', 'full'), ('test',)]
SUBSETS = ('common', 'challenge', 'full', 'test')


@pytest.fixture
def truth():
    """Four faces of five points, whose eyes are 100 pixels apart."""
    return np.tile([[0.0, 0], [100, 0], [50, 40], [20, 80], [80, 80]], (4, 1, 1))


def values_of(metric, truth, shifts, **meta):
    metric.dataset_meta = {'markup': 'five'} | meta
    ids = list('abcd')
    columns = dict(
        id=ids,
        landmarks=truth,
        visible=np.ones((4, 5)),
        box=np.tile([0.0, 0, 100, 100], (4, 1)),
        norm=np.full(4, np.nan),
        tags=TAGS,
    )
    predictions = [
        dict(id=name, landmarks=face + [shift, 0], scores=np.ones(5))
        for name, face, shift in zip(ids, truth, shifts, strict=True)
    ]
    metric.process({'data_samples': columns}, predictions)
    return metric.evaluate(4)


def test_the_first_value_is_that_of_the_headline_subset(truth):
    values = values_of(NME(), truth, (3, 5, 10, 40), subsets=SUBSETS, headline='full')
    assert values == pytest.approx({'NME': 6, 'NME/common': 4, 'NME/challenge': 10, 'NME/full': 6, 'NME/test': 40})
    mixed = values_of(NME(), truth, (3, 5, 10, 40), subsets=SUBSETS)
    assert mixed['NME'] == pytest.approx(14.5)


def rows(truth):
    return [
        Row(name, face, np.ones(5), face, np.ones(5), np.array([0.0, 0, 100, 100]), np.nan, i, TAGS[i])
        for i, (name, face) in enumerate(zip('abcd', truth, strict=True))
    ]


def test_the_table_has_no_mixed_column(truth):
    metrics = [NME(), AUC(), Collector()]
    for metric in metrics:
        metric.dataset_meta = {'markup': 'five', 'subsets': SUBSETS, 'headline': 'full'}
    collected = results(rows(truth), metrics)
    sizes = [len(collected.rows_of(subset)) for subset in collected.columns.values()]
    table = result_table(
        collected.metrics_of(collected.truth + [6.0, 0]),
        collected.subsets,
        sizes,
        collected.normalisers,
        all_faces=collected.all_faces,
    )
    first, *lines, _ = table.text().splitlines()
    assert first.split() == ['model', *SUBSETS] and sizes == [2, 1, 3, 1]
    assert lines[0].split() == ['NME', *['6.00'] * 4] and lines[-1].split() == ['faces', '2', '1', '3', '1']


def test_the_column_of_all_faces_has_the_name_of_the_data_set(truth):
    metric = NME()
    metric.dataset_meta = {'markup': 'five', 'subsets': ('challenge',), 'whole': 'full'}
    collected = results(rows(truth), [metric])
    counted = [len(collected.rows_of(subset)) for subset in collected.columns.values()]
    table = result_table(
        collected.metrics_of(collected.truth),
        collected.subsets,
        counted,
        collected.normalisers,
        all_faces=collected.all_faces,
    )
    assert table.text().splitlines()[0].split() == ['model', 'full', 'challenge'] and counted == [4, 1]


def test_the_interval_follows_the_column_of_its_value(truth):
    """300W: the value of all faces is that of `full`, and its interval is in the same column, not in that of `common`."""
    metrics = [NME(), Collector()]
    for metric in metrics:
        metric.dataset_meta = {'markup': 'five', 'subsets': SUBSETS, 'headline': 'full'}
    collected = results(rows(truth), metrics)
    intervals = collected.intervals() | {'NME': (1.0, 2.0)}
    assert intervals.keys() == {'NME', *(f'NME/{subset}' for subset in SUBSETS)}
    table = result_table(
        collected.metrics_of(collected.truth),
        collected.subsets,
        [2, 1, 3, 1],
        collected.normalisers,
        all_faces=collected.all_faces,
        intervals=intervals,
        headline=collected.headline,
    )
    assert table.columns == ['common', 'challenge', 'full', '95 % interval', 'test']
    first, counts = table.blocks['model']
    assert first.cells()[3] == '1.00 to 2.00' and counts.cells() == ['2', '1', '3', '', '1']
