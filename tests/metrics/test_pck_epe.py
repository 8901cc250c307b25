"""PCK and EPE by hand and against MMPose's numbers; faces without a prediction in all metrics."""

import json

import numpy as np
import pytest
import torch

from facelmk.errors import FacelmkError
from facelmk.markups import MARKUPS
from facelmk.metrics import EPE, PCK
from facelmk.registry import METRICS
from facelmk.report.collect import Collector, results
from facelmk.report.conclude import write_predictions
from facelmk.report.tables import result_table

# MMPose 1.3.2: keypoint_pck_accuracy and keypoint_epe of the faces of `random_faces`
MMPOSE_PCK = {0.03: 0.13333333333333333, 0.05: 0.21666666666666667, 0.1: 0.6666666666666666}
MMPOSE_EPE = 5.246135711669922


@pytest.fixture
def random_faces(batch):
    """Six faces of five points; the fourth point is visible in none, others in some."""
    random = np.random.RandomState(7)
    truth = random.rand(6, 5, 2) * 100
    predicted, visible = truth + random.randn(6, 5, 2) * 4, random.rand(6, 5) < 0.7
    visible[:, 3] = False
    side = 50 + random.rand(6) * 50
    box = np.stack([np.zeros(6), np.zeros(6), side, side / 2], 1)
    return batch(truth, predicted, visible, box=box)


@pytest.mark.parametrize('threshold', MMPOSE_PCK)
def test_pck_is_mmposes_with_points_that_are_not_annotated(threshold, random_faces, measure):
    values = measure(dict(type='PCK', threshold=threshold), [random_faces], markup='five')
    assert values == {f'PCK@{threshold}': pytest.approx(100 * MMPOSE_PCK[threshold])}


def test_epe_is_mmposes(random_faces, measure):
    assert measure(dict(type='EPE'), [random_faces], markup='five') == {'EPE': pytest.approx(MMPOSE_EPE, rel=1e-6)}


@pytest.fixture
def two_faces(batch):
    """Errors of 3 and 4 pixels; the norm is 100. In the second face only the first two points are annotated."""
    truth, visible = np.full((2, 5, 2), 50.0), np.ones((2, 5))
    visible[1, 2:] = 0
    predicted = truth + np.array([[[3.0, 0]], [[0, 4.0]]])
    predicted[1, 0] += 40
    return batch(truth, predicted, visible, norm=[100, 100], tags=[('pose',), ()])


def test_pck_averages_over_landmarks(two_faces, measure):
    """Point 0: 1 of 2 correct; point 1: 2 of 2; points 2 to 4: 1 of 1. The mean of the shares is 0.9, not 6 of 7."""
    values = measure(dict(type='PCK', norm='file'), [two_faces], markup='five', subsets=('pose',))
    assert values == {'PCK@0.05': pytest.approx(90), 'PCK@0.05/pose': pytest.approx(100)}


def test_epe_averages_over_points(two_faces, measure):
    values = measure(dict(type='EPE'), [two_faces], markup='five', subsets=('pose',))
    expected = (5 * 3 + 4 + np.hypot(40, 44)) / 7
    assert values == {'EPE': pytest.approx(expected), 'EPE/pose': pytest.approx(3)}


@pytest.mark.parametrize(('threshold', 'expected'), [(0.03, 0), (0.0301, 100), (1e-9, 0), (10, 100)])
def test_an_error_on_the_threshold_is_wrong(threshold, expected, batch, measure):
    faces = batch(np.zeros((1, 5, 2)), np.full((1, 5, 2), [3.0, 0]), norm=[100])
    (value,) = measure(dict(type='PCK', threshold=threshold, norm='file'), [faces], markup='five').values()
    assert value == expected


def test_faces_that_cannot_be_measured(batch, measure):
    """No visible point; no normaliser. EPE needs none."""
    visible = np.ones((3, 5))
    visible[0] = 0
    faces = batch(np.zeros((3, 5, 2)), np.full((3, 5, 2), [3.0, 4]), visible, norm=[100, np.nan, 100])
    assert measure(dict(type='PCK', norm='file'), [faces], markup='five') == {'PCK@0.05': 0}
    assert measure(dict(type='EPE'), [faces], markup='five') == {'EPE': pytest.approx(5)}
    nothing = batch(np.zeros((1, 5, 2)), np.zeros((1, 5, 2)), np.zeros((1, 5)))
    for kind in ('PCK', 'EPE'):
        (value,) = measure(dict(type=kind), [nothing], markup='five').values()
        assert np.isnan(value)


def test_descriptions():
    assert (PCK().name, PCK().unit, PCK().direction, PCK().normaliser) == (
        'PCK@0.05',
        '%',
        'greater',
        'the longer side of the box',
    )
    assert (EPE().name, EPE().unit, EPE().direction) == ('EPE', 'px', 'less')
    with pytest.raises(FacelmkError, match='bbox'):
        PCK(norm='bbox')


ALL = [
    dict(type='NME', norm='file'),
    dict(type='NME', norm='file', average='face', prefix='face'),
    dict(type='FailureRate', norm='file'),
    dict(type='AUC', norm='file'),
    dict(type='PCK', norm='file'),
    dict(type='EPE'),
    dict(type='KeypointAP'),
]
LOST = {  # of four faces with an error of 2 px, a norm of 100 and boxes of 3 x 4, two have no prediction
    'NME': 2,
    'face/NME': 2,
    'FR@0.1': 50,
    'AUC@0.1': 40,
    'PCK@0.05': 50,
    'EPE': 2,
}


def lose(faces, how):
    """Take away the prediction of the second and the fourth face."""
    truth, predictions = faces
    if how == 'no detected box':
        detection = torch.ones(4, 4)
        detection[1::2] = torch.nan
        truth['data_samples']['detection'] = detection
    else:
        for prediction in predictions[1::2]:
            prediction['landmarks'] = torch.full_like(prediction['landmarks'], how)
    return truth, predictions


@pytest.mark.fault('R01')
@pytest.mark.parametrize('how', ['no detected box', float('nan'), float('inf')])
def test_a_face_without_a_prediction_is_a_failure(how, batch, measure, monkeypatch):
    lines = []
    monkeypatch.setattr('facelmk.metrics.base.print_log', lambda text, **_: lines.append(text))
    faces = lose(batch(np.zeros((4, 5, 2)), np.full((4, 5, 2), [2.0, 0]), norm=[100] * 4), how)
    values = {}
    for config in ALL:
        values |= measure(config, [faces], markup='five')
    assert {key: values[key] for key in LOST} == pytest.approx(LOST)
    assert values['AP'] <= 51
    assert sum('2 of 4' in line for line in lines) == 5  # PCK does not know why a point is wrong


def test_all_faces_lost(batch, measure):
    faces = lose(batch(np.zeros((4, 5, 2)), np.full((4, 5, 2), np.nan), norm=[100] * 4), float('nan'))
    assert np.isnan(measure(dict(type='NME', norm='file'), [faces], markup='five')['NME'])
    assert measure(dict(type='FailureRate', norm='file'), [faces], markup='five') == {'FR@0.1': 100}


def test_the_table_counts_faces_without_a_prediction_and_names_units(batch, tmp_path):
    truth, predictions = lose(
        batch(np.zeros((4, 5, 2)), np.full((4, 5, 2), [2.0, 0]), norm=[100] * 4), 'no detected box'
    )
    collector, metrics = Collector(), [METRICS.build(dict(config)) for config in ALL if 'prefix' not in config]
    for metric in (collector, *metrics):
        metric.dataset_meta = {'markup': 'five', 'subsets': ()}
    collector.process(truth, predictions)
    collector.evaluate(4)
    rows = results(collector.gathered, metrics)
    assert rows.markup is MARKUPS['five'] and len(rows.rows_of()) == 4 and len(rows.worst()) == 2
    assert rows.normalisers == 'the number that the annotation file gives'
    assert rows.units == 'NME, FR, AUC and PCK in per cent, EPE in pixels of the photograph'
    lost = int(np.isinf(rows.error).sum())
    table = result_table({'NME': 2.0, 'EPE': 2.0}, (), [4], rows.normalisers, units=rows.units, lost=[lost])
    cells = {row.name: row.cells() for row in table.blocks['model']}
    assert cells['without a prediction'] == ['2'] and cells['faces'] == ['4'] and rows.units in table.note
    write_predictions(rows, tmp_path / 'predictions.json')
    written = json.loads((tmp_path / 'predictions.json').read_text())
    assert [face['landmarks'] is None for face in written] == [False, True, False, True]
    assert [face['error'] is None for face in written] == [False, True, False, True]


def test_the_first_metric_with_a_normaliser_gives_the_errors():
    metrics = [METRICS.build(dict(type=kind)) for kind in ('EPE', 'PCK')]
    for metric in metrics:
        metric.dataset_meta = {'markup': 'five', 'subsets': ()}
    row = Collector().rows(
        [dict(id='a', landmarks=np.full((5, 2), 3.0), scores=np.ones(5))],
        dict(
            landmarks=np.zeros((1, 5, 2)),
            visible=np.ones((1, 5)),
            box=np.array([[0.0, 0, 50, 100]]),
            norm=np.array([np.nan]),
            tags=[()],
        ),
    )
    rows = results(row, metrics)
    assert rows.metric.name == 'PCK@0.05' and rows.error[0] == pytest.approx(np.hypot(3, 3) / 100)
