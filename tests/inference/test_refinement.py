"""Refinement: crops move to the landmarks until they stand still, faces are kept once, and each rule has a limit."""

import numpy as np
import pytest
import torch

import facelmk
from facelmk import FacelmkError
from facelmk.faces import Faces
from facelmk.inference.refine import Candidate, passes_of, refine, select, warn_if_not_full
from facelmk.markups import MARKUPS

FACE = np.array([40.0, 40.0, 80.0, 80.0])  # the true tight box of the face in these pictures


def predict(candidates) -> None:
    """The landmarks' box is half way between the crop's box and the face: each pass halves the distance."""
    for one in candidates:
        x1, y1, x2, y2 = (np.asarray(one.box) + FACE) / 2
        one.prediction = {'landmarks': torch.tensor([[x1, y1], [x2, y2]]), 'scores': torch.tensor([0.2, 0.4])}


def candidate(box, passes=0, found=None, **prediction) -> Candidate:
    one = Candidate(Faces(), np.array(box, np.float32), passes, found)
    predict([one])
    one.prediction |= prediction
    return one


def test_each_pass_moves_the_crop_until_it_stands_still() -> None:
    boxes = {passes: candidate([24, 40, 64, 80], passes) for passes in (0, 1, 2, 3)}
    refine(list(boxes.values()), predict)
    assert [boxes[passes].box[0] for passes in boxes] == [24, 32, 36, 38]  # half of the way, three times
    still = candidate([39, 40, 80, 80], 3)  # 40 of 41 pixels are common
    refine([still], lambda moving: pytest.fail('a crop that stands still was predicted again'))
    assert still.box[0] == 39


def test_only_moving_crops_are_predicted_again() -> None:
    sizes = []
    some = [candidate([24, 40, 64, 80], 2), candidate([40, 40, 80, 80], 2), candidate([0, 0, 200, 200], 0)]
    refine(some, lambda moving: sizes.append(len(moving)) or predict(moving))
    assert sizes == [1, 1] and some[2].box.tolist() == [0, 0, 200, 200]


def test_landmarks_on_one_point_do_not_move_the_crop() -> None:
    flat = candidate([24, 40, 64, 80], 3, landmarks=torch.full((5, 2), 30.0))
    refine([flat], lambda moving: pytest.fail('a box without area was used'))


def test_two_boxes_of_one_face_become_one() -> None:
    """Both moved to the same face; the better detection stays. Boxes of the user stay as they are."""
    low, high, other = candidate(FACE, 0, 0.6), candidate(FACE + 1, 0, 0.9), candidate(FACE + 300, 0, 0.7)
    other.prediction['landmarks'] += 300
    assert select([low, high, other], None) == [high, other]
    given = [candidate(FACE), candidate(FACE)]
    assert select(given, None) == given


def test_faces_below_the_score_are_left_out() -> None:
    calibrated = [candidate(FACE, 0, 0.9, score=torch.tensor(score)) for score in (0.05, 0.09)]
    assert select(calibrated, None) == [] and len(select(calibrated, 0.0)) == 1
    assert select(calibrated[1:], 0.08) == calibrated[1:]
    uncalibrated, given = candidate(FACE, 0, 0.9), candidate(FACE, score=torch.tensor(0.05))
    assert select([uncalibrated], None) == [uncalibrated] and select([given], None) == [given]
    assert select([uncalibrated], 0.29) == [uncalibrated] and select([uncalibrated], 0.31) == []  # the mean is 0.3


def test_how_many_passes() -> None:
    wflw, aflw = MARKUPS['wflw'], MARKUPS['aflw']
    assert passes_of(None, wflw, True) == 2 and passes_of(None, wflw, False) == 0 and passes_of(3, wflw, False) == 3
    assert passes_of(None, aflw, True) == 0 and passes_of(0, aflw, True) == 0  # no contour: not the trained box
    for wrong, markup, fact in ((4, wflw, '0 to 3'), (-1, wflw, '-1'), (True, wflw, 'True'), (1, aflw, 'aflw')):
        with pytest.raises(FacelmkError, match=fact):
            passes_of(wrong, markup, True)


def test_a_full_picture_that_no_face_fills_is_warned_about(caplog) -> None:
    faces = Faces(source='a.jpg')
    for box, warned in (((0, 0, 400, 400), True), ((39, 40, 80, 80), False)):
        caplog.clear()
        one = Candidate(faces, np.array(box, np.float32), full=True)
        predict([one])
        warn_if_not_full([one])
        assert ('a.jpg' in caplog.text and "boxes='auto'" in caplog.text) == warned


# -- through a Predictor


class Finder:
    """Finds the same boxes in every picture, and counts its calls."""

    def __init__(self, boxes) -> None:
        self.boxes, self.calls = boxes, 0

    def __call__(self, image):
        self.calls += 1
        return self.boxes


BOXES = [[20.0, 10.0, 120.0, 130.0], [30.0, 20.0, 125.0, 135.0]]


def test_none_and_auto_use_the_detector_of_the_model(weights, picture) -> None:
    finder = Finder(BOXES)
    model = facelmk.load('quickstart', weights, 'cpu', detector=finder)
    given = model(picture, BOXES)
    assert not finder.calls
    for boxes in (None, 'auto'):
        faces = model(picture, boxes, refine=0)
        assert [face.box.tolist() for face in faces] in (BOXES, BOXES[:1], BOXES[1:])
        assert np.array_equal(faces[0].landmarks, given[0 if faces[0].box.tolist() == BOXES[0] else 1].landmarks)
    assert finder.calls == 2
    assert [len(faces) for faces in model([picture, picture], [None, BOXES], refine=0)] == [len(faces), 2]
    assert model(picture, detector=lambda image: []) == [] and finder.calls == 3


def test_refined_landmarks_are_those_of_the_moved_box(weights, picture) -> None:
    model = facelmk.load('quickstart', weights, 'cpu')
    (face,) = model(picture, BOXES[:1])
    (moved,) = model(picture, BOXES[:1], refine=1)
    box = facelmk.geometry.tight_box(face.landmarks)
    assert moved.box.tolist() == box.tolist() and np.array_equal(moved.landmarks, model(picture, [box])[0].landmarks)


def test_boxes_outside_of_the_picture_are_no_faces(weights, picture) -> None:
    model = facelmk.load('quickstart', weights, 'cpu', detector=Finder([[500, 500, 600, 600]]))
    assert model(picture) == []


def test_a_detector_that_fails_in_one_picture_leaves_the_others(weights, picture) -> None:
    model = facelmk.load('quickstart', weights, 'cpu', detector=lambda image: BOXES if image.any() else [[1, 2, 3]])
    skipped = []
    streamed = list(model.stream([np.zeros_like(picture), picture], skip=lambda *what: skipped.append(what)))
    assert len(streamed) == len(skipped) == 1 and 'shape' in str(skipped[0][1])


def test_boxes_with_a_detector_and_a_wrong_number_of_passes_are_refused(predictor, picture) -> None:
    with pytest.raises(FacelmkError, match='one of them'):
        predictor(picture, BOXES, detector='full')
    with pytest.raises(FacelmkError, match='refine=5'):
        predictor([], refine=5)


def test_the_full_picture_as_a_detector(predictor, picture) -> None:
    (face,) = predictor(picture, detector='full', refine=0)
    assert face.box.tolist() == [0, 0, 160, 140]
