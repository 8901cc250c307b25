"""The registries: complete on first use, suggestions for unknown names, parts of other libraries and of users."""

import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.registry import MODELS as ROOT
from torch import nn

from facelmk import registry
from facelmk.errors import FacelmkError, UnknownName
from facelmk.registry import BACKBONES, CODECS, DATASETS, HEADS, LOSSES, METRICS, MODELS, OPTIMIZERS, TRANSFORMS

CLONE = Path(__file__).parents[1]
PARTS = {
    'BACKBONES': 'HRNet',
    'HEADS': 'HeatmapHead',
    'LOSSES': 'WingLoss',
    'CODECS': 'Coordinates',
    'DATASETS': 'SyntheticFaces',
    'TRANSFORMS': 'CropFace',
    'METRICS': 'NME',
    'HOOKS': 'DrawPredictions',
    'MODELS': 'FaceLandmarker',
    'DATA_SAMPLERS': 'FaceSampler',
    'FUNCTIONS': 'collate_faces',
}


def new_process(code):
    """The output of a new Python process."""
    return subprocess.run([sys.executable, '-c', code], cwd=CLONE, text=True, capture_output=True, check=True).stdout


@pytest.fixture(scope='module')
def first_uses():
    """The result of each first use of a registry, each in its own forked process."""
    uses = ['registry', 'len(registry)', '*registry', 'part in registry']
    printed = new_process(f"""
import os
import cv2, mmcv, mmengine.runner, torch  # slow imports before the forks
from facelmk import registry
for name, part in {PARTS}.items():
    for use in {uses}:
        if not os.fork():
            registry = getattr(registry, name)
            exec(f'print({{use}}, flush=True)')
            os._exit(0)
        os.wait()
""").splitlines()
    return {name: printed[i * len(uses) : (i + 1) * len(uses)] for i, name in enumerate(PARTS)}


@pytest.mark.parametrize('name', PARTS)
def test_a_registry_is_complete_on_first_use(name, first_uses):
    """mmengine's lazy registry is empty until a part is built."""
    text, length, names_text, contains = first_uses[name]
    names = names_text.split()
    assert PARTS[name] in names and names == sorted(names) and contains == 'True'
    assert int(length) == len(names) and f'({length}): ' in text
    assert text.split(': ')[1].split(', ') == names


@pytest.mark.parametrize(
    ('registry', 'wrong', 'right'),
    [
        (LOSSES, 'WingLos', 'WingLoss'),
        (LOSSES, 'wing_loss', 'WingLoss'),
        (BACKBONES, 'Resnet', 'ResNet'),
        (CODECS, 'Heatmaps', 'Heatmap'),
        (HEADS, 'HeatMapHead', 'HeatmapHead'),
        (METRICS, 'nme', 'NME'),
        (DATASETS, 'SyntheticFace', 'SyntheticFaces'),
        (TRANSFORMS, 'CropFaces', 'CropFace'),
        (MODELS, 'FaceLandmark', 'FaceLandmarker'),
    ],
)
def test_the_error_for_a_misspelt_type_suggests_the_closest_name(registry, wrong, right):
    with pytest.raises(UnknownName, match=f"'{wrong}'.*'{right}'.*custom_imports"):
        registry.build(dict(type=wrong))


def test_the_error_for_a_name_like_no_other_lists_all_names():
    with pytest.raises(UnknownName, match='Known: .*Coordinates, .*Heatmap'):
        CODECS.build(dict(type='Xyzzy'))


def test_a_registered_part_can_be_listed_and_built():
    before = len(LOSSES)

    @LOSSES.register_module()
    class OwnLossOfATest(nn.Module):
        """A project's loss."""

    try:
        assert 'OwnLossOfATest' in LOSSES and len(LOSSES) == before + 1 and 'OwnLossOfATest' in repr(LOSSES)
        assert type(LOSSES.build(dict(type='OwnLossOfATest'))) is OwnLossOfATest
        with pytest.raises(KeyError, match='already registered'):
            LOSSES.register_module(module=OwnLossOfATest)
    finally:
        LOSSES._module_dict.pop('OwnLossOfATest')


def test_standalone_registries_find_parts_of_other_libraries():
    """A backbone named `library.Name`, as mmpretrain.ResNet; a child of mmengine's registry plays the library."""
    other = registry.Registry('model', parent=ROOT, scope='otherlibrary')
    try:

        @other.register_module()
        class OtherNet(nn.Module):
            """A backbone of another library."""

        assert type(BACKBONES.build(dict(type='otherlibrary.OtherNet'))) is OtherNet
        with pytest.raises(UnknownName, match=r'otherlibrary\.NoNet'):
            BACKBONES.build(dict(type='otherlibrary.NoNet'))
    finally:
        ROOT._children.pop('otherlibrary')
    assert BACKBONES.get('facelmk.HRNet') is BACKBONES.get('HRNet') is not None


def test_our_registries_find_parts_of_mmengine_and_torch():
    assert OPTIMIZERS.get('Adam') is not None and registry.HOOKS.get('EMAHook') is not None
    assert registry.LOOPS.get('EpochBasedTrainLoop') is not None and registry.PARAM_SCHEDULERS.get('OneCycleLR')


def test_the_runners_default_scope_does_not_affect_a_standalone_registry():
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope('mmengine'):
        assert LOSSES.build(dict(type='WingLoss')) is not None


def test_a_dict_without_a_type_names_no_part() -> None:
    for options in ({}, dict(default_args=dict(omega=1))):
        with pytest.raises(FacelmkError, match='names no loss. Expected dict'):
            LOSSES.build({}, **options)
    assert isinstance(LOSSES.build({}, default_args=dict(type='WingLoss')), LOSSES.get('WingLoss'))
