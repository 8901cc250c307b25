"""The registries: whole before first use, near names, other libraries' parts, parts of a project's own."""

import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.registry import MODELS as ROOT
from torch import nn

from facelmk import registry
from facelmk.errors import UnknownName
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


def fresh(code):
    """What a new Python prints."""
    return subprocess.run([sys.executable, '-c', code], cwd=CLONE, text=True, capture_output=True, check=True).stdout


@pytest.fixture(scope='module')
def first_looks():
    """What each way to look at a registry gives where nothing was asked before: each in a fork of its own."""
    looks = ['registry', 'len(registry)', '*registry', 'part in registry']
    printed = fresh(f"""
import os
import cv2, mmcv, mmengine.runner, torch  # what takes time is imported before the forks
from facelmk import registry
for name, part in {PARTS}.items():
    for look in {looks}:
        if not os.fork():
            registry = getattr(registry, name)
            exec(f'print({{look}}, flush=True)')
            os._exit(0)
        os.wait()
""").splitlines()
    return {name: printed[i * len(looks) : (i + 1) * len(looks)] for i, name in enumerate(PARTS)}


@pytest.mark.parametrize('name', PARTS)
def test_a_shelf_is_whole_before_first_use(name, first_looks):
    """mmengine's lazy registry shows nothing until something was built."""
    shown, length, listed, found = first_looks[name]
    names = listed.split()
    assert PARTS[name] in names and names == sorted(names) and found == 'True'
    assert int(length) == len(names) and f'({length}): ' in shown
    assert shown.split(': ')[1].split(', ') == names


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
def test_a_misspelt_type_is_answered_with_the_near_name(registry, wrong, right):
    with pytest.raises(UnknownName, match=f"'{wrong}'.*'{right}'.*custom_imports"):
        registry.build(dict(type=wrong))


def test_a_name_like_no_other_is_answered_with_all_names():
    with pytest.raises(UnknownName, match='Known: .*Coordinates, .*Heatmap'):
        CODECS.build(dict(type='Xyzzy'))


def test_a_part_that_is_registered_stands_on_the_shelf():
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


def test_names_of_other_libraries_reach_lone_shelves():
    """A backbone is named `library.Name`, as in mmpretrain.ResNet; mmengine's own registry stands in for a library."""
    other = registry.Registry('model', parent=ROOT, scope='otherlibrary')
    try:

        @other.register_module()
        class OtherNet(nn.Module):
            """Somebody else's backbone."""

        assert type(BACKBONES.build(dict(type='otherlibrary.OtherNet'))) is OtherNet
        with pytest.raises(UnknownName, match=r'otherlibrary\.NoNet'):
            BACKBONES.build(dict(type='otherlibrary.NoNet'))
    finally:
        ROOT._children.pop('otherlibrary')
    assert BACKBONES.get('facelmk.HRNet') is BACKBONES.get('HRNet') is not None


def test_parts_of_mmengine_and_torch_are_found_below_ours():
    assert OPTIMIZERS.get('Adam') is not None and registry.HOOKS.get('EMAHook') is not None
    assert registry.LOOPS.get('EpochBasedTrainLoop') is not None and registry.PARAM_SCHEDULERS.get('OneCycleLR')


def test_the_runners_default_scope_does_not_move_a_lone_shelf():
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope('mmengine'):
        assert LOSSES.build(dict(type='WingLoss')) is not None
