"""Every name under which MMPose and the original HRNet published a face config leads to a config of facelmk."""

import logging
import re
from pathlib import Path

import pytest

from facelmk.compat.aliases import ALIASES, our_name
from facelmk.config import config_names, find_config, load_config
from facelmk.errors import FacelmkError, UnknownName

MMPOSE_1, MMPOSE_0 = 'configs/face_2d_keypoint', 'configs/face/2d_kpt_sview_rgb_img'
COCO = f'{MMPOSE_1}/topdown_heatmap/coco_wholebody_face/td-hm'
PUBLISHED = {
    f'{MMPOSE_1}/topdown_heatmap/300w/td-hm_hrnetv2-w18_8xb64-60e_300w-256x256.py': 'hrnetv2_w18_300w',
    f'{MMPOSE_1}/topdown_heatmap/300wlp/td-hm_hrnetv2-w18_8xb64-60e_300wlp-256x256.py': 'hrnetv2_w18_300wlp',
    f'{MMPOSE_1}/topdown_heatmap/aflw/td-hm_hrnetv2-w18_8xb64-60e_aflw-256x256.py': 'hrnetv2_w18_aflw',
    f'{MMPOSE_1}/topdown_heatmap/aflw/td-hm_hrnetv2-w18_dark-8xb64-60e_aflw-256x256.py': 'hrnetv2_w18_aflw_dark',
    f'{MMPOSE_1}/topdown_heatmap/cofw/td-hm_hrnetv2-w18_8xb64-60e_cofw-256x256.py': 'hrnetv2_w18_cofw',
    f'{MMPOSE_1}/topdown_heatmap/wflw/td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256.py': 'hrnetv2_w18_wflw',
    f'{MMPOSE_1}/topdown_heatmap/wflw/td-hm_hrnetv2-w18_awing-8xb64-60e_wflw-256x256.py': 'hrnetv2_w18_wflw_awing',
    f'{MMPOSE_1}/topdown_heatmap/wflw/td-hm_hrnetv2-w18_dark-8xb64-60e_wflw-256x256.py': 'hrnetv2_w18_wflw_dark',
    f'{COCO}_hourglass52_8xb32-60e_coco-wholebody-face-256x256.py': 'hourglass52_coco_wholebody_face',
    f'{COCO}_hrnetv2-w18_8xb32-60e_coco-wholebody-face-256x256.py': 'hrnetv2_w18_coco_wholebody_face',
    f'{COCO}_hrnetv2-w18_dark-8xb32-60e_coco-wholebody-face-256x256.py': 'hrnetv2_w18_coco_wholebody_face_dark',
    f'{COCO}_mobilenetv2_8xb32-60e_coco-wholebody-face-256x256.py': 'mobilenetv2_coco_wholebody_face',
    f'{COCO}_res50_8xb32-60e_coco-wholebody-face-256x256.py': 'res50_coco_wholebody_face',
    f'{COCO}_scnet50_8xb32-60e_coco-wholebody-face-256x256.py': 'scnet50_coco_wholebody_face',
    f'{MMPOSE_1}/topdown_regression/wflw/td-reg_res50_8xb64-210e_wflw-256x256.py': 'deeppose_r50_wflw',
    f'{MMPOSE_1}/topdown_regression/wflw/td-reg_res50_8x64e-210e_wflw-256x256.py': 'deeppose_r50_wflw',
    f'{MMPOSE_1}/topdown_regression/wflw/td-reg_res50_wingloss_8xb64-210e_wflw-256x256.py': 'deeppose_r50_wflw_wing',
    f'{MMPOSE_1}/topdown_regression/wflw/td-reg_res50_softwingloss_8xb64-210e_wflw-256x256.py': 'deeppose_r50_wflw_softwing',
    f'{MMPOSE_1}/rtmpose/wflw/rtmpose-m_8xb64-60e_wflw-256x256.py': 'rtmpose_m_wflw',
    f'{MMPOSE_1}/rtmpose/lapa/rtmpose-m_8xb64-120e_lapa-256x256.py': 'rtmpose_m_lapa',
    f'{MMPOSE_1}/rtmpose/coco_wholebody_face/rtmpose-m_8xb32-60e_coco-wholebody-face-256x256.py': 'rtmpose_m_coco_wholebody_face',
    f'{MMPOSE_1}/rtmpose/face6/rtmpose-t_8xb256-120e_face6-256x256.py': 'rtmpose_t_face6',
    f'{MMPOSE_1}/rtmpose/face6/rtmpose-s_8xb256-120e_face6-256x256.py': 'rtmpose_s_face6',
    f'{MMPOSE_1}/rtmpose/face6/rtmpose-m_8xb256-120e_face6-256x256.py': 'rtmpose_m_face6',
    f'{MMPOSE_0}/deeppose/wflw/res50_wflw_256x256.py': 'deeppose_r50_wflw',
    f'{MMPOSE_0}/deeppose/wflw/res50_wflw_256x256_wingloss.py': 'deeppose_r50_wflw_wing',
    f'{MMPOSE_0}/deeppose/wflw/res50_wflw_256x256_softwingloss.py': 'deeppose_r50_wflw_softwing',
    f'{MMPOSE_0}/topdown_heatmap/300w/hrnetv2_w18_300w_256x256.py': 'hrnetv2_w18_300w',
    f'{MMPOSE_0}/topdown_heatmap/aflw/hrnetv2_w18_aflw_256x256_dark.py': 'hrnetv2_w18_aflw_dark',
    f'{MMPOSE_0}/topdown_heatmap/cofw/hrnetv2_w18_cofw_256x256.py': 'hrnetv2_w18_cofw',
    f'{MMPOSE_0}/topdown_heatmap/wflw/hrnetv2_w18_wflw_256x256_awing.py': 'hrnetv2_w18_wflw_awing',
    f'{MMPOSE_0}/topdown_heatmap/coco_wholebody_face/hourglass52_coco_wholebody_face_256x256.py': 'hourglass52_coco_wholebody_face',
    f'{MMPOSE_0}/topdown_heatmap/face_coco_wholebody/scnet50_face_coco_wholebody_256x256.py': 'scnet50_coco_wholebody_face',
}
NAMES = {
    'td-hm_hrnetv2-w18_dark-8xb64-60e_wflw-256x256': 'hrnetv2_w18_wflw_dark',
    'topdown_heatmap_hrnetv2_w18_wflw_256x256': 'hrnetv2_w18_wflw',
    'deeppose_res50_wflw_256x256_wingloss': 'deeppose_r50_wflw_wing',
    'face--2d_kpt_sview_rgb_img--deeppose--wflw--res50_wflw_256x256_wingloss': 'deeppose_r50_wflw_wing',
    'face': 'rtmpose_m_face6',
    'pose_hrnetv2_w18': 'hrnetv2_w18_wflw',
    'deeppose_res50_wingloss': 'deeppose_r50_wflw_wing',
    'HR18-WFLW': 'hrnet_w18_wflw_orig',
    'HR18-300W': 'hrnet_w18_300w_orig',
    'WFLW_4HG': 'awing_hg4_wflw',
    'experiments/cofw/face_alignment_cofw_hrnet_w18.yaml': 'hrnet_w18_cofw_orig',
}
THEIR_CONFIG = "_base_ = ['../../../_base_/default_runtime.py']\nmodel = dict(\n    type='TopdownPoseEstimator')\n"


@pytest.mark.parametrize(('theirs', 'ours'), [*PUBLISHED.items(), *NAMES.items()])
def test_a_published_name_is_known(theirs: str, ours: str) -> None:
    assert our_name(theirs) == ours == our_name(Path(theirs).name)


def test_every_alias_means_an_existing_config() -> None:
    assert set(ALIASES.values()) <= set(config_names())


def test_the_page_on_moving_lists_every_name_of_mmpose_1() -> None:
    page = (Path(__file__).parents[2] / 'docs' / 'moving.md').read_text(encoding='utf-8')
    rows = dict(re.findall(r'^\| `([\w-]+-256x256)`(?: \(`face`\))? \| `(\w+)` \|$', page, re.M))
    assert rows == {
        Path(path).stem: ours for path, ours in PUBLISHED.items() if MMPOSE_1 in path and '8x64e' not in path
    }


def test_names_of_facelmk_are_no_aliases() -> None:
    assert not [name for name in config_names() if our_name(name)]
    assert our_name('res50_coco_256x256') is None and our_name('td-hm_hrnet-w32_8xb64-210e_coco-256x192') is None


def test_the_log_names_the_config(caplog: pytest.LogCaptureFixture) -> None:
    theirs = f'{MMPOSE_1}/topdown_heatmap/wflw/td-hm_hrnetv2-w18_dark-8xb64-60e_wflw-256x256.py'
    with caplog.at_level(logging.WARNING):
        assert load_config(theirs).model.codec.refine == 'dark'
    assert theirs in caplog.text and 'hrnetv2_w18_wflw_dark' in caplog.text


def test_a_misspelt_alias_suggests_the_right_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'rtmpose-m_8xb64-60e_wflw-256x256'"):
        find_config('rtmpose-m_8xb64-60e_wlfw-256x256')


@pytest.mark.parametrize('kind', ["type='TopdownPoseEstimator'", "type = 'TopDown'", 'type=TopdownPoseEstimator'])
def test_a_file_of_mmpose_is_refused_with_the_config_to_use(kind: str, tmp_path: Path) -> None:
    path = tmp_path / 'td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256.py'
    path.write_text(THEIR_CONFIG.replace("type='TopdownPoseEstimator'", kind))
    with pytest.raises(
        FacelmkError, match='TopDown.* hrnetv2_w18_wflw |TopdownPoseEstimator.* hrnetv2_w18_wflw '
    ) as error:
        load_config(path)
    assert error.value.exit_code == 2
    other = path.rename(tmp_path / 'mine.py')
    with pytest.raises(FacelmkError, match='facelmk config show NAME'):
        load_config(other)


def test_a_config_based_on_one_of_mmpose_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / 'theirs.py').write_text("default_scope = 'mmpose'\nmodel = dict(type='TopdownPoseEstimator')\n")
    (tmp_path / 'mine.py').write_text("_base_ = ['theirs.py']\ntrain_cfg = dict(max_epochs=3)\n")
    with pytest.raises(FacelmkError, match=r'theirs\.py is a config of MMPose') as error:
        load_config(tmp_path / 'mine.py')
    assert error.value.exit_code == 2
