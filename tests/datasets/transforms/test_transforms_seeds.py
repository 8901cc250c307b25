"""Crops of other projects' protocols, computed by hand and by their rules, and their errors in mirroring."""

import cv2
import numpy as np
import pytest
import torch

from facelmk import geometry
from facelmk.datasets import CropFace, FaceDataset, TightBox, WingBox
from facelmk.datasets.transforms.pixels import cut_integer
from facelmk.errors import DataDefect, UnknownName
from facelmk.markups import MARKUPS
from facelmk.registry import CODECS, TRANSFORMS

BOX = np.array([50, 60, 250, 260], np.float32)  # side 200 around (150, 160)


def smooth(width=300, height=320):
    """A smooth picture without symmetry."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    waves = [127 + 60 * np.sin(x / 17 + k) + 60 * np.cos(y / 23 - k) for k in range(3)]
    return np.stack(waves, -1).round().astype(np.uint8)


def sample(image=None, markup='wflw', seed=0, **others):
    rng = np.random.default_rng(seed)
    size = MARKUPS[markup].size
    return (
        dict(
            id='a',
            path='a.jpg',
            image=smooth() if image is None else image,
            box=BOX,
            epoch=0,
            landmarks=rng.uniform(80, 230, (size, 2)).astype(np.float32),
            visible=np.ones(size, np.float32),
            markup=MARKUPS[markup],
            rng=rng,
        )
        | others
    )


def ridge(x):
    """A picture with a bright ridge along the column x."""
    row = 250 * np.exp(-((np.arange(300) - x) ** 2) / (2 * 6**2))
    return np.broadcast_to(row.round().astype(np.uint8)[None, :, None], (320, 300, 3))


def seen_at(face):
    """Where the ridge is in the crop."""
    row = face['image'][128, :, 0].astype(float)
    return (row * np.arange(len(row))).sum() / row.sum()


# the original HRNet's integer crop


def test_corners_of_the_integer_crop_by_hand():
    image = smooth()
    # 150 - 100 - 200 / 256 = 49.2 is truncated to 49, plus 1; 150 - 100 + 255 * 200 / 256 = 249.2 to 249, plus 1
    expected = cv2.resize(image[60:260, 50:250], (256, 256), interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(cut_integer(image, (150, 160), 200, 256), expected)
    # with a quarter more: 150 - 125 - .98 = 24.02 to 25, and 25 + 249.02 = 274.02 to 275; of height 35 to 285
    expected = cv2.resize(image[35:285, 25:275], (256, 256), interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(CropFace(integer=True)(sample())['image'], expected)


def test_corners_outside_the_picture_are_truncated_towards_zero():
    image = smooth()
    # 20 - 100 - .8 = -80.8 to -80, plus 1; 10 - 100 - .8 = -90.8 to -90, plus 1; then 119.2 and 109.2 as before
    cut = np.zeros((199, 199, 3), np.uint8)
    cut[89:, 79:] = image[:110, :120]
    assert np.array_equal(cut_integer(image, (20, 10), 200, 256), cv2.resize(cut, (256, 256)))


def test_a_large_face_is_reduced_first():
    image = smooth(1202, 1003)
    small = cv2.resize(image, (300, 250), interpolation=cv2.INTER_AREA)  # a quarter of the size, truncated
    expected = np.zeros((256, 256, 3), np.uint8)
    # 500 / 4 - 128 - 1 = -4 plus 1 = -3, and 125 - 128 + 255 + 1 = 253; 150 - 129 + 1 = 22, and 278
    expected[3:253] = small[:250, 22:278]
    assert np.array_equal(cut_integer(image, (600, 500), 1024, 256), expected)
    assert not cut_integer(smooth(3, 2), (1, 1), 1024, 256).any()  # so small a picture is reduced to nothing


def test_outside_the_picture_all_is_black():
    assert not cut_integer(smooth(), (5000, -900), 200, 64).any()


def by_hrnet(image, centre, side, size, degrees):
    """The order of HRNet: cut with a margin, rotate with Pillow, remove the margin, resize with Pillow."""
    Image = pytest.importorskip('PIL.Image')
    low, high = (np.array([int(c - side / 2 + cell * side / size) + 1 for c in centre]) for cell in (-1, size - 1))
    pad = int(np.linalg.norm(high - low) / 2 - (high[1] - low[1]) / 2)
    low, high = low - pad, high + pad
    cut = np.zeros((*(high - low)[::-1], 3), np.uint8)
    first, last = np.maximum(low, 0), np.minimum(high, image.shape[1::-1])
    cut[first[1] - low[1] : last[1] - low[1], first[0] - low[0] : last[0] - low[0]] = image[
        first[1] : last[1], first[0] : last[0]
    ]
    turned = Image.fromarray(cut).rotate(degrees, resample=Image.Resampling.BILINEAR)
    inner = np.array(turned)[pad:-pad, pad:-pad]
    return np.array(Image.fromarray(inner).resize((size, size), Image.Resampling.BILINEAR))


@pytest.mark.parametrize('degrees', [-28.0, 12.5, 30.0])
@pytest.mark.parametrize(('centre', 'side'), [((150, 160), 200), ((60.5, 250), 173.3), ((140, 150), 390)])
def test_a_rotated_crop_equals_pillows_rotation(degrees, centre, side):
    image = smooth()
    result, expected = (cut(image, centre, side, 256, degrees).astype(int) for cut in (cut_integer, by_hrnet))
    difference = np.abs(result - expected).max(-1)
    assert difference.mean() < 1.2 and (difference > 12).mean() < 0.02  # they differ at the border of the picture
    assert np.abs(cut_integer(image, centre, side, 256, -degrees).astype(int) - expected).mean() > 5


def test_the_integer_crop_differs_from_the_nominal_map_as_documented():
    # pixels of a resized picture are areas: x' + .5 = 1.28 (x - 50 + .5), while the nominal map is x' = 1.28 (x - 50)
    landmarks = np.full((98, 2), (100, 160), np.float32)
    integer, plain = (
        CropFace(padding=1.0, integer=integer)(sample(ridge(100), landmarks=landmarks)) for integer in (True, False)
    )
    assert integer['points'][0, 0] == plain['points'][0, 0] == 64
    assert abs(seen_at(integer) - 64.14) < 0.02 and abs(seen_at(plain) - 64) < 0.02


def test_points_follow_the_nominal_map():
    for mirror in ('crop', 'photo', 'hrnet'):
        integer, plain = (
            CropFace(integer=integer, mirror=mirror, flip=1.0, rotate=30, scale=(0.75, 1.25))(sample(seed=3))
            for integer in (True, False)
        )
        assert np.array_equal(integer['warp'], plain['warp']) and np.array_equal(integer['points'], plain['points'])
        assert not np.array_equal(integer['image'], plain['image'])
        apart = np.abs(integer['image'].astype(int) - plain['image']).mean()
        assert apart < 12  # the same crop, within a pixel


def test_the_augmentation_of_the_protocol_can_be_configured():
    crop = CropFace(flip=0.5, rotate=30, rotate_prob=0.6, scale=(0.75, 1.25), mirror='hrnet', integer=True)
    rows = [crop._draw(np.random.default_rng(i)) for i in range(4000)]
    flips, degrees, factors, offsets = (np.array(column) for column in zip(*rows, strict=True))
    turned = degrees[degrees != 0]
    assert abs(flips.mean() - 0.5) < 0.03 and abs(len(turned) / 4000 - 0.6) < 0.03 and not offsets.any()
    assert np.abs(turned).max() <= 30 and abs(turned.std() - 30 / 3**0.5) < 0.6
    assert factors.min() >= 0.75 and factors.max() <= 1.25 and abs(factors.std() - 0.25 / 3**0.5) < 0.006


# mirrors


@pytest.mark.parametrize(
    ('options', 'beside'),
    [
        (dict(mirror='crop'), 0),
        (dict(mirror='photo'), 0),
        (dict(mirror='hrnet'), -1.28),
        (dict(mirror='crop', integer=True), -0.14),
        (dict(mirror='photo', integer=True), 0.14),
        (dict(mirror='hrnet', integer=True), 0.14 - 1.28),
    ],
)
def test_a_mirrored_picture_matches_its_points_except_in_the_protocol_of_hrnet(options, beside):
    landmarks = np.full((98, 2), (100, 160), np.float32)
    face = CropFace(padding=1.0, flip=1.0, **options)(sample(ridge(100), landmarks=landmarks))
    assert abs(seen_at(face) - face['points'][0, 0] - beside) < 0.05


def symmetric(markup):
    """Landmarks that are their own mirror image about x = 150."""
    landmarks = np.random.default_rng(1).uniform(80, 140, (markup.size, 2)).astype(np.float32)
    alone = markup.mirror == np.arange(markup.size)
    landmarks[alone, 0] = 150
    for left, right in markup.pairs:
        landmarks[right] = 300 - landmarks[left, 0], landmarks[left, 1]
    return landmarks


@pytest.mark.parametrize('name', MARKUPS)
def test_a_symmetric_face_equals_its_mirror_image(name):
    landmarks = symmetric(MARKUPS[name])
    plain, flipped = (
        CropFace(flip=flip, mirror='photo')(sample(markup=name, landmarks=landmarks.copy())) for flip in (0.0, 1.0)
    )
    assert np.linalg.det(flipped['warp']) < 0
    assert np.abs(flipped['points'] - plain['points']).max() < 1e-3
    assert np.array_equal(np.sort(MARKUPS[name].mirror), np.arange(MARKUPS[name].size))


def test_pairs_of_wflw_count_from_zero_and_its_name_is_not_guessed():
    landmarks = symmetric(MARKUPS['wflw'])
    mirrored = 300 - landmarks[:, 0]
    wrong = np.arange(98)
    for left, right in MARKUPS['wflw'].pairs:  # as in HRNet, where 'wflw' was not equal to 'WFLW'
        wrong[[left - 1, right - 1]] = wrong[[right - 1, left - 1]]
    assert np.abs(mirrored[MARKUPS['wflw'].mirror] - landmarks[:, 0]).max() < 1e-3
    assert np.abs(mirrored[wrong] - landmarks[:, 0]).max() > 20
    with pytest.raises(UnknownName, match="'WFLW'.*'wflw'"):
        FaceDataset('WFLW')


def test_to_photo_undoes_rotation_and_mirror():
    face = CropFace(flip=1.0, rotate=45, scale=(0.8, 1.2), shift=0.1)(sample(seed=5))
    codec = CODECS.build(dict(type='Coordinates'))
    points, warp = torch.from_numpy(face['points'])[None], torch.from_numpy(face['warp'])[None]
    assert np.abs(codec.to_photo(points, warp)[0].numpy() - face['landmarks']).max() < 1e-3
    # MMPose maps back with the centre and the side of the crop alone
    centre = geometry.apply(geometry.invert(face['warp']), [[128.0, 128]])
    side = 256 / np.abs(np.linalg.det(face['warp'])) ** 0.5
    assert np.abs(face['points'] / 256 * side + centre - side / 2 - face['landmarks']).max() > 20


# Adaptive Wing


def by_seed(image, landmarks):
    """The crop by the rule of the early Adaptive Wing project: side of the frame, landmarks in the crop."""
    (low_x, low_y), (high_x, high_y) = landmarks.min(0), landmarks.max(0)
    wide = high_x - low_x
    x, y = max(0, low_x - 30), max(0, low_y - wide)
    width = int(min(high_x + 30, image.shape[1])) - int(x)
    height = int(min(high_y + 30, image.shape[0])) - int(y)
    frame = max(width, height)
    return (landmarks - (x, y) + ((frame - width) / 2, (frame - height) / 2)) / frame * 256


@pytest.mark.parametrize(('low', 'high'), [((90, 120), (190, 230)), ((90, 40), (190, 230)), ((10, 150), (280, 300))])
def test_the_box_of_the_seed_gives_its_landmarks(low, high):
    landmarks = np.random.default_rng(2).integers(low, np.array(high) + 1, (98, 2)).astype(np.float32)
    landmarks[:2] = low, high
    face = TightBox((30, 0, 30, 30), (0, 1, 0, 0), clip=True, frame=True)(sample(landmarks=landmarks))
    x1, y1, x2, y2 = face['box'].astype(int)
    assert (x1, x2) == (max(0, low[0] - 30), min(300, high[0] + 30))
    assert (y1, y2) == (max(0, low[1] - (high[0] - low[0])), min(320, high[1] + 30))
    outside = np.ones((320, 300), bool)
    outside[y1:y2, x1:x2] = False
    assert not face['image'][outside].any() and np.array_equal(face['image'][~outside], smooth()[~outside])
    assert np.abs(CropFace(padding=1.0)(face)['points'] - by_seed(smooth(), landmarks)).max() < 1e-3


def test_a_tight_box_uses_visible_landmarks_and_may_exceed_the_picture():
    landmarks = np.full((98, 2), (20.5, 30.5), np.float32)
    landmarks[1], landmarks[2] = (60.5, 50.5), (900, 900)
    visible = np.ones(98, np.float32)
    visible[2] = 0
    face = TightBox((30, 0, 0, 5))(sample(landmarks=landmarks, visible=visible))
    assert face['box'].tolist() == [-10, 30, 60, 55] and np.array_equal(face['image'], smooth())


@pytest.mark.parametrize(('reach', 'side'), [(50, 147.2), (75, 184.0), (100, 200 * 230 / 210)])
def test_the_official_square_by_hand(reach, side):
    # 100 x 120 widened by 2 and 3 on each side: 104 + 126 = 230 around (150, 160); 200 / 250 of it, and 4 / 5 of that
    landmarks = np.array([(150, 160 + reach), (150 - reach, 160)] * 49, np.float32)
    face = WingBox()(sample(landmarks=landmarks, box=np.array([100, 100, 200, 220], np.float32)))
    assert np.allclose(face['box'], geometry.square_box((150, 160), side), atol=1e-3)
    points = CropFace(padding=1.0)(face)['points']
    assert points.min() >= 5 and points.max() <= 251


def test_a_box_beside_its_face_is_a_defect():
    with pytest.raises(DataDefect, match='a.jpg.*WingBox'):
        WingBox()(sample(landmarks=np.full((98, 2), 9000, np.float32)))


def test_a_face_without_landmarks_keeps_its_box():
    for step in (TightBox((30, 0, 30, 30), frame=True), WingBox()):
        face = step(sample(landmarks=np.zeros((98, 2), np.float32), visible=np.zeros(98, np.float32)))
        assert np.array_equal(face['box'], BOX) and np.array_equal(face['image'], smooth())


def test_the_augmentation_of_adaptive_wing_can_be_configured():
    steps = [
        TRANSFORMS.build(step)
        for step in [
            dict(type='WingBox'),
            dict(type='CropFace', padding=1.0, flip=0.5, rotate=50, scale=(0.85, 1.15), shift=25 / 256),
            dict(type='Blur'),
            dict(type='Noise'),
            dict(type='Occlude'),
        ]
    ]
    crop = steps[1]
    rows = [crop._draw(np.random.default_rng(i)) for i in range(2000)]
    flips, degrees, factors, offsets = (np.array(column) for column in zip(*rows, strict=True))
    assert 49 < np.abs(degrees).max() <= 50 and factors.min() >= 0.85 and factors.max() <= 1.15
    assert abs(flips.mean() - 0.5) < 0.04
    centres = np.array([geometry.apply(crop.warp(BOX, 300, offset=offset), [[150.0, 160]])[0] for offset in offsets])
    assert 24.9 < np.abs(centres - 128).max() <= 25  # pixels of the crop
    face = sample()
    for step in steps:
        face = step(face)
    assert face['image'].shape == (256, 256, 3) and face['image'].dtype == np.uint8
    assert np.abs(face['points'] - geometry.apply(face['warp'], face['landmarks'])).max() == 0
