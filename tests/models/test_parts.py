"""Laws of every registered backbone and head. A new part is tested as soon as it is registered."""

import inspect
from importlib.util import find_spec
from pathlib import Path

import filled
import pytest
import torch
from filled import Network
from torch import nn

from facelmk.checkpoint import load_checkpoint, save_checkpoint
from facelmk.errors import FacelmkError
from facelmk.registry import BACKBONES, HEADS

K = 5
WITHOUT_TIMM = pytest.mark.skipif(find_spec('timm') is None, reason='timm is not installed: pip install -e ".[timm]"')
BACKBONE_NAMES = [pytest.param(name, marks=WITHOUT_TIMM if name == 'TimmBackbone' else ()) for name in BACKBONES]
HEAD_NAMES = [name for name in HEADS if name != 'StackHead']  # it has no layers and takes heatmaps only


class Alone(nn.Module):
    """A head that takes two features and returns its last stage."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        return self.head((fine, coarse))[-1]


def build_backbone(name: str, **options) -> nn.Module:
    return filled.build_backbone(dict(type=name, **options), K)


def build_head(name: str, size: int = 64) -> nn.Module:
    facts = {'size': size, 'bins': 2 * size, 'stride': 8}  # those of the last feature below
    extra = {key: facts[key] for key in facts.keys() & inspect.signature(HEADS.get(name)).parameters.keys()}
    return HEADS.build(dict(type=name, in_channels=(6, 10), out_channels=K, **extra))


def features(size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(2, 6, size // 4, size // 4), torch.randn(2, 10, size // 8, size // 8)


def with_statistics(network: nn.Module, *inputs: torch.Tensor) -> nn.Module:
    """The network in evaluation mode, after its BatchNorms have seen one batch."""
    with torch.no_grad():
        network.train()(*inputs)
    return network.eval()


def assert_exports(network: nn.Module, *inputs: torch.Tensor) -> None:
    with torch.no_grad():
        expected, graph = network(*inputs), torch.export.export(network, inputs).module()
        actual = graph(*inputs)
    for ours, theirs in zip(_tuple(expected), _tuple(actual), strict=True):
        assert (ours - theirs).abs().max() <= 1e-5 * ours.abs().max()


def _tuple(output: torch.Tensor | tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return output if isinstance(output, tuple) else (output,)


def assert_reloads(first: nn.Module, second: nn.Module, path: Path, *inputs: torch.Tensor) -> None:
    save_checkpoint({'state_dict': first.state_dict()}, path)
    load_checkpoint(second, path)
    with torch.no_grad():
        for ours, theirs in zip(_tuple(first(*inputs)), _tuple(second.eval()(*inputs)), strict=True):
            assert torch.equal(ours, theirs)


@pytest.mark.parametrize('name', BACKBONE_NAMES)
def test_out_channels_of_a_backbone_are_those_of_its_features(name: str) -> None:
    backbone = build_backbone(name).eval()
    for size in (64, 96):
        with torch.no_grad():
            actual = backbone(torch.randn(2, 3, size, size))
        assert isinstance(actual, tuple) and isinstance(backbone.out_channels, tuple)
        assert tuple(feature.shape[1] for feature in actual) == backbone.out_channels
        widths = [feature.shape[-1] for feature in actual]
        assert widths == sorted(widths, reverse=True)
        assert all(feature.shape[-1] == feature.shape[-2] and size % feature.shape[-1] == 0 for feature in actual)
    assert backbone.pretrained is None
    assert build_backbone(name, pretrained='some.pth').pretrained == 'some.pth'  # only stored, nothing is loaded


@pytest.mark.parametrize('name', BACKBONE_NAMES)
def test_each_weight_of_a_backbone_gets_a_gradient(name: str) -> None:
    torch.manual_seed(0)
    backbone = build_backbone(name)
    sum((feature**2).mean() for feature in backbone(torch.randn(4, 3, 64, 64))).backward()
    idle = [key for key, p in backbone.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert not idle


@pytest.mark.parametrize('name', BACKBONE_NAMES)
def test_frozen_stages_do_not_change(name: str) -> None:
    torch.manual_seed(0)
    backbone = build_backbone(name, frozen_stages=1).train()
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    free = [p for p in backbone.parameters() if p.requires_grad]
    sum((feature**2).mean() for feature in backbone(torch.randn(4, 3, 64, 64))).backward()
    torch.optim.SGD(free, lr=0.1).step()
    moved = {key for key, value in backbone.state_dict().items() if not torch.equal(before[key], value)}
    modules = [*backbone.stage(0), *backbone.stage(1)]
    frozen = [p for module in modules for p in [*module.parameters(), *module.buffers()]]
    names = {
        key
        for key, value in [*backbone.named_parameters(), *backbone.named_buffers()]
        if any(value is one for one in frozen)
    }
    assert names and free and moved
    assert not names & moved
    assert all(not p.requires_grad for p in frozen if isinstance(p, nn.Parameter))
    with pytest.raises(FacelmkError, match='frozen_stages=9'):
        build_backbone(name, frozen_stages=9)


@pytest.mark.parametrize('name', BACKBONE_NAMES)
def test_a_backbone_reloads_and_exports(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    image = torch.randn(2, 3, 64, 64)
    first, second = with_statistics(build_backbone(name), image), build_backbone(name)
    assert_reloads(first, second, tmp_path / 'backbone.pth', image)
    assert_exports(first, image)


@pytest.mark.parametrize('name', HEAD_NAMES)
def test_a_head_learns_reloads_and_exports(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    head = build_head(name)
    stages = head(features())
    assert isinstance(stages, list) and stages[-1].shape[:2] == (2, K)
    sum((stage**2).mean() for stage in stages).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())
    first, second = with_statistics(Alone(head), *features()), Alone(build_head(name)).eval()
    assert_reloads(first, second, tmp_path / 'head.pth', *features())
    assert_exports(first, *features())


@pytest.mark.parametrize('backbone', BACKBONE_NAMES)
@pytest.mark.parametrize('head', ['HeatmapHead', 'RegressionHead'])
def test_any_head_fits_any_backbone(backbone: str, head: str) -> None:
    network = Network(dict(type=backbone), dict(type=head), K).eval()
    with torch.no_grad():
        assert network(torch.randn(1, 3, 64, 64)).shape[:2] == (1, K)


def test_initial_weights_are_mmposes() -> None:
    torch.manual_seed(0)
    network = Network(dict(type='HRNet'), dict(type='HeatmapHead', convs=1), 98)
    convs = torch.cat([m.weight.flatten() for m in network.backbone.modules() if isinstance(m, nn.Conv2d)])
    assert abs(convs.std() / 0.001 - 1) < 0.01
    assert abs(network.head.final_layer.weight.std() / 0.001 - 1) < 0.05 and not network.head.final_layer.bias.any()
    residual = BACKBONES.build(dict(type='ResNet')).layer3[2].conv2.weight
    assert abs(residual.std() / (2 / (256 * 9)) ** 0.5 - 1) < 0.01  # He: 2 / (outputs * 3 * 3)
    regression = HEADS.build(dict(type='RegressionHead', in_channels=(2048,), out_channels=98)).fc
    assert abs(regression.weight.std() / 0.01 - 1) < 0.01 and not regression.bias.any()


def test_batch_norm_momentum_of_hrnet() -> None:
    for momentum, expected in ((None, 0.1), (0.01, 0.01)):
        backbone = BACKBONES.build(dict(type='HRNet') | ({} if momentum is None else {'momentum': momentum}))
        assert {m.momentum for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)} == {expected}


@pytest.mark.parametrize(
    'part,word',
    [
        (dict(type='ResNet', depth=34), 'depth=34'),
        (dict(type='HRNet', width=17), '17'),
        (dict(type='ResNet', out_stages=()), 'out_stages'),
    ],
)
def test_impossible_options_are_refused_by_value(part: dict, word: str) -> None:
    with pytest.raises(FacelmkError, match=word):
        BACKBONES.build(part)


def test_heatmap_head_resizes_to_the_first_feature_and_doubles_by_deconvolution() -> None:
    head = HEADS.build(dict(type='HeatmapHead', in_channels=(6, 10), out_channels=K, deconvs=2, convs=1))
    assert head(features())[-1].shape == (2, K, 64, 64)
    assert [tuple(m.weight.shape) for m in head.deconv_layers if isinstance(m, nn.ConvTranspose2d)] == [
        (16, 256, 4, 4),
        (256, 256, 4, 4),
    ]
