"""Comparing face detectors: composed pictures, recall and false alarms, the rule from a detector's box."""

import numpy as np
import pytest

from facelmk.datasets import FaceDataset, FacesInPictures, SyntheticFaces
from facelmk.errors import DataDefect
from facelmk.inference.detectors import BoxRule, Detector, OtherDetector
from facelmk.report.detection import DetectorTrial, compare_detectors, draw_composites
from facelmk.report.detection.composites import fill_picture
from facelmk.report.detection.trials import COUNTS, SIZES_PX, matched_boxes
from facelmk.synthetic.scenes.sources import Portraits

GREY = np.full((90, 160, 3), 128, np.uint8)


class KeptFaces(FaceDataset):
    """Three faces that are drawn once."""

    def __init__(self):
        super().__init__('300w')
        drawn = SyntheticFaces('300w', count=3, seed=5, size=96)
        self.faces = [drawn.face(i) for i in range(3)]

    def __len__(self):
        return 3

    def face(self, index):
        return dict(self.faces[index])


@pytest.fixture(scope='module')
def faces():
    return KeptFaces()


def test_each_box_finds_one_face_and_the_others_are_alarms():
    trial = DetectorTrial()
    boxes = np.array([[0, 0, 10, 10], [100, 0, 110, 10]], float)
    trial.add(np.array([[0, 0, 10, 11], [1, 0, 11, 10], [50, 50, 60, 60]], float), boxes)
    assert (trial.faces, trial.found, trial.pictures, trial.alarms) == (2, 1, 1, [2])
    trial.add(np.array([[100, 0, 110, 10], [0, 0, 10, 10]], float), boxes)
    trial.add(np.zeros((0, 4)), np.zeros((0, 4)))
    assert (trial.faces, trial.found, trial.alarms, trial.recall) == (4, 3, [2, 0, 0], 75)


def test_composed_pictures_have_faces_of_the_wanted_size_apart_from_each_other(faces):
    pictures = list(draw_composites(Portraits(faces), [GREY], 2, 5, (40, 80), (640, 480)))
    again = list(draw_composites(Portraits(faces), [GREY], 2, 5, (40, 80), (640, 480)))
    assert len(pictures) == 2 and all((a.image == b.image).all() for a, b in zip(pictures, again, strict=True))
    for image, boxes in pictures:
        assert image.shape == (480, 640, 3) and boxes.shape == (5, 4)
        sides = (boxes[:, 2:] - boxes[:, :2]).max(1)
        assert (sides > 39.9).all() and (sides < 80.1).all()
        assert (boxes >= 0).all() and (boxes[:, 2] < 640).all() and (boxes[:, 3] < 480).all()
        for x1, y1, x2, y2 in boxes.astype(int):
            assert image[y1:y2, x1:x2].std() > 10  # not the grey of the picture
    with pytest.raises(DataDefect, match='20 faces|faces of'):
        list(draw_composites(Portraits(faces), [GREY], 1, 60, (150, 150), (640, 480)))


def test_a_picture_is_filled_from_its_middle():
    image = np.zeros((100, 400, 3), np.uint8)
    image[:, 150:250] = 200
    assert fill_picture(image, 50, 50).shape == (50, 50, 3) and (fill_picture(image, 50, 50) == 200).all()


def test_a_perfect_detector_and_a_blind_one(faces):
    """The perfect one knows the pictures of the annotated faces."""
    scenes = FacesInPictures(faces)
    known = {scenes.scene(i)['image'].tobytes(): scenes.scene(i)['boxes'] for i in range(len(scenes))}

    def perfect(image):
        return known.get(image.tobytes(), np.array([[0, 0, 9, 9]]) if image.std() < 1 else np.zeros((0, 4)))

    detectors = {'perfect': OtherDetector(perfect), 'blind': OtherDetector(lambda image: [])}
    table, alarms = compare_detectors(detectors, scenes, {'grey.png': GREY}, pictures=1)
    rows = {row.name: row.values for row in table.blocks['face detectors']}
    assert table.columns == ['perfect', 'blind'] and alarms == {'perfect': {'grey.png': 1}, 'blind': {'grey.png': 0}}
    assert rows['recall, 3 annotated faces'] == [100, 0]
    assert rows['alarms in 1 pictures without a face'] == [1, 0]
    assert len([name for name in rows if 'face of' in name]) == len(SIZES_PX)
    assert len([name for name in rows if 'faces of 40' in name]) == len(COUNTS)
    assert all(value >= 0 for value in rows['CPU ms at 640 x 480'])


def test_the_rule_of_a_shifted_detector_is_found(faces):
    """A detector whose box is half as wide, and is 10 % of its height too high."""
    scenes = FacesInPictures(faces)

    class Shifted(Detector):
        box_rule = BoxRule((0.3, 0.3), (9, 9))  # must play no part

        def find(self, image):
            boxes = next(scene['boxes'] for scene in map(scenes.scene, range(3)) if (scene['image'] == image).all())
            x1, y1, x2, y2 = boxes[0]
            width, height = x2 - x1, y2 - y1
            return [[x1 + width / 4, y1 - height / 10, x2 - width / 4, y2 - height / 10]]

    own, tight = matched_boxes(Shifted(), scenes)
    rule = BoxRule.fit(own, tight)
    assert np.allclose(rule.shift, (0, 0.1), atol=1e-3) and np.allclose(rule.factor, (2, 1), atol=1e-3)
    assert np.allclose(rule(own), tight, atol=0.5)
