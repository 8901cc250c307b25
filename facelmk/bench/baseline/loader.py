"""The training pipeline of MMPose 1.3.x for WFLW, operation by operation, and that of albumentations.

Load, box to centre and scale, mirrored view, random scale and rotation, warp, heatmaps of the Gaussian codec, pack.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from ...markups import MARKUPS
from .codec import gaussians_around_cells

SIZE, MAP_SIZE, SIGMA, PADDING = 256, 64, 2.0, 1.25
ROTATE, SCALE, ROTATE_PROB = 60.0, 0.25, 0.6
MIRROR = MARKUPS['wflw'].mirror
Faces = Sequence[tuple[str, NDArray, NDArray]]  # path, box (4,), landmarks (98, 2)


class PlainPipeline(Dataset):
    """Samples as the steps of MMPose make them."""

    def __init__(self, faces: Faces) -> None:
        self.faces = faces

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, index: int) -> dict[str, Any]:
        path, box, landmarks = self.faces[index]
        image = cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        centre, scale = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * PADDING
        points = landmarks.copy()
        if np.random.rand() < 0.5:
            image = np.flip(image, axis=1)  # mmcv.imflip: a view, which the warp has to copy
            centre = np.array([image.shape[1] - 1 - centre[0], centre[1]])
            points = points[MIRROR]
            points[:, 0] = image.shape[1] - 1 - points[:, 0]
        factor = _truncated_normal() * SCALE + 1
        degrees = _truncated_normal() * ROTATE if np.random.rand() < ROTATE_PROB else 0.0
        matrix = _warp_matrix(centre, np.full(2, scale.max()) * factor, degrees)
        crop = cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
        points = cv2.transform(points[None], matrix)[0]
        heatmaps, weights = gaussian_heatmaps(points)
        return {
            'inputs': torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1))),
            'data_samples': {
                'heatmaps': torch.from_numpy(heatmaps),
                'weights': torch.from_numpy(weights),
                'points': points,
                'path': path,
            },
        }


def _truncated_normal() -> float:
    """Return a normal number cut at one sigma."""
    while True:
        number = float(np.random.standard_normal())
        if abs(number) <= 1:
            return number


def _warp_matrix(centre: NDArray, scale: NDArray, degrees: float) -> NDArray:
    """Return the matrix (2, 3) from three points, as mmpose.structures.bbox.get_warp_matrix."""
    angle = np.deg2rad(degrees)
    direction = scale[0] * np.array([np.sin(angle), -np.cos(angle)]) * -0.5
    source = np.array([centre, centre - direction, centre - direction + _turned(direction)], np.float32)
    target = np.array([[SIZE / 2, SIZE / 2], [SIZE / 2, 0], [0, 0]], np.float32)
    return cv2.getAffineTransform(source, target)


def _turned(direction: NDArray) -> NDArray:
    return np.array([-direction[1], direction[0]])


def gaussian_heatmaps(points: NDArray) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return heatmaps (K, 64, 64) and weights (K,), as mmpose.codecs.utils.generate_gaussian_heatmaps."""
    visible = np.ones((1, len(points)), np.float32)
    maps, weights = gaussians_around_cells((MAP_SIZE, MAP_SIZE), points[None] * MAP_SIZE / SIZE, visible, SIGMA)
    return maps, weights[0]


def stack(samples: Sequence[dict[str, Any]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the pictures and targets of a batch, as the preprocessor and the head stack them."""
    maps = [sample['data_samples']['heatmaps'] for sample in samples]
    return torch.stack([sample['inputs'] for sample in samples]), torch.stack(maps)


class MMPosePipeline(Dataset):
    """Samples of MMPose's own classes, with the pipeline of its config for HRNetV2-W18 on WFLW."""

    def __init__(self, faces: Faces) -> None:
        import mmpose
        from mmengine import Config
        from mmengine.dataset import Compose
        from mmengine.registry import DefaultScope
        from mmpose.utils import register_all_modules

        register_all_modules(init_default_scope=False)
        folder = Path(mmpose.__file__).parent / '.mim/configs/face_2d_keypoint/topdown_heatmap/wflw'
        config = Config.fromfile(folder / 'td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256.py')
        with DefaultScope.overwrite_default_scope('mmpose'):
            self.pipeline = Compose(config.train_pipeline)
        self.faces = faces

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, index: int) -> Any:
        path, box, landmarks = self.faces[index]
        count = len(landmarks)
        return self.pipeline(
            dict(
                img_path=path,
                img_id=index,
                id=index,
                bbox=box[None].copy(),
                bbox_score=np.ones(1, np.float32),
                num_keypoints=count,
                keypoints=landmarks[None].copy(),
                keypoints_visible=np.ones((1, count), np.float32),
                flip_indices=MIRROR.tolist(),
            )
        )


def stack_mmpose(samples: Sequence[dict[str, Any]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the pictures and targets of a batch of MMPose."""
    maps = [sample['data_samples'].gt_fields.heatmaps for sample in samples]
    return torch.stack([sample['inputs'] for sample in samples]), torch.stack(maps)


class AlbumentationsPipeline(Dataset):
    """The same augmentation by albumentations, on the square around the face: mirror, turn, scale, resize."""

    def __init__(self, faces: Faces) -> None:
        import albumentations

        self.faces = faces
        self.compose: Callable[..., dict[str, Any]] = albumentations.Compose(
            [
                albumentations.HorizontalFlip(p=0.5),
                albumentations.Affine(rotate=(-ROTATE, ROTATE), scale=(1 - SCALE, 1 + SCALE), p=1),
                albumentations.Resize(SIZE, SIZE),
            ],
            keypoint_params=albumentations.KeypointParams('xy', remove_invisible=False),
        )

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, index: int) -> dict[str, Any]:
        path, box, landmarks = self.faces[index]
        image = cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max() * PADDING / 2
        low = np.maximum(np.round(centre - half).astype(int), 0)
        right, bottom = np.minimum(np.round(centre + half).astype(int), (image.shape[1], image.shape[0]))
        crop = np.ascontiguousarray(image[low[1] : bottom, low[0] : right])
        made = self.compose(image=crop, keypoints=landmarks - low)
        return {
            'inputs': torch.from_numpy(np.ascontiguousarray(made['image'].transpose(2, 0, 1))),
            'points': torch.from_numpy(np.asarray(made['keypoints'], np.float32)),
        }
