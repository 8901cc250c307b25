"""Laws of every config: L1 and L5 of its pipelines, L4 the oracle, one training step, L8, L9.

Landmark scheme, pipelines, codec and network are those of the config; a few drawn faces replace its data set. A config
is built once: pytest runs all tests of one row before those of the next.
"""

import copy
import gc
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from config_kinds import LANDMARK_CONFIGS
from mmengine import ConfigDict
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper

from facelmk import geometry
from facelmk.checkpoint import load_checkpoint, save_checkpoint
from facelmk.codecs import Heatmap
from facelmk.config import load_config
from facelmk.datasets import SyntheticFaces, collate_faces
from facelmk.markups import MARKUPS
from facelmk.metrics import NME
from facelmk.models.fit import DETECTOR_KIND
from facelmk.registry import CODECS, METRICS, MODELS

NAMES = LANDMARK_CONFIGS  # tests/laws/test_every_detector.py has the laws of the others
FACES, SMALL = 4, 64
# The error of decoding alone on drawn faces, in per cent of the inter-ocular distance. Its causes are: cells of 4 pixels
# in a crop of 256 with quarter refinement; the maximum of a parabola; the mean of a truncated Gaussian; bins of half a
# pixel; none. With flip test MMPose's grid adds half of its bias.
ORACLE_BOUNDS = {
    'quarter': 1.5,
    'dark': 0.005,
    None: 2.6,
    'Integral': 0.02,
    'SimCC': 0.3,
    'Coordinates': 1e-4,
    'Boundary': 1.7,
    'UDP': 0.005,
    'UDPCombined': 0.005,
    'RLE': 1e-4,
    'Megvii': 1.5,
    'HRNetInteger': 2.2,
}
HALF_PIXEL = 0.55  # in per cent of the inter-ocular distance
SMALL_CROP_BOUND = 14.0  # in a crop of 64 pixels all points are near the edge, without refinement; one cell is 18 %


@pytest.fixture(scope='module', params=NAMES)
def row(request):
    """A config and its model, built for small crops and without pretrained weights."""
    settings = load_config(request.param)
    torch.manual_seed(0)
    yield SimpleNamespace(name=request.param, settings=settings, model=build(settings, size=SMALL))
    gc.collect()


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    """Makes a data set of drawn faces, in the config's landmark scheme, with the pipeline of a phase or another one."""
    cache = str(tmp_path_factory.mktemp('drawn'))

    def make(settings, phase, size=None, pack=True):
        pipeline = phase if isinstance(phase, list) else settings[f'{phase}_dataloader'].dataset.pipeline
        steps = [dict(step) for step in pipeline if pack or step['type'] != 'PackFace']
        if size is not None:
            steps = [step | {'size': size} if step['type'] == 'CropFace' else step for step in steps]
        return SyntheticFaces(markup_of(settings), FACES, seed=7, size=256, pipeline=steps, cache=cache, workers=1)

    return make


def second_stages(settings):
    """The pipelines of later epochs."""
    return [hook.pipeline for hook in settings.get('custom_hooks', ()) if hook.type == 'SwitchPipeline']


def markup_of(settings):
    return settings.model.get('markup', 'wflw')


def build(settings, **others):
    model = ConfigDict(copy.deepcopy(settings.model)) | others
    return MODELS.build(model | {'backbone': dict(model['backbone'], pretrained=None)})


def batch_of(data):
    return collate_faces([data[i] for i in range(FACES)])


def oracle_bounds(codec):
    """The error of perfect maps in per cent, with flip test and without."""
    name = codec.refine if type(codec) is Heatmap else type(codec).__name__
    return ORACLE_BOUNDS[name] + HALF_PIXEL * abs(codec.flip_bias), ORACLE_BOUNDS[name]


def crop_of(settings):
    (crop,) = [step for step in settings.val_dataloader.dataset.pipeline if step['type'] == 'CropFace']
    return crop


def shape_of(model, size):
    """The shape of the network's output for one crop."""
    with torch.no_grad():
        return tuple(model.eval()(torch.zeros(1, 3, size, size))[-1].shape[1:])


def scaled_shape(shape, codec, size):
    """The output's shape in a crop of `size` pixels, from that at SMALL: maps and bins grow, coordinates do not."""
    if codec.bins(size):
        return *shape[:-1], codec.bins(size)
    return shape if len(shape) < 3 else (shape[0], *(side * size // SMALL for side in shape[1:]))


def oracle(model, codec, batch, shape, flip):
    """The predictions of a perfect network: decoded targets, averaged with the mirrored ones in a flip test."""
    truth, size = batch['data_samples'], batch['inputs'].shape[-1]
    points, visible = truth['points'], torch.ones_like(truth['visible'])
    order = torch.from_numpy(model.markup.mirror)
    opposite = torch.stack((size - 1 - points[..., 0], points[..., 1]), -1)[:, order]
    like = torch.zeros(FACES, *shape)
    targets = [codec.encode(face, visible, like, size)[0] for face in ([points, opposite] if flip else [points])]
    output = targets[0] if not flip else (targets[0] + codec.flip(targets[1], order, size)) / 2
    landmarks = codec.to_photo(codec.decode(output, size)[0], truth['warp'])
    return [dict(id=i, landmarks=face) for i, face in zip(truth['id'], landmarks, strict=True)]


def error(model, batch, predictions, margin):
    """The NME in per cent of the points at least `margin` pixels inside of the crop, and their share."""
    points, size = batch['data_samples']['points'], batch['inputs'].shape[-1]
    inside = ((points >= margin) & (points <= size - 1 - margin)).all(-1).float()
    metric = NME()
    metric.dataset_meta = {'markup': model.markup.name, 'subsets': ()}
    metric.process({'data_samples': batch['data_samples'] | {'visible': inside}}, predictions)
    return metric.evaluate(FACES)['NME'], float(inside.mean())


def test_points_are_warped_landmarks_in_both_pipelines(row, drawn):
    """L1, and L5: a mirrored face keeps its left eye on the left."""
    markup, mirrored = MARKUPS[markup_of(row.settings)], 0
    for phase in ('train', *second_stages(row.settings), 'val'):
        data = drawn(row.settings, phase, pack=False)
        size = next(step.size for step in data.pipeline if type(step).__name__ == 'CropFace')
        for index in [(0, epoch, i) for epoch in range(1 if phase == 'val' else 3) for i in range(FACES)]:
            face, raw = data[index], data.face(index[-1])
            assert np.abs(face['points'] - geometry.apply(face['warp'], face['landmarks'])).max() < 1e-3
            assert face['image'].shape == (size, size, 3) and face['image'].dtype == np.uint8
            flipped = np.linalg.det(face['warp'][:2, :2]) < 0
            order = markup.mirror if flipped else np.arange(markup.size)
            assert np.array_equal(face['landmarks'], raw['landmarks'][order]), phase
            eyes, mouth = (markup.five_points(face['points'])[part] for part in (slice(2), slice(3, 5)))
            across, down = eyes[1] - eyes[0], mouth.mean(0) - eyes.mean(0)
            assert across[0] * down[1] > across[1] * down[0], 'the left eye is not on the left of an upright face'
            mirrored += flipped
            assert flipped == 0 or phase != 'val'
    crops = [step for step in row.settings.train_dataloader.dataset.pipeline if step['type'] == 'CropFace']
    assert mirrored > 0 or not any(step.get('flip') for step in crops)


@pytest.mark.parametrize('flip', [False, True])
def test_a_perfect_network_has_only_the_error_of_decoding(row, drawn, flip):
    """L4 in crops of the config's own size: the target has the shape of the network's output there."""
    crop, batch = crop_of(row.settings), batch_of(drawn(row.settings, 'val'))
    size, padding = crop.get('size', 256), crop.get('padding', 1.25) / 1.25
    codec = row.model.codec
    predictions = oracle(row.model, codec, batch, scaled_shape(shape_of(row.model, SMALL), codec, size), flip)
    nme, share = error(row.model, batch, predictions, margin=8)
    assert share > 0.9
    assert nme < oracle_bounds(codec)[0 if flip else 1] * 256 / size * padding


def test_a_perfect_network_inside_of_the_model(row, drawn):
    """L4 through the model: the grid of its output, the flip test, and the way back to the photograph."""
    batch = batch_of(drawn(row.settings, 'val', size=SMALL))
    model, truth = row.model.eval(), batch['data_samples']
    like = torch.zeros(FACES, *shape_of(model, SMALL))
    target = model.codec.encode(truth['points'], torch.ones_like(truth['visible']), like, SMALL)[0]
    model.output = lambda inputs: target
    predictions = model.predict(batch['inputs'].float(), truth)
    del model.output
    nme, share = error(model, batch, predictions, margin=8)
    assert share > 0.5
    assert nme < SMALL_CROP_BOUND


@pytest.mark.slow
def test_the_output_grows_with_the_crop(row):
    """The network at the config's own size has the output shape that the oracle assumes."""
    size = crop_of(row.settings).get('size', 256)
    model = build(row.settings)
    assert shape_of(model, size) == scaled_shape(shape_of(row.model, SMALL), model.codec, size)


def test_figures_have_different_names_and_a_perfect_prediction_has_no_error(row, drawn):
    """All metrics of the config together, for every normaliser."""
    evaluator = Evaluator([METRICS.build(dict(metric)) for metric in row.settings.val_evaluator])
    evaluator.dataset_meta = {'markup': markup_of(row.settings), 'subsets': ()}
    truth = batch_of(drawn(row.settings, 'val', size=SMALL))['data_samples']
    truth = truth | {'norm': torch.full((FACES,), 100.0)}
    faces = [
        dict(id=i, landmarks=face, scores=torch.ones(len(face)))
        for i, face in zip(truth['id'], truth['landmarks'], strict=True)
    ]
    evaluator.process(data_samples=faces, data_batch={'data_samples': truth})
    figures = evaluator.evaluate(FACES)
    assert len(figures) == len(row.settings.val_evaluator) and 'NME' in figures
    assert all(value == (100 if 'AUC' in name else 0) for name, value in figures.items())


def test_a_training_step_moves_the_weights(row, drawn):
    """At 64 pixels, with the config's own optimizer: finite losses, and a finite move of every weight."""
    torch.manual_seed(0)
    model = row.model.train()
    before = {key: weight.detach().clone() for key, weight in model.named_parameters()}
    logged = model.train_step(
        batch_of(drawn(row.settings, 'train', size=SMALL)),
        build_optim_wrapper(model, copy.deepcopy(row.settings.optim_wrapper)),
    )
    assert len(logged) > 1 and all(torch.isfinite(value) and value > 0 for value in logged.values())
    after = dict(model.named_parameters())
    assert all(torch.isfinite(weight).all() for weight in after.values())
    assert [key for key in before if torch.equal(before[key], after[key])] == []


def first_of_each_head():
    """One config for each head; tests/models has every backbone and every head alone."""
    rows = {}
    for name in NAMES:
        rows.setdefault(load_config(name).model.head.type, name)
    return list(rows.values())


@pytest.mark.parametrize('name', first_of_each_head())
def test_a_saved_model_loads_and_an_exported_one_is_equal(name, tmp_path):
    """L8 and L9, for the whole FaceLandmarker at 64 pixels."""
    torch.manual_seed(0)
    settings = load_config(name)
    model, other = (build(settings, flip_test=False, size=SMALL) for _ in range(2))
    image = torch.randn(2, 3, SMALL, SMALL)
    with torch.no_grad():
        model.train()(image)  # so that BatchNorm has statistics
        model.eval()
        expected = model(image)[-1]
        save_checkpoint({'state_dict': model.state_dict()}, tmp_path / 'saved.pth')
        load_checkpoint(other.eval(), tmp_path / 'saved.pth', strict=True)
        assert torch.equal(other(image)[-1], expected)
        exported = torch.export.export(model, (image,)).module()(image)[-1]
    assert (exported - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_every_codec_has_an_oracle_bound():
    """A new codec of points needs one."""
    of_points = {name for name in CODECS if getattr(CODECS.get(name), 'kind', '') != DETECTOR_KIND}
    assert of_points - {'Heatmap'} <= set(ORACLE_BOUNDS)


def test_every_published_row_has_a_config():
    """The names are public."""
    sets = ('wflw', '300w', 'cofw', 'aflw')
    rows = {
        'deeppose_r50_wflw',
        'deeppose_r50_wflw_wing',
        'deeppose_r50_wflw_softwing',
        'hrnetv2_w18_300wlp',
        'hrnetv2_w18_wflw_dark',
        'hrnetv2_w18_aflw_dark',
        'hrnetv2_w18_wflw_awing',
        'hrnetv2_w18_wflw_focal',
        'hrnetv2_w18_wflw_awing_integral',
        'unet_wflw_awing',
        'dla34_wflw_awing',
        'awing_hg1_wflw',
        'hrnetv2_w18_coco_wholebody_face_dark',
        'rtmpose_m_wflw',
        'rtmpose_m_lapa',
        'rtmpose_m_coco_wholebody_face',
    }
    rows |= {name.format(data) for name in ('hrnetv2_w18_{}', 'awing_hg4_{}', 'hrnet_w18_{}_orig') for data in sets}
    rows |= {f'rtmpose_{size}_face6' for size in 'tsm'}
    rows |= {
        f'{network}_coco_wholebody_face'
        for network in ('hrnetv2_w18', 'res50', 'scnet50', 'mobilenetv2', 'hourglass52')
    }
    assert len(rows) == 36 and rows <= set(NAMES)
