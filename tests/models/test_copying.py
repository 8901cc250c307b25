"""Only the tensors that a step reads go to the device of the network; the 'meta' device is used in place of a GPU."""

import numpy as np
import pytest
import torch

from facelmk.datasets import SyntheticFaces, collate_faces
from facelmk.models.copying import CopiesWhatIsRead
from facelmk.models.face_detector import FaceDetector
from facelmk.models.landmarker import FaceLandmarker

MEAN = (0, 0, 0), (1, 1, 1)
STEPS = [dict(type='LoadImage'), dict(type='CropFace', size=32), dict(type='PackFace')]


def batch() -> dict:
    faces = SyntheticFaces('300w', count=2, size=64, pipeline=STEPS)
    return collate_faces([faces[0], faces[1]])


def devices(samples: dict) -> dict[str, str]:
    return {key: value.device.type for key, value in samples.items() if isinstance(value, torch.Tensor)}


@pytest.mark.parametrize('training', [True, False])
def test_columns_that_are_not_read_stay(training) -> None:
    keys = dict(training_keys=FaceLandmarker.training_keys, test_keys=FaceLandmarker.test_keys)
    copies = CopiesWhatIsRead(*MEAN, **keys).to('meta')
    given = batch()
    made = copies(given, training)
    moved = {'points', 'visible'} if training else {'warp'}
    assert made['inputs'].device.type == 'meta' and made['inputs'].dtype == torch.float32
    found = devices(made['data_samples'])
    assert {key for key, kind in found.items() if kind == 'meta'} == moved
    assert set(made['data_samples']) == set(given['data_samples'])
    assert set(devices(given['data_samples']).values()) == {'cpu'}, 'the batch of the loader is left as it was'


def test_another_network_gets_all_columns() -> None:
    made = CopiesWhatIsRead(*MEAN).to('meta')(batch(), True)
    assert set(devices(made['data_samples']).values()) == {'meta'}


@pytest.mark.parametrize('to_rgb', [True, False])
def test_pictures_are_those_of_mmengine(to_rgb: bool) -> None:
    from mmengine.model import ImgDataPreprocessor

    given = batch()
    ours = CopiesWhatIsRead((1, 2, 3), (4, 5, 6), bgr_to_rgb=to_rgb, training_keys=('points',))(given, True)
    theirs = ImgDataPreprocessor((1, 2, 3), (4, 5, 6), bgr_to_rgb=to_rgb)(given, True)
    assert torch.equal(ours['inputs'], theirs['inputs'])
    np.testing.assert_array_equal(ours['data_samples']['points'], given['data_samples']['points'])


def test_detectors_name_their_columns_too() -> None:
    assert FaceDetector.training_keys == ('crop_boxes', 'ignored') and FaceDetector.test_keys == ('warp',)
