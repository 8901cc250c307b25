"""A network of one convolution, whose points depend on the picture, and what it is exported with."""

import torch
from mmengine import Config
from torch import nn

from facelmk.export.source import Source
from facelmk.inference import Predictor
from facelmk.registry import BACKBONES, MODELS

SIZE = 32
MODEL = dict(
    type='FaceLandmarker',
    backbone=dict(type='OneConvolution'),
    head=dict(type='HeatmapHead'),
    codec=dict(type='Integral'),
    loss=dict(type='IntegralLoss'),
    flip_test=True,
    size=SIZE,
)


class OneConvolution(nn.Module):
    """Stride 4 and a BatchNorm with statistics of its own."""

    out_channels = (24,)

    def __init__(self, pretrained: str | None = None) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 24, 5, 4, 2, bias=False), nn.BatchNorm2d(24), nn.ReLU())

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (self.layers(image),)


def make_source(**crop: object) -> Source:
    """Return the network, with the crop of a validation pipeline."""
    torch.manual_seed(1)
    BACKBONES._module_dict['OneConvolution'] = OneConvolution
    try:
        landmarker = MODELS.build(dict(MODEL)).eval()
    finally:
        del BACKBONES._module_dict['OneConvolution']
    norm = landmarker.backbone.layers[1]
    norm.running_mean.normal_(), norm.running_var.uniform_(0.2, 1), norm.weight.data.uniform_(0.5, 2)
    landmarker.head.final_layer.weight.data.normal_(0, 2)  # steep maps, so that every picture gives different points
    for weights in (landmarker.backbone.layers[0].weight.data, landmarker.head.final_layer.weight.data):
        weights.copy_(weights.half())  # as in the files that come with facelmk
    pipeline = [dict(type='LoadImage'), dict(type='CropFace', size=SIZE, **crop), dict(type='PackFace')]
    config = Config(dict(val_dataloader=dict(dataset=dict(pipeline=pipeline)), model=MODEL))
    predictor = Predictor(landmarker, config)
    return Source(landmarker, predictor, 'one_convolution', None)
