"""The law of arguments: a number that makes no sense is refused as our own error, or it works.

Each numeric argument of each part of ours is set to -1, 0, 1e9, NaN and 'x', alone and inside of lists and dicts. Either
the check of a config refuses it and names it, or the part is built and used: a network trains a step with a finite loss
that is not 0, a transform gives a finite sample, a metric a number.
"""

import copy
import math
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import numpy as np
import pytest
import torch
from mmengine import Config
from torch import nn

from facelmk import registry as registries
from facelmk.config.arguments import Argument, arguments
from facelmk.config.relations import check_relations
from facelmk.config.runner_ranges import RANGES
from facelmk.config.validate import mistakes
from facelmk.datasets import SyntheticFaces, collate_faces
from facelmk.errors import FacelmkError
from facelmk.registry import DATASETS, HOOKS, METRICS, MODELS, TRANSFORMS
from facelmk.registry.ranges import ranges_of

VALUES = (-1, 0, 1e9, math.nan, 'x')
SIZE, MARKUP = 32, 'aflw'
TINY = dict(type='QuickNet', width=8, widths=(8, 8, 8), depths=(0, 0, 0))
PARTS_OF_KIND = {  # head, codec and loss of each kind of output
    'heatmaps': ('HeatmapHead', 'Heatmap', 'HeatmapMSELoss'),
    'heatmaps of height 255': ('HeatmapHead', 'Megvii', 'HeatmapMSELoss'),
    'log-probabilities': ('HeatmapHead', 'Integral', 'IntegralLoss'),
    'points': ('RegressionHead', 'Coordinates', 'WingLoss'),
    'points and spreads': ('RLEHead', 'RLE', 'RLELoss'),
    'bins': ('RTMCCHead', 'SimCC', 'KLDiscretLoss'),
    'box maps': ('BoxHead', 'BoxMaps', 'BoxMapsLoss'),  # of a FaceDetector
}
SMALL = {  # arguments that make a part small, or that it needs
    'CSPNeXt': dict(deepen=0.1, widen=0.125),
    'ResNet': dict(depth=18),
    'StackedHourglass': dict(width=16, stacks=1),
    'UNet': dict(width=8, depth=2),
    'NanoNet': dict(width=8, widths=(8, 8, 8), depths=(0, 0, 0), merged=(0, 0)),
    'QuickNet': dict(width=8, widths=(8, 8, 8), depths=(0, 0, 0)),
    'SceneNet': dict(width=8, widths=(8, 8, 8, 8), depths=(0, 0, 0, 0), merged=(0, 0)),
    'RTMCCHead': dict(stride=4, hidden=16),
    'ComposedScenes': dict(
        faces=[dict(type='SyntheticFaces', markup=MARKUP, count=2, size=64)], weights=[1.0], count=2, size=64
    ),
    'FacesInPictures': dict(dataset=dict(type='SyntheticFaces', markup=MARKUP, count=2, size=64)),
    'AdaptiveWingLoss': dict(weight_map=dict(threshold=0.2, weight=10.0, dilation=3)),
    'JoinedFaces': dict(datasets=[dict(type='SyntheticFaces', markup=MARKUP, count=2)], weights=[1.0]),
    'RepeatedFaces': dict(dataset=dict(type='SyntheticFaces', markup=MARKUP, count=2), times=2),
    'SyntheticFaces': dict(markup=MARKUP, count=2, size=64),
    'PublishedFaces': dict(root='gone', split='test', layouts=[], markup='wflw', counts=dict(test=3)),
    'SwitchPipeline': dict(epoch=1, pipeline=[]),
    'NME': dict(norm=(0, 1)),
    'AUC': dict(norm=(0, 1)),
    'FailureRate': dict(norm=(0, 1)),
    'KeypointAP': dict(sigmas=[0.1] * 19),
    'TimmBackbone': dict(out_indices=(1, 2)),
}
HEAVY = {'HRNet', 'DLA', 'Hourglass', 'SCNet', 'MobileNetV2', 'ResNet', 'StackedHourglass'}
KINDS = (
    'BACKBONES',
    'HEADS',
    'LOSSES',
    'CODECS',
    'CALIBRATIONS',
    'MODELS',
    'DATASETS',
    'TRANSFORMS',
    'METRICS',
    'HOOKS',
)
SEEDS = {'seed', 'start'}  # 1e9 is a good seed
NONE_IGNORED = [torch.zeros(1, dtype=torch.bool)] * 2
WITHOUT_RANGE = {'norm'}  # a name or two points: the metric itself checks them


def parts() -> list[tuple[str, str]]:
    """The registry and the name of each part of ours."""
    rows = [(kind, name) for kind in KINDS for name in getattr(registries, kind)]
    return [(kind, name) for kind, name in rows if part_of(kind, name).__module__.startswith('facelmk')]


def part_of(kind: str, name: str) -> Any:
    return getattr(registries, kind).get(name)


def is_numeric(hint: Any) -> bool:
    """Whether an annotation names numbers, alone or in a list."""
    return hint in (int, float) or any(is_numeric(inner) for inner in get_args(hint))


def numeric_arguments(part: Any) -> dict[str, Argument]:
    limits = ranges_of(part)
    return {
        key: argument
        for key, argument in arguments(part).items()
        if (key in limits and not isinstance(limits[key], dict)) or is_numeric(argument.hint)
        if not isinstance(argument.default, str)
    }


def cases(kind: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each numeric argument, with the arguments of the part in which one number is replaced."""
    part, base = part_of(kind, name), SMALL.get(name, {})
    for key, argument in numeric_arguments(part).items():
        for value in VALUES:
            for changed in replaced(base.get(key, argument.default), value):
                yield key, base | {key: changed}
    for key, limits in ranges_of(part).items():
        for inner in limits if isinstance(limits, dict) else ():
            for value in VALUES:
                changed = {k: value if inner in (k, '*') else v for k, v in base[key].items()}
                yield key, base | {key: changed}


def replaced(default: Any, value: Any) -> list[Any]:
    """The value alone, or in a list in place of each of its numbers."""
    if not isinstance(default, (list, tuple)):
        return [value]
    return [[*default[:i], value, *default[i + 1 :]] for i in range(min(len(default), 3))] or [[value]]


@pytest.fixture(scope='module')
def data() -> SyntheticFaces:
    return SyntheticFaces(MARKUP, 2, size=64)


@pytest.fixture(scope='module')
def batch(data: SyntheticFaces) -> dict[str, Any]:
    steps = [TRANSFORMS.build(dict(type='CropFace', size=SIZE)), TRANSFORMS.build(dict(type='PackFace'))]
    samples = []
    for i in range(2):
        sample = sample_of(data, i)
        for step in steps:
            sample = step(sample)
        samples.append(sample)
    collated = collate_faces(samples)
    collated['data_samples'] |= {'crop_boxes': list(collated['data_samples']['box'][:, None]), 'ignored': NONE_IGNORED}
    return collated


def sample_of(data: SyntheticFaces, index: int) -> dict[str, Any]:
    face = data[index]
    return face | {'rng': np.random.default_rng(index), 'boxes': face['box'][None]}


def model_with(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """The config of a tiny FaceLandmarker or FaceDetector with one part replaced."""
    part = part_of(kind, row['type'])
    known = [getattr(part, 'kind', '')] if kind == 'CODECS' else getattr(part, 'kinds', ())
    known = known or {'BACKBONES': ['points'], 'LOSSES': ['points'], 'CALIBRATIONS': ['log-probabilities']}.get(
        kind, ()
    )
    output = next(iter(known), 'heatmaps') or 'heatmaps'
    output = 'box maps' if row['type'] == 'FaceDetector' else output
    head, codec, loss = (dict(type=name) | SMALL.get(name, {}) for name in PARTS_OF_KIND[output])
    values = dict(
        type='FaceLandmarker', backbone=dict(TINY), head=head, codec=codec, loss=loss, markup=MARKUP, size=SIZE
    )
    if output == 'box maps':
        values |= dict(type='FaceDetector', backbone=dict(type='SceneNet') | SMALL['SceneNet'])
        del values['markup']
    values |= {'BACKBONES': dict(backbone=row), 'HEADS': dict(head=row)}.get(kind, {})
    values |= {'CODECS': dict(codec=row), 'LOSSES': dict(loss=row), 'CALIBRATIONS': dict(calibration=row)}.get(kind, {})
    values |= row if kind == 'MODELS' else {}
    if row['type'] == 'StackHead':
        values['backbone'] = dict(type='StackedHourglass') | SMALL['StackedHourglass']
    if row['type'] == 'Boundary':
        values['loss'] = dict(type='AdaptiveWingLoss')
    return values


def config_with(kind: str, row: dict[str, Any]) -> Config:
    """A config that holds the part where it belongs."""
    if kind == 'TRANSFORMS':
        values = dict(train_pipeline=[row])
    elif kind == 'DATASETS':
        values = dict(train_dataloader=dict(batch_size=2, dataset=row))
    elif kind == 'METRICS':
        values = dict(val_evaluator=[row])
    elif kind == 'HOOKS':
        values = dict(custom_hooks=[row])
    elif row['type'] == 'ExpMomentumEMA':
        values = dict(custom_hooks=[row | dict(type='EMAHook', ema_type='ExpMomentumEMA')])
    else:
        values = dict(model=model_with(kind, row))
    return Config(copy.deepcopy(values))


def use(kind: str, row: dict[str, Any], config: Config, batch: dict[str, Any], data: SyntheticFaces) -> None:
    """Build the part and use it; a number that it makes must be finite."""
    if row['type'] == 'ExpMomentumEMA':
        average = MODELS.build(row | {'model': nn.Linear(2, 2)})
        average.update_parameters(nn.Linear(2, 2))
        assert all(torch.isfinite(value).all() for value in average.state_dict().values())
    elif 'model' in config:
        train_a_step(config.model, batch)
    elif kind == 'TRANSFORMS':
        transform(row, data)
    elif kind == 'METRICS':
        measure(row, batch)
    elif kind == 'DATASETS':
        sample = DATASETS.build(row)[0]  # a face or a scene
        assert np.isfinite(sample.get('landmarks', sample.get('boxes'))).all()
    else:
        HOOKS.build(row)


def train_a_step(values: dict[str, Any], batch: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = MODELS.build(values).train()
    inputs = model.data_preprocessor(copy.deepcopy(batch), training=True)
    losses = model(**inputs, mode='loss')
    sum(losses.values()).backward()
    assert all(torch.isfinite(value) and value != 0 for value in losses.values()), losses
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert gradients and all(torch.isfinite(gradient).all() for gradient in gradients)
    with torch.no_grad():
        predictions = model.eval()(**inputs, mode='predict')
    assert all(torch.isfinite(face.get('landmarks', face.get('boxes'))).all() for face in predictions)


def transform(row: dict[str, Any], data: SyntheticFaces) -> None:
    """Run a transform, with certainty where it has a probability, and crop what it gives."""
    part = TRANSFORMS.build(row)
    if row.get('prob', 1) and hasattr(part, 'prob'):
        part.prob = 1.0
    for index in range(2):
        sample = sample_of(data, index)
        if row['type'] == 'HalfBody':
            sample['visible'] = np.ones_like(sample['visible'])
        sample = part(sample)
        if 'warp' not in sample and 'image' in sample:
            sample = TRANSFORMS.build(dict(type='CropFace', size=SIZE))(sample)
        arrays = [sample[key] for key in ('warp', 'points', 'crop_boxes', 'image') if key in sample]
        assert all(np.isfinite(array).all() for array in arrays)


def measure(row: dict[str, Any], batch: dict[str, Any]) -> None:
    metric = METRICS.build(row)
    metric.dataset_meta = {'markup': MARKUP, 'subsets': ()}
    truth = batch['data_samples']
    predictions = [
        dict(id=i, landmarks=face + 1, scores=torch.ones(19))
        for i, face in zip(truth['id'], truth['landmarks'], strict=True)
    ]
    if row['type'] == 'BoxRecall':
        batch = {'data_samples': truth | {'boxes': truth['crop_boxes']}}
        predictions = [
            dict(id=i, boxes=boxes + 1, scores=torch.ones(1))
            for i, boxes in zip(truth['id'], truth['crop_boxes'], strict=True)
        ]
    metric.process(batch, predictions)
    assert all(isinstance(value, float) and not math.isinf(value) for value in metric.evaluate(2).values())


def obeys(kind: str, key: str, row: dict[str, Any], batch: dict[str, Any], data: SyntheticFaces) -> str:
    """'refused' or 'works'; any other error than our own is raised."""
    config = config_with(kind, row)
    if found := list(mistakes(config, 'law.py')):
        assert any(key in str(mistake) for mistake in found), found
        return 'refused'
    try:
        check_relations(config, 'law.py')
        use(kind, row, config, batch, data)
    except FacelmkError:
        return 'refused'
    return 'works'


@pytest.mark.fault('N04')
@pytest.mark.parametrize(('kind', 'name'), parts())
def test_a_number_without_sense_is_refused_or_works(kind, name, batch, data) -> None:
    for key, values in cases(kind, name):
        row = dict(type=name) | values
        if name in HEAVY and not list(mistakes(config_with(kind, row), 'law.py')):
            continue  # test_a_heavy_backbone
        outcome = obeys(kind, key, row, batch, data)
        changed = values[key]
        numbers = (
            changed.values() if isinstance(changed, Mapping) else changed if isinstance(changed, list) else [changed]
        )
        too_large = key not in SEEDS and 1e9 in numbers
        if too_large or any(value == 'x' or value != value for value in numbers):
            assert outcome == 'refused', (name, values)


@pytest.mark.slow
@pytest.mark.parametrize('name', sorted(HEAVY))
def test_a_heavy_backbone(name, batch, data) -> None:
    for key, values in cases('BACKBONES', name):
        obeys('BACKBONES', key, dict(type=name) | values, batch, data)


@pytest.mark.parametrize(('kind', 'name'), parts())
def test_every_number_has_a_range(kind, name) -> None:
    """So that a new part cannot forget one; and each range has an end."""
    part = part_of(kind, name)
    limits = ranges_of(part, RANGES)
    numeric = set(numeric_arguments(part)) - WITHOUT_RANGE
    assert numeric <= set(limits), f'{name} has no range for {numeric - set(limits)}'
    for key in numeric:
        assert not isinstance(limits[key], tuple) or math.isfinite([*limits[key], math.inf][1]), (name, key)
