"""What translated configs need of facelmk, and what errors say about parts of MMPose."""

from pathlib import Path

import mmpose_files as files
import numpy as np
import pytest
import torch

from facelmk.compat.mmpose_config.backbone import BACKBONES
from facelmk.compat.mmpose_config.codec import CODECS as CODECS_OF_MMPOSE
from facelmk.compat.mmpose_config.head import HEADS
from facelmk.compat.mmpose_config.hooks import SWITCH
from facelmk.compat.mmpose_config.losses import LOSSES
from facelmk.compat.mmpose_config.metrics import KINDS as METRICS
from facelmk.compat.mmpose_config.pipeline import STEPS
from facelmk.compat.mmpose_parts import KEYS, PARTS
from facelmk.config import load_config
from facelmk.datasets.transforms.crop import CropFace
from facelmk.errors import FacelmkError
from facelmk.models.landmarker import LossTerm
from facelmk.registry import CODECS, Registry, parts

OURS = (
    'from mmengine.config import read_base\n\nwith read_base():\n    from facelmk.configs.hrnetv2_w18_wflw import *\n\n'
)


@pytest.mark.parametrize('degrees', [0, 37])
def test_udp_crops_are_those_of_its_paper(degrees: float) -> None:
    """The padded box spans size - 1 pixels: scale (size - 1) / side, the centre of the box on (size - 1) / 2."""
    size, padding, box = 256, 1.25, np.array([40.0, 60.0, 140.0, 160.0])
    warp = CropFace(size=size, padding=padding, udp=True).warp(box, 300, degrees=degrees)
    scale, angle, centre = (size - 1) / (100 * padding), np.deg2rad(-degrees), np.array([90.0, 110.0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(warp[:2, :2], scale * turn)
    np.testing.assert_allclose(warp[:2] @ [*centre, 1], (size - 1) / 2)


def test_a_mirrored_udp_crop_is_the_mirrored_crop() -> None:
    box, width = np.array([40.0, 60.0, 140.0, 160.0]), 300
    plain, mirrored = (
        CropFace(size=64, udp=True, mirror='photo').warp(box, width, flipped=flipped) for flipped in (False, True)
    )
    points = np.array([[50.0, 70.0, 1], [100.0, 90.0, 1]]).T
    x, y = (plain @ points)[:2]
    np.testing.assert_allclose((mirrored @ points)[:2], [63 - x, y])


def test_integer_crops_of_udp_are_refused() -> None:
    with pytest.raises(FacelmkError, match='udp'):
        CropFace(integer=True, udp=True)


def test_a_term_may_count_all_points() -> None:
    """Two points, one of them outside of the crop: errors of 0.1 and 0.2 in both coordinates."""
    codec, size = CODECS.build(dict(type='Coordinates')), 100
    points, visible = torch.tensor([[[50.0, 50.0], [150.0, 50.0]]]), torch.ones(1, 2)
    output = torch.tensor([[[0.6, 0.6], [1.7, 0.7]]])
    loss = dict(type='L1Loss')
    inside, all_points = (
        LossTerm(loss, 1.0, codec, weigh_points)([output], points, visible, size) for weigh_points in (True, False)
    )
    assert inside.item() == pytest.approx(0.1 / 2) and all_points.item() == pytest.approx((0.1 + 0.2) / 2)


@pytest.mark.parametrize('table', [BACKBONES, HEADS, CODECS_OF_MMPOSE, LOSSES, METRICS, STEPS, {SWITCH: None}])
def test_each_part_that_is_translated_has_an_entry(table: dict[str, object]) -> None:
    """A config of facelmk with its name gets the part that is equal, not one with similar letters."""
    ours = {name for each in vars(parts).values() if isinstance(each, Registry) for name in each}
    assert set(table) - ours <= PARTS.keys()


NEAR = {  # a line of a config, and what the error offers
    "model.codec = dict(type='MSRAHeatmap', sigma=2)": "Heatmap(sigma=2, centre='cell', refine='quarter', aligned=False)",
    "model.codec = dict(type='mmpose.MSRAHeatmap', sigma=2)": "centre='exact', refine='dark', aligned=False",
    'model.codec.update(unbiased=True)': "centre='exact', refine='dark'",
    "model.loss = dict(type='KeypointMSELoss')": 'HeatmapMSELoss()',
    "model.loss = dict(type='KeypointOHKMMSELoss')": 'OHKMLoss(topk=8)',
    "val_evaluator = [dict(type='NME', norm_mode='keypoint_distance')]": "norm='inter_ocular'",
    "val_evaluator = [dict(type='NME', keypoint_indices=(60, 72))]": 'norm=(i, j)',
    "model.backbone = dict(type='HourglassNet')": 'Hourglass()',
    'model.head.update(deconv_out_channels=None)': 'deconvs',
    "train_pipeline[1] = dict(type='TopdownAffine', input_size=(256, 256))": 'CropFace(size=256)',
    "custom_hooks = [dict(type='PipelineSwitchHook', switch_epoch=3)]": 'SwitchPipeline(epoch=',
    'model.update(test_cfg=dict(flip_test=True))': 'model.flip_test',
}


@pytest.mark.fault('Q07')
@pytest.mark.parametrize('line', NEAR)
def test_a_near_name_carries_the_arguments(line: str, tmp_path: Path) -> None:
    path = tmp_path / 'mine.py'
    path.write_text(f'{OURS}{line}\n')
    with pytest.raises(FacelmkError) as error:
        load_config(path)
    assert NEAR[line] in str(error.value)
    others = {name for name in ('OHKMLoss', 'HeatmapMSELoss', 'IntegralLoss') if name in str(error.value)}
    assert others <= {NEAR[line].partition('(')[0]}


def test_parts_and_arguments_have_a_replacement() -> None:
    assert all(PARTS.values()) and all(KEYS.values())


BASES = {  # a config that is based on one of facelmk by _base_
    "_base_ = ['{folder}/hrnetv2_w18_wflw.py']": False,
    "_base_ = '{folder}/hrnetv2_w18_wflw.py'": False,
    "_base_ = ['facelmk::hrnetv2_w18_wflw.py']": False,
    "_base_ = ['{folder}/_base_/runtime.py', '{folder}/_base_/models/hrnetv2_w18.py']": False,
    "import math\n_base_ = ['{folder}/hrnetv2_w18_wflw.py']": True,
    "_base_ = ['{folder}/hrnetv2_w18_wflw.py']\nname = f'{{1}}'": True,
}


@pytest.mark.fault('Q06')
@pytest.mark.parametrize('base', BASES)
def test_bases_by_name_of_configs_with_read_base(base: str, tmp_path: Path) -> None:
    from facelmk.config import config_folder

    path = tmp_path / 'mine.py'
    path.write_text(base.format(folder=config_folder()) + '\nmodel = dict(flip_test=False)\n')
    if not BASES[base]:
        assert load_config(path).model.flip_test is False
        return
    with pytest.raises(FacelmkError) as error:
        load_config(path)
    assert f'{path}:' in str(error.value) and 'lazy_import' not in str(error.value) and error.value.exit_code == 2


@pytest.mark.fault('Q08')
def test_a_base_of_an_installed_package_is_read_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mmpose::path` is a file below `.mim/configs` of the package, as mim installs it."""
    package = tmp_path / 'site' / 'mmpose'
    path = files.write(package / '.mim', files.heatmap(), 'theirs.py')
    (package / '__init__.py').write_text('raise SystemExit(9)')
    monkeypatch.syspath_prepend(str(tmp_path / 'site'))
    child = tmp_path / 'mine.py'
    child.write_text("_base_ = ['mmpose::face/theirs.py']\ntrain_cfg = dict(max_epochs=3)\n")
    assert path.is_file() and load_config(child).train_cfg.max_epochs == 3
    child.write_text("_base_ = ['nosuch::face/theirs.py']\n")
    with pytest.raises(FacelmkError) as error:
        load_config(child)
    assert f'{child}:1' in str(error.value)
