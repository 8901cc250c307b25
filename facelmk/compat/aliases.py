"""The names that MMPose, the original HRNet and Adaptive Wing have for the configs of facelmk.

A path is looked up with its folders: in MMPose 0.x, `deeppose/wflw/` and `topdown_heatmap/wflw/` hold files of the same
name for two networks.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..config.foreign import ConfigFormat
from ..errors import UnknownName
from ..registry import CONFIG_FORMATS

Row = tuple[str, str]  # a path or name of the other project, without suffix, and the config of facelmk

_WFLW, _COCO = 'wflw-256x256', 'coco-wholebody-face-256x256'
_FOUR = ('300w', 'aflw', 'cofw', 'wflw')
_NETS = ('hourglass52', 'hrnetv2-w18', 'mobilenetv2', 'res50', 'scnet50')  # those trained on COCO-WholeBody-Face
_KINDS_OF_HEATMAPS = ('resnet', 'hrnetv2', 'darkpose', 'topdown_hm')  # folders of releases before 0.16


def _heatmaps_1() -> Iterator[Row]:
    for data in (*_FOUR, '300wlp'):
        yield f'{data}/td-hm_hrnetv2-w18_8xb64-60e_{data}-256x256', f'hrnetv2_w18_{data}'
    for data in ('aflw', 'wflw'):
        yield f'{data}/td-hm_hrnetv2-w18_dark-8xb64-60e_{data}-256x256', f'hrnetv2_w18_{data}_dark'
    yield f'wflw/td-hm_hrnetv2-w18_awing-8xb64-60e_{_WFLW}', 'hrnetv2_w18_wflw_awing'
    for net in _NETS:
        ours = f'{net.replace("-", "_")}_coco_wholebody_face'
        yield f'coco_wholebody_face/td-hm_{net}_8xb32-60e_{_COCO}', ours
    yield f'coco_wholebody_face/td-hm_hrnetv2-w18_dark-8xb32-60e_{_COCO}', 'hrnetv2_w18_coco_wholebody_face_dark'


def _regression_1() -> Iterator[Row]:
    for theirs, ours in {'': '', 'wingloss_': '_wing', 'softwingloss_': '_softwing'}.items():
        yield f'wflw/td-reg_res50_{theirs}8xb64-210e_{_WFLW}', f'deeppose_r50_wflw{ours}'
    yield f'wflw/td-reg_res50_8x64e-210e_{_WFLW}', 'deeppose_r50_wflw'  # its name in the metafile


def _rtmpose_1() -> Iterator[Row]:
    for size in 'tsm':
        yield f'face6/rtmpose-{size}_8xb256-120e_face6-256x256', f'rtmpose_{size}_face6'
    yield f'wflw/rtmpose-m_8xb64-60e_{_WFLW}', 'rtmpose_m_wflw'
    yield 'lapa/rtmpose-m_8xb64-120e_lapa-256x256', 'rtmpose_m_lapa'
    yield f'coco_wholebody_face/rtmpose-m_8xb32-60e_{_COCO}', 'rtmpose_m_coco_wholebody_face'


def _heatmaps_0() -> Iterator[Row]:
    for data in _FOUR:
        yield f'{data}/hrnetv2_w18_{data}_256x256', f'hrnetv2_w18_{data}'
        yield f'{data}/hrnetv2_w18_{data}_256x256_dark', f'hrnetv2_w18_{data}_dark'
        yield f'{data}/res50_{data}_256x256', f'res50_{data}'
    yield 'wflw/hrnetv2_w18_wflw_256x256_awing', 'hrnetv2_w18_wflw_awing'
    for data in ('coco_wholebody_face', 'face_coco_wholebody'):  # before and since 0.19
        for net in (net.replace('-', '_') for net in _NETS):
            yield f'{data}/{net}_{data}_256x256', f'{net}_coco_wholebody_face'
        yield f'{data}/hrnetv2_w18_{data}_256x256_dark', 'hrnetv2_w18_coco_wholebody_face_dark'


def _deeppose_0() -> Iterator[Row]:
    for theirs, ours in {'': '', '_wingloss': '_wing', '_softwingloss': '_softwing'}.items():
        for name in ('res50', 'deeppose_res50'):  # the second one before 0.16
            yield f'wflw/{name}_wflw_256x256{theirs}', f'deeppose_r50_wflw{ours}'


def _below(folder: str, rows: Iterable[Row]) -> dict[str, str]:
    return {f'{folder}/{path}': ours for path, ours in rows}


MMPOSE_1 = {  # paths below `configs/`
    **_below('face_2d_keypoint/topdown_heatmap', _heatmaps_1()),
    **_below('face_2d_keypoint/topdown_regression', _regression_1()),
    **_below('face_2d_keypoint/rtmpose', _rtmpose_1()),
}
MMPOSE_0 = {
    **_below('face/2d_kpt_sview_rgb_img/topdown_heatmap', _heatmaps_0()),
    **_below('face/2d_kpt_sview_rgb_img/deeppose', _deeppose_0()),
}
NAMES = {  # of MMPose's metafiles, of its result tables, and of checkpoint files
    'face': 'rtmpose_m_face6',  # as MMPoseInferencer('face') calls it
    **{f'topdown_heatmap_{path.rpartition("/")[2]}': ours for path, ours in _heatmaps_0()},
    'pose_hrnetv2_w18': 'hrnetv2_w18_wflw',
    'pose_hrnetv2_w18_dark': 'hrnetv2_w18_wflw_dark',
    'pose_hrnetv2_w18_awing': 'hrnetv2_w18_wflw_awing',
    'deeppose_res50': 'deeppose_r50_wflw',
    'deeppose_res50_wingloss': 'deeppose_r50_wflw_wing',
    'deeppose_res50_softwingloss': 'deeppose_r50_wflw_softwing',
    'pose_res_50': 'res50_coco_wholebody_face',
    'pose_scnet_50': 'scnet50_coco_wholebody_face',
    'pose_mobilenetv2': 'mobilenetv2_coco_wholebody_face',
    'pose_hourglass_52': 'hourglass52_coco_wholebody_face',
    'pose_rtmpose_m': 'rtmpose_m_wflw',
    'pose_rtmpose_s': 'rtmpose_s_face6',
    'pose_rtmpose_t': 'rtmpose_t_face6',
    **{f'hr18-{data}': f'hrnet_w18_{data}_orig' for data in _FOUR},
    **{f'{data}_4hg': f'awing_hg4_{data}' for data in _FOUR},
}
HRNET = {f'experiments/{data}/face_alignment_{data}_hrnet_w18': f'hrnet_w18_{data}_orig' for data in _FOUR}
PATHS = MMPOSE_1 | MMPOSE_0 | HRNET

_SAME_FOLDER = dict.fromkeys(_KINDS_OF_HEATMAPS, 'topdown_heatmap')
_LEFT_OUT = {'', '.', '..', '2d_kpt_sview_rgb_img', '2d_kpt_sv_rgb_img'}  # the folder that 0.16 put below `face`


def candidates(source: str | Path) -> dict[str, str]:
    """The paths and names of other projects that `source` may mean, and their configs.

    Of a path, the folders must agree as far as both have them; `--` separates the folders in names of old releases.
    """
    *folders, stem = _split(source)
    if not folders and stem in NAMES:
        return {stem: NAMES[stem]}
    rows = {path: ours for path, ours in PATHS.items() if path.rpartition('/')[2] == stem}
    return {path: ours for path, ours in rows.items() if _agree(folders, _split(path)[:-1])}


def _split(source: str | Path) -> list[str]:
    """The folders below `configs/` and the name without its suffix, in lower case."""
    text = str(source).replace('\\', '/').replace('--', '/').lower().removeprefix('mmpose::')
    parts = re.sub(r'\.(py|ya?ml|pth|pt)$', '', text).split('/')
    if 'configs' in parts:
        parts = parts[len(parts) - parts[::-1].index('configs') :]
    return [_SAME_FOLDER.get(part, part) for part in parts if part not in _LEFT_OUT] or ['']


def _agree(folders: list[str], known: list[str]) -> bool:
    count = min(len(folders), len(known))
    return not count or folders[-count:] == known[-count:]


def our_name(source: str | Path) -> str | None:
    """The config of facelmk that another project has under this path or name; None if there is none."""
    found = candidates(source)
    if len(set(found.values())) > 1:
        choices = ', '.join(f'configs/{path}.py (here {ours})' for path, ours in found.items())
        raise UnknownName(f'{source} is the name of several configs of MMPose. Give the path or our name: {choices}')
    return next(iter(found.values()), None)


@CONFIG_FORMATS.register_module()
class NamesOfOthers(ConfigFormat):
    """Config names of MMPose, the original HRNet and Adaptive Wing."""

    def names(self) -> Iterable[str]:
        return [*NAMES, *PATHS, *{path.rpartition('/')[2] for path in PATHS}]

    def our_name(self, name: str | Path) -> str | None:
        return our_name(name)
