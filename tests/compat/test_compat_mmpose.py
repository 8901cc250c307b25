"""MMPose's init_model and inference_topdown."""

import numpy as np
import pytest
import torch

import facelmk
from facelmk import FacelmkError, compat


def test_init_model_and_inference_topdown(photograph, config, tmp_path) -> None:
    torch.manual_seed(0)
    torch.save(facelmk.load(config, pretrained=False, device='cpu').landmarker.state_dict(), tmp_path / 'w.pth')
    model = compat.init_model(config, str(tmp_path / 'w.pth'), device='cpu', cfg_options={'model.flip_test': True})
    assert model.flip_test and model.cfg.model.flip_test and not model.training
    assert model.dataset_meta['num_keypoints'] == 98 and model.dataset_meta['flip_indices'][0] == 32
    image, _ = photograph()
    predictor = facelmk.load(config, tmp_path / 'w.pth', 'cpu', flip_test=True)
    boxes = np.array([[10, 20, 210, 190], [100, 50, 260, 200]], np.float32)
    expected = predictor(image, boxes)
    as_corners = compat.inference_topdown(model, image, boxes)
    sides = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
    for samples in (as_corners, compat.inference_topdown(model, image, sides, bbox_format='xywh')):
        assert len(samples) == 2
        for sample, face in zip(samples, expected, strict=True):
            instances = sample.pred_instances
            assert np.allclose(instances.keypoints, face.landmarks[None], atol=1e-3)
            assert instances.keypoint_scores.shape == (1, 98) and instances.bboxes.tolist() == face.box[None].tolist()
    for none in (None, [], np.zeros((0, 4))):
        (sample,) = compat.inference_topdown(model, image, none)
        assert sample.pred_instances.bboxes.tolist() == [[0, 0, 320, 240]]
    with pytest.raises(FacelmkError, match="bbox_format='cxcywh'"):
        compat.inference_topdown(model, image, boxes, 'cxcywh')
