"""NME, failure rate and AUC by hand, subsets, faces without a value, and descriptions of metrics."""

import numpy as np
import pytest

from facelmk.errors import FacelmkError
from facelmk.metrics import AUC, NME, FailureRate
from facelmk.registry import METRICS


@pytest.fixture
def faces(batch):
    """Four faces with errors of 2, 6, 10 and 30 % of the file's number 100; tags as in WFLW."""
    truth = np.zeros((4, 98, 2))
    predicted = truth + np.array([2.0, 6, 10, 30])[:, None, None] * [0.6, 0.8]
    return batch(truth, predicted, norm=np.full(4, 100.0), tags=[('blur',), ('pose', 'blur'), (), ('pose',)])


def test_nme_overall_and_by_subset(faces, measure):
    values = measure(dict(type='NME', norm='file'), [faces], subsets=('pose', 'makeup', 'blur'))
    assert values == pytest.approx({'NME': 12, 'NME/pose': 18, 'NME/blur': 4})
    assert list(values) == [
        'NME',
        'NME/pose',
        'NME/blur',
    ]  # in the order of the table; a subset without faces has no value
    assert all(type(value) is float for value in values.values())


@pytest.mark.parametrize(('threshold', 'expected'), [(0.08, 50), (0.1, 25), (0.3, 0), (0.01, 100)])
def test_failure_is_above_the_threshold(threshold, expected, faces, measure):
    faces[1][2]['landmarks'] = np.tile([10.0, 0], (98, 1))  # exactly on a threshold: no failure
    assert measure(dict(type='FailureRate', threshold=threshold, norm='file'), [faces])[f'FR@{threshold}'] == expected


def test_auc_is_the_area_under_the_steps(faces, measure):
    """One step each at 2, 6 and 10 of 10 per cent: (8 + 4 + 0 + 0) / 10 / 4."""
    values = measure(dict(type='AUC', threshold=0.1, norm='file'), [faces], subsets=('pose',))
    assert values == pytest.approx({'AUC@0.1': 30, 'AUC@0.1/pose': 20})


def test_auc_against_a_fine_grid():
    errors = np.random.default_rng(3).gamma(2, 0.03, 500)
    area = np.mean([(errors <= x).mean() for x in (np.arange(4000) + 0.5) / 4000 * 0.08])
    assert AUC(threshold=0.08).figure(errors, np.ones(500)) == pytest.approx(area, abs=2e-4)


def test_average_over_faces_or_points(batch, measure):
    truth, visible = np.zeros((2, 98, 2)), np.ones((2, 98))
    predicted = truth + np.array([[[10.0, 0]], [[20.0, 0]]])
    visible[1, 1:] = 0
    faces = batch(truth, predicted, visible, norm=[100, 100])
    assert measure(dict(type='NME', norm='file', average='face'), [faces])['NME'] == pytest.approx(15)
    assert measure(dict(type='NME', norm='file'), [faces])['NME'] == pytest.approx((98 * 10 + 20) / 99)


def test_faces_without_a_normaliser_are_left_out_and_counted(batch, measure, monkeypatch):
    lines = []
    monkeypatch.setattr('facelmk.metrics.base.print_log', lambda text, **_: lines.append(text))
    truth = np.zeros((4, 98, 2))
    visible = np.ones((4, 98))
    visible[3] = 0
    faces = batch(truth, truth + np.array([3, 4]), visible, norm=[50, np.nan, 0, 50])
    assert measure(dict(type='NME', norm='file'), [faces]) == {'NME': pytest.approx(10)}
    (line,) = lines
    assert '3 of 4 faces are left out' in line and 'the number that the annotation file gives' in line


def test_without_faces_the_value_is_nan(batch, measure):
    faces = batch(np.zeros((1, 98, 2)), np.zeros((1, 98, 2)))
    for kind in ('NME', 'FailureRate', 'AUC'):
        (value,) = measure(dict(type=kind, norm='file'), [faces]).values()
        assert np.isnan(value)


def test_predictions_are_matched_by_id(batch, measure):
    truth = np.arange(3)[:, None, None] * 100.0 + np.zeros((3, 98, 2))
    batches, predictions = batch(truth, truth + np.array([6, 8]), norm=[100] * 3)
    assert measure(dict(type='NME', norm='file'), [(batches, predictions[::-1])])['NME'] == pytest.approx(10)


def test_descriptions_of_metrics():
    metrics = [METRICS.build(dict(type=kind)) for kind in ('NME', 'FailureRate', 'AUC', 'KeypointAP')]
    assert [(m.name, m.unit, m.direction) for m in metrics] == [
        ('NME', '%', 'less'),
        ('FR@0.1', '%', 'less'),
        ('AUC@0.1', '%', 'greater'),
        ('AP', '%', 'greater'),
    ]
    assert NME().normaliser == 'the distance of the outer eye corners'
    assert FailureRate(norm=(3, 7)).normaliser == 'the distance of points 3 and 7'


def test_a_prefix_separates_metrics_of_one_type(faces, measure):
    values = measure(dict(type='NME', norm='box_side', prefix='box'), [faces])
    assert values == {'box/NME': pytest.approx(100 * 12 / 4)}


def test_a_missing_landmark_scheme_is_an_error(faces):
    metric = NME()
    with pytest.raises(FacelmkError, match='dataset_meta'):
        metric.process(*faces)
    metric.dataset_meta = {'markup': 'nine'}
    with pytest.raises(FacelmkError, match='nine'):
        metric.process(*faces)


def test_a_second_evaluation_starts_empty(faces):
    metric = NME(norm='file')
    metric.dataset_meta = {'markup': 'wflw', 'subsets': ()}
    for _ in range(2):
        metric.process(*faces)
        assert metric.evaluate(4) == {'NME': pytest.approx(12)}
