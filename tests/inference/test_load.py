"""facelmk.load: the shipped model, names of the zoo, checkpoints alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine import Config

import facelmk
from facelmk import FacelmkError, MissingResource, UnknownName
from facelmk.config import load_config
from facelmk.zoo import DEFAULT, find_model


def checkpoint(path: Path, weights: Path, text: str | None) -> Path:
    """The steep weights, with the text of a config as mmengine writes it."""
    meta = {'epoch': 1} | ({} if text is None else {'cfg': text})
    torch.save({'meta': meta, 'state_dict': torch.load(weights)['state_dict']}, path)
    return path


def same_weights(model: torch.nn.Module, name: str) -> bool:
    stored = torch.load(find_model(name).path, weights_only=True)['state_dict']
    return all(torch.equal(value, stored[key].to(value.dtype)) for key, value in model.state_dict().items())


def test_without_a_name_it_is_the_shipped_model(picture) -> None:
    model = facelmk.load(device='cpu')
    (face,) = model(picture, 'full')
    assert same_weights(model.landmarker, DEFAULT) and face.landmarks.shape == (98, 2)
    assert find_model(DEFAULT).file.startswith('facelmk/')  # so it is in the wheel
    assert all(value.dtype == torch.float32 for value in model.landmarker.parameters())


def test_a_name_of_the_zoo_is_enough() -> None:
    model = facelmk.load('facelmk_nano_lfpw', device='cpu')
    assert same_weights(model.landmarker, 'facelmk_nano_lfpw')
    assert same_weights(facelmk.load(load_config('facelmk_nano'), device='cpu').landmarker, 'facelmk_nano')


def test_weights_may_be_a_name_of_the_zoo() -> None:
    model = facelmk.load('facelmk_nano', weights='facelmk_nano_lfpw', device='cpu')
    assert Path(model.config.filename).stem == 'facelmk_nano' and same_weights(model.landmarker, 'facelmk_nano_lfpw')


@pytest.mark.parametrize('as_path', [str, Path])
def test_a_checkpoint_alone_holds_its_config(weights, picture, predictor, tmp_path, as_path) -> None:
    text = load_config('quickstart', {'model.flip_test': False}).pretty_text
    path = checkpoint(tmp_path / 'best.pth', weights, text)
    model = facelmk.load(as_path(path), device='cpu')
    (face,), (other,) = (
        model(picture, 'full'),
        facelmk.load('quickstart', weights, 'cpu', flip_test=False)(picture, 'full'),
    )
    assert np.array_equal(face.landmarks, other.landmarks) and isinstance(model.config, Config)
    assert 'best' in repr(model)


def test_the_files_of_the_zoo_hold_their_configs(picture) -> None:
    """So that they can be loaded where the name says nothing, such as a copy under another name."""
    path = find_model(DEFAULT).path
    assert np.array_equal(
        facelmk.load(path, device='cpu')(picture, 'full')[0].landmarks,
        facelmk.load(device='cpu')(picture, 'full')[0].landmarks,
    )


def test_other_weights_for_the_config_of_a_checkpoint(weights, tmp_path) -> None:
    path = checkpoint(tmp_path / 'a.pth', weights, load_config(DEFAULT).pretty_text)  # its own weights do not fit
    assert same_weights(facelmk.load(path, weights=DEFAULT, device='cpu').landmarker, DEFAULT)


def test_a_checkpoint_without_a_config_names_the_call_that_works(weights, tmp_path) -> None:
    path = checkpoint(tmp_path / 'bare.pth', weights, None)
    with pytest.raises(FacelmkError, match=r'bare.pth holds weights, but no config.*load\(CONFIG, weights='):
        facelmk.load(path)


@pytest.mark.parametrize(
    'line',
    [
        "import os\nos.system('touch CALLED')",
        "custom_imports = dict(imports=['mine'])",
        "model = dict(type='os.system', command='touch CALLED')",
        "value = __import__('os').system('touch CALLED')",
        "custom_hooks = [dict(type='subprocess.Popen', args='touch CALLED')]",
    ],
)
def test_no_code_of_a_config_in_a_checkpoint_runs(line, weights, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine.py').write_text("open('CALLED', 'w')")
    text = f'{load_config("quickstart").pretty_text}\n{line}\n'
    path = checkpoint(tmp_path / 'bad.pth', weights, text)
    with pytest.raises(FacelmkError, match='bad.pth'):
        facelmk.load(path, device='cpu')
    assert not (tmp_path / 'CALLED').exists()


def test_unknown_names_get_a_hint(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownName, match="'facelmk_nona'.*Did you mean 'facelmk_nano'"):
        facelmk.load('facelmk_nona')
    with pytest.raises(MissingResource, match='no checkpoint nix.pth'):
        facelmk.load('nix.pth')
    with pytest.raises(UnknownName, match='a/b.py'):
        facelmk.load('a/b.py')
    with pytest.raises(MissingResource, match='facelmk_nano_lfpw_last.*publishes no weights'):
        facelmk.load('facelmk_nano_lfpw_last')


def test_the_detector_is_passed_on(weights, picture) -> None:
    seen = []

    def detector(image):
        seen.append(image.shape)
        return np.zeros((0, 4)), np.zeros(0)

    assert facelmk.load('quickstart', weights, 'cpu', detector=detector)(picture) == []
    assert picture.shape in seen
