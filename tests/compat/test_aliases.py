"""Every name under which MMPose and the original HRNet published a face config leads to a config of facelmk."""

import logging
import re
from pathlib import Path

import pytest

from facelmk.compat.aliases import NAMES as KNOWN_NAMES
from facelmk.compat.aliases import PATHS, our_name
from facelmk.config import config_names, find_config, load_config
from facelmk.errors import FacelmkError, UnknownName

HRNET, RESNET, SCNET, MOBILE = ('HRNet', dict(width=18)), ('ResNet', dict(depth=50)), ('SCNet', {}), ('MobileNetV2', {})
MSRA = dict(type='Heatmap', sigma=2, centre='cell', refine='quarter', aligned=False)
MSRA_15, DARK = MSRA | dict(sigma=1.5), MSRA | dict(centre='exact', refine='dark')
SIMCC = dict(type='SimCC', sigma=5.66, aligned=False)
MSE, AWING, KL = 'HeatmapMSELoss', 'AdaptiveWingLoss', 'KLDiscretLoss'


def rtm(size: str) -> tuple:
    deepen, widen = dict(t=(0.167, 0.375), s=(0.33, 0.5), m=(0.67, 0.75))[size]
    return ('CSPNeXt', dict(deepen=deepen, widen=widen)), 'RTMCCHead', SIMCC, KL


CONVS, DECONVS, MAPS = ('HeatmapHead', 1, 0), ('HeatmapHead', 0, 3), ('HourglassHead', 0, 0)
V2, V2_15, V2_DARK = (HRNET, CONVS, MSRA, MSE), (HRNET, CONVS, MSRA_15, MSE), (HRNET, CONVS, DARK, MSE)
SIMPLE = (RESNET, DECONVS, MSRA, MSE)
DEEPPOSE = (RESNET, 'RegressionHead', dict(type='Coordinates'))
HOURGLASS = (('Hourglass', {}), MAPS, MSRA, MSE)
HM_1, REG_1, RTM_1 = (f'face_2d_keypoint/{kind}' for kind in ('topdown_heatmap', 'topdown_regression', 'rtmpose'))
HM_0, REG_0 = (f'face/2d_kpt_sview_rgb_img/{kind}' for kind in ('topdown_heatmap', 'deeppose'))
COCO = 'coco_wholebody_face'
# the 45 files of MMPose 1.3.2 and 0.29.0 below configs/: network, head, codec, loss and landmark scheme; crops have 256 pixels
PUBLISHED = {
    f'{HM_1}/300w/td-hm_hrnetv2-w18_8xb64-60e_300w-256x256': (*V2_15, '300w'),
    f'{HM_1}/300wlp/td-hm_hrnetv2-w18_8xb64-60e_300wlp-256x256': (*V2_15, '300wlp'),
    f'{HM_1}/aflw/td-hm_hrnetv2-w18_8xb64-60e_aflw-256x256': (*V2, 'aflw'),
    f'{HM_1}/aflw/td-hm_hrnetv2-w18_dark-8xb64-60e_aflw-256x256': (*V2_DARK, 'aflw'),
    f'{HM_1}/cofw/td-hm_hrnetv2-w18_8xb64-60e_cofw-256x256': (*V2_15, 'cofw'),
    f'{HM_1}/wflw/td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256': (*V2, 'wflw'),
    f'{HM_1}/wflw/td-hm_hrnetv2-w18_awing-8xb64-60e_wflw-256x256': (HRNET, CONVS, MSRA, AWING, 'wflw'),
    f'{HM_1}/wflw/td-hm_hrnetv2-w18_dark-8xb64-60e_wflw-256x256': (*V2_DARK, 'wflw'),
    f'{HM_1}/{COCO}/td-hm_hourglass52_8xb32-60e_coco-wholebody-face-256x256': (*HOURGLASS, COCO),
    f'{HM_1}/{COCO}/td-hm_hrnetv2-w18_8xb32-60e_coco-wholebody-face-256x256': (*V2, COCO),
    f'{HM_1}/{COCO}/td-hm_hrnetv2-w18_dark-8xb32-60e_coco-wholebody-face-256x256': (*V2_DARK, COCO),
    f'{HM_1}/{COCO}/td-hm_mobilenetv2_8xb32-60e_coco-wholebody-face-256x256': (MOBILE, DECONVS, MSRA, MSE, COCO),
    f'{HM_1}/{COCO}/td-hm_res50_8xb32-60e_coco-wholebody-face-256x256': (*SIMPLE, COCO),
    f'{HM_1}/{COCO}/td-hm_scnet50_8xb32-60e_coco-wholebody-face-256x256': (SCNET, DECONVS, MSRA, MSE, COCO),
    f'{REG_1}/wflw/td-reg_res50_8xb64-210e_wflw-256x256': (*DEEPPOSE, 'SmoothL1Loss', 'wflw'),
    f'{REG_1}/wflw/td-reg_res50_wingloss_8xb64-210e_wflw-256x256': (*DEEPPOSE, 'WingLoss', 'wflw'),
    f'{REG_1}/wflw/td-reg_res50_softwingloss_8xb64-210e_wflw-256x256': (*DEEPPOSE, 'SoftWingLoss', 'wflw'),
    f'{RTM_1}/wflw/rtmpose-m_8xb64-60e_wflw-256x256': (*rtm('m'), 'wflw'),
    f'{RTM_1}/lapa/rtmpose-m_8xb64-120e_lapa-256x256': (*rtm('m'), 'lapa'),
    f'{RTM_1}/{COCO}/rtmpose-m_8xb32-60e_coco-wholebody-face-256x256': (*rtm('m'), COCO),
    f'{RTM_1}/face6/rtmpose-t_8xb256-120e_face6-256x256': (*rtm('t'), 'lapa'),
    f'{RTM_1}/face6/rtmpose-s_8xb256-120e_face6-256x256': (*rtm('s'), 'lapa'),
    f'{RTM_1}/face6/rtmpose-m_8xb256-120e_face6-256x256': (*rtm('m'), 'lapa'),
    f'{REG_0}/wflw/res50_wflw_256x256': (*DEEPPOSE, 'SmoothL1Loss', 'wflw'),
    f'{REG_0}/wflw/res50_wflw_256x256_wingloss': (*DEEPPOSE, 'WingLoss', 'wflw'),
    f'{REG_0}/wflw/res50_wflw_256x256_softwingloss': (*DEEPPOSE, 'SoftWingLoss', 'wflw'),
    f'{HM_0}/300w/hrnetv2_w18_300w_256x256': (*V2_15, '300w'),
    f'{HM_0}/300w/hrnetv2_w18_300w_256x256_dark': (*V2_DARK, '300w'),
    f'{HM_0}/300w/res50_300w_256x256': (*SIMPLE, '300w'),
    f'{HM_0}/aflw/hrnetv2_w18_aflw_256x256': (*V2, 'aflw'),
    f'{HM_0}/aflw/hrnetv2_w18_aflw_256x256_dark': (*V2_DARK, 'aflw'),
    f'{HM_0}/aflw/res50_aflw_256x256': (*SIMPLE, 'aflw'),
    f'{HM_0}/cofw/hrnetv2_w18_cofw_256x256': (*V2_15, 'cofw'),
    f'{HM_0}/cofw/hrnetv2_w18_cofw_256x256_dark': (*V2_DARK, 'cofw'),
    f'{HM_0}/cofw/res50_cofw_256x256': (*SIMPLE, 'cofw'),
    f'{HM_0}/wflw/hrnetv2_w18_wflw_256x256': (*V2, 'wflw'),
    f'{HM_0}/wflw/hrnetv2_w18_wflw_256x256_awing': (HRNET, CONVS, MSRA, AWING, 'wflw'),
    f'{HM_0}/wflw/hrnetv2_w18_wflw_256x256_dark': (*V2_DARK, 'wflw'),
    f'{HM_0}/wflw/res50_wflw_256x256': (*SIMPLE, 'wflw'),
    f'{HM_0}/{COCO}/hourglass52_coco_wholebody_face_256x256': (*HOURGLASS, COCO),
    f'{HM_0}/{COCO}/hrnetv2_w18_coco_wholebody_face_256x256': (*V2, COCO),
    f'{HM_0}/{COCO}/hrnetv2_w18_coco_wholebody_face_256x256_dark': (*V2_DARK, COCO),
    f'{HM_0}/{COCO}/mobilenetv2_coco_wholebody_face_256x256': (MOBILE, DECONVS, MSRA, MSE, COCO),
    f'{HM_0}/{COCO}/res50_coco_wholebody_face_256x256': (*SIMPLE, COCO),
    f'{HM_0}/{COCO}/scnet50_coco_wholebody_face_256x256': (SCNET, DECONVS, MSRA, MSE, COCO),
}
OTHER_NAMES = {
    'td-hm_hrnetv2-w18_dark-8xb64-60e_wflw-256x256': 'hrnetv2_w18_wflw_dark',
    'td-reg_res50_8x64e-210e_wflw-256x256': 'deeppose_r50_wflw',
    'topdown_heatmap_hrnetv2_w18_wflw_256x256': 'hrnetv2_w18_wflw',
    'topdown_heatmap_res50_wflw_256x256': 'res50_wflw',
    'deeppose_res50_wflw_256x256': 'deeppose_r50_wflw',
    'deeppose_res50_wflw_256x256_wingloss': 'deeppose_r50_wflw_wing',
    'face--2d_kpt_sview_rgb_img--deeppose--wflw--res50_wflw_256x256': 'deeppose_r50_wflw',
    'configs/face/resnet/wflw/res50_wflw_256x256.py': 'res50_wflw',
    'configs/face/darkpose/cofw/hrnetv2_w18_cofw_256x256_dark.py': 'hrnetv2_w18_cofw_dark',
    'topdown_heatmap/face_coco_wholebody/scnet50_face_coco_wholebody_256x256.py': 'scnet50_coco_wholebody_face',
    'deeppose/wflw/res50_wflw_256x256': 'deeppose_r50_wflw',
    'face': 'rtmpose_m_face6',
    'pose_hrnetv2_w18': 'hrnetv2_w18_wflw',
    'deeppose_res50_wingloss': 'deeppose_r50_wflw_wing',
    'HR18-WFLW': 'hrnet_w18_wflw_orig',
    'HR18-300W.pth': 'hrnet_w18_300w_orig',
    'WFLW_4HG': 'awing_hg4_wflw',
    'experiments/cofw/face_alignment_cofw_hrnet_w18.yaml': 'hrnet_w18_cofw_orig',
}
FORMS = {  # the ways in which a path may be given
    'from the root of MMPose': 'configs/{}.py',
    'below configs': '{}.py',
    'without suffix': 'configs/{}',
    'absolute': '/home/user/mmpose/configs/{}.py',
    'of the package': 'mmpose::{}.py',
    'in the package': '/venv/site-packages/mmpose/.mim/configs/{}.py',
    'from another folder': '../../mmpose/configs/{}.py',
}


@pytest.mark.parametrize('path', PUBLISHED)
def test_a_path_of_mmpose_gives_its_network(path: str) -> None:
    (network, arguments), head, codec, loss, markup = PUBLISHED[path]
    config = load_config(f'configs/{path}.py').to_dict()
    model = config['model']
    name, convs, deconvs = head if isinstance(head, tuple) else (head, 0, 0)
    assert (model['backbone']['type'], model['head']['type'], model['loss']['type']) == (network, name, loss)
    assert arguments.items() <= model['backbone'].items() and codec.items() <= model['codec'].items()
    assert (model['head'].get('convs', 0), model['head'].get('deconvs', 0)) == (convs, deconvs)
    assert (model.get('markup', 'wflw'), model['size'], model['flip_test']) == (markup, 256, True)
    assert config['train_dataloader']['dataset']['markup'] == markup


def test_the_table_has_the_45_files() -> None:
    assert len(PUBLISHED) == 45 and set(PUBLISHED) <= set(PATHS)


@pytest.mark.parametrize('form', FORMS)
def test_a_path_may_be_given_in_several_ways(form: str) -> None:
    for path in PUBLISHED:
        given = FORMS[form].format(path)
        assert our_name(given) == our_name(given.replace('/', '\\')) == PATHS[path]


@pytest.mark.parametrize(('theirs', 'ours'), OTHER_NAMES.items())
def test_a_published_name_is_known(theirs: str, ours: str) -> None:
    assert our_name(theirs) == our_name(Path(theirs)) == ours


@pytest.mark.fault('Q01')
@pytest.mark.parametrize('path', PUBLISHED)
def test_a_name_alone_gives_the_same_or_is_refused(path: str) -> None:
    name = Path(path).name
    if name != 'res50_wflw_256x256':  # the one name that 0.x gave to two networks
        assert our_name(name) == PATHS[path]
        return
    with pytest.raises(UnknownName) as error:
        find_config(name)
    assert 'deeppose/wflw' in str(error.value) and 'topdown_heatmap/wflw' in str(error.value)


@pytest.mark.fault('Q02')
@pytest.mark.parametrize(
    'path',
    [
        'configs/face/2d_kpt_sview_rgb_img/deeppose/300w/res50_300w_256x256.py',
        'configs/face/2d_kpt_sview_rgb_img/deeppose/face_coco_wholebody/res50_face_coco_wholebody_256x256.py',
        'configs/hand/2d_kpt_sview_rgb_img/topdown_heatmap/wflw/res50_wflw_256x256.py',
        'experiments/td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256.py',
        'mine/hrnetv2_w18_wflw.py',
        'data/face',
    ],
)
def test_a_path_with_other_folders_is_another_config(path: str) -> None:
    with pytest.raises(UnknownName):
        find_config(path)


def test_every_alias_means_an_existing_config() -> None:
    assert {*PATHS.values(), *KNOWN_NAMES.values()} <= set(config_names())


def test_the_page_on_moving_lists_every_name_of_mmpose_1() -> None:
    page = (Path(__file__).parents[2] / 'docs' / 'moving.md').read_text(encoding='utf-8')
    rows = dict(re.findall(r'^\| `([\w-]+-256x256)`(?: \(`face`\))? \| `(\w+)` \|$', page, re.M))
    assert rows == {Path(path).name: PATHS[path] for path in PUBLISHED if path.startswith('face_2d_keypoint')}


def test_names_of_facelmk_are_no_aliases() -> None:
    assert not [name for name in config_names() if our_name(name)]
    assert our_name('res50_coco_256x256') is None and our_name('td-hm_hrnet-w32_8xb64-210e_coco-256x192') is None


def test_the_log_names_the_config(caplog: pytest.LogCaptureFixture) -> None:
    theirs = f'configs/{HM_1}/wflw/td-hm_hrnetv2-w18_dark-8xb64-60e_wflw-256x256.py'
    with caplog.at_level(logging.WARNING):
        assert load_config(theirs).model.codec.refine == 'dark'
    assert theirs in caplog.text and 'hrnetv2_w18_wflw_dark' in caplog.text


def test_a_misspelt_alias_suggests_the_right_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'rtmpose-m_8xb64-60e_wflw-256x256'"):
        find_config('rtmpose-m_8xb64-60e_wlfw-256x256')


@pytest.mark.parametrize('kind', ["type='TopDown'", "type = 'TopDown'", 'type="TopDown"'])
def test_a_file_of_mmpose_0_is_refused_with_the_config_to_use(kind: str, tmp_path: Path) -> None:
    path = tmp_path / 'configs' / f'{HM_0}/wflw/res50_wflw_256x256.py'
    path.parent.mkdir(parents=True)
    path.write_text(f'model = dict({kind}, pretrained=None)\n')
    with pytest.raises(FacelmkError) as error:
        load_config(path)
    assert f'({kind})' in str(error.value) and ' res50_wflw ' in str(error.value) and error.value.exit_code == 2
    other = path.rename(tmp_path / 'mine.py')
    with pytest.raises(FacelmkError, match='facelmk config show NAME'):
        load_config(other)


def test_a_config_based_on_one_of_mmpose_0_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / 'theirs.py').write_text("model = dict(type='TopDown')\n")
    (tmp_path / 'mine.py').write_text("_base_ = ['theirs.py']\ntotal_epochs = 3\n")
    with pytest.raises(FacelmkError, match=r'theirs\.py is a config of MMPose') as error:
        load_config(tmp_path / 'mine.py')
    assert error.value.exit_code == 2
