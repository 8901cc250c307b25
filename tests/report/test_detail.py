"""Regions, landmarks, percentiles and normalisers, computed by hand."""

import math

import numpy as np
import pytest

from facelmk.markups import MARKUPS, Markup
from facelmk.metrics import NME, FailureRate
from facelmk.report.collect import Collector, Row, results
from facelmk.report.detail import details, landmark_lines, regions
from facelmk.report.record import per_face, to_json

# eyes 100 pixels apart
TRUTH = np.array([[0.0, 0], [100, 0], [50, 40], [20, 80], [80, 80]])


@pytest.fixture
def collected():
    """A function that returns results of faces whose five points are off by some pixels."""

    def make(shifts, visible=None, paths=None, tags=None, average='point', **meta):
        metrics = [NME(average=average), FailureRate(), Collector()]
        for metric in metrics:
            metric.dataset_meta = {'markup': 'five', 'subsets': ('pose',)} | meta
        count = len(shifts)
        rows = [
            Row(
                f'{i}',
                TRUTH + np.stack([np.asarray(shift, float), np.zeros(5)], -1),
                np.ones(5),
                TRUTH,
                np.ones(5) if visible is None else np.array(visible[i], float),
                np.array([0.0, 0, 100, 80]),
                50.0,
                i,
                () if tags is None else tags[i],
                '' if paths is None else paths[i],
            )
            for i, shift in zip(range(count), shifts, strict=True)
        ]
        return results(rows, metrics)

    return make


def test_regions_join_the_parts():
    assert {name: len(points) for name, points in regions(MARKUPS['300w']).items()} == {
        'jaw': 17,
        'brows': 10,
        'nose': 9,
        'eyes': 12,
        'mouth': 20,
    }
    assert {name: len(points) for name, points in regions(MARKUPS['wflw']).items()} == {
        'jaw': 33,
        'brows': 18,
        'nose': 9,
        'eyes': 18,
        'mouth': 20,
    }
    assert regions(Markup('horns', 2, (), parts={'horn': (0, 1)})) == {'horn': [0, 1]}


@pytest.mark.parametrize('name', sorted(MARKUPS))
def test_the_regions_hold_each_point_once(name):
    points = [i for group in regions(MARKUPS[name]).values() for i in group]
    assert len(points) == len(set(points))


def test_the_error_of_a_region_is_that_of_its_visible_points(collected):
    found = details(collected([(1, 3, 5, 7, 9), (2, 2, 2, 2, 2)], visible=[(1, 1, 1, 1, 1), (1, 0, 1, 1, 1)]))
    values = found['region'].values
    assert values == pytest.approx({'eyes': (1 + 3 + 2) / 3, 'nose': (5 + 2) / 2, 'mouth': (7 + 9 + 2 + 2) / 4})
    by_face = details(
        collected([(1, 3, 5, 7, 9), (2, 2, 2, 2, 2)], visible=[(1, 1, 1, 1, 1), (1, 0, 1, 1, 1)], average='face')
    )
    assert by_face['region'].values['eyes'] == pytest.approx((2 + 2) / 2)


def test_subsets_have_values_of_their_own(collected):
    block = details(collected([[1] * 5, [2] * 5, [6] * 5], tags=[('pose',), ('pose',), ()]))['region']
    assert block.values['eyes'] == pytest.approx(3) and block.values['eyes/pose'] == pytest.approx(1.5)
    low, high = block.intervals['eyes']
    assert (low, high) == pytest.approx((1, 6), abs=1)


def test_percentiles_count_faces_without_a_prediction_as_infinite(collected):
    shifts = [[i] * 5 for i in range(1, 11)]
    values = details(collected(shifts))['percentile'].values
    assert (values['p50'], values['p90'], values['p99']) == pytest.approx((5, 9, 10))
    shifts[0] = [np.nan] * 5
    values = details(collected(shifts))['percentile'].values
    assert values['p50'] == pytest.approx(6) and math.isinf(values['p95'])


def test_one_error_table_gives_all_normalisers(collected):
    values = details(collected([[5] * 5, [5] * 5]))['normaliser'].values
    assert values == pytest.approx(
        {
            'inter_ocular': 5,
            'inter_pupil': 5,
            'box_side': 5,
            'box_geo': 500 / math.sqrt(8000),
            'box_diagonal': 500 / math.hypot(100, 80),
            'file': 10,
        }
    )


def test_landmarks_without_an_error_are_left_out():
    head, line = landmark_lines([math.nan] * 10 + [0.0123, math.nan], 'the box')
    assert 'the box' in head and line.split() == ['10', '1.23', '–']


def test_faces_of_one_picture_are_one_group(collected):
    shifts = [[i] * 5 for i in (1, 1, 9, 9)]
    one = collected(shifts, paths=['a.jpg', 'a.jpg', 'b.jpg', 'b.jpg'])
    assert one.groups.tolist() == [0, 0, 1, 1] and 'pictures' in one.drawn
    assert one.intervals()['NME'] == pytest.approx((1, 9))  # two pictures: one of four resamples has only a or only b
    assert per_face(one)['picture'] == [0, 0, 1, 1]
    apart = collected(shifts)
    assert apart.drawn == 'faces' and 'picture' not in per_face(apart)


def test_the_file_holds_the_error_of_each_measured_face(collected):
    found = per_face(
        collected(
            [[1] * 5, [2] * 5, [np.nan] * 5, [4] * 5],
            visible=[(1, 1, 1, 1, 1), (1, 1, 0, 0, 0), (1, 1, 1, 1, 1), (0, 0, 0, 0, 0)],
            tags=[(), ('pose',), ('pose',), ()],
        )
    )
    assert found['id'] == ['0', '1', '2'] and found['error'] == [1, 2, None] and found['points'] == [5, 2, 5]
    assert found['length'] == [100] * 3 and found['subsets'] == {'pose': [1, 2]}


def test_lists_are_written_on_one_line():
    text = to_json({'a': [1, 2.5, None], 'b': {'c': ['x, y', 'z']}})
    assert text.splitlines()[1:3] == ['  "a": [1, 2.5, null],', '  "b": {']
    assert '"c": ["x, y", "z"]' in text
