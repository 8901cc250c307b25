"""Annotations as MMPose 1.3 holds them: a dict for each face, pickled into one array by mmengine's BaseDataset."""

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np

PIXEL_STD = 200.0


class PickledFaces:
    """The faces of a COCO-style json, as `WFLWDataset(ann_file=...)` of MMPose keeps them."""

    def __init__(self, file: Path) -> None:
        content = json.loads(file.read_text())
        images = {image['id']: image for image in content['images']}
        texts = [_serialise(_face(face, images[face['image_id']])) for face in content['annotations']]
        self.addresses = np.cumsum([len(text) for text in texts])
        self.bytes = np.concatenate(texts)

    def __len__(self) -> int:
        return len(self.addresses)

    def face(self, index: int) -> dict[str, Any]:
        """Return a face, unpickled and copied as `get_data_info` does."""
        start = 0 if index == 0 else self.addresses[index - 1].item()
        face = pickle.loads(memoryview(self.bytes[start : self.addresses[index].item()]))  # type: ignore[arg-type]
        return copy.deepcopy(face | {'sample_idx': index})


def _serialise(face: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(pickle.dumps(face, protocol=4), np.uint8)


def _face(face: dict[str, Any], image: dict[str, Any]) -> dict[str, Any]:
    keypoints = np.array(face['keypoints'], np.float32).reshape(1, -1, 3)
    center = np.array([face['center']], np.float32)
    scale = np.array([[face['scale'], face['scale']]], np.float32) * PIXEL_STD
    return {
        'img_id': face['image_id'],
        'img_path': image['file_name'],
        'bbox': np.concatenate([center - scale / 2, center + scale / 2], 1),
        'bbox_center': center,
        'bbox_scale': scale,
        'bbox_score': np.ones(1, np.float32),
        'num_keypoints': len(face['keypoints']) // 3,
        'keypoints': keypoints[..., :2],
        'keypoints_visible': np.minimum(1, keypoints[..., 2]),
        'iscrowd': face.get('iscrowd'),
        'id': face['id'],
    }
