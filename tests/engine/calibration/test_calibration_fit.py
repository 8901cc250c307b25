"""The fit of a calibration on simulated errors with known laws, and the figures of its check."""

import numpy as np
import pytest

from facelmk.datasets import SyntheticFaces
from facelmk.engine.calibration.fit import MIN_ERRORS, fit_errors, fit_face
from facelmk.engine.calibration.measure import Measured, MisplacedBoxes, joined
from facelmk.errors import FacelmkError
from facelmk.metrics.calibration import calibration_error, found_failures, reliability

SCALE, POWER = np.array([0.2, 0.5, 0.05]), np.array([1.0, 0.6, 2.0])


def simulated(N: int = 4000, seed: int = 0) -> Measured:
    """Errors with a Rayleigh distribution around scale * deviation ** power."""
    rng = np.random.default_rng(seed)
    deviation = np.exp(rng.normal(1.8, 0.3, (N, 3)))
    mean = SCALE * deviation**POWER
    error = mean * rng.rayleigh(np.sqrt(2 / np.pi), (N, 3))
    return Measured(deviation, error, np.ones((N, 3), bool), np.full(N, 50.0), 112)


def test_the_fit_finds_scale_and_power() -> None:
    scale, power = fit_errors(simulated())
    assert power == pytest.approx(POWER, abs=0.12)
    ratio = scale * 6.0**power / (SCALE * 6.0**POWER)  # at a deviation in the middle of the data
    assert ratio == pytest.approx(np.ones(3), abs=0.03)


def test_fitted_errors_are_calibrated_on_other_faces() -> None:
    (scale, power), others = fit_errors(simulated()), simulated(seed=1)
    expected = scale * others.deviation**power
    rows = reliability(expected.ravel(), others.error.ravel())
    assert calibration_error(rows) < 0.03 * others.error.mean()


def test_points_that_do_not_count_change_nothing() -> None:
    measured, spoilt = simulated(500), simulated(500)
    for one in (measured, spoilt):
        one.counts[::3] = False
    spoilt.error[::3] = 1e6
    assert np.array_equal(fit_errors(measured), fit_errors(spoilt))


def test_a_landmark_with_few_errors_gets_the_values_of_all() -> None:
    measured = simulated(500)
    measured.counts[MIN_ERRORS - 1 :, 0] = False
    every = measured.counts.any(1)
    power = fit_errors(measured)[1]
    lowest, highest = sorted(fit_errors(simulated(500))[1])[::2]
    assert every.all() and lowest < power[0] < highest and power[0] not in (power[1], power[2])


def test_the_power_stays_above_0() -> None:
    """Where the errors fall with the spread, the expected error still does not."""
    measured = simulated(500)
    measured.error = 10 / measured.deviation
    assert (fit_errors(measured)[1] == 0.1).all()


def test_too_few_visible_landmarks_are_an_error() -> None:
    measured = simulated(100)
    measured.counts[:] = False
    with pytest.raises(FacelmkError, match='0 landmarks'):
        fit_errors(measured)


def test_the_score_finds_a_logistic_law() -> None:
    rng = np.random.default_rng(0)
    errors = np.exp(rng.normal(-3, 0.7, (6000, 1)))
    probability = 1 / (1 + np.exp(-(-9 - 3 * np.log(errors[:, 0]))))
    offset, slope = fit_face(errors, rng.random(6000) < probability)
    assert slope == pytest.approx(-3, abs=0.25) and offset == pytest.approx(-9, abs=0.8)


def test_separated_faces_get_finite_values_and_scores_near_0_and_1() -> None:
    errors = np.concatenate([np.full((50, 2), 0.02), np.full((50, 2), 0.3)])
    offset, slope = fit_face(errors, np.arange(100) < 50)
    scores = 1 / (1 + np.exp(-(offset + slope * np.log(errors.mean(1)))))
    assert np.isfinite([offset, slope]).all() and scores[:50].min() > 0.97 and scores[50:].max() < 0.03


def test_the_score_needs_good_and_bad_faces() -> None:
    for good in (np.ones(9, bool), np.zeros(9, bool)):
        with pytest.raises(FacelmkError, match='of 9 faces'):
            fit_face(np.full((9, 2), 0.1), good)


def test_a_face_error_by_hand() -> None:
    measured = Measured(
        deviation=np.ones((3, 2)),
        error=np.array([[2.0, 4.0], [9.0, 5.0], [1.0, 1.0]]),
        counts=np.array([[True, True], [False, True], [True, True]]),
        norm=np.array([50.0, 100.0, 0.0]),
        size=112,
    )
    assert measured.face_error[:2].tolist() == [0.06, 0.05] and np.isnan(measured.face_error[2])
    assert len(joined([measured, measured]).error) == 6


def test_bins_and_calibration_error_by_hand() -> None:
    rows = reliability(np.array([4.0, 1.0, 2.0, 3.0]), np.array([8.0, 1.0, 4.0, 3.0]), bins=2)
    assert [tuple(row) for row in rows] == [(2, 1.5, 2.5), (2, 3.5, 5.5)]
    assert calibration_error(rows) == pytest.approx(1.5)
    assert calibration_error(reliability(np.arange(5.0), np.arange(5.0))) == 0


def test_found_failures_by_hand() -> None:
    score, error = np.array([0.9, 0.1, 0.8, 0.2, 0.7, 0.6, 0.5, 0.4]), np.zeros(8)
    error[[1, 0, 3]] = 0.09
    assert found_failures(score, error, 0.08) == (2, 3)  # two of eight faces are searched: numbers 1 and 3


def test_misplaced_boxes_hold_at_most_a_part_of_the_face() -> None:
    faces = SyntheticFaces('aflw', 4, size=32)
    boxes = MisplacedBoxes(faces, ())
    assert len(boxes) == 4
    for i in range(4):
        face, moved = faces[i], boxes[i]
        assert np.array_equal(moved['landmarks'], face['landmarks']) and np.array_equal(boxes[i]['box'], moved['box'])
        (x1, y1, x2, y2), (a1, b1, a2, b2) = face['box'], moved['box']
        common = max(0, min(x2, a2) - max(x1, a1)) * max(0, min(y2, b2) - max(y1, b1))
        union = (x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - common
        assert common / union < 0.45
