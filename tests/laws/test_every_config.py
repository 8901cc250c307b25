"""What every config keeps: L1 and L5 of its pipelines, L4 the oracle, one training step, L8, L9.

Each config's own mark-up, pipelines, codec and network, with a few drawn faces in place of its data set.
"""
import copy

import numpy as np
import pytest
import torch
from mmengine import ConfigDict
from mmengine.optim import build_optim_wrapper

from facelmk import geometry
from facelmk.codecs import Heatmap
from facelmk.datasets import SyntheticFaces, collate_faces
from facelmk.engine.checkpoint import load_checkpoint, save_checkpoint
from facelmk.engine.config import config_names, load_config
from facelmk.markups import MARKUPS
from facelmk.metrics import NME
from facelmk.registry import CODECS, MODELS

NAMES = config_names()
FACES = 4
# what decoding alone costs on drawn faces, in per cent of the eyes' distance: cells of 4 pixels in a crop of 256, moved
# by a quarter; a parabola's top; the mean of a cut bell curve; nothing. MMPose's grid under flip-test adds 1 px / 2.
FLOORS = {'quarter': 1.5, 'dark': .005, None: 2.6, 'Integral': .02, 'Coordinates': 1e-4}
MIRRORED_HALF = .55  # half of MMPose's bias of a pixel, in per cent of the eyes' distance


def small(part, size):
    """A pipeline with crops of `size` pixels."""
    return [step | {'size': size} if step['type'] == 'CropFace' else step for step in copy.deepcopy(part)]


def drawn(config, phase, size=None, pack=True):
    """The config's pipeline of a phase over drawn faces in its mark-up."""
    dataset = config[f'{phase}_dataloader'].dataset
    pipeline = dataset.pipeline if size is None else small(dataset.pipeline, size)
    if not pack:
        pipeline = [step for step in pipeline if step['type'] != 'PackFace']
    return SyntheticFaces(dataset.markup, FACES, seed=7, size=256, pipeline=[dict(step) for step in pipeline])


def build(config, **others):
    model = ConfigDict(config.model) | others
    return MODELS.build(model | {'backbone': dict(model['backbone'], pretrained=None)})


def floor(codec):
    """The codec's floor in per cent, with flip-test and without."""
    name = codec.refine if isinstance(codec, Heatmap) else type(codec).__name__
    return FLOORS[name] + MIRRORED_HALF * abs(codec.flip_bias), FLOORS[name]


@pytest.fixture(scope='module')
def config():
    """Loads a config once."""
    loaded = {}
    return lambda name: loaded.setdefault(name, load_config(name))


@pytest.mark.parametrize('name', NAMES)
def test_points_are_warped_landmarks_in_both_pipelines(name, config):
    """L1, and L5: a mirrored face keeps its left eye on the left."""
    markup = MARKUPS[config(name).model.get('markup', 'wflw')]
    mirrored = 0
    for phase in ('train', 'val'):
        data = drawn(config(name), phase, pack=False)
        size = data.pipeline[1].size
        for index in [(0, epoch, i) for epoch in range(3 if phase == 'train' else 1) for i in range(FACES)]:
            face, raw = data[index], data.face(index[-1])
            assert np.abs(face['points'] - geometry.apply(face['warp'], face['landmarks'])).max() < 1e-3
            assert face['image'].shape == (size, size, 3) and face['image'].dtype == np.uint8
            flipped = np.linalg.det(face['warp'][:2, :2]) < 0
            order = markup.mirror if flipped else np.arange(markup.size)
            assert np.array_equal(face['landmarks'], raw['landmarks'][order]), (name, phase)
            eyes, mouth = (markup.five_points(face['points'])[part] for part in (slice(2), slice(3, 5)))
            across, down = eyes[1] - eyes[0], mouth.mean(0) - eyes.mean(0)
            assert across[0] * down[1] > across[1] * down[0], 'the left eye is not on the left of an upright face'
            mirrored += flipped
            assert flipped == 0 or phase == 'train'
    assert mirrored > 0 or not config(name).train_dataloader.dataset.pipeline[1].get('flip')


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('name', NAMES)
def test_a_perfect_network_gets_below_the_codecs_floor(name, flip, config):
    """L4: encode's target in the network's place; with flip-test, its mean with the mirrored face's target."""
    settings = config(name)
    data = drawn(settings, 'val')
    batch = collate_faces([data[i] for i in range(FACES)])
    size = batch['inputs'].shape[-1]
    model = build(settings, flip_test=flip).eval()
    truth = batch['data_samples']
    points, visible = truth['points'], torch.ones_like(truth['visible'])
    like = zeros_of_output(model, size)
    order = torch.from_numpy(model.markup.mirror)
    opposite = torch.stack((size - 1 - points[..., 0], points[..., 1]), -1)[:, order]
    faces = [points, opposite] if flip else [points]
    targets = torch.cat([model.codec.encode(face, visible, like, size)[0] for face in faces])
    model.forward = lambda inputs: [targets]
    found = model.predict(batch['inputs'].float(), truth)
    inside = ((points >= 8) & (points <= size - 9)).all(-1)
    assert inside.float().mean() > .9
    metric = NME()
    metric.dataset_meta = {'markup': model.markup.name, 'subsets': ()}
    metric.process({'data_samples': truth | {'visible': inside.float()}}, found)
    limit = floor(model.codec)[0 if flip else 1] * 256 / size
    assert metric.evaluate(FACES)['NME'] < limit


def zeros_of_output(model, size):
    """Zeros of the output's shape for the batch."""
    with torch.no_grad():
        output = model.head(model.backbone(torch.zeros(1, 3, size, size)))[-1]
    return torch.zeros(FACES, *output.shape[1:])


def architectures():
    """One config for each distinct network."""
    seen = {}
    for name in NAMES:
        model = load_config(name).model
        seen.setdefault(str([model.backbone, model.head, model.codec.type, model.get('markup')]), name)
    return list(seen.values())


@pytest.mark.parametrize('name', NAMES)
def test_a_training_step_moves_the_weights(name, config):
    """At 64 pixels, with the config's own optimizer: finite losses, and a finite move of every weight."""
    settings = config(name)
    torch.manual_seed(0)
    model = build(settings).train()
    before = {key: weight.detach().clone() for key, weight in model.named_parameters()}
    data = drawn(settings, 'train', size=64)
    logged = model.train_step(collate_faces([data[i] for i in range(FACES)]),
                              build_optim_wrapper(model, copy.deepcopy(settings.optim_wrapper)))
    assert len(logged) > 1 and all(torch.isfinite(value) and value > 0 for value in logged.values())
    after = dict(model.named_parameters())
    assert all(torch.isfinite(weight).all() for weight in after.values())
    assert [key for key in before if torch.equal(before[key], after[key])] == []


@pytest.mark.parametrize('name', architectures())
def test_saved_is_loaded_and_exported_is_equal(name, config, tmp_path):
    """L8 and L9, for the whole FaceLandmarker at 64 pixels."""
    torch.manual_seed(0)
    model, other = (build(config(name), flip_test=False) for _ in range(2))
    image = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        model.train()(image)  # BatchNorms see something
        model.eval()
        expected = model(image)[-1]
        save_checkpoint({'state_dict': model.state_dict()}, tmp_path / 'saved.pth')
        load_checkpoint(other.eval(), tmp_path / 'saved.pth', strict=True)
        assert torch.equal(other(image)[-1], expected)
        found = torch.export.export(model, (image,)).module()(image)[-1]
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_every_codec_has_a_floor_here():
    """A new codec states its own."""
    assert {name for name in CODECS if name != 'Heatmap'} <= set(FLOORS)
