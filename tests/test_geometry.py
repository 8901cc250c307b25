"""Affine maps against closed forms, and crops against MMPose's matrices."""

from pathlib import Path

import numpy as np
import pytest

from facelmk import geometry

WARPS = np.load(Path(__file__).parent / 'data' / 'warps.npz')
POINTS = np.array([[0.0, 0], [3, 4], [-2, 7.5], [255, 255]])


def relative(actual, expected):
    return np.abs(actual - expected).max() / np.abs(expected).max()


def test_elementary_maps():
    assert np.allclose(geometry.apply(geometry.shift(2, -3), POINTS), POINTS + np.array([2, -3]))
    assert np.allclose(geometry.apply(geometry.scale(2), POINTS), POINTS * 2)
    assert np.allclose(geometry.apply(geometry.scale(2, 3), POINTS), POINTS * [2, 3])
    assert np.allclose(geometry.apply(geometry.mirror(256), POINTS), np.c_[255 - POINTS[:, 0], POINTS[:, 1]])
    assert np.allclose(geometry.apply(geometry.rotate(90), [[1.0, 0]]), [[0, 1]])  # clockwise in an image


def test_rotation_is_by_cosine_and_sine():
    rotated = geometry.apply(geometry.rotate(30), [[2.0, 0]])
    assert np.allclose(rotated, [[3**0.5, 1]])


def test_about_keeps_its_centre():
    centre = [[31.5, -4.0]]
    rotated = geometry.about(geometry.rotate(77) @ geometry.scale(3), centre[0])
    assert np.allclose(geometry.apply(rotated, centre), centre)
    moved = geometry.apply(rotated, POINTS) - centre
    assert np.allclose(np.linalg.norm(moved, axis=1), 3 * np.linalg.norm(POINTS - centre, axis=1))


def test_box_to_crop_by_hand():
    box, size = [100, 50, 300, 150], 256  # centre (200, 100), longer side 200, padded 250
    warp = geometry.box_to_crop(box, size, padding=1.25)
    points = np.array([[200.0, 100], [75, -25], [325, 225]])
    assert np.allclose(geometry.apply(warp, points), [[128, 128], [0, 0], [256, 256]])


def test_a_rotated_head_is_upright_in_the_crop():
    box = geometry.square_box((50, 60), 40)
    axis = np.array(
        [[50.0, 60], [50 + np.sin(np.deg2rad(20)), 60 - np.cos(np.deg2rad(20))]]
    )  # rotated to the right by 20
    chin, head = geometry.apply(geometry.box_to_crop(box, 40, degrees=20), axis)
    assert np.allclose(head - chin, [0, -1])


@pytest.mark.parametrize('case', range(4))
@pytest.mark.parametrize('width', [256, 192])
def test_mmpose_matrices(case, width):
    x, y, w, _, degrees = WARPS['cases'][case]
    square = geometry.box_to_crop(geometry.square_box((x, y), w), width, degrees=degrees)
    warp = geometry.shift(0, (256 - width) / 2) @ square  # MMPose's crop is `width` x 256, ours is square
    assert relative(warp[:2], WARPS[f'warp_{case}_{width}']) <= 1e-5
    assert relative(geometry.invert(warp)[:2], WARPS[f'inv_{case}_{width}']) <= 1e-5


def test_invert_undoes_apply_and_the_dtype_stays():
    warp = geometry.box_to_crop([10, 20, 90, 70], 256, 1.25, 33)
    mapped = geometry.apply(warp, POINTS)
    assert np.abs(geometry.apply(geometry.invert(warp), mapped) - POINTS).max() < 1e-9
    assert geometry.apply(warp, POINTS.astype(np.float32)).dtype == np.float32
    assert geometry.apply(warp, [[1, 2]]).dtype == np.float64


def test_a_stack_of_matrices_maps_a_stack_of_points():
    warps = np.stack([geometry.shift(1, 2), geometry.scale(3)])
    mapped = geometry.apply(warps, np.stack([POINTS, POINTS]))
    assert np.allclose(mapped, np.stack([POINTS + np.array([1, 2]), POINTS * 3]))


def test_boxes():
    points = np.array([[1.2, 5.0], [3.4, 9.9], [100, 100]])
    assert geometry.tight_box(points).tolist() == [1, 5, 100, 100]
    assert geometry.tight_box(points, [1, 1, 0]).tolist() == [1, 5, 4, 10]
    assert geometry.tight_box(points, [0, 0, 0]).tolist() == [1, 5, 100, 100]
    assert geometry.exact_box(points, [1, 1, 0]).tolist() == pytest.approx([1.2, 5.0, 3.4, 9.9])
    assert geometry.square_box((10, 20), 8).tolist() == [6, 16, 14, 24]
