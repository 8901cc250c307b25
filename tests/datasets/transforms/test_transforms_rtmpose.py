"""Transforms of RTMPose's training: half faces, holes, blurs, colours; each compared with a computed number."""

import cv2
import numpy as np
import pytest

from facelmk import geometry
from facelmk.datasets import HSV, Blur, CoarseDropout, CropFace, FaceDataset, HalfBody, MedianBlur, Photometric
from facelmk.datasets.transforms import photometric
from facelmk.datasets.transforms.colour import shift_colours
from facelmk.errors import FacelmkError
from facelmk.markups import MARKUPS, Markup

STEPS = [
    dict(type='HalfBody', prob=0.5),
    dict(type='CropFace', size=64, flip=0.5, rotate=80, scale=(0.5, 1.5)),
    dict(type='HSV'),
    dict(type='Photometric'),
    dict(type='Blur', prob=0.5, kernel=7),
    dict(type='MedianBlur', prob=0.5),
    dict(type='CoarseDropout', prob=0.5),
]
# the points of the upper half in MMPose's LaPa configuration
LAPA_UPPER = [0, 1, 2, 30, 31, 32, *range(33, 53), 55, *range(65, 84), 104, 105]


def picture(seed=0, size=64):
    """A smooth picture."""
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (9, 10, 3), np.uint8), (size, size), interpolation=cv2.INTER_CUBIC)


def sample(seed=0, markup='lapa', **others):
    rng = np.random.default_rng(seed)
    size = MARKUPS[markup].size
    return (
        dict(
            image=picture(seed),
            box=np.array([8, 8, 56, 56], np.float32),
            markup=MARKUPS[markup],
            epoch=0,
            landmarks=rng.uniform(10, 54, (size, 2)).astype(np.float32),
            visible=np.ones(size, np.float32),
            rng=np.random.default_rng(seed),
        )
        | others
    )


class Faces(FaceDataset):
    """Five faces that contain their images."""

    def __len__(self):
        return 5

    def face(self, index):
        row = sample(index)
        return {key: row[key] for key in ('image', 'box', 'landmarks', 'visible')} | {'id': f'face{index}'}


def test_draws_depend_on_seed_epoch_and_id():
    data = Faces('lapa', STEPS)
    for index in range(5):
        first, again, later, other = data[3, 5, index], data[3, 5, index], data[3, 6, index], data[4, 5, index]
        assert np.array_equal(first['image'], again['image']) and np.array_equal(first['warp'], again['warp'])
        assert not np.array_equal(first['image'], later['image'])
        assert not np.array_equal(first['image'], other['image'])


def test_points_stay_the_warped_landmarks_and_images_stay_uint8():
    data = Faces('lapa', STEPS)
    for epoch in range(20):
        face = data[0, epoch, epoch % 5]
        assert np.abs(face['points'] - geometry.apply(face['warp'], face['landmarks'])).max() == 0
        assert face['image'].dtype == np.uint8 and face['image'].shape == (64, 64, 3)
        assert face['image'].flags['C_CONTIGUOUS']


@pytest.mark.parametrize('step', [HSV, Photometric, MedianBlur, CoarseDropout, HalfBody])
def test_the_number_of_draws_does_not_depend_on_prob(step):
    ends = []
    for prob in (0.0, 1.0):
        face = sample(1)
        before, box = face['image'].copy(), face['box'].copy()
        step(prob=prob)(face)
        ends.append(face['rng'].bit_generator.state['state'])
        changed = not np.array_equal(face['image'], before) or not np.array_equal(face['box'], box)
        assert changed == bool(prob)
    assert ends[0] == ends[1]


@pytest.mark.parametrize('step', [HSV, Photometric, MedianBlur, Blur, CoarseDropout])
def test_the_input_picture_is_not_changed(step):
    face = sample(2)
    given, copy = face['image'], face['image'].copy()
    step(prob=1.0)(face)
    assert np.array_equal(given, copy) and not np.array_equal(face['image'], copy)


def test_the_share_of_changed_pictures_is_the_probability():
    changed = []
    for seed in range(600):
        face = sample(0, rng=np.random.default_rng(seed))
        before = face['image']
        changed.append(CoarseDropout(prob=0.3)(face)['image'] is not before)
    assert abs(np.mean(changed) - 0.3) < 0.06  # three standard deviations


# half a face


def test_the_upper_half_of_lapa_equals_that_of_mmpose():
    assert sorted(MARKUPS['lapa'].upper) == LAPA_UPPER


@pytest.mark.parametrize('name', MARKUPS)
def test_halves_stay_halves_in_a_mirror(name):
    markup = MARKUPS[name]
    assert 0 < len(markup.upper) < markup.size
    assert {int(markup.mirror[i]) for i in markup.upper} == set(markup.upper)


def test_the_box_of_a_half_by_hand():
    landmarks = np.zeros((19, 2), np.float32)
    landmarks[:12] = [[10, 20]] * 11 + [[34, 26]]  # mean (12, 20.5), 24 x 6
    landmarks[12:] = [[50, 60]] * 6 + [[64, 102]]  # mean (52, 66), 14 x 42
    boxes = {}
    for seed in range(60):
        face = HalfBody(prob=1.0)(sample(seed, 'aflw', landmarks=landmarks))
        boxes.setdefault(tuple(face['box'].astype(float).round(3).tolist()), []).append(seed)
    upper, lower = (-2.4, 16.9, 26.4, 24.1), (43.6, 40.8, 60.4, 91.2)  # 1.2 times as wide and high
    assert set(boxes) == {upper, lower}
    assert abs(len(boxes[upper]) / 60 - 0.7) < 0.18  # three standard deviations
    warp = CropFace(256).warp(np.array(upper), 64)
    assert np.allclose(warp[0, 0], 256 / (1.5 * 24))  # MMPose: 1.5 times the half's extent fills the crop


def test_with_too_few_visible_points_the_box_stays():
    lower_hidden = np.r_[np.ones(12), np.zeros(7)]
    for visible, upper_prob, moves in [
        (np.r_[np.ones(8), np.zeros(11)], 0.5, False),  # 8 of 9 needed
        (lower_hidden, 0.0, True),  # only the upper half is possible
        (1 - np.r_[np.ones(11), np.zeros(8)], 1.0, False),
    ]:  # 8 again
        face = sample(0, 'aflw', visible=visible.astype(np.float32))
        before = face['box'].copy()
        HalfBody(prob=1.0, upper_prob=upper_prob)(face)
        assert moves != np.array_equal(face['box'], before)
    face = HalfBody(prob=1.0, upper_prob=0.0)(sample(0, 'aflw', visible=lower_hidden.astype(np.float32)))
    assert np.allclose((face['box'][:2] + face['box'][2:]) / 2, face['landmarks'][:12].mean(0), atol=1e-4)


def test_a_landmark_scheme_without_halves_is_refused():
    with pytest.raises(FacelmkError, match="'halfless'.*upper"):
        HalfBody()(sample(0, markup='aflw') | {'markup': Markup('halfless', 19, ())})


# holes and blurs


def test_holes_are_black_and_have_the_given_sizes():
    sides, places = [], []
    for seed in range(200):
        face = dict(image=np.full((100, 100, 3), 200, np.uint8), rng=np.random.default_rng(seed))
        black = (CoarseDropout(holes=1, size=(0.2, 0.4))(face)['image'] == 0).all(-1)
        rows, columns = np.flatnonzero(black.any(1)), np.flatnonzero(black.any(0))
        assert (
            black[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all() and (face['image'][~black] == 200).all()
        )
        sides += [len(rows), len(columns)]
        places += [rows[0] / (100 - len(rows)), columns[0] / (100 - len(columns))]
    assert 20 <= min(sides) < 22 and 38 < max(sides) <= 40
    assert min(places) < 0.02 and max(places) > 0.98 and abs(np.mean(places) - 0.5) < 0.05


def test_several_holes():
    face = dict(image=np.full((100, 100, 3), 9, np.uint8), rng=np.random.default_rng(1))
    area = (CoarseDropout(holes=3, size=(0.1, 0.1))(face)['image'] == 0).all(-1).sum()
    assert 200 < area <= 300  # they may overlap


def test_kernels_are_odd_and_reach_their_limit():
    assert {photometric.odd_size(number, 7) for number in np.linspace(0, 0.999, 50)} == {3, 5, 7}
    assert photometric.odd_size(0.999, 3) == 3
    dot = np.zeros((41, 41, 3), np.uint8)
    dot[20, 20] = 245
    seen = set()
    for seed in range(30):
        blurred = Blur(prob=1.0, kernel=7)(dict(image=dot, rng=np.random.default_rng(seed)))['image']
        side = round((blurred[..., 0] > 0).sum() ** 0.5)
        assert blurred.max() == round(245 / side**2)
        seen.add(side)
        assert MedianBlur(prob=1.0)(dict(image=dot, rng=np.random.default_rng(seed)))['image'].max() == 0
    assert seen == {3, 5, 7}


def test_the_gaussian_blur_keeps_its_draws():
    result = Blur(prob=1.0)(sample(3))['image']
    rng = np.random.default_rng(3)
    rng.random()
    assert np.array_equal(result, cv2.GaussianBlur(picture(3), (0, 0), rng.uniform(0.1, 1) * 2.0))


# colours


def test_no_change_of_hue_is_the_identity_up_to_rounding():
    image = picture(4)
    for step in (HSV(0, 0, 0), Photometric(0, (1, 1), (1, 1), 0)):
        for seed in range(12):
            result = step(dict(image=image, rng=np.random.default_rng(seed)))['image']
            result = result if isinstance(step, HSV) else np.sort(result, -1)  # channels may still be exchanged
            expected = image if isinstance(step, HSV) else np.sort(image, -1)
            assert np.abs(result.astype(int) - expected).max() <= 5  # 180 hues and 256 saturations


def test_value_and_hue_by_hand():
    blue = np.full((2, 2, 3), (200, 0, 0), np.uint8)  # hue 120, saturation 255, value 200
    assert shift_colours(blue, 0, 0, 30)[0, 0].tolist() == [230, 0, 0]
    assert shift_colours(blue, 0, 0, 99)[0, 0].tolist() == [255, 0, 0]
    assert shift_colours(blue, 60, 0, 0)[0, 0].tolist() == [0, 0, 200]  # modulo 180: red
    assert shift_colours(blue, -60, 0, 0)[0, 0].tolist() == [0, 200, 0]
    red = np.full((2, 2, 3), (0, 0, 200), np.uint8)
    assert shift_colours(red, -60, 0, 0)[0, 0].tolist() == [200, 0, 0]  # below 0 as well
    assert shift_colours(blue, 0, -51, 0)[0, 0].tolist() == [200, 40, 40]


def test_gains_keep_their_ranges_and_apply_to_half_of_the_pictures():
    step = HSV(5, 30, 20)
    grey = np.full((2, 2, 3), 100, np.uint8)  # without saturation, value is the grey
    moved = []
    for seed in range(400):
        numbers = np.random.default_rng(seed).random(7)[1:]
        moved.append(int(step.change(grey, numbers)[0, 0].max()) - 100)
    assert -20 <= min(moved) < -16 and 16 < max(moved) <= 20
    assert 0.47 < np.mean(np.array(moved) == 0) < 0.6  # half, and one of twenty gains of the others


def test_brightness_and_contrast_are_linear():
    step, image = Photometric(), np.full((2, 2, 3), 100, np.uint8)
    off = 0.9
    assert step.change(image, np.array([0.1, off, off, off, off, off, 0.75, 0, 0, 0]))[0, 0].tolist() == [116] * 3
    assert step.change(image, np.array([off, 0.1, off, off, off, off, 0, 0.75, 0, 0]))[0, 0].tolist() == [125] * 3
    assert step.change(image, np.array([off, 0.1, 0.1, off, off, off, 0, 0.75, 0, 0]))[0, 0].tolist() == [125] * 3
    assert step.change(image, np.array([off] * 6 + [0, 0, 0, 0]))[0, 0].tolist() == [100] * 3
    blue = np.full((2, 2, 3), (200, 100, 50), np.uint8)
    orders = {
        tuple(step.change(blue, np.array([off] * 5 + [number, 0, 0, 0, 0]))[0, 0].tolist())
        for number in np.linspace(0, 0.499, 24)
    }
    assert len(orders) == 6 and all(sorted(order) == [50, 100, 200] for order in orders)


def test_hue_of_photometric_changes_up_to_its_limit():
    red, off = np.full((2, 2, 3), (0, 0, 200), np.uint8), 0.9
    for number, expected in [(0.0, -18), (0.5, 0), (0.999, 17)]:
        result = Photometric().change(red, np.array([off, off, off, off, 0.1, off, 0, 0, 0, number]))
        assert np.array_equal(result, shift_colours(red, expected, 0, 0))


# RandomBBoxTransform as options of CropFace


@pytest.mark.parametrize(
    ('scale', 'rotate', 'shift'), [((0.5, 1.5), 80, 0.16), ((0.6, 1.4), 80, 0.16), ((0.75, 1.25), 60, 0.0)]
)
def test_box_changes_of_rtmpose_can_be_configured(scale, rotate, shift):
    crop = CropFace(
        flip=0.5,
        rotate=rotate,
        rotate_prob=0.6,
        scale=scale,
        shift=shift,
        shift_prob=0.3,
        draw='truncnorm',
        mirror='photo',
    )
    rows = [crop._draw(np.random.default_rng(i)) for i in range(3000)]
    flips, degrees, factors, offsets = (np.array(column) for column in zip(*rows, strict=True))
    assert abs(flips.mean() - 0.5) < 0.03 and abs((degrees != 0).mean() - 0.6) < 0.03
    assert 0.97 * rotate < np.abs(degrees).max() <= rotate
    assert scale[0] <= factors.min() < scale[0] + 0.02 and scale[1] - 0.02 < factors.max() <= scale[1]
    assert abs(factors.std() - 0.5396 * (scale[1] - scale[0]) / 2) < 0.02  # a normal cut at one sigma
    if shift:
        assert abs((offsets != 0).all(1).mean() - 0.3) < 0.03 and 0.97 * shift < np.abs(offsets).max() <= shift
    box, degrees, factor, offset = np.array([100, 50, 300, 150]), 33.0, 1.3, (0.1, -0.16)
    # MMPose: centre += offset * (w, h) * 1.25, then (w, h) *= factor, then a square of the longer side
    centre = np.array([200, 100]) + np.multiply(offset, [250, 125])
    expected = geometry.box_to_crop(geometry.square_box(centre, 250 * factor), 256, degrees=degrees)
    assert np.allclose(crop.warp(box, 640, False, degrees, factor, offset), expected, atol=1e-6)
