"""facelmk export: one graph with everything inside, equal to torch, or no file."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from exported import make_source
from torch import nn

from facelmk.cli import main
from facelmk.codecs import HRNetInteger
from facelmk.errors import FacelmkError, MissingResource
from facelmk.export import packages, run
from facelmk.export.facts import crop_rule
from facelmk.export.graph import Affine, LandmarkGraph
from facelmk.export.parity import Crops, answers_of_torch, in_batches
from facelmk.export.run import export_model
from facelmk.export.source import Source
from facelmk.inference.predictor import BoxedFaces
from facelmk.inference.runtime.facts import read_facts


def test_a_norm_and_its_affine_form_are_equal() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(5).eval()
    norm.running_mean.normal_(), norm.running_var.uniform_(0.1, 2)
    norm.weight.data.normal_(), norm.bias.data.normal_()
    x = torch.randn(2, 5, 3, 3)
    torch.testing.assert_close(Affine(norm)(x), norm(x), rtol=1e-5, atol=1e-6)


def test_the_graph_normalises_and_averages_as_the_model(source: Source, crops: Crops) -> None:
    expected = answers_of_torch(source.model, crops)
    points, scores = LandmarkGraph(source.model)(torch.from_numpy(crops))
    assert np.abs(points.numpy() - expected['points']).max() < 1e-3
    assert np.abs(scores.numpy() - expected['scores']).max() < 1e-6
    assert expected['points'].std(0).max() > 0.5  # otherwise every graph would agree
    source.model.flip_test = False
    try:
        assert np.abs(answers_of_torch(source.model, crops)['points'] - expected['points']).max() > 0.1
    finally:
        source.model.flip_test = True


def test_torchscript_holds_the_graph_and_its_facts(source: Source, crops: Crops, tmp_path: Path) -> None:
    lines: list[str] = []
    exported = export_model(source, crops, tmp_path / 'one.pt', 'torchscript', report=lines.append)
    extra = {'facelmk.json': ''}
    traced = torch.jit.load(exported.path, _extra_files=extra)
    text = extra['facelmk.json'].decode()
    facts = read_facts(text, 'one.pt')
    assert facts == exported.facts and facts.markup is source.model.markup and facts.flip_average
    assert facts.crop.size == crops.shape[-1] and facts.parity['largest_px'] <= 0.01 and '12 pictures' in lines[0]
    run_traced = lambda batch: {'points': traced(torch.from_numpy(batch))[0].numpy()}  # noqa: E731
    actual = in_batches(run_traced, crops[:7])['points']
    assert np.abs(actual - answers_of_torch(source.model, crops[:7])['points']).max() < 1e-3


def test_a_difference_from_torch_leaves_no_file(
    source: Source, crops: Crops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(*arguments: object) -> dict[str, np.ndarray]:
        answers = answers_of_torch(*arguments)
        answers['points'][3, 5, 0] += 0.02
        return answers

    monkeypatch.setattr(run, 'answers_of_torch', shifted)
    with pytest.raises(FacelmkError, match=r'one\.pt differs from torch by up to 0\.02'):
        export_model(source, crops, tmp_path / 'one.pt', 'torchscript')
    assert list(tmp_path.iterdir()) == []
    export_model(source, crops, tmp_path / 'one.pt', 'torchscript', tolerance_px=0.03)


@pytest.mark.parametrize(
    ('crop', 'expected'),
    [
        ({}, (32, 1.25, 32, False)),
        (dict(padding=1.34, udp=True), (32, 1.34, 31, False)),
        (dict(padding=1.0, integer=True), (32, 1.0, 32, True)),
    ],
)
def test_the_crop_rule_is_that_of_the_pipeline(crop: dict, expected: tuple) -> None:
    rule = crop_rule(make_source(**crop).predictor.dataset.pipeline)
    assert (rule.size, rule.padding, rule.span, rule.integer) == expected


@pytest.mark.parametrize(
    ('steps', 'named'),
    [
        ([dict(type='CropFace'), dict(type='Grey')], 'Grey'),
        ([dict(type='LoadImage')], '0 CropFace'),
        ([dict(type='CropFace', rotate=10)], "'rotate': 10"),
    ],
)
def test_a_pipeline_that_no_runtime_repeats_is_refused(steps: list[dict], named: str) -> None:
    with pytest.raises(FacelmkError, match=named):
        crop_rule(BoxedFaces('wflw', steps).pipeline)


def test_a_codec_that_rounds_in_the_photograph_says_so(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = LandmarkGraph(source.model)
    for rounded, expected in ((True, 'round'), (False, 'truncate')):
        monkeypatch.setattr(source.model, 'codec', HRNetInteger(rounded=rounded))
        assert source.facts(graph).to_photo == expected


def test_a_missing_package_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packages, 'find_spec', lambda name: None if name == 'onnxscript' else object())
    assert main(['export', 'quickstart', '--format', 'onnx']) == MissingResource.exit_code
    message = capsys.readouterr().err
    assert 'onnxscript' in message and 'pip install -e ".[export]"' in message


def test_the_ending_of_the_file_fits_its_format(
    source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('facelmk.export.source.open_model', lambda *_: source)
    assert main(['export', 'quickstart', '--format', 'torchscript', '--out', 'a.onnx']) == 2
    assert '--out a.onnx' in capsys.readouterr().err


def test_the_command_writes_a_file_and_its_facts(
    source: Source,
    faces: list[dict],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import cv2

    monkeypatch.setattr('facelmk.export.source.open_model', lambda *_: source)
    for i, face in enumerate(faces[:3]):
        cv2.imwrite(str(tmp_path / f'{i}.png'), face['image'])
    out = tmp_path / 'one.pt'
    words = [
        'export',
        'quickstart',
        '--format',
        'torchscript',
        '--out',
        str(out),
        '--pictures',
        str(tmp_path),
        '--json',
    ]
    assert main(words) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts['bytes'] == out.stat().st_size and facts['parity']['pictures'] == 3 and facts['kind'] == 'landmarks'
