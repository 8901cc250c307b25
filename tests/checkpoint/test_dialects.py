"""Checkpoints of other projects: each form fills the same network, tensor by tensor, and runs no code."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine import Config
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from facelmk.checkpoint import Mismatch, find, load_checkpoint, load_pretrained, publish, read_checkpoint, weights_of
from facelmk.checkpoint.dialects import BareBackbone, find_dialect, translate
from facelmk.engine.dryrun.run_checks import check_weights
from facelmk.errors import MissingResource
from facelmk.registry import BACKBONES, DIALECTS, HEADS

DECONV = dict(type='HeatmapHead', deconvs=3)
NETWORKS = {  # as MMPose 0.x had them on COCO-WholeBody-Face
    'res50': (dict(type='ResNet', depth=50), DECONV),
    'mobilenetv2': (dict(type='MobileNetV2'), DECONV),
    'scnet50': (dict(type='SCNet'), DECONV),
    'hourglass52': (dict(type='Hourglass'), dict(type='HourglassHead')),
    'deeppose': (dict(type='ResNet', depth=50), dict(type='RegressionHead')),
    'hrnetv2': (dict(type='HRNet'), dict(type='HeatmapHead', convs=1)),
}


class Network(nn.Module):
    """A backbone and a head under the names that checkpoints give them."""

    def __init__(self, backbone: dict, head: dict, K: int = 68) -> None:
        super().__init__()
        self.backbone = BACKBONES.build(backbone)
        self.head = HEADS.build(dict(head, in_channels=self.backbone.out_channels, out_channels=K))


def numbered(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same keys and shapes, each tensor filled with a number of its own."""
    return {key: torch.full_like(value, i) for i, (key, value) in enumerate(weights.items(), 1)}


def before_1(key: str) -> str:
    """MMPose 0.x's name: its plain heads kept every convolution in final_layer, ours and 1.x's only the last."""
    key = key.replace('head.conv_layers.', 'head.final_layer.')
    return key.replace('head.', 'keypoint_head.', 1) if key.startswith('head.') else key


def assert_filled(network: nn.Module, weights: dict[str, Tensor]) -> None:
    found = network.state_dict()
    assert found.keys() == weights.keys()
    assert all(torch.equal(value, found[key]) for key, value in weights.items())


@pytest.mark.parametrize('name', NETWORKS)
def test_mmpose_before_1_fills_every_tensor(name: str, tmp_path: Path) -> None:
    network = Network(*NETWORKS[name])
    weights = numbered(network.state_dict())
    theirs = {before_1(key): value for key, value in weights.items()}
    if name == 'hrnetv2':
        theirs = {
            key.replace('final_layer.weight', 'final_layer.3.weight').replace(
                'final_layer.bias', 'final_layer.3.bias'
            ): value
            for key, value in theirs.items()
        }
    assert not any(key.startswith('head.') for key in theirs) and len(theirs) == len(weights)
    torch.save({'meta': {'mmpose_version': '0.29.0'}, 'state_dict': theirs}, tmp_path / 'x.pth')
    load_checkpoint(network, tmp_path / 'x.pth')
    assert_filled(network, weights)


@pytest.mark.parametrize(
    'wrap',
    [
        lambda w: w,
        lambda w: {'state_dict': w},
        lambda w: {f'module.{key}': value for key, value in w.items()},
        lambda w: {'state_dict': {f'module.{key}': value for key, value in w.items()}},
    ],
)
def test_adaptive_wings_files_fill_every_tensor(wrap: Callable, tmp_path: Path) -> None:
    network = Network(dict(type='StackedHourglass', maps=69, stacks=2), dict(type='StackHead'), 69)
    weights = numbered(network.state_dict())
    theirs = {key.removeprefix('backbone.'): value for key, value in weights.items()}
    assert 'conv_last0.weight' in theirs and 'm1.coordconv.conv.weight' in theirs
    torch.save(wrap(theirs), tmp_path / 'x.pth')
    load_checkpoint(network, tmp_path / 'x.pth')
    assert_filled(network, weights)


# -- whole networks, pickled with classes that the reader does not have

THEIR_MODULE = '''
"""Classes as a project of its own defines them; the file is gone before the checkpoint is read."""
import logging
from torch import nn


class Part(nn.Module):
    pass


class HighResolutionNet(nn.Module):
    def __init__(self, weights):
        super().__init__()
        for key, value in weights.items():
            *above, name = key.split('.')
            part = self
            for step in above:
                if step not in part._modules:
                    part.add_module(step, Part())
                part = part._modules[step]
            if value.is_floating_point() and not name.startswith('running'):
                part.register_parameter(name, nn.Parameter(value))
            else:
                part.register_buffer(name, value)


class Canary:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return logging.FileHandler, (self.path,)  # looks harmless, and leaves a file behind where it is run
'''


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a checkpoint with the classes of a module that no longer exists when it is read."""
    folder = tmp_path / 'their_project'
    folder.mkdir()
    (folder / 'their_hrnet.py').write_text(THEIR_MODULE)
    monkeypatch.syspath_prepend(folder)

    def write(make: Callable, weights: dict[str, Tensor], path: Path, new: bool) -> None:
        module = importlib.import_module('their_hrnet')
        network = module.HighResolutionNet(weights)
        network.note = module.Canary(str(tmp_path / 'fired'))
        torch.save(make(network), path, _use_new_zipfile_serialization=new)
        del sys.modules['their_hrnet']
        (folder / 'their_hrnet.py').unlink()
        importlib.invalidate_caches()
        with pytest.raises(ImportError):
            importlib.import_module('their_hrnet')

    return write


FORMS = {
    'model_best.pth': lambda net: net,
    'checkpoint_7.pth': lambda net: {
        'state_dict': nn.DataParallel(net),
        'epoch': 8,
        'best_nme': 0.05,
        'optimizer': torch.optim.Adam(net.parameters()).state_dict(),
    },
    'final_state.pth': lambda net: net.state_dict(),
}


@pytest.mark.parametrize('new', [True, False], ids=['zip', 'before 1.6'])
@pytest.mark.parametrize('form', FORMS)
def test_the_original_hrnets_files_fill_every_tensor(form: str, new: bool, theirs: Callable, tmp_path: Path) -> None:
    """They hold a whole network, or DataParallel around one, of classes that are not here: no class is asked for."""
    network = Network(*NETWORKS['hrnetv2'])
    weights = numbered(network.state_dict())
    names = {'head.conv_layers.': 'head.', 'head.final_layer.': 'head.3.', 'backbone.': ''}
    old = {
        next(key.replace(ours, name, 1) for ours, name in names.items() if key.startswith(ours)): value
        for key, value in weights.items()
    }
    assert {'conv1.weight', 'stage4.2.fuse_layers.3.0.2.0.weight', 'head.0.bias', 'head.3.weight'} <= old.keys()
    theirs(FORMS[form], old, tmp_path / form, new)
    load_checkpoint(network, tmp_path / form)
    assert_filled(network, weights)
    assert 'their_hrnet' not in sys.modules and not (tmp_path / 'fired').exists()
    if form == 'model_best.pth':
        with pytest.raises((ImportError, AttributeError)):
            torch.load(tmp_path / form, weights_only=False)  # what the original's own test does with it


def test_a_pickled_network_gives_start_weights_and_can_be_published(theirs: Callable, tmp_path: Path) -> None:
    backbone = BACKBONES.build(dict(type='HRNet'))
    weights = numbered(backbone.state_dict())
    theirs(FORMS['model_best.pth'], weights, tmp_path / 'model_best.pth', False)
    load_pretrained(backbone, tmp_path / 'model_best.pth')
    assert_filled(backbone, weights)
    plain = torch.load(publish(tmp_path / 'model_best.pth', tmp_path / 'plain.pth'), weights_only=True)
    assert torch.equal(plain['state_dict']['backbone.conv1.weight'], weights['conv1.weight'])


# -- averaged weights


class Toy(BaseModel):
    """Learns one number."""

    def __init__(self) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.zeros(1))

    def forward(self, inputs: list[Tensor], mode: str = 'loss') -> dict[str, Tensor]:
        return {'loss': ((self.number - torch.stack(inputs)) ** 2).mean()}


def test_of_an_averaged_training_the_averaged_weights_are_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loader = dict(
        dataset=[dict(inputs=torch.ones(1))] * 4, batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False)
    )
    runner = Runner(
        Toy(),
        str(tmp_path),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_scope='mmengine',
        custom_hooks=[dict(type='EMAHook', momentum=0.5)],
        experiment_name='averaged',
    )
    runner.train()
    average, trained = 0.0, 0.0  # by hand: two epochs of two steps; the first step's weights start the average
    for step in range(4):
        trained += 0.1 * 2 * (1 - trained)
        average = trained if step == 0 else 0.5 * average + 0.5 * trained
    found, content = Toy(), read_checkpoint(tmp_path / 'epoch_2.pth')
    load_checkpoint(found, tmp_path / 'epoch_2.pth')
    assert found.number.item() == pytest.approx(average, abs=1e-6)
    assert content['ema_state_dict']['module.number'].item() == pytest.approx(trained, abs=1e-6)
    assert 'the averaged weights are taken' in capsys.readouterr().out
    alone = {'ema_state_dict': content['ema_state_dict']}
    assert weights_of(alone, 'x').keys() == {'module.number'} and list(translate(weights_of(alone, 'x'))[0])


# -- published weights by the name of their config


def test_a_configs_name_stands_for_its_published_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    network = nn.Linear(2, 2)
    torch.save(network.state_dict(), tmp_path / 'x.pth')
    asked: list[str] = []
    monkeypatch.setattr(find, 'fetch', lambda url, *_, **__: asked.append(url) or tmp_path / 'x.pth')
    load_checkpoint(nn.Linear(2, 2), 'hrnetv2_w18_wflw')
    assert asked == [
        'https://download.openmmlab.com/mmpose/face/hrnetv2/hrnetv2_w18_wflw_256x256-2bf032a6_20210125.pth'
    ]
    with pytest.raises(MissingResource, match='hrnet_w18_wflw_orig.*https'):
        read_checkpoint('hrnet_w18_wflw_orig')
    with pytest.raises(MissingResource, match='There is no checkpoint hrnetv2_w18_wlfw'):
        read_checkpoint('hrnetv2_w18_wlfw')


def test_a_run_starts_from_a_name_of_the_zoo() -> None:
    """`load_from=NAME`: mmengine's Runner asks its CheckpointLoader, the dry run asks find_weights."""
    loaded = CheckpointLoader.load_checkpoint('facelmk_nano', map_location='cpu')
    stored = read_checkpoint(find.find_weights('facelmk_nano'))
    assert loaded['state_dict'].keys() == stored['state_dict'].keys() and 'facelmk_nano.pth' in str(
        find.find_checkpoint('facelmk_nano')
    )
    assert list(check_weights(Config(dict(load_from='facelmk_nano')))) == []  # it is there, so nothing is downloaded
    (note,) = check_weights(Config(dict(load_from='hrnetv2_w18_wflw')))
    assert 'is downloaded' in note.message
    (error,) = check_weights(Config(dict(load_from='facelmk_nona')))
    assert error.code == 3 and 'facelmk_nona' in error.message


def test_each_dialect_has_its_place_in_the_order() -> None:
    """A file of MMPose 0.x has our key of the backbone, too: the order decides."""
    orders = [dialect.order for dialect in DIALECTS.module_dict.values()]
    assert len(orders) == len(set(orders)) == 5 and max(orders) < BareBackbone.order
    for keys, name in (
        (['backbone.conv1.weight', 'keypoint_head.fc.bias'], 'MMPose before 1.0'),
        (['stage4.weight', 'backbone.conv1.weight'], 'facelmk and MMPose'),
        (['conv_last0.weight', 'stage4.weight'], 'HRNet-Facial-Landmark-Detection'),
        (['layer1.weight'], BareBackbone.name),
    ):
        assert find_dialect(keys).name == name == find_dialect(keys[::-1]).name


# -- what does not fit


def test_a_classifiers_file_is_no_landmark_network(tmp_path: Path) -> None:
    """torchvision's fc falls away where a backbone takes its start weights, and nowhere else."""
    network = Network(*NETWORKS['deeppose'])
    given = {key.removeprefix('backbone.'): value for key, value in network.state_dict().items() if 'head' not in key}
    torch.save(given | {'fc.weight': torch.zeros(1000, 2048), 'fc.bias': torch.zeros(1000)}, tmp_path / 'r.pth')
    with pytest.raises(Mismatch) as error:
        load_checkpoint(network, tmp_path / 'r.pth')
    assert '2 missing (head.fc.bias, head.fc.weight)' in str(error.value)
    assert '2 left over (backbone.fc.bias, backbone.fc.weight)' in str(error.value)
    load_pretrained(network.backbone, tmp_path / 'r.pth')


@pytest.mark.parametrize(
    ('theirs', 'dialect'),
    [
        ('keypoint_head.fc.weight', 'MMPose before 1.0'),
        ('stage4.0.branches.0.0.conv1.weight', 'HRNet-Facial'),
        ('conv_last0.weight', 'Adaptive Wing'),
        ('backbone.conv1.weight', 'facelmk and MMPose'),
    ],
)
def test_a_misfit_names_the_dialect_that_was_read(theirs: str, dialect: str, tmp_path: Path) -> None:
    torch.save({'state_dict': {theirs: torch.zeros(2)}}, tmp_path / 'x.pth')
    with pytest.raises(Mismatch, match=f'dialect: {dialect}'):
        load_checkpoint(nn.Module(), tmp_path / 'x.pth')
