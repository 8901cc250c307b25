"""Config files in the form that MMPose 1.x gives its face configs, as a user writes them."""

from pathlib import Path
from typing import Any

from mmpose_texts import (
    ADAM,
    ADAMW,
    DECONV_HEAD,
    HRNET,
    HRNET_HEAD,
    LOADERS,
    PIXELS,
    REGRESSION,
    RTMPOSE,
    RUNTIME,
    TRAIN_STEPS,
    TRANSFORM,
    TWO_STAGES,
    VAL_STEPS,
)

MSRA = "type='MSRAHeatmap', input_size=(256, 256), heatmap_size=(64, 64), sigma={sigma}"
CSPNEXT = 'https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/cspnext-m_udp-aic-coco_210e-256x192-f2f7d6f6_20230130.pth'
SETS: dict[str, dict[str, Any]] = {
    'wflw': dict(
        kind='WFLWDataset', root='data/wflw/', train='face_landmarks_wflw_train', val='face_landmarks_wflw_test'
    ),
    '300w': dict(
        kind='Face300WDataset', root='data/300w/', train='face_landmarks_300w_train', val='face_landmarks_300w_valid'
    ),
    'aflw': dict(
        kind='AFLWDataset',
        root='data/aflw/',
        train='face_landmarks_aflw_train',
        val='face_landmarks_aflw_test',
        norm="norm_mode='use_norm_item', norm_item='bbox_size'",
    ),
    'cofw': dict(kind='COFWDataset', root='data/cofw/', train='cofw_train', val='cofw_test'),
}
POINTS = {'wflw': 98, '300w': 68, 'aflw': 19, 'cofw': 29}


def loaders(data: str, workers: int = 2, **options: Any) -> str:
    """The loaders and metrics of a data set."""
    usual = dict(folder='images/', batch=64, workers=workers, norm="norm_mode='keypoint_distance'")
    return LOADERS.format(**(usual | SETS[data] | options), persistent=workers > 0)


def heatmap(
    data: str = 'wflw', sigma: float = 2, loss: str = 'KeypointMSELoss', codec: str = '', **options: Any
) -> str:
    """HRNetV2-W18 with heatmaps."""
    model = f'{PIXELS}{HRNET}{HRNET_HEAD.format(points=POINTS[data], loss=loss)}'
    return _file(MSRA.format(sigma=sigma) + codec, model, TRAIN_STEPS.format(transform=TRANSFORM), data, **options)


def resnet(data: str = 'wflw', **options: Any) -> str:
    """ResNet-50 with three deconvolutions and heatmaps."""
    start = "init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')"
    head = DECONV_HEAD.format(channels=2048, points=POINTS[data])
    model = f"{PIXELS}\n    backbone=dict(type='ResNet', depth=50, {start}),{head}"
    return _file(MSRA.format(sigma=2), model, TRAIN_STEPS.format(transform=TRANSFORM), data, **options)


def regression(
    loss: str = 'SmoothL1Loss', depth: int = 50, channels: int = 2048, size: int = 256, start: str = '', **options: Any
) -> str:
    """DeepPose."""
    start = start or "dict(type='Pretrained', checkpoint='torchvision://resnet50')"
    model = PIXELS + REGRESSION.format(depth=depth, channels=channels, points=98, loss=loss, start=start)
    steps = TRAIN_STEPS.format(transform='scale_factor=[0.75, 1.25], rotate_factor=60')
    codec = f"type='RegressionLabel', input_size=({size}, {size})"
    schedule = ADAM.format(epochs=210, every=10, rate='5e-4', steps=[170, 200])
    return _file(codec, model, steps, 'wflw', schedule=schedule, **options)


def rtmpose(**options: Any) -> str:
    """RTMPose-m."""
    codec = "type='SimCCLabel', input_size=(256, 256), sigma=(5.66, 5.66), simcc_split_ratio=2.0, normalize=False, "
    model = PIXELS + RTMPOSE.format(points=98, start=CSPNEXT)
    steps = "\nbackend_args = dict(backend='local')" + TWO_STAGES
    return _file(codec + 'use_dark=False', model, steps, 'wflw', schedule=ADAMW, **options)


def _file(codec: str, model: str, steps: str, data: str, schedule: str = '', **options: Any) -> str:
    schedule = schedule or ADAM.format(epochs=60, every=1, rate='2e-3', steps=[40, 55])
    parts = [
        "_base_ = ['../../_base_/default_runtime.py']",
        schedule,
        f'codec = dict({codec})',
        f"model = dict(\n    type='TopdownPoseEstimator',{model}\n)",
        steps,
        VAL_STEPS,
        loaders(data, **options),
    ]
    return '\n'.join(parts)


def write(folder: Path, text: str, name: str = 'mine.py') -> Path:
    """Write a config into configs/face/, and the runtime that it is based on beside it, as in a clone of MMPose."""
    for path, content in ((folder / '_base_/default_runtime.py', RUNTIME), (folder / 'configs/face' / name, text)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder / 'configs/face' / name
