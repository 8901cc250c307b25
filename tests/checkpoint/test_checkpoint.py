"""Checkpoints: every dialect fills every key, errors name what does not fit, writes are atomic."""

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from facelmk.checkpoint import (
    PRETRAINED,
    Mismatch,
    find_checkpoint,
    load_checkpoint,
    load_pretrained,
    plain,
    publish,
    read_checkpoint,
    save_checkpoint,
)
from facelmk.checkpoint.safetensors import to_safetensors
from facelmk.datasets import SyntheticFaces
from facelmk.errors import FacelmkError, MissingResource, UnknownName
from facelmk.inference import load
from facelmk.registry import BACKBONES, FUNCTIONS, HEADS

KEYS = Path(__file__).parents[1] / 'data' / 'keys.npz'


class Network(nn.Module):
    """A backbone and a head under the names that checkpoints give them."""

    def __init__(self, backbone: str, head: dict, K: int = 98, **options: int) -> None:
        super().__init__()
        self.backbone = BACKBONES.build(dict(type=backbone, **options))
        self.head = HEADS.build(dict(head, in_channels=self.backbone.out_channels, out_channels=K))


def hrnet(K: int = 98) -> Network:
    return Network('HRNet', dict(type='HeatmapHead', convs=1), K)


def deeppose() -> Network:
    return Network('ResNet', dict(type='RegressionHead'))


def small(K: int = 98) -> Network:
    return Network('ResNet', dict(type='RegressionHead'), K, depth=18)


def assert_holds(network: nn.Module, weights: dict[str, Tensor]) -> None:
    found = network.state_dict()
    assert all(torch.equal(value, found[key]) for key, value in weights.items())


def published_weights(name: str) -> dict[str, Tensor]:
    """A state_dict with the published keys and shapes, each tensor filled with a number of its own."""
    with np.load(KEYS) as lists:
        rows = [line.partition(' ') for line in lists[name].tolist()]
    return {
        key: torch.full([int(n) for n in shape.strip('()').split(',') if n.strip()], float(i))
        for i, (key, _, shape) in enumerate(rows)
    }


def old_mmpose(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names of MMPose 0.x, which kept the head's convolutions in one list."""
    heads = {
        'head.conv_layers.': 'keypoint_head.final_layer.',
        'head.final_layer.': 'keypoint_head.final_layer.3.',
        'head.fc.': 'keypoint_head.fc.',
    }

    def old(key: str) -> str:
        return next((key.replace(new, name) for new, name in heads.items() if key.startswith(new)), key)

    return {old(key): value for key, value in weights.items()}


def with_module_prefix(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f'module.{key}': value for key, value in weights.items()}


FILES = {
    'MMPose 1, HRNet': (hrnet, lambda: {'state_dict': published_weights('hrnetv2_wflw'), 'meta': {'epoch': 60}}),
    'MMPose 1, DeepPose': (deeppose, lambda: {'state_dict': published_weights('res50_wing_wflw')}),
    'MMPose 0, HRNet': (hrnet, lambda: {'state_dict': old_mmpose(published_weights('hrnetv2_wflw'))}),
    'MMPose 0, DeepPose': (deeppose, lambda: {'state_dict': old_mmpose(published_weights('res50_wing_wflw'))}),
    'original HRNet, plain': (hrnet, lambda: published_weights('original_hrnet')),
    'original HRNet, DataParallel': (hrnet, lambda: with_module_prefix(published_weights('original_hrnet'))),
    'original HRNet, below a key': (
        hrnet,
        lambda: {'state_dict': with_module_prefix(published_weights('original_hrnet')), 'epoch': 3},
    ),
}


@pytest.mark.fault('D15', 'D16')
@pytest.mark.parametrize('name', FILES)
def test_every_dialect_fills_every_tensor(name: str, tmp_path: Path) -> None:
    build, content = FILES[name]
    network, checkpoint = build(), content()
    torch.save(checkpoint, tmp_path / 'x.pth')
    load_checkpoint(network, tmp_path / 'x.pth')
    given = sorted(value.flatten()[0].item() for value in checkpoint.get('state_dict', checkpoint).values())
    assert sorted(value.flatten()[0].item() for value in network.state_dict().values()) == given


def test_each_tensor_of_the_original_hrnet_gets_the_right_key(tmp_path: Path) -> None:
    weights, network = published_weights('original_hrnet'), hrnet()
    torch.save(weights, tmp_path / 'HR18-WFLW.pth')
    load_checkpoint(network, tmp_path / 'HR18-WFLW.pth')
    found = network.state_dict()
    for theirs, ours in {
        'head.0.bias': 'head.conv_layers.0.bias',
        'head.3.weight': 'head.final_layer.weight',
        'head.1.running_var': 'head.conv_layers.1.running_var',
        'conv1.weight': 'backbone.conv1.weight',
        'stage3.2.branches.1.0.bn1.bias': 'backbone.stage3.2.branches.1.0.bn1.bias',
    }.items():
        assert torch.equal(found[ours], weights[theirs])


@pytest.mark.fault('D17')
def test_adaptive_wings_file_fills_every_tensor(tmp_path: Path) -> None:
    """The keys and shapes of its WFLW_4HG.pth, which has a network of four stacks below 'state_dict'."""
    weights = published_weights('adaptive_wing')
    torch.save({'state_dict': weights}, tmp_path / 'WFLW_4HG.pth')
    network = Network('StackedHourglass', dict(type='StackHead'), 99, maps=99)
    load_checkpoint(network, tmp_path / 'WFLW_4HG.pth')
    found = network.state_dict()
    assert found.keys() == {f'backbone.{key}' for key in weights} and len(weights) == 1137
    assert all(torch.equal(value.float(), weights[key.removeprefix('backbone.')]) for key, value in found.items())


def test_a_backbone_alone_takes_torchvisions_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    given, backbone = BACKBONES.build(dict(type='ResNet', depth=18)), BACKBONES.build(dict(type='ResNet', depth=18))
    torch.save(
        given.state_dict() | {'fc.weight': torch.zeros(1000, 512), 'fc.bias': torch.zeros(1000)},
        tmp_path / 'resnet18.pth',
    )
    FUNCTIONS.get('load_pretrained')(backbone, str(tmp_path / 'resnet18.pth'))
    assert_holds(backbone, given.state_dict())


@pytest.mark.parametrize(
    'names',
    [
        ('classifier.weight', 'incre_modules.0.0.conv1.weight', 'downsamp_modules.0.0.weight', 'final_layer.0.weight'),
        (),
    ],
)
def test_the_classifier_of_hrnets_imagenet_file_is_dropped(names: tuple[str, ...], tmp_path: Path) -> None:
    torch.manual_seed(0)
    given, backbone = BACKBONES.build(dict(type='HRNet')), BACKBONES.build(dict(type='HRNet'))
    counted = {key: value for key, value in given.state_dict().items() if not key.endswith('num_batches_tracked')}
    torch.save(counted | {name: torch.zeros(3) for name in names}, tmp_path / 'hrnet.pth')  # PyTorch 0.4 did not count
    load_pretrained(backbone, tmp_path / 'hrnet.pth')
    assert_holds(backbone, counted)


def test_a_backbone_starts_from_a_landmark_network(tmp_path: Path) -> None:
    torch.save(published_weights('original_hrnet'), tmp_path / 'x.pth')
    backbone = BACKBONES.build(dict(type='HRNet'))
    load_pretrained(backbone, tmp_path / 'x.pth')
    assert torch.equal(backbone.conv1.weight, published_weights('original_hrnet')['conv1.weight'])


def test_start_weights_of_another_width_are_refused(tmp_path: Path) -> None:
    torch.save(
        BACKBONES.build(dict(type='ResNet', depth=18)).state_dict() | {'attention.weight': torch.zeros(2)},
        tmp_path / 'x.pth',
    )
    with pytest.raises(Mismatch, match=r'1 left over \(attention.weight\)'):
        load_pretrained(BACKBONES.build(dict(type='ResNet', depth=18)), tmp_path / 'x.pth')


def test_a_mismatch_names_keys_and_shapes_and_changes_nothing(tmp_path: Path) -> None:
    network = small()
    weights = small(68).state_dict()
    weights['head.extra'] = weights.pop('backbone.conv1.weight')
    torch.save(weights, tmp_path / 'x.pth')
    before = network.head.fc.weight.clone()
    with pytest.raises(Mismatch) as error:
        load_checkpoint(network, tmp_path / 'x.pth')
    for word in (
        'x.pth',
        '1 missing (backbone.conv1.weight)',
        '1 left over (head.extra)',
        '2 of another shape',
        'head.fc.weight (136, 512), here (196, 512)',
        'strict=False',
        'its 122 tensors',
    ):
        assert word in str(error.value)
    assert torch.equal(network.head.fc.weight, before) and error.value.exit_code == 2


def test_a_mismatch_names_the_first_few_keys(tmp_path: Path) -> None:
    torch.save({'backbone.odd': torch.zeros(1)}, tmp_path / 'x.pth')
    with pytest.raises(Mismatch, match=r'102 missing \((backbone[^,]+, ){4}\.\.\.\)'):
        load_checkpoint(small(), tmp_path / 'x.pth')


def test_not_strict_loads_what_fits(tmp_path: Path) -> None:
    torch.manual_seed(0)
    given, network = small(68), small(98)
    torch.save(given.state_dict(), tmp_path / 'x.pth')
    before = network.head.fc.weight.clone()
    load_checkpoint(network, tmp_path / 'x.pth', strict=False)
    assert torch.equal(network.backbone.conv1.weight, given.backbone.conv1.weight)
    assert torch.equal(network.head.fc.weight, before)


def test_saved_data_loads_as_saved(tmp_path: Path) -> None:
    torch.manual_seed(0)
    first, second = small(), small()
    save_checkpoint(
        {
            'state_dict': first.state_dict(),
            'meta': {'epoch': np.int64(7), 'nme': np.float32(0.5)},
            'curve': np.arange(3.0),
            'sizes': [(1, 2)],
        },
        tmp_path / 'a' / 'x.pth',
    )
    assert load_checkpoint(second, tmp_path / 'a' / 'x.pth') == {'epoch': 7, 'nme': 0.5}
    assert_holds(second, first.state_dict())
    found = torch.load(tmp_path / 'a' / 'x.pth', weights_only=True)  # no reader of ours is needed
    assert found['curve'].tolist() == [0, 1, 2] and found['sizes'] == [(1, 2)]
    assert os.listdir(tmp_path / 'a') == ['x.pth']


def test_objects_other_than_data_are_not_saved(tmp_path: Path) -> None:
    (tmp_path / 'x.pth').write_bytes(b'the old one')
    with pytest.raises(FacelmkError, match=r"data\['hooks'\]\[1\] is a function"):
        save_checkpoint({'hooks': [1, plain]}, tmp_path / 'x.pth')
    assert (tmp_path / 'x.pth').read_bytes() == b'the old one'


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint({'n': 1}, tmp_path / 'x.pth')

    def full_disk(data: dict, file: object) -> None:
        file.write(b'half of it')
        raise OSError('No space left on device')

    monkeypatch.setattr(torch, 'save', full_disk)
    with pytest.raises(OSError):
        save_checkpoint({'n': 2}, tmp_path / 'x.pth')
    assert read_checkpoint(tmp_path / 'x.pth') == {'n': 1} and os.listdir(tmp_path) == ['x.pth']


def test_publish_keeps_the_weights_alone(tmp_path: Path) -> None:
    save_checkpoint(
        {
            'state_dict': with_module_prefix(published_weights('original_hrnet')),
            'optimizer': {'lr': 1.0},
            'meta': {'epoch': 3, 'hooks': ['a']},
        },
        tmp_path / 'epoch_3.pth',
    )
    published = publish(tmp_path / 'epoch_3.pth', tmp_path / 'hrnet.pth')
    assert published.name == f'hrnet-{hashlib.sha256(published.read_bytes()).hexdigest()[:8]}.pth'
    found = torch.load(published, weights_only=True)
    assert found.keys() == {'meta', 'state_dict', 'facelmk_format'} and found['meta'] == {'epoch': 3}
    assert sorted(os.listdir(tmp_path)) == sorted(['epoch_3.pth', published.name])
    load_checkpoint(hrnet(), published)


def test_the_error_for_a_missing_file_names_a_similar_one(tmp_path: Path) -> None:
    save_checkpoint({}, tmp_path / 'epoch_10.pth')
    with pytest.raises(MissingResource, match=r"Did you mean 'epoch_10\.pth'") as error:
        read_checkpoint(tmp_path / 'epoch10.pth')
    assert error.value.exit_code == 3
    with pytest.raises(MissingResource, match='There is no folder'):
        read_checkpoint(tmp_path / 'nowhere' / 'x.pth')
    with pytest.raises(MissingResource, match=r'model\.backbone\.pretrained=None'):
        load_pretrained(nn.Module(), tmp_path / 'nowhere.pth')


def test_the_error_for_an_unknown_name_names_a_similar_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'torchvision://resnet50'"):
        read_checkpoint('torchvision://resnet_50')
    # dl.yf.io is asked without TLS: there the hash in the name is what vouches for the file
    assert all(url.startswith('https://') or re.search(r'-[0-9a-f]{8}\.pth$', url) for url in PRETRAINED.values())


def test_a_file_without_weights_is_refused(tmp_path: Path) -> None:
    torch.save({'epoch': 3, 'notes': 'none'}, tmp_path / 'x.pth')
    with pytest.raises(FacelmkError, match="no weights in it, only 'epoch', 'notes'"):
        load_checkpoint(small(), tmp_path / 'x.pth')


@pytest.mark.parametrize('length', [0, 900, -900])
def test_a_file_that_was_cut_off_is_refused(length: int, tmp_path: Path) -> None:
    torch.save(small().state_dict(), tmp_path / 'whole.pth')
    (tmp_path / 'cut.pth').write_bytes((tmp_path / 'whole.pth').read_bytes()[:length])
    with pytest.raises(FacelmkError, match=r'cut.pth \(\d+ bytes\) cannot be read.*cut off'):
        read_checkpoint(tmp_path / 'cut.pth')


def test_files_load_where_the_environment_forces_weights_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint({'state_dict': {'weight': torch.ones(2)}}, tmp_path / 'saved.pth')
    monkeypatch.setenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', '1')
    assert read_checkpoint(tmp_path / 'saved.pth')['state_dict']['weight'].tolist() == [1, 1]
    assert os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] == '1'


def test_one_landmark_scheme_of_a_network_is_published_alone(tmp_path):
    weights = {
        'head.final_layer.weight': torch.arange(166.0).view(166, 1, 1, 1).repeat(1, 4, 1, 1),
        'head.final_layer.bias': torch.arange(166.0),
        'backbone.x': torch.ones(3),
    }
    config = "model = dict(\n    markup='wflw_300w',\n    size=112)\n"
    save_checkpoint({'meta': {'cfg': config}, 'state_dict': weights}, tmp_path / 'joined.pth')
    published = read_checkpoint(publish(tmp_path / 'joined.pth', tmp_path / 'part', '300w'))
    assert published['state_dict']['head.final_layer.bias'].tolist() == list(range(98, 166))
    assert torch.equal(published['state_dict']['backbone.x'], weights['backbone.x'])
    assert published['meta']['cfg'] == config.replace('wflw_300w', '300w')
    with pytest.raises(FacelmkError, match="'lapa'"):
        publish(tmp_path / 'joined.pth', tmp_path / 'part', 'lapa')
    save_checkpoint({'meta': {'cfg': config}, 'state_dict': {'backbone.x': torch.ones(3)}}, tmp_path / 'other.pth')
    with pytest.raises(FacelmkError, match='166'):
        publish(tmp_path / 'other.pth', tmp_path / 'part', '300w')


def test_a_published_safetensors_file_predicts_the_same(tmp_path: Path) -> None:
    """The weights, the config and the calibration of the model that comes with facelmk go there and back."""
    published = publish(find_checkpoint('facelmk_nano'), tmp_path / 'small.safetensors')
    assert re.fullmatch(r'small-[0-9a-f]{8}\.safetensors', published.name)
    before, after = (read_checkpoint(path) for path in (find_checkpoint('facelmk_nano'), published))
    assert after['state_dict'].keys() == before['state_dict'].keys()
    assert all(torch.equal(value, after['state_dict'][key]) for key, value in before['state_dict'].items())
    assert after['meta'] == {key: str(value) for key, value in before['meta'].items()}
    face = SyntheticFaces('300w', count=1, seed=6, size=128).face(0)
    first, second = (load(name, device='cpu')(face['image'], 'full') for name in ('facelmk_nano', published))
    assert np.array_equal(first[0].landmarks, second[0].landmarks) and first[0].score == second[0].score
    with pytest.raises(FacelmkError, match='complex64'):
        to_safetensors({'x': torch.zeros(2, dtype=torch.complex64)}, {})


def test_safetensors_of_all_kinds_of_numbers_go_there_and_back(tmp_path: Path) -> None:
    dtypes = ('float64', 'float32', 'float16', 'bfloat16', 'bool', 'int64', 'int32', 'int16', 'int8', 'uint8')
    weights = {name: torch.arange(6).reshape(2, 3).T.to(getattr(torch, name)) for name in dtypes}
    weights |= {'nothing': torch.zeros(0, 3), 'one': torch.tensor(3)}
    file = tmp_path / 'x.safetensors'
    file.write_bytes(to_safetensors(weights, {'cfg': 'a = 1\n', 'ö': 2}))
    found = read_checkpoint(file)
    assert found['meta'] == {'cfg': 'a = 1\n', 'ö': '2'} and found['state_dict'].keys() == weights.keys()
    for key, value in found['state_dict'].items():
        assert value.dtype == weights[key].dtype and torch.equal(value, weights[key])
