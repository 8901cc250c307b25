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
from facelmk.inference.runtime.session import check_graph
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
        *((SCENE, 'scene', {'multiple': value}) for value in (0, -1, 1.5)),
        *((SCENE, 'scene', {'score': value}) for value in (-1, 2, NAN, 'x')),
        *((SCENE, 'scene', {'factor': value}) for value in ([0, 1], [1], [NAN, 1])),
        *((SCENE, 'scene', {'most_boxes': value}) for value in (0, 10**9)),
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
    ],
)
def test_a_graph_that_does_not_fit_its_metadata_is_refused(inputs, outputs) -> None:
    sound = {'points': ['B', 98, 2], 'scores': ['B', 98]}
    arrays = [array(name, shape) for name, shape in (sound | outputs).items() if shape is not None]
    with pytest.raises(DataDefect, match='x.onnx'):
        check_graph(CROP, inputs, arrays, 'x.onnx')
    check_graph(CROP, [array('crops', ['B', 3, 64, 64])], [array(name, shape) for name, shape in sound.items()], 'x')


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
@pytest.mark.parametrize('text', ['', ' ', ';', ' ; '])
def test_an_empty_text_of_boxes_is_refused(text) -> None:
    with pytest.raises(FacelmkError, match='--boxes'):
        parse_boxes(text)


@pytest.mark.parametrize('suffix', ['.pgm', '.xyz'])
def test_a_picture_that_opencv_cannot_write_is_an_error(picture, tmp_path, suffix) -> None:
    with pytest.raises(FacelmkError, match=suffix):
        save(picture, tmp_path / f'out{suffix}')
