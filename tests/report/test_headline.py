"""Sets whose whole is no figure of its own, or has a name of its own: 300W's four columns, AFLW's two."""

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


def figures(metric, truth, shifts, **meta):
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
    found = [
        dict(id=name, landmarks=face + [shift, 0], scores=np.ones(5))
        for name, face, shift in zip(ids, truth, shifts, strict=True)
    ]
    metric.process({'data_samples': columns}, found)
    return metric.evaluate(4)


def test_the_first_figure_is_that_of_the_headline(truth):
    found = figures(NME(), truth, (3, 5, 10, 40), subsets=SUBSETS, headline='full')
    assert found == pytest.approx({'NME': 6, 'NME/common': 4, 'NME/challenge': 10, 'NME/full': 6, 'NME/test': 40})
    mixed = figures(NME(), truth, (3, 5, 10, 40), subsets=SUBSETS)
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
    found = results(rows(truth), metrics)
    sizes = [len(found.within(subset)) for subset in found.columns.values()]
    table = result_table(
        found.figures(found.truth + [6.0, 0]), found.subsets, sizes, found.normalisers, whole=found.whole
    )
    first, *lines, _ = table.text().splitlines()
    assert first.split() == ['model', *SUBSETS] and sizes == [2, 1, 3, 1]
    assert lines[0].split() == ['NME', *['6.00'] * 4] and lines[-1].split() == ['faces', '2', '1', '3', '1']


def test_a_whole_with_a_name(truth):
    metric = NME()
    metric.dataset_meta = {'markup': 'five', 'subsets': ('challenge',), 'whole': 'full'}
    found = results(rows(truth), [metric])
    counted = [len(found.within(subset)) for subset in found.columns.values()]
    table = result_table(found.figures(found.truth), found.subsets, counted, found.normalisers, whole=found.whole)
    assert table.text().splitlines()[0].split() == ['model', 'full', 'challenge'] and counted == [4, 1]
