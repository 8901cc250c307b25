"""COCO's keypoint AP by hand: object keypoint similarities against the ten thresholds."""

import sys

import numpy as np
import pytest

from facelmk.errors import FacelmkError, MissingResource
from facelmk.metrics.keypoint_ap import WHOLEBODY_SIGMAS, coco_tools
from facelmk.registry import METRICS

BOX = [[10.0, 20, 110, 220]]  # area 20,000


def offset(similarity, sigma=0.025):
    """The distance at which a point of a face with an area of 20,000 pixels has that similarity."""
    return np.sqrt(-np.log(similarity) * 2 * 20000 * (2 * sigma) ** 2)


@pytest.mark.parametrize(('similarity', 'expected'), [(1, 100), (0.81, 70), (0.76, 60), (0.51, 10), (0.4, 0)])
def test_one_face(similarity, expected, batch, measure):
    truth = np.full((1, 98, 2), 60.0)
    faces = batch(truth, truth + np.array([offset(similarity), 0]), box=BOX)
    values = measure(dict(type='KeypointAP'), [faces])
    assert values['AP'] == pytest.approx(expected, abs=0.01)
    assert values['AP@0.5'] == pytest.approx(100 * (similarity > 0.5), abs=0.01)
    assert values['AP@0.75'] == pytest.approx(100 * (similarity > 0.75), abs=0.01)


def test_invisible_points_do_not_count_and_subsets_do(batch, measure):
    truth, visible = np.full((2, 98, 2), 60.0), np.ones((2, 98))
    predicted = truth.copy()
    predicted[0, 50:] += 1000
    predicted[1] += 1000
    visible[0, 50:] = 0
    faces = batch(truth, predicted, visible, box=BOX * 2, tags=[('pose',), ()])
    values = measure(dict(type='KeypointAP'), [faces], subsets=('pose',))
    assert values['AP/pose'] == pytest.approx(100) and values['AP'] < 60


def test_a_confident_mistake_costs_more(batch, measure):
    truth = np.full((2, 98, 2), 60.0)
    predicted = truth + np.array([[[0.0]], [[500.0]]])
    confident, unsure = ([np.full(98, a), np.full(98, b)] for a, b in ((0.2, 0.9), (0.9, 0.2)))
    ap = [
        measure(dict(type='KeypointAP'), [batch(truth, predicted, box=BOX * 2, scores=s)])['AP']
        for s in (confident, unsure)
    ]
    assert ap[0] < ap[1] - 20


def test_sigmas(batch, measure):
    assert len(WHOLEBODY_SIGMAS) == 68
    truth = np.full((1, 68, 2), 60.0)
    predicted = truth + np.stack([offset(0.76, np.array(WHOLEBODY_SIGMAS)), np.zeros(68)], -1)
    faces = batch(truth, predicted, box=BOX)
    assert measure(dict(type='KeypointAP'), [faces], 'coco_wholebody_face')['AP'] == pytest.approx(60, abs=0.01)
    assert measure(dict(type='KeypointAP', sigmas=1.0), [faces], '300w')['AP'] == pytest.approx(100, abs=0.01)
    with pytest.raises(FacelmkError, match='2 numbers.*68 points'):
        measure(dict(type='KeypointAP', sigmas=[0.1, 0.2]), [faces], '300w')


def test_without_both_packages_a_resource_is_missing(monkeypatch):
    for package in ('xtcocotools', 'pycocotools'):
        monkeypatch.setitem(sys.modules, f'{package}.coco', None)
    with pytest.raises(MissingResource, match='pip install') as error:
        coco_tools()
    assert error.value.exit_code == 3


def test_it_is_registered():
    assert 'KeypointAP' in METRICS
