"""The names that MMPose, the original HRNet and Adaptive Wing have for the configs of facelmk."""

import re
from collections.abc import Iterable
from pathlib import Path

from ..config.foreign import ConfigFormat
from ..errors import FacelmkError
from ..registry import CONFIG_FORMATS

_WFLW, _DATASETS = 'wflw-256x256', ('300w', 'aflw', 'cofw', 'wflw')
_WHOLEBODY = ('hourglass52', 'hrnetv2-w18', 'mobilenetv2', 'res50', 'scnet50')

MMPOSE_1 = {  # stems of configs/face_2d_keypoint/*/*/*.py
    **{f'td-hm_hrnetv2-w18_8xb64-60e_{data}-256x256': f'hrnetv2_w18_{data}' for data in (*_DATASETS, '300wlp')},
    f'td-hm_hrnetv2-w18_dark-8xb64-60e_{_WFLW}': 'hrnetv2_w18_wflw_dark',
    f'td-hm_hrnetv2-w18_awing-8xb64-60e_{_WFLW}': 'hrnetv2_w18_wflw_awing',
    'td-hm_hrnetv2-w18_dark-8xb64-60e_aflw-256x256': 'hrnetv2_w18_aflw_dark',
    **{
        f'td-hm_{net}_8xb32-60e_coco-wholebody-face-256x256': f'{net.replace("-", "_")}_coco_wholebody_face'
        for net in _WHOLEBODY
    },
    'td-hm_hrnetv2-w18_dark-8xb32-60e_coco-wholebody-face-256x256': 'hrnetv2_w18_coco_wholebody_face_dark',
    f'td-reg_res50_8xb64-210e_{_WFLW}': 'deeppose_r50_wflw',
    f'td-reg_res50_8x64e-210e_{_WFLW}': 'deeppose_r50_wflw',
    f'td-reg_res50_wingloss_8xb64-210e_{_WFLW}': 'deeppose_r50_wflw_wing',
    f'td-reg_res50_softwingloss_8xb64-210e_{_WFLW}': 'deeppose_r50_wflw_softwing',
    **{f'rtmpose-{size}_8xb256-120e_face6-256x256': f'rtmpose_{size}_face6' for size in 'tsm'},
    f'rtmpose-m_8xb64-60e_{_WFLW}': 'rtmpose_m_wflw',
    'rtmpose-m_8xb64-120e_lapa-256x256': 'rtmpose_m_lapa',
    'rtmpose-m_8xb32-60e_coco-wholebody-face-256x256': 'rtmpose_m_coco_wholebody_face',
    'face': 'rtmpose_m_face6',  # as MMPoseInferencer('face') calls it
}
MMPOSE_0 = {  # stems of configs/face/*/*/*/*.py, some of them renamed between the releases
    **{f'hrnetv2_w18_{data}_256x256': f'hrnetv2_w18_{data}' for data in _DATASETS},
    'hrnetv2_w18_wflw_256x256_dark': 'hrnetv2_w18_wflw_dark',
    'hrnetv2_w18_wflw_256x256_awing': 'hrnetv2_w18_wflw_awing',
    'hrnetv2_w18_aflw_256x256_dark': 'hrnetv2_w18_aflw_dark',
    **{
        f'{net.replace("-", "_")}_{data}_256x256': f'{net.replace("-", "_")}_coco_wholebody_face'
        for net in _WHOLEBODY
        for data in ('coco_wholebody_face', 'face_coco_wholebody')
    },
    'hrnetv2_w18_coco_wholebody_face_256x256_dark': 'hrnetv2_w18_coco_wholebody_face_dark',
    'hrnetv2_w18_face_coco_wholebody_256x256_dark': 'hrnetv2_w18_coco_wholebody_face_dark',
    **{
        f'res50_wflw_256x256{theirs}': f'deeppose_r50_wflw{ours}'
        for theirs, ours in {'': '', '_wingloss': '_wing', '_softwingloss': '_softwing'}.items()
    },
}
ARCHITECTURES = {  # first columns of result tables, and names of checkpoint files
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
    **{f'hr18-{data}': f'hrnet_w18_{data}_orig' for data in _DATASETS},
    **{f'face_alignment_{data}_hrnet_w18': f'hrnet_w18_{data}_orig' for data in _DATASETS},
    **{f'{data}_4hg': f'awing_hg4_{data}' for data in _DATASETS},
}
ALIASES = MMPOSE_1 | MMPOSE_0 | ARCHITECTURES
# MMPose 0.x put the kind of network before the name; older releases the folders: face--...--res50_wflw_256x256
_PREFIX = re.compile(r'^(.*--|topdown_heatmap_|deeppose_(?=res50_\w+_256x256))')
_MMPOSE_MODEL = re.compile(r'\btype\s*=\s*[\'"]?(TopdownPoseEstimator|TopDown)\b')


def our_name(source: str | Path) -> str | None:
    """The config of facelmk that another project has under this path or name; None if there is none."""
    stem = re.sub(r'\.(py|ya?ml|pth|pt)$', '', Path(source).name.lower())
    return ALIASES.get(stem) or ALIASES.get(_PREFIX.sub('', stem))


@CONFIG_FORMATS.register_module()
class NamesOfOthers(ConfigFormat):
    """Config names of MMPose, the original HRNet and Adaptive Wing; MMPose's own files are refused."""

    def names(self) -> Iterable[str]:
        return ALIASES

    def our_name(self, name: str | Path) -> str | None:
        return our_name(name)

    def refuse(self, path: Path, text: str) -> None:
        """Refuse one of MMPose's own config files, which are programs for MMPose's parts; name the config to use."""
        if path.suffix == '.py' and (match := _MMPOSE_MODEL.search(text)):
            ours = our_name(path)
            advice = (
                f'Give {ours} in its place: the same data, network and schedule'
                if ours
                else 'Start from a similar config here (facelmk config show NAME)'
            )
            raise FacelmkError(
                f'{path} is a config of MMPose ({match[0]}), whose format is not read here. {advice}. Put your own '
                'changes into a config based on it or behind --cfg-options; docs/moving.md lists the names'
            )

    def replacement(self, name: str) -> str | None:
        from .mmpose_datasets import STEPS  # imports all data sets, which only this error needs

        return f'{name} is a part of MMPose. The same here: {STEPS[name]}.' if name in STEPS else None
