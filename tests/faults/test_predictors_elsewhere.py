"""Predictors in other processes: forked ones, and those that get a pickled predictor."""

import os
import pickle
import select

import numpy as np
import pytest
import torch

from facelmk.inference.detectors.base import OnePerThread
from facelmk.inference.detectors.facelmk_detector import SHIPPED, FacelmkDetector
from facelmk.inference.runtime import ExportedDetector, find_exported, is_available
from facelmk.models.calibration import ErrorCalibration

LIMIT_S = 120  # a hang has no end; a busy machine may need seconds


@pytest.fixture
def two_threads():
    """torch with two threads, as it is by default on a machine with two cores; the tests have one."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def in_a_fork(act) -> bytes:
    """Return the bytes that `act` returns in a forked process; fail if it does not end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, act())
        finally:
            os._exit(0)
    os.close(writing)
    ended, _, _ = select.select([reading], [], [], LIMIT_S)
    if not ended:
        os.kill(child, 9)
    os.waitpid(child, 0)
    with os.fdopen(reading, 'rb') as stream:
        answer = stream.read()
    assert answer, 'the process hung' if not ended else 'the process failed'
    return answer


@pytest.mark.fault('S08')
@pytest.mark.skipif(not hasattr(os, 'fork'), reason='this system has no fork')
def test_a_forked_process_predicts_the_same(predictor, picture, two_threads) -> None:
    image = np.resize(picture, (200, 240, 3))
    expected = predictor(image, 'full')[0].landmarks
    found = np.frombuffer(in_a_fork(lambda: predictor(image, 'full')[0].landmarks.tobytes()), np.float32)
    assert np.abs(found.reshape(-1, 2) - expected).max() < 1e-3


@pytest.mark.fault('S08')
@pytest.mark.skipif(not hasattr(os, 'fork'), reason='this system has no fork')
@pytest.mark.skipif(not SHIPPED.is_file(), reason='no detector comes with this copy')
def test_a_detector_in_a_forked_process_does_not_hang(picture, two_threads) -> None:
    detector = FacelmkDetector()
    image = np.resize(picture, (200, 240, 3))
    expected = len(detector(image)[0])
    assert in_a_fork(lambda: str(len(detector(image)[0])).encode()) == str(expected).encode()


@pytest.mark.fault('S08')
def test_a_pickled_predictor_predicts_the_same(predictor, picture) -> None:
    again = pickle.loads(pickle.dumps(predictor))
    assert np.array_equal(again(picture, 'full')[0].landmarks, predictor(picture, 'full')[0].landmarks)
    calibration = ErrorCalibration('wflw')
    calibration.set(torch.ones(98), torch.ones(98), torch.ones(2))
    copied = pickle.loads(pickle.dumps(calibration))
    assert copied.fitted
    copied.set(torch.zeros(98), torch.ones(98), torch.ones(2))  # the copy keeps the rule that sets `fitted`
    assert not copied.fitted and calibration.fitted


@pytest.mark.fault('S08')
def test_a_pickled_exported_file_is_opened_again(picture) -> None:
    path = find_exported('facelmk_detector')
    if path is None or not is_available():
        pytest.skip('needs ONNX Runtime and the exported detector')
    detector = ExportedDetector(path, threads=1)
    again = pickle.loads(pickle.dumps(detector))
    assert again.rule == detector.rule and again.session.facts == detector.session.facts
    assert len(again(picture)[0]) == len(detector(picture)[0])


@pytest.mark.fault('S08')
def test_objects_of_threads_are_made_again() -> None:
    assert pickle.loads(pickle.dumps(OnePerThread(list)))() == []
