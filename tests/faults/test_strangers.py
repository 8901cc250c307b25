"""Models, detectors and exported files that are something else than expected."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import facelmk
from facelmk.codecs import Integral
from facelmk.errors import DataDefect, FacelmkError, UnknownName
from facelmk.faces import Faces, save
from facelmk.inference.boxes import parse_boxes
from facelmk.inference.detectors import find_detector
from facelmk.inference.detectors.facelmk_detector import SHIPPED
from facelmk.inference.refine import Candidate, select
from facelmk.inference.runtime.facts import CropRule, Facts, SceneRule, read_facts
from facelmk.inference.runtime.session import Session, check_graph
from facelmk.inference.stream import PicturePredictor
from facelmk.markups import MARKUPS
from facelmk.registry import MODELS

CROP = Facts('landmarks', 'x', Integral.__name__, crop=CropRule(64, 1.25, 64), markup=MARKUPS['wflw'])
SCENE = Facts('boxes', 'x', 'BoxMaps', scene=SceneRule((64,), 32, 0.5, 0.4, 0.1, 0.5, 100))
NAN = float('nan')


def test_sound_facts_are_read() -> None:
    for facts in (CROP, SCENE):
        assert read_facts(facts.to_text(), 'x.onnx').to_text() == facts.to_text()


@pytest.mark.fault('S01')
@pytest.mark.parametrize('text', ['[', '[]', '5', '[' * 100_000, '{"format": 1}'], ids=lambda text: text[:9])
def test_texts_that_hold_no_facts_are_refused(text) -> None:
    with pytest.raises(FacelmkError, match='x.onnx'):
        read_facts(text, 'x.onnx')


@pytest.mark.fault('S01')
@pytest.mark.parametrize(
    ('facts', 'part', 'values'),
    [
        *((CROP, 'crop', {'padding': value}) for value in (-1, 0, NAN, 1e30, 'x', None, True)),
        *((CROP, 'crop', {'size': value}) for value in (0, 10**9, 64.0, True, 'x')),
        *((CROP, 'crop', {'span': value}) for value in (0, -5, 'x', 10**9, NAN)),
        *((CROP, 'crop', {'integer': value}) for value in ('yes', 1)),
        *((CROP, 'markup', {'name': 'other'} | value) for value in ({'size': -1}, {'size': 5}, {'lines': [[999]]})),
        *((SCENE, 'scene', {'sizes': value}) for value in ([], [0], [10**9], 64.5)),
        *((SCENE, 'scene', {'multiple': value}) for value in (0, -1, 1.5, [], [32])),
        *((SCENE, 'scene', {'score': value}) for value in (-1, 2, NAN, 'x', [], [0.5])),
        *((SCENE, 'scene', {'factor': value}) for value in ([0, 1], [1], [NAN, 1], 1)),
        *((SCENE, 'scene', {'most_boxes': value}) for value in (0, 10**9, [], [5, 5])),
    ],
    ids=str,
)
def test_values_that_no_exported_file_has_are_refused(facts, part, values) -> None:
    content = json.loads(facts.to_text())
    content[part] |= values
    with pytest.raises(FacelmkError, match='x.onnx'):
        read_facts(json.dumps(content), 'x.onnx')


def array(name: str, shape: list, kind: str = 'tensor(uint8)') -> SimpleNamespace:
    """Return an input or output as ONNX Runtime describes it."""
    return SimpleNamespace(name=name, shape=shape, type=kind)


@pytest.mark.fault('S01')
@pytest.mark.parametrize(
    ('inputs', 'outputs'),
    [
        ([], {}),
        ([array('crops', ['B', 3, 64, 64])] * 2, {}),
        ([array('crops', ['B', 3, 32, 32])], {}),
        ([array('crops', ['B', 3, 64, 64], 'tensor(float)')], {}),
        ([array('crops', ['B', 3, 64, 64])], {'points': ['B', 5, 2]}),
        ([array('crops', ['B', 3, 64, 64])], {'points': None}),
        ([array('crops', ['B', 3, 64, 64])], {'scores': None}),
        ([array('crops', ['B', 3, 64, 64])], {'errors': ['B', 98]}),
    ],
)
def test_a_graph_that_does_not_fit_its_metadata_is_refused(inputs, outputs) -> None:
    sound = {'points': ['B', 98, 2], 'scores': ['B', 98]}
    arrays = [array(name, shape) for name, shape in (sound | outputs).items() if shape is not None]
    with pytest.raises(DataDefect, match='x.onnx'):
        check_graph(CROP, inputs, arrays, 'x.onnx')
    check_graph(CROP, [array('crops', ['B', 3, 64, 64])], [array(name, shape) for name, shape in sound.items()], 'x')


class Answers:
    """A session of ONNX Runtime that returns given arrays, or raises an error."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def run(self, names: object, inputs: object) -> object:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.fault('S05')
@pytest.mark.parametrize(
    ('facts', 'names', 'answer'),
    [
        (CROP, ('points', 'scores'), [np.zeros((0, 98, 2)), np.zeros((0, 98))]),
        (CROP, ('points', 'scores'), [np.zeros((7, 98, 2)), np.zeros((7, 98))]),
        (CROP, ('points', 'scores'), [np.zeros((2, 98, 3)), np.zeros((2, 98))]),
        (CROP, ('points', 'scores'), [np.zeros(()), np.zeros(())]),
        (SCENE, ('boxes', 'scores'), [np.zeros((2, 8, 4)), np.zeros((2, 9))]),
        (SCENE, ('boxes', 'scores'), [np.zeros((2, 8, 5)), np.zeros((2, 8))]),
        (SCENE, ('boxes', 'scores'), [np.zeros(()), np.zeros(())]),
        (CROP, ('points', 'scores'), RuntimeError('Failed to allocate memory for requested buffer')),
    ],
)
def test_arrays_that_fit_no_crop_are_refused(facts, names, answer) -> None:
    session = Session.__new__(Session)
    session.session, session.facts, session.source = Answers(answer), facts, 'x.onnx'
    session.input, session.outputs = 'crops', names
    with pytest.raises(DataDefect, match='x.onnx'):
        session.run(np.zeros((2, 3, 64, 64), np.uint8))
    sound = {'boxes': np.zeros((2, 8, 4)), 'scores': np.zeros((2, 8)), 'points': np.zeros((2, 98, 2))}
    sound |= {'scores': np.zeros((2, 98))} if facts is CROP else {}
    session.session = Answers([sound[name] for name in names])
    assert session.run(np.zeros((2, 3, 64, 64), np.uint8)).keys() == set(names)


@pytest.mark.fault('S06')
@pytest.mark.parametrize('name', ['landmarks', 'scores', 'errors', 'score'])
@pytest.mark.parametrize('value', [NAN, float('inf')])
def test_predictions_that_are_not_finite_are_an_error(picture, name, value) -> None:
    class Diverged(PicturePredictor):
        def predict_boxes(self, rows):
            K = self.markup.size
            found = dict(landmarks=np.ones((K, 2)), scores=np.ones(K), errors=np.ones(K), score=np.ones(()))
            found[name].reshape(-1)[-1] = value
            return [found for _ in rows]

    with pytest.raises(DataDefect, match=f'{name} that are not finite'):
        Diverged(MARKUPS['wflw'], 2)(picture, 'full')


@pytest.mark.fault('S02')
def test_a_detector_is_no_model_for_landmarks() -> None:
    if not SHIPPED.is_file():
        pytest.skip('no detector comes with this copy')
    with pytest.raises(FacelmkError, match='finds faces'):
        facelmk.load(SHIPPED, device='cpu')
    with pytest.raises(FacelmkError, match='finds faces'):
        facelmk.load(facelmk.config.load_config('facelmk_detector'), weights=SHIPPED, device='cpu')


@pytest.mark.fault('S02')
def test_the_name_of_a_detector_in_the_zoo_is_a_detector() -> None:
    if not SHIPPED.is_file():
        pytest.skip('no detector comes with this copy')
    assert find_detector('facelmk_detector').find(np.zeros((40, 40, 3), np.uint8))[0].shape == (0, 4)
    with pytest.raises(FacelmkError, match='detector'):
        find_detector('facelmk_nano')


@pytest.mark.fault('S03')
@pytest.mark.parametrize('text', ['os.system', 'antigravity.X', 'torch.nn.Identity', '.', '', '..', 'a/b', __file__])
def test_a_text_that_is_no_detector_imports_nothing(text) -> None:
    with pytest.raises((UnknownName, FacelmkError), match='detector='):
        find_detector(text)
    assert 'antigravity' not in sys.modules


@pytest.mark.fault('S04')
def test_a_config_without_a_needed_argument_is_refused(tmp_path) -> None:
    with pytest.raises(FacelmkError, match='FaceLandmarker lacks backbone'):
        MODELS.build(dict(type='facelmk.FaceLandmarker'))
    path = tmp_path / 'short.pth'
    torch.save({'meta': {'cfg': "model=dict(type='facelmk.FaceLandmarker')"}, 'state_dict': {'a': torch.ones(1)}}, path)
    with pytest.raises(FacelmkError, match='FaceLandmarker lacks backbone'):
        facelmk.load(path, device='cpu')


@pytest.mark.fault('N03')
def test_a_least_score_that_no_face_has_is_refused(predictor, picture) -> None:
    for value in (NAN, float('inf'), True, '1'):
        with pytest.raises(FacelmkError, match='min_score'):
            predictor(picture, 'full', min_score=value)
    one = Candidate(Faces(), np.zeros(4, np.float32), prediction={'score': 0.5})
    with pytest.raises(FacelmkError, match='min_score'):
        select([one], 1.5)


@pytest.mark.fault('N03')
def test_a_batch_size_that_is_no_number_is_refused(predictor, picture) -> None:
    for value in (0, -5, 1.5, True, 'a'):
        with pytest.raises(FacelmkError, match='batch_size='):
            predictor(picture, 'full', batch_size=value)
        with pytest.raises(FacelmkError, match='batch_size='):
            facelmk.load('quickstart', pretrained=False, device='cpu', batch_size=value)


@pytest.mark.fault('B16')
def test_boxes_of_several_pictures_without_a_length_are_refused(predictor, picture) -> None:
    for boxes in (5, iter([[[0, 0, 9, 9]]])):
        with pytest.raises(FacelmkError, match='a list of boxes for each picture'):
            predictor([picture], boxes)


@pytest.mark.fault('N03')
@pytest.mark.parametrize('text', ['', ' ', ';', ' ; '])
def test_an_empty_text_of_boxes_is_refused(text) -> None:
    with pytest.raises(FacelmkError, match='--boxes'):
        parse_boxes(text)


@pytest.mark.parametrize('suffix', ['.pgm', '.xyz'])
def test_a_picture_that_opencv_cannot_write_is_an_error(picture, tmp_path, suffix) -> None:
    with pytest.raises(FacelmkError, match=suffix):
        save(picture, tmp_path / f'out{suffix}')
