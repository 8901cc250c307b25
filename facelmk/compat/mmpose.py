"""MMPose's init_model and inference_topdown (mmpose.apis)."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine import Config
from mmengine.structures import BaseDataElement, InstanceData
from numpy.typing import ArrayLike

from ..config import load_config
from ..errors import FacelmkError
from ..inference import Predictor, load
from ..inference.boxes import FULL, as_boxes
from ..models import FaceLandmarker
from .devices import device_or_cpu


def init_model(
    config: str | Path | Config,
    checkpoint: str | Path | None = None,
    device: str | torch.device = 'cuda:0',
    cfg_options: dict[str, Any] | None = None,
) -> FaceLandmarker:
    """The network of a config, ready to predict, with its config as `.cfg`; without `checkpoint` it is untrained.

    Without a GPU the CPU is used, with a warning.
    """
    if isinstance(config, Config):
        config.merge_from_dict(cfg_options or {})
    else:
        config = load_config(config, cfg_options)
    model = load(config, checkpoint, device_or_cpu(device), pretrained=False).landmarker
    model.cfg = config
    model.dataset_meta = dict(
        dataset_name=model.markup.name, num_keypoints=model.markup.size, flip_indices=model.markup.mirror.tolist()
    )
    return model


def inference_topdown(
    model: FaceLandmarker, img: Any, bboxes: ArrayLike | None = None, bbox_format: str = 'xyxy'
) -> list[BaseDataElement]:
    """One sample for each box (N, 4). `.pred_instances` has keypoints (1, K, 2), keypoint_scores (1, K), bboxes (1, 4).

    Without boxes, the box is the whole picture.
    """
    if bbox_format not in ('xyxy', 'xywh'):
        raise FacelmkError(f"bbox_format={bbox_format!r}. Expected 'xyxy' or 'xywh'")
    boxes = as_boxes([] if bboxes is None else bboxes)
    if bbox_format == 'xywh':
        boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    (faces,) = Predictor(model, model.cfg).stream([img], [boxes if len(boxes) else FULL])
    samples = []
    for face in faces:
        samples.append(BaseDataElement())
        samples[-1].pred_instances = InstanceData(
            keypoints=face.landmarks[None],
            keypoint_scores=face.scores[None],
            bboxes=face.box[None],
            bbox_scores=np.ones(1, np.float32),
        )
    return samples
