"""BoxRecall by hand: which boxes are faces, recall and alarms at a threshold, average precision."""

import math

import pytest
import torch

from facelmk.metrics import BoxRecall

FACES = [[[0, 0, 10, 10], [20, 20, 40, 40]], [[5, 5, 25, 25]], []]


def measure(boxes, scores, ignored=None, **options):
    """The figures of three scenes with the faces above."""
    metric = BoxRecall(**options)
    metric.dataset_meta = {'subsets': ()}
    names = ['a', 'b', 'c']
    truth = dict(
        id=names,
        boxes=[torch.tensor(rows, dtype=torch.float32).reshape(-1, 4) for rows in FACES],
        ignored=ignored or [torch.zeros(len(rows), dtype=torch.bool) for rows in FACES],
        tags=[()] * 3,
    )
    predictions = [
        dict(id=name, boxes=torch.tensor(rows, dtype=torch.float32).reshape(-1, 4), scores=torch.tensor(score))
        for name, rows, score in zip(names, boxes, scores, strict=True)
    ]
    metric.process({'data_samples': truth}, predictions)
    return metric.evaluate(3)


def test_perfect_boxes():
    figures = measure(FACES, [[0.9, 0.8], [0.7], []])
    assert figures == dict(AP=pytest.approx(100), Recall=pytest.approx(100), Alarms=0)


def test_nothing_found():
    assert measure([[], [], []], [[], [], []]) == dict(AP=0, Recall=0, Alarms=0)


def test_one_face_found_twice_two_missed_one_alarm():
    boxes = [[[0, 0, 10, 10], [0, 0, 10, 9]], [], [[50, 50, 60, 60]]]
    figures = measure(boxes, [[0.9, 0.8], [], [0.6]])
    # right, wrong, wrong: precision 1 at recall 1/3
    assert figures == dict(AP=pytest.approx(100 / 3), Recall=pytest.approx(100 / 3), Alarms=pytest.approx(2 / 3))


def test_the_threshold_changes_recall_and_alarms_but_not_ap():
    boxes = [[[0, 0, 10, 10]], [[5, 5, 25, 25]], [[50, 50, 60, 60]]]
    low, high = (measure(boxes, [[0.9], [0.3], [0.4]], threshold=threshold) for threshold in (0.2, 0.5))
    assert low['AP'] == high['AP'] == pytest.approx(100 * (1 + 2 / 3) / 3)
    assert (low['Recall'], low['Alarms']) == (pytest.approx(200 / 3), pytest.approx(1 / 3))
    assert (high['Recall'], high['Alarms']) == (pytest.approx(100 / 3), 0)


def test_boxes_on_ignored_faces_do_not_count():
    ignored = [torch.tensor([True, False]), torch.tensor([True]), torch.zeros(0, dtype=torch.bool)]
    boxes = [[[0, 0, 10, 10], [20, 20, 40, 40]], [[5, 5, 20, 24]], []]
    figures = measure(boxes, [[0.9, 0.8], [0.7], []], ignored)
    assert figures == dict(AP=pytest.approx(100), Recall=pytest.approx(100), Alarms=0)


def test_the_overlap_that_is_needed():
    boxes = [[[0, 0, 10, 6]], [], []]  # its intersection over union with the first face is 0.6
    assert measure(boxes, [[0.9], [], []])['Recall'] == pytest.approx(100 / 3)
    assert measure(boxes, [[0.9], [], []], overlap=0.7)['Recall'] == 0


def test_without_scenes_there_are_no_figures():
    assert all(math.isnan(value) for value in BoxRecall().figures([]).values())
