"""Laws of every config of a detector: its pipelines, the oracle, one training step, a saved and an exported model.

Pipelines, codec and network are those of the config; a few composed scenes replace its data set.
"""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from config_kinds import DETECTOR_CONFIGS
from mmengine.optim import build_optim_wrapper

from facelmk import geometry
from facelmk.checkpoint import load_checkpoint, save_checkpoint
from facelmk.config import load_config
from facelmk.datasets import collate_scenes
from facelmk.registry import DATASETS, METRICS, MODELS

SCENES = 12
FACES = dict(type='SyntheticFaces', markup='300w', count=4, seed=7, size=96, workers=1)


@pytest.fixture(scope='module', params=DETECTOR_CONFIGS)
def row(request):
    settings = load_config(request.param)
    torch.manual_seed(0)
    return SimpleNamespace(settings=settings, model=MODELS.build(copy.deepcopy(settings.model)))


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    """Makes composed scenes with the pipeline of a phase."""
    faces = dict(FACES, cache=str(tmp_path_factory.mktemp('drawn')))

    def make(settings, phase, pack=True):
        steps = [dict(step) for step in settings[f'{phase}_dataloader'].dataset.pipeline]
        steps = steps if pack else [step for step in steps if step['type'] != 'PackScene']
        composed = dict(type='ComposedScenes', count=SCENES, seed=3, faces=[faces], faceless=0.1, size=192)
        return DATASETS.build(dict(composed, pipeline=steps))

    return make


def batch_of(data):
    return collate_scenes([data[i] for i in range(SCENES)])


def test_crop_boxes_are_warped_boxes_in_both_pipelines(row, scenes):
    mirrored = 0
    for phase in ('train', 'val'):
        data, size = scenes(row.settings, phase, pack=False), row.settings.model.size
        for index in [(0, epoch, i) for epoch in range(2) for i in range(SCENES)]:
            scene = data[index]
            assert scene['image'].shape == (size, size, 3) and scene['image'].dtype == np.uint8
            corners = geometry.apply(scene['warp'], scene['boxes'].reshape(-1, 2, 2))
            expected = np.concatenate([corners.min(1), corners.max(1)], 1)
            assert np.abs(scene['crop_boxes'] - expected).max(initial=0) < 1e-3
            flipped = np.linalg.det(scene['warp'][:2, :2]) < 0
            assert not (flipped and phase == 'val')
            mirrored += flipped
    assert mirrored > 0


def test_a_perfect_network_finds_all_faces(row, scenes):
    """The oracle: encoded boxes in place of the network's output."""
    batch = batch_of(scenes(row.settings, 'val'))
    truth, model = batch['data_samples'], row.model.eval()
    side = row.settings.model.size // model.codec.stride
    target, _ = model.codec.encode(truth['crop_boxes'], truth['ignored'], torch.zeros(SCENES, 5, side, side), side)
    model.head.forward = lambda features: [target]
    predictions = model.predict(batch['inputs'].float(), truth)
    del model.head.forward
    metric = METRICS.build(dict(type='BoxRecall', overlap=0.99))
    metric.dataset_meta = {'subsets': ()}
    metric.process(batch, predictions)
    assert metric.evaluate(SCENES) == dict(AP=pytest.approx(100), Recall=pytest.approx(100), Alarms=0)
    assert sum((~ignored).sum() for ignored in truth['ignored']) > 3


def test_a_training_step_moves_the_weights(row, scenes):
    torch.manual_seed(0)
    model = row.model.train()
    before = {key: weight.detach().clone() for key, weight in model.named_parameters()}
    logged = model.train_step(
        batch_of(scenes(row.settings, 'train')), build_optim_wrapper(model, copy.deepcopy(row.settings.optim_wrapper))
    )
    assert all(torch.isfinite(value) and value > 0 for value in logged.values())
    after = dict(model.named_parameters())
    assert all(torch.isfinite(weight).all() for weight in after.values())
    assert [key for key in before if torch.equal(before[key], after[key])] == []


def test_a_saved_model_loads_and_an_exported_one_is_equal(row, tmp_path):
    torch.manual_seed(0)
    model, other = (MODELS.build(copy.deepcopy(row.settings.model)) for _ in range(2))
    image = torch.randn(2, 3, 96, 128)
    with torch.no_grad():
        model.train()(image)  # so that BatchNorm has statistics
        expected = model.eval()(image)[-1]
        save_checkpoint({'state_dict': model.state_dict()}, tmp_path / 'saved.pth')
        load_checkpoint(other.eval(), tmp_path / 'saved.pth', strict=True)
        assert torch.equal(other(image)[-1], expected)
        exported = torch.export.export(model, (image,)).module()(image)[-1]
    assert (exported - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_the_figures_of_the_config_have_different_names(row):
    metrics = [METRICS.build(dict(metric)) for metric in row.settings.val_evaluator]
    names = [name for metric in metrics for name in metric.with_prefix(metric.figures([]))]
    assert len(names) == len(set(names)) and row.settings.default_hooks.checkpoint.save_best in names
