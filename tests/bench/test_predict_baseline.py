"""The plain code that one picture is compared with gives the landmarks that facelmk gives."""

import numpy as np
import torch
from torch import nn

from facelmk.bench.baseline.predict import TopdownInference, decode
from facelmk.config import load_config
from facelmk.inference import Predictor
from facelmk.registry import MODELS


class Pool(nn.Module):
    """The crop, four times smaller."""

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (nn.functional.avg_pool2d(image, 4),)


class Mix(nn.Module):
    """A mixture of the colours for each landmark: each map has one clear maximum where the picture is noise."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 98, 1)

    def forward(self, features: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
        return [self.layer(features[-1])]


def test_inference_topdown_has_the_landmarks_of_the_predictor() -> None:
    torch.manual_seed(0)
    config = load_config('hrnetv2_w18_wflw', {'model.backbone.pretrained': None})
    network = MODELS.build(config.model)
    network.backbone, network.head = Pool(), Mix()
    image = np.random.default_rng(0).integers(0, 255, (200, 240, 3), np.uint8)
    box = np.array([40, 30, 150, 160], np.float32)
    (face,) = Predictor(network, config)(image, box[None])
    difference = np.abs(TopdownInference(network)(image, box) - face.landmarks)
    assert np.ptp(face.landmarks, 0).min() > 50 and difference.max() < 1e-2


def test_decoding_moves_a_quarter_of_a_cell_to_the_larger_neighbour() -> None:
    maps = np.zeros((3, 9, 9), np.float32)
    maps[0, 4, 5], maps[0, 4, 6], maps[0, 3, 5] = 3, 2, 1
    maps[1, 0, 3] = 1  # at a corner of the edge, where neither axis is moved
    maps[2, 8, 4], maps[2, 8, 5] = 2, 1  # at the lower edge only the other axis is moved
    assert decode(maps).tolist() == [[5.25, 3.75], [3, 0], [4.25, 8]]
