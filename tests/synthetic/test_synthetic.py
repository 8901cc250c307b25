"""Drawn faces: the same for the same (seed, index), with landmarks exactly where the image shows them."""

import copy

import cv2
import numpy as np
import pytest

from facelmk.markups import MARKUPS, convert
from facelmk.synthetic import appearance, describe, draw, drawing, faces, landmarks, mesh, render, shape, sheet

MARKUP_NAMES = ('wflw', '300w', 'cofw', 'aflw', 'lapa')


def plain(index: int, **changes):
    """The shape and appearance of a face without accessories, in even light."""
    face, look = shape.draw_shape(5, index), appearance.draw_appearance(5, index)
    bare = {
        'hair_style': 'bald',
        'fringe': False,
        'glasses': False,
        'sunglasses': False,
        'occluder': '',
        'hat': '',
        'beard': 'none',
        'hard_light': False,
        'blur': 0.0,
        'motion': False,
        'noise': 0.0,
        'jpeg': 0,
        'grey': False,
        'gamma': 1.0,
        'contrast': 1.0,
        'saturation': 1.0,
        'exposure': 1.0,
        'cast_shadow': 0.0,
        'shine': 0.0,
        'eye_liner': 0.0,
        'skin_colour': np.array([150.0, 175.0, 220.0]),
        'lip_colour': np.array([70.0, 60.0, 170.0]),
        'lipstick': 0.9,
        'lipstick_colour': np.array([40.0, 30.0, 170.0]),
        'key_light': np.array([0, -0.3, 0.95], np.float32),
        'key_light_colour': np.full(3, 0.4),
        'ambient_colour': np.full(3, 0.6),
    }
    vars(look).update(bare)
    vars(face).update(changes)
    return face, look


def composed(face, look, size=256):
    return faces.compose(face, look, shape.stream(5, 0, 2), shape.stream(5, 0, 3), size)


def test_a_face_depends_on_seed_and_index_alone():
    together, alone = draw(3, range(6), 128), draw(3, [4], 128)
    assert np.array_equal(together.images[4], alone.images[0])
    assert np.array_equal(together.landmarks[4], alone.landmarks[0])
    assert together.tags[4] == alone.tags[0]
    assert not np.array_equal(draw(4, [4], 128).images[0], alone.images[0])
    assert np.abs(together.landmarks[3] - together.landmarks[4]).max() > 1


def test_every_size_shows_the_same_face():
    large, small = draw(3, range(4), 256), draw(3, range(4), 128)
    assert np.allclose(large.landmarks + 0.5, (small.landmarks + 0.5) * 2, atol=1e-3)
    assert np.array_equal(large.visible, small.visible) and large.tags == small.tags
    for one, other in zip(large.images, small.images, strict=True):
        reduced = cv2.resize(one, (128, 128), interpolation=cv2.INTER_AREA)
        assert np.abs(cv2.blur(reduced, (9, 9)).astype(int) - cv2.blur(other, (9, 9))).mean() < 12


def test_describe_is_draw_without_images():
    described, drawn = describe(3, range(5), 200, 'lapa'), draw(3, range(5), 200, 'lapa')
    assert described.images is None and drawn.images.shape == (5, 200, 200, 3) and drawn.images.dtype == np.uint8
    assert np.array_equal(described.landmarks, drawn.landmarks) and np.array_equal(described.visible, drawn.visible)
    assert np.array_equal(described.boxes, drawn.boxes) and described.tags == drawn.tags


@pytest.mark.parametrize('markup', MARKUP_NAMES)
def test_landmarks_of_all_schemes_are_complete_and_inside_the_image(markup):
    described = describe(2, range(60), 256, markup)
    assert described.landmarks.shape == (60, MARKUPS[markup].size, 2) and described.landmarks.dtype == np.float32
    assert np.isfinite(described.landmarks).all() and described.landmarks.min() > 10 and described.landmarks.max() < 245
    assert set(np.unique(described.visible)) == {0.0, 1.0}


def test_boxes_are_tight_and_have_the_documented_size():
    described = describe(2, range(200), 256)
    assert np.array_equal(described.boxes[:, :2], np.floor(described.landmarks.min(1)))
    assert np.array_equal(described.boxes[:, 2:], np.ceil(described.landmarks.max(1)))
    side = (described.boxes[:, 2:] - described.boxes[:, :2]).max(1) / 256
    assert side.min() > 0.54 and side.max() < 0.67


@pytest.mark.parametrize('target', ['300w', 'lapa'])
def test_schemes_agree_with_the_published_maps(target):
    wflw, other = describe(2, range(5)), describe(2, range(5), 256, target)
    for row in range(5):
        mapped, known = convert(wflw.landmarks[row], wflw.visible[row], 'wflw', target)
        assert known.any() and np.allclose(mapped[known > 0], other.landmarks[row][known > 0], atol=1e-4)


def mirrored(face):
    twin = copy.deepcopy(face)
    for name in ('yaw', 'roll', 'mouth_x', 'nose_x', 'mouth_skew'):
        setattr(twin, name, -getattr(face, name))
    for name in ('eye_y', 'lid_upper', 'lid_lower', 'brow_y', 'brow_tilt', 'brow_arch', 'brow_inner'):
        setattr(twin, name, getattr(face, name)[::-1])
    twin.gaze, twin.shift = face.gaze * (-1, 1), face.shift * (-1, 1)
    return twin


@pytest.mark.parametrize('markup', MARKUP_NAMES)
def test_a_mirrored_face_has_mirrored_points(markup):
    for index in range(8):
        face = shape.draw_shape(6, index)
        found = []
        for twin in (face, mirrored(face)):
            head = mesh.build_head(twin)
            relative, _, _ = faces._project_landmarks(head, twin, render.pose(head.vertices, twin))
            found.append(landmarks.in_markup(relative, markup))
        flipped = found[1][MARKUPS[markup].mirror] * [-1, 1] + [1, 0]
        assert np.abs(flipped - found[0]).max() < 1e-3


@pytest.mark.parametrize('yaw', [0.0, 0.5, -0.8])
def test_landmarks_are_at_their_texture_coordinates(yaw):
    face, _ = plain(1, yaw=yaw, pitch=0.1, roll=0.2)
    head = mesh.build_head(face)
    posed = render.pose(head.vertices, face)
    relative, uv, to_image = faces._project_landmarks(head, face, posed)
    drawn, _ = render.rasterise((to_image(posed, True) * 1024 - 0.5).astype(np.float32), posed[..., 2], 1024)
    shown = np.flatnonzero(mesh.interpolate(mesh.normals(posed), uv)[:, 2] > 0.55)
    shown = shown[shown > 32]
    assert len(shown) > 25
    for point in shown:
        across, down = np.round(relative[point] * 1024 - 0.5).astype(int)
        near = drawn[down - 1 : down + 2, across - 1 : across + 2].reshape(-1, 2)
        assert np.abs(near - mesh.to_texture_px(uv[point])).max(1).min() < 0.6, point


def test_a_spot_on_the_texture_appears_at_its_landmark():
    face, _ = plain(0, yaw=0.1, pitch=0.1, roll=0.2)
    head = mesh.build_head(face)
    posed = render.pose(head.vertices, face)
    relative, uv, to_image = faces._project_landmarks(head, face, posed)
    for point in (34, 45, 60, 66, 72, 76, 79, 85, 82, 96):
        skin = np.zeros((mesh.ROWS * mesh.CELL, mesh.COLUMNS * mesh.CELL, 3), np.uint8)
        drawing.fill(skin, drawing.ellipse(mesh.to_texture_px(uv[point]), (2.5, 2.5)), (255, 255, 255))
        drawn = faces._draw_head(np.zeros((256, 256, 3), np.uint8), skin, to_image(posed, True), posed[..., 2], 256)
        brightness = drawn[..., 0].astype(float)
        down, across = np.indices(brightness.shape)
        centre = np.array([(across * brightness).sum(), (down * brightness).sum()]) / brightness.sum()
        assert np.abs(centre - (relative[point] * 256 - 0.5)).max() < 0.6, point


def test_pupils_are_dark_and_lips_end_at_their_points():
    for index in range(5):
        face, look = plain(
            index,
            yaw=0.15,
            pitch=0.0,
            roll=0.1,
            gaze=np.zeros(2),
            mouth_gap=0.0,
            lid_upper=np.full(2, 0.08),
            lid_lower=np.full(2, 0.045),
        )
        drawn = composed(face, look)
        image, relative = drawn.image.astype(int), drawn.landmarks

        def at(spot, image=image):
            return image[round(float(spot[1])), round(float(spot[0]))]

        def red(spot, at=at):
            return at(spot)[2] - at(spot)[1]

        for pupil, corners in ((96, (60, 64)), (97, (68, 72))):
            white = relative[list(corners)].mean(0) * 0.3 + relative[corners[0]] * 0.7
            assert at(relative[pupil]).sum() + 120 < at(white).sum()
        middle = (relative[79] + relative[85]) / 2
        for edge in (78, 79, 80, 84, 85, 86):
            inside, outside = (
                relative[edge] + 0.3 * (middle - relative[edge]),
                relative[edge] - 0.3 * (middle - relative[edge]),
            )
            assert red(inside) > red(outside) + 15, (index, edge)


@pytest.mark.parametrize('yaw', [-0.45, 0.45])
def test_the_far_contour_is_the_outline(yaw):
    face, _ = plain(3, yaw=yaw, pitch=0.0, roll=0.0)
    head = mesh.build_head(face)
    posed = render.pose(head.vertices, face)
    relative, _, to_image = faces._project_landmarks(head, face, posed)
    _, covered = render.rasterise((to_image(posed, True) * 512 - 0.5).astype(np.float32), posed[..., 2], 512)
    far = range(1, 12) if yaw < 0 else range(21, 32)
    for point in far:
        spot = relative[point] * 512 - 0.5
        out = np.array([-1.0 if yaw < 0 else 1.0, 0])
        beyond, within = (np.round(spot + sign * 5 * out).astype(int) for sign in (1, -1))
        assert not covered[beyond[1], beyond[0]] and covered[within[1], within[0]]


def test_the_contour_is_evenly_spaced_from_ear_to_chin():
    for index in range(6):
        relative = describe(9, [index]).landmarks[0]
        for half in (relative[:17], relative[16:33]):
            steps = np.linalg.norm(np.diff(half, axis=0), axis=1)
            assert steps.max() < 1.25 * steps.mean()


@pytest.fixture(scope='module')
def many():
    return describe(1, range(2000), 256)


def test_shares_of_the_tags(many):
    share = {tag: np.mean([tag in tags for tags in many.tags]) for tag in faces.TAGS}
    assert share['pose'] >= 0.25 and share['occlusion'] >= 0.20
    assert min(share.values()) >= 0.15 and max(share.values()) < 0.5
    assert np.mean([not tags for tags in many.tags]) > 0.08


def test_the_occlusion_tag_agrees_with_visible(many):
    hidden = 1 - many.visible.mean(1)
    described = np.array(['occlusion' in tags for tags in many.tags])
    assert hidden[described].mean() > 0.15 and hidden[described].mean() > 2 * hidden[~described].mean()


def test_the_mean_face_is_a_poor_prediction(many):
    side = (many.boxes[:, 2:] - many.boxes[:, :2]).max(1)[:, None, None]
    normal = (many.landmarks - (many.boxes[:, None, :2] + many.boxes[:, None, 2:]) / 2) / side
    error = np.linalg.norm((normal - normal.mean(0)) * side, axis=-1).mean(1)
    norm = np.linalg.norm(many.landmarks[:, 60] - many.landmarks[:, 72], axis=1)
    baseline = 100 * (error / norm).mean()
    assert 20 < baseline < 40


def test_a_sheet_shows_all_faces():
    picture = sheet(0, range(5), 3, points=True, size=64)
    assert picture.shape == (128, 192, 3) and picture[64:, 128:].max() == 0 and picture[:64, :64].std() > 5
