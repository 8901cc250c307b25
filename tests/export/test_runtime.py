"""The runtime of exported files: the same crops as in training, the same boxes, clear errors."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from exported import make_source

from facelmk.codecs import BoxMaps, Coordinates, HRNetInteger
from facelmk.datasets.images import decode, opencv_alone
from facelmk.errors import DataDefect, FacelmkError, MissingResource
from facelmk.export.facts import crop_rule
from facelmk.export.graph import LandmarkGraph
from facelmk.export.source import Source
from facelmk.inference.runtime import find_exported, is_available, load_exported
from facelmk.inference.runtime.crops import crop_box, to_photo
from facelmk.inference.runtime.detector import choose
from facelmk.inference.runtime.facts import Facts, SceneRule, read_facts
from facelmk.inference.runtime.session import Session
from facelmk.markups import MARKUPS


@pytest.mark.parametrize('crop', [{}, dict(padding=1.34), dict(udp=True), dict(integer=True)], ids=str)
def test_crops_are_those_of_the_pipeline_bit_by_bit(crop: dict, faces: list[dict]) -> None:
    dataset = make_source(**crop).predictor.dataset
    rng = np.random.default_rng(3)
    dataset.rows = [(face['image'], (face['box'] + rng.uniform(-20, 20, 4)).astype(np.float32)) for face in faces * 5]
    rule = crop_rule(dataset.pipeline)
    for i, (image, box) in enumerate(dataset.rows):
        sample = dataset[i]
        actual, warp = crop_box(image, box, rule)
        assert np.array_equal(actual.transpose(2, 0, 1), sample['inputs'].numpy())
        assert np.array_equal(warp, sample['data_samples']['warp'])


@pytest.mark.parametrize(
    ('codec', 'how'), [(Coordinates(), 'exact'), (HRNetInteger(), 'truncate'), (HRNetInteger(rounded=True), 'round')]
)
def test_points_return_to_the_photograph_as_in_torch(codec: Coordinates, how: str) -> None:
    rng = np.random.default_rng(1)
    points, warp = rng.uniform(-5, 260, (9, 2)).astype(np.float32), np.diag([0.7, 0.7, 1.0])
    warp[:2, 2] = -31.2, 12.9
    expected = codec.to_photo(torch.from_numpy(points)[None], torch.from_numpy(warp)[None])[0].numpy()
    assert np.abs(to_photo(points, warp, how) - expected).max() <= 1e-4


def test_facts_survive_their_text(source: Source) -> None:
    facts = source.facts(LandmarkGraph(source.model)).with_parity({'pictures': 3})
    assert read_facts(facts.to_text(), 'x') == facts
    for markup in MARKUPS.values():
        assert read_facts(replace(facts, markup=markup).to_text(), 'x').markup is markup
    own = replace(MARKUPS['wflw'], name='my_own_points')
    assert read_facts(replace(facts, markup=own).to_text(), 'x').markup == own


@pytest.mark.parametrize(
    ('change', 'named'),
    [
        (lambda values: values.update(format=99), 'format 99'),
        (lambda values: values.update(kind='cats'), "kind='cats'"),
        (lambda values: values['crop'].update(size=10**9), '1000000000'),
        (lambda values: values.pop('markup'), 'no landmark scheme'),
        (lambda values: values['crop'].pop('padding'), 'padding'),
        (lambda values: values['markup'].update(pairs=[[0, 99999]]), '99999'),
    ],
)
def test_damaged_facts_are_refused(change: object, named: str, source: Source) -> None:
    values = json.loads(source.facts(LandmarkGraph(source.model)).to_text())
    change(values)
    with pytest.raises(FacelmkError, match=named):
        read_facts(json.dumps(values), 'file.onnx')
    for text in ('', None, '{', '[1]'):
        with pytest.raises(FacelmkError, match=r'file\.onnx'):
            read_facts(text, 'file.onnx')


def test_an_exported_detector_chooses_the_boxes_of_its_codec() -> None:
    codec = BoxMaps()
    output = torch.randn(1, 5, 24, 24, generator=torch.Generator().manual_seed(2))
    output[:, 0] -= 1.5
    ((boxes, scores),) = codec.decode(output)
    rule = SceneRule((640,), 32, 0.4, 0.4, codec.least_score, codec.most_overlap, codec.most_boxes)
    cells, heat = codec.boxes(output)[0].flatten(1).T.numpy(), codec.peaks(output)[0].flatten().numpy()
    actual = choose(cells, heat, rule)
    assert len(boxes) > 20 and np.array_equal(actual[1], scores.numpy())
    assert np.array_equal(actual[0], boxes.numpy())


def test_missing_and_wrong_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingResource, match=r'nowhere\.onnx'):
        load_exported(tmp_path / 'nowhere.onnx')
    (tmp_path / 'CAPITALS.ONNX').touch()
    assert find_exported(tmp_path / 'CAPITALS.ONNX') == tmp_path / 'CAPITALS.ONNX'
    with pytest.raises(FacelmkError, match=r'bfloat16 with .*CAPITALS\.ONNX'):
        load_exported(tmp_path / 'CAPITALS.ONNX', bfloat16=True)
    assert find_exported('no_such_model') is None and find_exported(tmp_path / 'nowhere.onnx') is None
    if not is_available():
        pytest.skip('needs onnxruntime')
    (tmp_path / 'text.onnx').write_text('no graph')
    with pytest.raises(DataDefect, match=r'text\.onnx'):
        load_exported(tmp_path / 'text.onnx')


@pytest.mark.parametrize('ending', ['.jpg', '.png', '.bmp'])
def test_opencv_alone_reads_the_same_pixels(ending: str, faces: list[dict], tmp_path: Path) -> None:
    path = tmp_path / f'face{ending}'
    cv2.imwrite(str(path), faces[0]['image'][:90])
    assert np.array_equal(opencv_alone.read_image(path), decode.read_image(path))
    with pytest.raises(DataDefect, match='96 x 90'):
        opencv_alone.read_image(path, max_pixels=1000)
    for content in (b'', b'\xff\xd8\xff', path.read_bytes()[:20], b'GIF89a' + bytes(30)):
        with pytest.raises(DataDefect):
            opencv_alone.decode(content)


def test_a_picture_of_another_kind_is_refused() -> None:
    for source in (np.zeros((4, 4)), 3, None):
        with pytest.raises(FacelmkError, match='no picture'):
            opencv_alone.read_image(source)


def test_facts_are_plain_values() -> None:
    facts = Facts(kind='boxes', name='x', codec='BoxMaps', scene=SceneRule((640, 224), 32, 0.4, 0.4, 0.05, 0.4, 100))
    assert read_facts(facts.to_text(), 'x') == facts


@pytest.mark.parametrize('name', ['facelmk_nano', 'facelmk_detector'])
def test_a_shipped_exported_file_is_that_of_the_shipped_weights(name: str) -> None:
    path = find_exported(name)
    if path is None or not is_available():
        pytest.skip(f'needs facelmk/zoo/{name}.onnx and onnxruntime')
    facts = Session(path, 1).facts
    assert facts.weights_sha256 == hashlib.sha256(path.with_suffix('.pth').read_bytes()).hexdigest()
    assert facts.parity['largest_px'] <= 0.01 and path.stat().st_size <= 4e6
