"""ONNX files: equal to torch in batches of any size, small, and run without torch."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from facelmk.cli import main
from facelmk.export.parity import Crops, answers_of_torch, in_batches
from facelmk.export.run import Exported, export_model
from facelmk.export.source import Source, open_model
from facelmk.inference.runtime import load_exported

pytest.importorskip('onnxruntime')
onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxscript')

ROOT = Path(__file__).parents[2]
WITHOUT_TORCH = """
import json, sys
for name in ('torch', 'mmengine', 'mmcv', 'onnx', 'PIL', 'matplotlib', 'torchvision'):
    sys.modules[name] = None  # importing it raises ImportError
from facelmk.inference.runtime import load_exported
faces = load_exported(sys.argv[1], threads=1)(sys.argv[2], json.loads(sys.argv[3]))
loaded = [name for name in sys.modules if sys.modules[name] and name.split('.')[0] in ('torch', 'mmengine', 'PIL')]
print(json.dumps([loaded, [face.to_dict() for face in faces]]))
"""


@pytest.fixture(scope='module')
def exported(source: Source, crops: Crops, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export_model(source, crops, tmp_path_factory.mktemp('onnx') / 'one.onnx')


def test_the_file_is_equal_to_torch(exported: Exported, source: Source, crops: Crops) -> None:
    session = load_exported(exported.path).session
    actual, expected = in_batches(session.run, crops), answers_of_torch(source.model, crops)
    assert np.abs(actual['points'] - expected['points']).max() < 1e-3
    assert np.abs(actual['scores'] - expected['scores']).max() < 1e-5
    assert session.facts == exported.facts


def test_weights_that_float16_holds_are_stored_as_such(exported: Exported, source: Source) -> None:
    model = onnx.load(exported.path)
    stored = {tuple(tensor.dims): tensor.data_type for tensor in model.graph.initializer if np.prod(tensor.dims) > 100}
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    assert stored[24, 3, 5, 5] == half and stored[98, 24, 1, 1] == half
    assert stored.get((98,), single) == single


def test_pictures_have_the_same_faces_as_in_torch(exported: Exported, source: Source, faces: list[dict]) -> None:
    boxes = [[face['box'], face['box'] + [4.3, -2.1, 7.7, 3.3]] for face in faces]
    images = [face['image'] for face in faces]
    in_torch, in_runtime = (one(images, boxes) for one in (source.predictor, load_exported(exported.path, 3)))
    for a, b in zip(in_torch, in_runtime, strict=True):
        for first, second in zip(a, b, strict=True):
            assert np.abs(first.landmarks - second.landmarks).max() < 1e-2 and np.array_equal(first.box, second.box)
            assert np.abs(first.scores - second.scores).max() < 1e-5 and first.markup is second.markup


def test_the_runtime_imports_neither_torch_nor_pillow(
    exported: Exported, source: Source, faces: list[dict], tmp_path: Path
) -> None:
    import cv2

    path, boxes = tmp_path / 'face.png', [[10.0, 12.0, 80.0, 85.0]]
    cv2.imwrite(str(path), faces[0]['image'])
    words = [sys.executable, '-c', WITHOUT_TORCH, str(exported.path), str(path), json.dumps(boxes)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    loaded, (face,) = json.loads(done.stdout)
    (expected,) = source.predictor(faces[0]['image'], boxes)
    assert loaded == [] and np.abs(np.array(face['landmarks']) - expected.landmarks).max() < 1e-2


def test_facelmk_predict_takes_an_exported_file(
    exported: Exported,
    source: Source,
    faces: list[dict],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / 'face.png'), faces[0]['image'])
    words = ['predict', str(tmp_path / 'face.png'), '--boxes', '10,12,80,85', '--json']
    assert main([*words, '--model', str(exported.path)]) == 0
    ((face,),) = (row['faces'] for row in json.loads(capsys.readouterr().out))
    (expected,) = source.predictor(faces[0]['image'], [[10, 12, 80, 85]])
    assert np.abs(np.array(face['landmarks']) - expected.landmarks).max() < 1e-2
    assert main([*words, '--model', str(exported.path), '--no-flip']) == 2
    capsys.readouterr()
    # the model that comes with facelmk: its exported file, on a CPU
    monkeypatch.setattr('facelmk.inference.runtime.find_exported', lambda name: exported.path)
    monkeypatch.setattr('facelmk.inference.runtime.predictor.find_exported', lambda name: exported.path)
    assert main([*words, '--device', 'cpu', '--verbose']) == 0
    printed = capsys.readouterr()
    assert 'ExportedPredictor' in printed.out + printed.err
    assert face['landmarks'] == json.loads(printed.out[printed.out.index('[{') :])[0]['faces'][0]['landmarks']


def families_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location('families', ROOT / 'docs/measure_export_families.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = families_script()


@pytest.mark.slow
@pytest.mark.parametrize('config', SCRIPT.FAMILIES.values(), ids=SCRIPT.FAMILIES)
def test_every_family_is_equal_to_torch(config: str, tmp_path: Path) -> None:
    """Of the points of untrained networks, those that torch finds at the same place in float64."""
    from facelmk.export.crops import drawn_crops

    source = SCRIPT.open_source(config, None)
    kept, parity = SCRIPT.compare(source, drawn_crops(source, 12), tmp_path / 'family.onnx')
    assert kept > 0.75 and parity.share_within >= 0.999 and parity.p95_px < 0.001, (kept, parity)


@pytest.mark.slow
@pytest.mark.parametrize(('kind', 'int8'), [('onnx', True), ('openvino', False)])
def test_other_files_of_the_shipped_model(kind: str, int8: bool, tmp_path: Path) -> None:
    from facelmk.export.crops import drawn_crops

    if kind == 'openvino':
        pytest.importorskip('openvino')
    source = open_model(None)
    path = tmp_path / ('nano.xml' if kind == 'openvino' else 'nano.onnx')
    exported = export_model(source, drawn_crops(source, 24), path, kind, int8)
    assert path.is_file() and exported.parity.mean_px < (0.56 if int8 else 0.01)


def test_openvino_runs_its_files(source: Source, crops: Crops, faces: list[dict], tmp_path: Path) -> None:
    """In float32 they have the points of torch; bfloat16 moves them by little."""
    pytest.importorskip('openvino')
    path = export_model(source, crops, tmp_path / 'one.xml', 'openvino').path
    box, image = [faces[0]['box']], faces[0]['image']
    (expected,) = source.predictor(image, box)
    for bfloat16, most in ((False, 1e-2), (True, 2.0)):
        model = load_exported(path, threads=1, bfloat16=bfloat16)
        (face,) = model(image, box)
        assert np.abs(face.landmarks - expected.landmarks).max() < most and face.markup is expected.markup
    assert model.session.facts.kind == 'landmarks'


@pytest.mark.slow
def test_the_exported_detector_finds_the_same_faces(faces: list[dict], tmp_path: Path) -> None:
    from facelmk.export.crops import drawn_crops
    from facelmk.inference.detectors.facelmk_detector import SHIPPED, FacelmkDetector
    from facelmk.inference.runtime import ExportedDetector

    if not SHIPPED.is_file():
        pytest.skip(f'needs {SHIPPED}')
    source = open_model('facelmk_detector')
    exported = export_model(source, drawn_crops(source, 4), tmp_path / 'detector.onnx')
    in_torch, in_runtime = FacelmkDetector(), ExportedDetector(exported.path)
    for face in faces:
        picture = np.zeros((300, 420, 3), np.uint8)
        picture[50:146, 200:296] = face['image']
        for a, b in zip(in_torch(picture), in_runtime(picture), strict=True):
            assert a.shape == b.shape and np.abs(a - b).max(initial=0) < 0.01
