"""U-Net and DLA-34: parameters counted by hand, trees and decoders by hand, and published weights."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facelmk.checkpoint import PRETRAINED, Mismatch, load_pretrained
from facelmk.errors import FacelmkError
from facelmk.models.backbones.dla import Decoder, Tree
from facelmk.registry import BACKBONES

WIDTHS = (16, 32, 64, 128, 256, 512)


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def conv(width: int, out: int, kernel: int = 3) -> int:
    """Parameters of a convolution and its BatchNorm."""
    return width * out * kernel**2 + 2 * out


def leaves(width: int, out: int, extra: int = 0) -> int:
    """Parameters of a tree of height 1 whose root takes `extra` channels beside its two leaves."""
    project = conv(width, out, 1) if width != out else 0
    return conv(width, out) + 3 * conv(out, out) + project + conv(2 * out + extra, out, 1)


def encoder() -> int:
    """Parameters of DLA-34 without its decoder."""
    first = conv(3, 16, 7) + conv(16, 16) + conv(16, 32)
    middle = [leaves(w, out) + leaves(out, out, extra=w + out) for w, out in ((64, 128), (128, 256))]
    return first + leaves(32, 64) + sum(middle) + leaves(256, 512, extra=256)


def test_dla34_has_the_published_number_of_parameters() -> None:
    """With 1000 classes 15,742,104; the published file also holds two projections that nothing uses: 15,783,832."""
    backbone = BACKBONES.build(dict(type='DLA'))
    assert parameters(backbone) - parameters(backbone.up) == encoder() == 15_742_104 - 513 * 1000
    assert 15_742_104 + conv(64, 128, 1) + conv(128, 256, 1) == 15_783_832
    joins = sum(n * (conv(2 * w, w, 1) + conv(2 * w, w)) for n, w in ((1, 256), (2, 128), (3, 64)))
    assert parameters(backbone.up) == joins and parameters(backbone) == 17_443_760


def published(backbone: nn.Module) -> dict[str, Tensor]:
    """A state_dict as the ImageNet file has it: a classifier, unused projections, no counters, no decoder."""
    state = {
        key: value
        for key, value in backbone.state_dict().items()
        if not key.startswith('up.') and not key.endswith('num_batches_tracked')
    }
    assert {
        'base_layer.0.weight',
        'level0.1.bias',
        'level2.tree1.conv1.weight',
        'level2.project.1.running_var',
        'level3.tree1.tree2.bn2.weight',
        'level4.tree2.root.conv.weight',
        'level5.root.bn.bias',
    } <= state.keys()
    unused = {'fc.weight': torch.zeros(1000, 512, 1, 1), 'fc.bias': torch.zeros(1000)}
    for level, width, out in ((3, 64, 128), (4, 128, 256)):
        unused |= {f'level{level}.project.0.weight': torch.zeros(out, width, 1, 1)}
        unused |= {
            f'level{level}.project.1.{name}': torch.zeros(out)
            for name in ('weight', 'bias', 'running_mean', 'running_var')
        }
    return state | unused


def test_imagenet_weights_fill_the_encoder_and_leave_the_decoder(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source, backbone = BACKBONES.build(dict(type='DLA')), BACKBONES.build(dict(type='DLA'))
    weights, before = published(source), backbone.up.state_dict()['steps.0.0.node.0.weight'].clone()
    torch.save(weights, tmp_path / 'dla34.pth')
    load_pretrained(backbone, tmp_path / 'dla34.pth')
    loaded = backbone.state_dict()
    assert all(torch.equal(value, loaded[key]) for key, value in weights.items() if key in loaded)
    assert torch.equal(loaded['up.steps.0.0.node.0.weight'], before)
    weights.pop('level5.root.bn.bias')
    torch.save(weights, tmp_path / 'torn.pth')
    with pytest.raises(Mismatch, match=r'1 missing \(level5.root.bn.bias\)'):
        load_pretrained(backbone, tmp_path / 'torn.pth')
    assert PRETRAINED['dla://dla34'].endswith('/dla34-ba72cf86.pth')


def test_weights_of_a_landmark_network_fill_the_decoder_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source, backbone = BACKBONES.build(dict(type='DLA')), BACKBONES.build(dict(type='DLA'))
    torch.save({f'backbone.{key}': value for key, value in source.state_dict().items()}, tmp_path / 'x.pth')
    load_pretrained(backbone, tmp_path / 'x.pth')
    assert all(torch.equal(value, backbone.state_dict()[key]) for key, value in source.state_dict().items())


def test_a_tree_by_hand() -> None:
    """Height 2: the last root takes its two leaves, the pooled input and the first tree, in this order."""
    torch.manual_seed(0)
    tree, x = Tree(2, 4, 6, stride=2, keep_input=True).eval(), torch.randn(1, 4, 8, 8)
    small, first, second = F.max_pool2d(x, 2), tree.tree1, tree.tree2

    def leaf(block: nn.Module, x: Tensor, short: Tensor) -> Tensor:
        return F.relu(block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x))))) + short)

    def root(part: nn.Module, *extra: Tensor) -> Tensor:
        return F.relu(part.root.bn(part.root.conv(torch.cat(extra, 1))))

    a = leaf(first.tree1, x, first.project(small))
    b = leaf(first.tree2, a, a)
    one = root(first, b, a)
    c = leaf(second.tree1, one, one)
    d = leaf(second.tree2, c, c)
    torch.testing.assert_close(tree(x), root(second, d, c, small, one))


def test_the_decoder_by_hand() -> None:
    """Three sizes: b1 fuses b and c; then a1 fuses a and b, and a2 fuses a1 and b1."""
    torch.manual_seed(0)
    up = Decoder((2, 4, 8)).eval()
    a, b, c = torch.randn(1, 2, 16, 16), torch.randn(1, 4, 8, 8), torch.randn(1, 8, 4, 4)
    (step,), (left, right) = up.steps
    b1 = step(b, c)
    torch.testing.assert_close(up((a, b, c)), right(left(a, b), b1))
    assert up((a, b, c)).shape == a.shape


def test_unet_has_the_number_of_parameters_counted_by_hand() -> None:
    """Each level has two 3x3; the decoder has a 2x2 with biases that halves the width, then two 3x3."""
    widths = (64, 128, 256, 512)
    down = sum(conv(w, out) + conv(out, out) for w, out in zip((64, *widths[:-1]), widths, strict=True))
    up = sum(2 * w * w * 4 + w + conv(2 * w, w) + conv(w, w) for w in widths[:-1])
    backbone = BACKBONES.build(dict(type='UNet'))
    assert parameters(backbone) == conv(3, 64) + conv(64, 64) + down + up == 7_774_080


@pytest.mark.parametrize(('width', 'depth'), [(16, 2), (8, 3), (32, 4)])
def test_unet_of_other_sizes(width: int, depth: int) -> None:
    backbone = BACKBONES.build(dict(type='UNet', width=width, depth=depth, frozen_stages=depth))
    assert [tuple(f.shape) for f in backbone(torch.randn(2, 3, 96, 96))] == [(2, width, 24, 24)]
    assert backbone.out_channels == (width,)
    assert {key.split('.')[0] for key, p in backbone.named_parameters() if p.requires_grad} == {'ups'}


def test_unet_has_skip_connections() -> None:
    """A change in one corner of the input changes that corner, even if the upsampling weights are 0."""
    torch.manual_seed(0)
    backbone = BACKBONES.build(dict(type='UNet', width=8, depth=2)).eval()
    nn.init.zeros_(backbone.ups[0].up.weight)
    image = torch.randn(1, 3, 64, 64)
    changed = image.clone()
    changed[..., :4, :4] += 1
    moved = (backbone(image)[0] - backbone(changed)[0]).abs().amax((0, 1))
    assert moved[0, 0] > 0 and moved[8:].max() == 0 and moved[:, 8:].max() == 0


def test_initial_weights_are_hes() -> None:
    torch.manual_seed(0)
    unet, dla = BACKBONES.build(dict(type='UNet')), BACKBONES.build(dict(type='DLA'))
    for weight, variance in (
        (unet.downs[3][0].weight, 2 / (256 * 9)),
        (dla.level5.tree1.conv1.weight, 2 / (512 * 9)),
        (unet.ups[0].up.weight, 1 / 512),
    ):
        assert abs(weight.std() / variance**0.5 - 1) < 0.01
    assert not unet.ups[0].up.bias.any()


@pytest.mark.parametrize(
    ('part', 'word'), [(dict(type='UNet', depth=5), 'depth=5'), (dict(type='DLA', depth=60), 'depth=60')]
)
def test_impossible_depths_are_refused_by_value(part: dict, word: str) -> None:
    with pytest.raises(FacelmkError, match=word):
        BACKBONES.build(part)
