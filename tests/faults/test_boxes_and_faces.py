"""Block B: boxes and faces, as facelmk.load's predictor takes them."""

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


def landmarks(faces) -> np.ndarray:
    return np.array([face.landmarks for face in faces])


def finite(faces) -> bool:
    return all(np.isfinite(face.landmarks).all() and np.isfinite(face.scores).all() for face in faces)


@fault('B01')
@pytest.mark.parametrize('none', [[], (), np.zeros((0, 4)), torch.zeros(0, 4), np.zeros((0, 5)), [[]]])
def test_no_faces(none, predictor, picture) -> None:
    assert predictor(picture, none) == [] and predictor([picture], [none]) == [[]]
    with pytest.raises(FacelmkError, match="a box around each face is needed.*boxes='full'"):
        predictor(picture)


@fault('B02')
def test_two_hundred_faces(predictor, picture) -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(-20, 120, (200, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(20, 90, (200, 2))], 1).astype(np.float32)
    boxes = boxes[(boxes[:, 2:] > 1).all(1) & (boxes[:, :2] < 150).all(1)]
    boxes = np.concatenate([boxes, boxes])[:200]
    found = predictor(picture, boxes)
    assert len(found) == 200 and finite(found)
    assert all(np.array_equal(face.box, box) for face, box in zip(found, boxes, strict=True))
    for i in (0, 77, 199):
        assert np.abs(found[i].landmarks - predictor(picture, boxes[i])[0].landmarks).max() < 1e-3


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
def test_beyond_the_border_it_is_black(box, predictor, picture) -> None:
    """As if the picture lay on a black sheet, whose landmarks are counted from the picture's corner."""
    sheet = np.pad(picture, ((500, 500), (500, 500), (0, 0)))
    (face,), (wanted,) = predictor(picture, [box]), predictor(sheet, [np.array(box) + 500])
    assert face.box.tolist() == box and finite([face])
    assert np.abs(face.landmarks + 500 - wanted.landmarks).max() < 0.05
    points = face.landmarks
    side = max(box[2] - box[0], box[3] - box[1])
    assert np.abs(points - [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]).max() <= side  # not pulled into the picture


def test_a_face_outside_is_not_pulled_in(predictor, picture) -> None:
    (face,) = predictor(picture, [[-108.0, 20.0, 12.0, 140.0]])
    assert (face.landmarks[:, 0] < 0).any()


@pytest.mark.parametrize(
    'box, told',
    [
        pytest.param([300.0, 20.0, 400.0, 140.0], 'outside of the picture of 176 x 160', marks=fault('B05')),
        pytest.param([-99.0, 20.0, 0.0, 140.0], 'outside of the picture of 176 x 160', marks=fault('B05')),
        pytest.param([130.0, 140.0, 30.0, 20.0], 'x1 < x2 and y1 < y2: left, top', marks=fault('B06')),
        pytest.param([30.0, 20.0, 30.0, 140.0], 'expected finite numbers, x1 < x2', marks=fault('B07')),
        pytest.param([30.0, 20.0, 30.0, 20.0], 'expected finite numbers, x1 < x2', marks=fault('B07')),
        pytest.param([130.0, 20.0, 30.0, 140.0], 'expected finite numbers, x1 < x2', marks=fault('B08')),
        pytest.param([30.0, 140.0, 130.0, 20.0], 'expected finite numbers, x1 < x2', marks=fault('B08')),
        pytest.param([30.0, float('nan'), 130.0, 140.0], 'nan', marks=fault('B09')),
        pytest.param([30.0, 20.0, float('inf'), 140.0], 'inf', marks=fault('B09')),
        pytest.param([1e9, 1e9, 2e9, 2e9], 'outside of the picture', marks=fault('B10')),
        pytest.param([-1e9, -1e9, 1e9, 1e9], 'times as large as the picture', marks=fault('B10')),
        pytest.param([30.0, 20.0, 1e9, 140.0], 'times as large as the picture', marks=fault('B10')),
        pytest.param([30.0, 20.0, 1e39, 140.0], 'box 1', marks=fault('B10')),
    ],
)
def test_boxes_that_are_none(box, told, predictor, picture) -> None:
    for boxes in ([BOX, box], np.array([BOX, box])):
        with pytest.raises(FacelmkError, match='box 1 is .*' + told.removeprefix('box 1')) as caught:
            predictor(picture, boxes)
        assert caught.value.exit_code == 2
    told_to = []
    found = list(predictor.stream([picture, picture], [[box], [BOX]], skip=lambda *what: told_to.append(what)))
    assert len(found) == 1 and len(told_to) == 1  # the next picture is looked at all the same


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
    (wanted,) = predictor(picture, np.array([BOX], np.float32))
    assert face.box.tolist() == BOX and face.box.dtype == np.float32
    assert np.array_equal(face.landmarks, wanted.landmarks)


@pytest.mark.parametrize(
    'boxes, told',
    [
        pytest.param([[*BOX, 0.9]], r'shape \(1, 5\); expected \(N, 4\)', marks=fault('B16')),
        pytest.param([BOX, [*BOX, 0.9]], 'boxes=', marks=fault('B16')),
        pytest.param([[30, 20, 130]], r'shape \(1, 3\)', marks=fault('B16')),
        pytest.param([[BOX]], r'shape \(1, 1, 4\)', marks=fault('B16')),
        pytest.param([['30', '20', '130', 'x']], 'boxes=', marks=fault('B16')),
        pytest.param({'box': BOX}, 'boxes=', marks=fault('B16')),
    ],
)
def test_boxes_of_other_shapes(boxes, told, predictor, picture) -> None:
    with pytest.raises(FacelmkError, match=told):
        predictor(picture, boxes)


@fault('B18')
def test_a_face_of_eight_pixels(predictor, picture) -> None:
    small = [[80.0, 80.0, 88.0, 88.0], [80.2, 80.4, 80.9, 80.6]]
    for face in predictor(picture, small):
        assert finite([face])
        x1, y1, x2, y2 = face.box
        middle, reach = np.array([x1 + x2, y1 + y2]) / 2, 1.25 * max(x2 - x1, y2 - y1)
        assert np.abs(face.landmarks - middle).max() <= reach  # in or beside the box, in the picture's pixels


@pytest.mark.parametrize(
    'turns',
    [pytest.param(1, marks=fault('B19')), pytest.param(2, marks=fault('B20')), pytest.param(3, marks=fault('B19'))],
)
def test_turned_faces(turns, predictor, picture) -> None:
    turned = np.rot90(picture, turns)
    height, width = turned.shape[:2]
    (face,) = predictor(turned, 'full')
    assert finite([face]) and face.box.tolist() == [0, 0, width, height]
    side, middle = max(width, height) * 1.25, np.array([width, height]) / 2
    assert np.abs(face.landmarks - middle).max() <= side / 2 + 1
    (again,) = predictor(turned.copy(), [[0, 0, width, height]])
    assert np.array_equal(again.landmarks, face.landmarks)


@fault('B21')
def test_a_black_picture(predictor, picture) -> None:
    for value in (0, 255):
        (face,) = predictor(np.full_like(picture, value), [BOX])
        assert finite([face])
        assert np.abs(face.landmarks - [80, 80]).max() <= 150 / 2 + 1
