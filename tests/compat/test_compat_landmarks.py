"""Five points, circles and alignment under the names of HRNet-landmarks, without its faults."""

import cv2
import numpy as np
import pytest

from facelmk import FacelmkError, compat


def test_custom_align_works(photograph) -> None:
    image, points = photograph()
    assert compat.alignment_orig(image, np.vstack([points, points[:2] + 40]), custom_align=(3, 4)).shape == (112, 96, 3)


def test_29_points_have_five_points() -> None:
    points = np.random.default_rng(0).normal(size=(29, 2))
    assert np.array_equal(compat.get_five_landmarks_from_net(points), points[[16, 17, 20, 22, 23]])


@pytest.mark.parametrize(
    'K, rows',
    [
        (5, (0, 1, 2, 3, 4)),
        (14, ((0, 1, 2, 3), (4, 5, 6, 7), 8, 10, 11)),
        (18, ((1, 2, 3, 4), (7, 8, 9, 10), 12, 14, 15)),
        (19, (7, 10, 13, 15, 17)),
        (29, (16, 17, 20, 22, 23)),
        (68, ((37, 38, 40, 41), (43, 44, 46, 47), 30, 48, 54)),
        (98, (96, 97, 53, 88, 92)),
        (106, (104, 105, 54, 84, 90)),
        (166, (96, 97, 53, 88, 92)),
    ],
)
def test_five_points(K, rows) -> None:
    points = np.random.default_rng(K).normal(size=(K, 2))
    expected = [points[np.atleast_1d(row)].mean(0) for row in rows]
    assert np.allclose(compat.get_five_landmarks_from_net(points), expected)
    assert np.allclose(compat.get_five_landmarks_from_net(points.tolist()), expected)
    corrected = compat.get_five_landmarks_from_net(points, corrected=True)
    assert np.allclose(corrected, points[[96, 97, 54, 76, 82]] if K in (98, 166) else expected)


def test_other_numbers_of_points_are_refused() -> None:
    with pytest.raises(FacelmkError, match='7 landmarks.* 5, 14, 18, 19, 29, 68, 98, 106, 166'):
        compat.get_five_landmarks_from_net(np.zeros((7, 2)))
    with pytest.raises(FacelmkError, match=r'\(98, 2\).*get_five_landmarks_from_net'):
        compat.alignment_orig(np.zeros((9, 9, 3), np.uint8), np.zeros((98, 2)))


def test_circles_of_one_face_and_of_several() -> None:
    face = np.array([[10.0, 12.0], [30.4, 8.6]])
    for circles in (face, face.tolist(), [face, face + 10], [face.tolist()], np.stack([face])):
        image = np.zeros((40, 50, 3), np.uint8)
        assert compat.set_circles_on_img(image, circles, 1, (9, 8, 7)) is image
        assert image[12, 10].tolist() == image[9, 30].tolist() == [9, 8, 7]
    copy = compat.set_circles_on_img(image, face + 5, is_copy=True)
    assert copy is not image and copy[17, 15].tolist() == [255, 0, 0] and image[17, 15].tolist() == [0, 0, 0]
    assert (compat.set_circles_on_img(image, []) == image).all()


def test_circles_on_a_mirrored_view() -> None:
    image = np.zeros((40, 50, 3), np.uint8)
    view = image[:, ::-1]
    assert compat.set_circles_on_img(view, [[10, 12]], 1) is view and image[12, 39].tolist() == [255, 0, 0]


@pytest.mark.parametrize('is_copy', [True, False])
def test_pictures_are_shown_in_their_colours(monkeypatch, is_copy) -> None:
    """matplotlib shows RGB: a blue picture of OpenCV is shown in blue, and the landmarks in `color`."""
    import matplotlib.pyplot as plt

    shown = []
    monkeypatch.setattr(plt, 'imshow', shown.append)
    image = np.full((30, 40, 3), (200, 20, 10), np.uint8)
    compat.show_landmarks(image, [[5, 6]], 1, (255, 0, 0), is_copy=is_copy)
    compat.show_landmarks(image[..., ::-1], [[15, 16]], 1, (255, 0, 0), bgr=False)
    plt.close('all')
    assert all(picture[25, 25].tolist() == [10, 20, 200] for picture in shown)
    assert shown[0][6, 5].tolist() == shown[1][16, 15].tolist() == [255, 0, 0]
    assert image[6, 5].tolist() == ([200, 20, 10] if is_copy else [0, 0, 255])


TEMPLATE = np.array(
    [[30.2946, 51.6963], [65.5318, 51.5014], [48.0252, 71.7366], [33.5493, 92.3655], [62.7299, 92.2041]]
)


def least_squares(points: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The matrix (2, 3) of cp2tform: least squares over u = X r, for the template's points in the photograph."""
    x, y = template.T
    ones, none = np.ones(5), np.zeros(5)
    rows = np.vstack([np.column_stack([x, y, ones, none]), np.column_stack([y, -x, none, ones])])
    c, s, tx, ty = np.linalg.lstsq(rows, points.T.ravel(), rcond=None)[0]
    return np.linalg.inv([[c, s, tx], [-s, c, ty], [0, 0, 1]])[:2]


@pytest.mark.parametrize(
    'options, shift',
    [
        (dict(), (0, 0)),
        (dict(ncols=112), (8, 0)),
        (dict(ncols=128, nrows=128), (16, 16)),
        (dict(nrows=128), (0, 16)),
        (dict(ncols=112, nrows=128, custom_align=(2.5, -4)), (2.5, -4)),
    ],
)
def test_alignment_is_equal_to_cp2tform(monkeypatch, options, shift) -> None:
    calls, image = [], np.zeros((300, 300, 3), np.uint8)
    monkeypatch.setattr(cv2, 'warpAffine', lambda *arguments: calls.append(arguments) or np.zeros(1))
    random = np.random.default_rng(0)
    for _ in range(50):
        angle, factor = random.uniform(-1, 1), random.uniform(0.6, 3)
        turn = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = TEMPLATE @ turn.T + random.uniform(20, 90, 2) + random.normal(size=(5, 2)) * 1.5
        compat.alignment_orig(image, points, **options)
        _, matrix, size = calls.pop()
        difference = (matrix - least_squares(points, TEMPLATE + shift)) @ np.column_stack([points, np.ones(5)]).T
        assert np.abs(difference).max() < 1e-6 and size == (options.get('ncols', 96), options.get('nrows', 112))


def test_an_aligned_picture() -> None:
    """At 112 x 112 the five points lie where ArcFace has them."""
    image = np.zeros((200, 200, 3), np.uint8)
    points = TEMPLATE * 1.4 + 20
    for i, (x, y) in enumerate(points):
        cv2.circle(image, (round(x), round(y)), 4, (50 * (i + 1),) * 3, -1)
    aligned = compat.alignment_orig(image, points.ravel(), 112, 112)
    for i, (x, y) in enumerate(TEMPLATE + [8, 0]):
        assert aligned[round(y), round(x)].tolist() == [50 * (i + 1)] * 3
