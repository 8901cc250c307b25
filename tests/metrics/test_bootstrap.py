"""Bootstrap intervals against closed forms: means, shares, quantiles, groups."""

import time

import numpy as np
import pytest

from facelmk.metrics import NME, PCK, FailureRate
from facelmk.metrics.base import ErrorRow
from facelmk.metrics.bootstrap import (
    RESAMPLES,
    draw_counts,
    groups_of,
    interval,
    mean_intervals,
    quantile_intervals,
    weighted_mean,
)

N = 2500


@pytest.fixture(scope='module')
def error():
    return np.random.default_rng(3).normal(5, 2, N)


def alone(count=N):
    return np.arange(count)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution(error):
    low, high = mean_intervals({'': (error, np.ones(N))}, alone())['']
    half = 1.96 * error.std() / np.sqrt(N)
    assert (low, high) == pytest.approx((error.mean() - half, error.mean() + half), abs=0.1 * half)


def test_the_interval_of_a_share_is_that_of_the_binomial_distribution(error):
    share = (error > 8).astype(float)
    low, high = mean_intervals({'': (share, np.ones(N))}, alone())['']
    half = 1.96 * np.sqrt(share.mean() * (1 - share.mean()) / N)
    assert (low, high) == pytest.approx((share.mean() - half, share.mean() + half), abs=0.12 * half)


def test_the_interval_of_a_median_lies_between_the_ranks_of_the_binomial_distribution(error):
    low, high = quantile_intervals(error, {'p50': 0.5}, alone())['p50']
    ranks = [(np.sort(error) < limit).mean() for limit in (low, high)]
    assert ranks == pytest.approx([0.5 - 0.98 / np.sqrt(N), 0.5 + 0.98 / np.sqrt(N)], abs=0.002)


def test_infinite_errors_make_the_upper_quantiles_infinite():
    error = np.array([1.0] * 90 + [np.inf] * 10)
    limits = quantile_intervals(error, {'p50': 0.5, 'p99': 0.99}, alone(100))
    assert limits == {'p50': (1, 1), 'p99': (np.inf, np.inf)}


def test_faces_of_one_picture_are_drawn_together(error):
    """Four copies of each face in its picture say as much as one; as faces of their own they would halve the width."""
    once = mean_intervals({'': (error, np.ones(N))}, alone())['']
    copies, weights = np.repeat(error, 4), np.ones(4 * N)
    together = mean_intervals({'': (copies, weights)}, np.repeat(alone(), 4))['']
    apart = mean_intervals({'': (copies, weights)}, alone(4 * N))['']
    assert together == pytest.approx(once)
    assert np.ptp(apart) == pytest.approx(np.ptp(once) / 2, rel=0.1)


def test_groups_are_numbered_by_picture():
    assert groups_of(['b.jpg', 'a.jpg', 'b.jpg']).tolist() == [1, 0, 1]


def test_each_resample_has_as_many_groups_as_the_data():
    counts = np.concatenate(list(draw_counts(7)))
    assert counts.shape == (RESAMPLES, 7) and (counts.sum(1) == 7).all()
    assert counts.mean(0) == pytest.approx(np.ones(7), abs=0.1)


def test_the_seed_gives_the_same_interval_again(error):
    terms = {'': (error, np.ones(N))}
    assert mean_intervals(terms, alone()) == mean_intervals(terms, alone())
    assert mean_intervals(terms, alone()) != mean_intervals(terms, alone(), seed=1)


def test_one_picture_has_no_interval():
    low, high = mean_intervals({'': (np.array([1.0, 2]), np.ones(2))}, np.zeros(2, int))['']
    assert np.isnan([low, high]).all() and np.isnan(interval([np.nan])).all()


def test_the_weighted_mean_of_columns_leaves_out_those_without_weight():
    values, weights = np.array([[1.0, 4, 9], [3, 6, 9]]), np.array([[1, 1, 0], [3, 0, 0]])
    assert weighted_mean(values, weights) == pytest.approx(((1 + 9) / 4 + 4) / 2)


def rows(errors, points=1):
    return [ErrorRow(str(i), error, points, ()) for i, error in enumerate(errors)]


def test_metrics_have_intervals_in_their_unit(error):
    low, high = NME().interval(rows(error / 100), alone())
    assert low < 100 * NME().figure(error / 100, np.ones(N)) < high and high - low < 0.2
    assert FailureRate(0.1).interval(rows([0.2] * 20), alone(20)) == (100, 100)


def test_nme_leaves_out_faces_without_a_prediction():
    assert NME().interval(rows([0.05, 0.05, np.inf]), alone(3)) == pytest.approx((5, 5))


class WorstFace(NME):
    """A metric that is no mean."""

    def figure(self, error, count):
        return error.max()


class Sums(WorstFace):
    """A metric whose arrays are no rows."""

    def arrays(self, rows):
        return np.zeros(1), np.zeros(1)


def test_a_metric_that_is_no_mean_has_an_interval():
    """The largest of n numbers is in a resample with probability 1 - (1 - 1/n)^n, 64 %, far more than 2.5 %."""
    low, high = WorstFace().interval(rows(np.linspace(0.01, 0.5, 50)), alone(50))
    assert high == pytest.approx(50) and low == pytest.approx(100 * np.linspace(0.01, 0.5, 50)[46], abs=1.01)
    assert np.isnan(Sums().interval(rows([0.1, 0.2]), alone(2))).all()


def test_pck_is_the_mean_over_landmarks():
    metric = PCK(0.05)
    correct = np.array([[True, True], [True, False], [True, False]])
    measured = np.array([[True, True], [True, True], [True, False]])
    assert metric.figure(correct, measured) == pytest.approx((1 + 1 / 2) / 2)


def test_2500_faces_take_less_than_0_3_seconds(error):
    seconds = []
    for _ in range(3):
        start = time.process_time()
        mean_intervals({name: (error, np.ones(N)) for name in ('NME', 'FR', 'AUC')}, alone())
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.3
