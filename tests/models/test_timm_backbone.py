"""Networks of timm: with a fake timm, and with timm itself if it is installed."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from facelmk.checkpoint import load_pretrained
from facelmk.errors import FacelmkError, MissingResource, UnknownName
from facelmk.registry import BACKBONES


class Pyramid(nn.Module):
    """A network like timm's: named children, some of them with features."""

    def __init__(self, out_indices: tuple[int, ...] = (0, 1, 2), weights: float = 0.0, last: bool = False) -> None:
        super().__init__()
        self.stem, self.pool = nn.Conv2d(3, 4, 3, 2, 1), nn.MaxPool2d(2)
        self.layer1, self.layer2 = nn.Conv2d(4, 6, 3, 1, 1), nn.Conv2d(6, 8, 3, 2, 1)
        nn.init.constant_(self.stem.weight, weights)
        names, self.output_fmt = ('stem', 'layer1', 'layer2'), 'NHWC' if last else 'NCHW'
        self.return_layers = {names[i]: str(i) for i in out_indices}
        self.feature_info = SimpleNamespace(channels=lambda: [(4, 6, 8)[i] for i in out_indices])

    def forward(self, x: Tensor) -> list[Tensor]:
        features = []
        for name, child in self.named_children():
            x = child(x)
            if name in self.return_layers:
                features.append(x.permute(0, 2, 3, 1) if self.output_fmt == 'NHWC' else x)
        return features


@pytest.fixture
def created(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """The calls of create_model of a fake timm."""
    calls, fake = [], ModuleType('timm')

    def create_model(model_name: str, pretrained: bool, features_only: bool, **options: object) -> nn.Module:
        calls.append(dict(model_name=model_name, pretrained=pretrained, features_only=features_only, **options))
        if pretrained and options.get('last'):
            raise RuntimeError('No pretrained weights exist')
        return Pyramid(weights=float(pretrained), **options)

    fake.create_model, fake.is_model, fake.list_models = create_model, {'pyramid'}.__contains__, lambda: ['pyramid']
    monkeypatch.setitem(sys.modules, 'timm', fake)
    return calls


def build(**options: object) -> nn.Module:
    return BACKBONES.build(dict(type='TimmBackbone', name='pyramid', **options))


def test_features_are_timms(created: list[dict]) -> None:
    backbone = build(out_indices=[1, 2])
    assert created == [dict(model_name='pyramid', pretrained=False, features_only=True, out_indices=(1, 2))]
    assert backbone.out_channels == (6, 8)
    assert [tuple(f.shape) for f in backbone(torch.zeros(2, 3, 64, 64))] == [(2, 6, 16, 16), (2, 8, 8, 8)]


@pytest.mark.parametrize('option', [dict(checkpoint_path='x.pth'), dict(pretrained_cfg_overlay=dict(file='x.pth'))])
def test_timm_reads_no_file(created: list[dict], option: dict) -> None:
    """It unpickles weights; facelmk's own reader, for `pretrained`, runs no code in them."""
    with pytest.raises(FacelmkError, match=next(iter(option))):
        build(**option)
    assert created == []


def test_channels_are_the_second_axis_for_any_network(created: list[dict]) -> None:
    features = build(last=True)(torch.zeros(2, 3, 64, 64))
    assert [f.shape[1] for f in features] == [4, 6, 8]


def test_stages_end_at_features(created: list[dict]) -> None:
    def free(**options: object) -> set[str]:
        return {key.split('.')[1] for key, p in build(**options).named_parameters() if p.requires_grad}

    assert free() == {'stem', 'layer1', 'layer2'}
    assert free(frozen_stages=0) == {'layer1', 'layer2'} and free(frozen_stages=1) == {'layer2'}
    assert free(frozen_stages=0, out_indices=(1, 2)) == {'layer2'}


def test_timms_weights_are_loaded_when_training_starts(created: list[dict]) -> None:
    backbone = build(pretrained='timm')
    assert backbone.pretrained == 'timm' and not any(call['pretrained'] for call in created)
    load_pretrained(backbone, backbone.pretrained)
    assert (backbone.network.stem.weight == 1).all() and created[-1]['pretrained']
    with pytest.raises(MissingResource, match=r"'pyramid'.*No pretrained.*pretrained=None"):
        load_pretrained(build(last=True), 'timm')


def test_the_error_for_an_unknown_name_suggests_the_closest_one(created: list[dict]) -> None:
    with pytest.raises(UnknownName, match="'pyramyd'.*Did you mean 'pyramid'"):
        BACKBONES.build(dict(type='TimmBackbone', name='pyramyd'))


def test_without_timm_the_error_names_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'timm', None)
    with pytest.raises(MissingResource, match='pip install timm') as error:
        build()
    assert error.value.exit_code == 3


@pytest.mark.parametrize('name', ['resnet18', 'convnext_atto'])
def test_real_networks(name: str) -> None:
    pytest.importorskip('timm', reason='timm is not installed: pip install -e ".[timm]"')
    backbone = BACKBONES.build(dict(type='TimmBackbone', name=name, frozen_stages=0)).eval()
    features = backbone(torch.zeros(1, 3, 64, 64))
    assert tuple(f.shape[1] for f in features) == backbone.out_channels
    frozen = {id(p) for part in backbone.stage(0) for p in part.parameters()}
    assert frozen == {id(p) for p in backbone.parameters() if not p.requires_grad} != set()
