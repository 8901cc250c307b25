"""Block B: boxes and faces that are passed to the predictor of facelmk.load."""

import numpy as np
import pytest
import torch

from facelmk import FacelmkError
from facelmk.datasets import SyntheticFaces

fault = pytest.mark.fault
BOX = [30.0, 20.0, 130.0, 140.0]


@pytest.fixture(scope='module')
def picture() -> np.ndarray:
    """A drawn face, (160, 176, 3) BGR."""
    face = SyntheticFaces('wflw', 1, 1, size=160).face(0)
    return np.pad(face['image'], ((0, 0), (16, 0), (0, 0)), mode='edge')


def all_finite(faces) -> bool:
    return all(np.isfinite(face.landmarks).all() and np.isfinite(face.scores).all() for face in faces)


@fault('B01')
@pytest.mark.parametrize('no_boxes', [[], (), np.zeros((0, 4)), torch.zeros(0, 4), np.zeros((0, 5)), [[]]])
def test_no_faces(no_boxes, predictor, picture) -> None:
    assert predictor(picture, no_boxes) == [] and predictor([picture], [no_boxes]) == [[]]
    assert predictor(picture, detector=lambda image: no_boxes if len(np.shape(no_boxes)) == 2 else []) == []


@fault('B02')
def test_two_hundred_faces(predictor, picture) -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(-20, 120, (200, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(20, 90, (200, 2))], 1).astype(np.float32)
    boxes = boxes[(boxes[:, 2:] > 1).all(1) & (boxes[:, :2] < 150).all(1)]
    boxes = np.concatenate([boxes, boxes])[:200]
    faces = predictor(picture, boxes)
    assert len(faces) == 200 and all_finite(faces)
    assert all(np.array_equal(face.box, box) for face, box in zip(faces, boxes, strict=True))
    for i in (0, 77, 199):
        assert np.abs(faces[i].landmarks - predictor(picture, boxes[i])[0].landmarks).max() < 1e-3


@pytest.mark.parametrize(
    'box',
    [
        pytest.param([-60.0, 20.0, 60.0, 140.0], marks=fault('B03')),
        pytest.param([80.0, 100.0, 200.0, 220.0], marks=fault('B03')),
        pytest.param([-108.0, 20.0, 12.0, 140.0], marks=fault('B04')),
        pytest.param([100.0, 148.0, 220.0, 268.0], marks=fault('B04')),
        pytest.param([-200.0, -150.0, 400.0, 350.0], marks=fault('B17')),
    ],
)
def test_pixels_beyond_the_border_are_black(box, predictor, picture) -> None:
    """The result equals that for the picture with a black border of 500 pixels."""
    padded = np.pad(picture, ((500, 500), (500, 500), (0, 0)))
    (face,), (expected,) = predictor(picture, [box]), predictor(padded, [np.array(box) + 500])
    assert face.box.tolist() == box and all_finite([face])
    assert np.abs(face.landmarks + 500 - expected.landmarks).max() < 0.05
    points = face.landmarks
    side = max(box[2] - box[0], box[3] - box[1])
    assert np.abs(points - [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]).max() <= side  # not moved into the picture


def test_landmarks_outside_the_picture_stay_outside(predictor, picture) -> None:
    (face,) = predictor(picture, [[-108.0, 20.0, 12.0, 140.0]])
    assert (face.landmarks[:, 0] < 0).any()


@pytest.mark.parametrize(
    'box, message',
    [
        pytest.param([300.0, 20.0, 400.0, 140.0], '176 x 160', marks=fault('B05')),
        pytest.param([-99.0, 20.0, 0.0, 140.0], '176 x 160', marks=fault('B05')),
        pytest.param([130.0, 140.0, 30.0, 20.0], 'x1 < x2 and y1 < y2', marks=fault('B06')),
        pytest.param([30.0, 20.0, 30.0, 140.0], 'x1 < x2', marks=fault('B07')),
        pytest.param([30.0, 20.0, 30.0, 20.0], 'x1 < x2', marks=fault('B07')),
        pytest.param([130.0, 20.0, 30.0, 140.0], 'x1 < x2', marks=fault('B08')),
        pytest.param([30.0, 140.0, 130.0, 20.0], 'x1 < x2', marks=fault('B08')),
        pytest.param([30.0, float('nan'), 130.0, 140.0], 'nan', marks=fault('B09')),
        pytest.param([30.0, 20.0, float('inf'), 140.0], 'inf', marks=fault('B09')),
        pytest.param([1e9, 1e9, 2e9, 2e9], '176 x 160', marks=fault('B10')),
        pytest.param([-1e9, -1e9, 1e9, 1e9], '176 x 160', marks=fault('B10')),
        pytest.param([30.0, 20.0, 1e9, 140.0], '176 x 160', marks=fault('B10')),
        pytest.param([30.0, 20.0, 1e39, 140.0], '', marks=fault('B10')),
    ],
)
def test_a_wrong_box_is_named_by_its_number(box, message, predictor, picture) -> None:
    for boxes in ([BOX, box], np.array([BOX, box])):
        with pytest.raises(FacelmkError, match=f'box 1 .*{message}') as caught:
            predictor(picture, boxes)
        assert caught.value.exit_code == 2
    skipped = []
    results = list(predictor.stream([picture, picture], [[box], [BOX]], skip=lambda *what: skipped.append(what)))
    assert len(results) == 1 and len(skipped) == 1  # the stream continues with the next picture


@pytest.mark.parametrize(
    'boxes',
    [
        pytest.param(np.array([BOX], np.int64), marks=fault('B11')),
        pytest.param([[30, 20, 130, 140]], marks=fault('B11')),
        pytest.param(np.array([BOX], np.uint8), marks=fault('B11')),
        pytest.param(np.array([BOX], np.float64), marks=fault('B12')),
        pytest.param(np.array([BOX], np.float16), marks=fault('B12')),
        pytest.param([BOX], marks=fault('B13')),
        pytest.param((tuple(BOX),), marks=fault('B13')),
        pytest.param([np.array(BOX)], marks=fault('B13')),
        pytest.param([torch.tensor(BOX)], marks=fault('B13')),
        pytest.param(torch.tensor([BOX]), marks=fault('B14')),
        pytest.param(torch.tensor([BOX], dtype=torch.bfloat16), marks=fault('B14')),
        pytest.param(torch.tensor([BOX], requires_grad=True), marks=fault('B14')),
        pytest.param(BOX, marks=fault('B15')),
        pytest.param(torch.tensor(BOX), marks=fault('B15')),
    ],
)
def test_boxes_in_every_form(boxes, predictor, picture) -> None:
    (face,) = predictor(picture, boxes)
    (expected,) = predictor(picture, np.array([BOX], np.float32))
    assert face.box.tolist() == BOX and face.box.dtype == np.float32
    assert np.array_equal(face.landmarks, expected.landmarks)


@pytest.mark.parametrize(
    'boxes, message',
    [
        pytest.param([[*BOX, 0.9]], r'\(1, 5\).*\(N, 4\)', marks=fault('B16')),
        pytest.param([BOX, [*BOX, 0.9]], 'boxes=', marks=fault('B16')),
        pytest.param([[30, 20, 130]], r'\(1, 3\)', marks=fault('B16')),
        pytest.param([[BOX]], r'\(1, 1, 4\)', marks=fault('B16')),
        pytest.param([['30', '20', '130', 'x']], 'boxes=', marks=fault('B16')),
        pytest.param({'box': BOX}, 'boxes=', marks=fault('B16')),
    ],
)
def test_boxes_of_other_shapes(boxes, message, predictor, picture) -> None:
    with pytest.raises(FacelmkError, match=message):
        predictor(picture, boxes)


@fault('B18')
def test_a_face_of_eight_pixels(predictor, picture) -> None:
    small = [[80.0, 80.0, 88.0, 88.0], [80.2, 80.4, 80.9, 80.6]]
    for face in predictor(picture, small):
        assert all_finite([face])
        x1, y1, x2, y2 = face.box
        centre, radius = np.array([x1 + x2, y1 + y2]) / 2, 1.25 * max(x2 - x1, y2 - y1)
        assert np.abs(face.landmarks - centre).max() <= radius  # in pixels of the picture


@pytest.mark.parametrize(
    'quarter_turns',
    [pytest.param(1, marks=fault('B19')), pytest.param(2, marks=fault('B20')), pytest.param(3, marks=fault('B19'))],
)
def test_turned_faces(quarter_turns, predictor, picture) -> None:
    turned = np.rot90(picture, quarter_turns)
    height, width = turned.shape[:2]
    (face,) = predictor(turned, 'full')
    assert all_finite([face]) and face.box.tolist() == [0, 0, width, height]
    side, centre = max(width, height) * 1.25, np.array([width, height]) / 2
    assert np.abs(face.landmarks - centre).max() <= side / 2 + 1
    (again,) = predictor(turned.copy(), [[0, 0, width, height]])
    assert np.array_equal(again.landmarks, face.landmarks)


@fault('B21')
def test_a_black_picture(predictor, picture) -> None:
    for value in (0, 255):
        (face,) = predictor(np.full_like(picture, value), [BOX])
        assert all_finite([face])
        assert np.abs(face.landmarks - [80, 80]).max() <= 150 / 2 + 1
