"""Model configs, random inputs and stable points for the comparisons with MMPose's networks."""

import numpy as np
import torch

TINY = dict(  # 19 points in crops of 32 pixels
    type='FaceLandmarker',
    backbone=dict(type='QuickNet', width=8, widths=(8, 8, 8), depths=(0, 0, 0)),
    head=dict(type='HeatmapHead'),
    codec=dict(type='Integral'),
    loss=dict(type='IntegralLoss'),
    markup='aflw',
    size=32,
)


def heatmaps(markup, loss='HeatmapMSELoss', backbone='HRNet', head=None, **codec):
    return dict(
        backbone=dict(type=backbone),
        head=head or dict(type='HeatmapHead', convs=1),
        markup=markup,
        codec=dict(type='Heatmap', aligned=False, **codec),
        loss=dict(type=loss),
    )


def coco_face(backbone, head=None):
    head = head or dict(type='HeatmapHead', deconvs=3)
    return heatmaps('coco_wholebody_face', backbone=backbone, head=head, centre='cell')


def random(seed):
    return np.random.RandomState(seed)


def stable(codec, output):
    """Whether noise in the sixth digit moves each decoded point by less than 1e-3 px.

    Threads and processors cause such noise. In maps of noise, some of DARK's parabolas are nearly flat, and cells of
    equal height are ties.
    """
    generator, points = torch.Generator().manual_seed(0), codec.decode(output, 256)[0]
    moved = torch.zeros(output.shape[:2])
    for _ in range(8):
        noise = torch.randn(output.shape, generator=generator) * 5e-7 * output.abs().max()
        moved = torch.maximum(moved, (codec.decode(output + noise, 256)[0] - points).abs().amax(-1))
    return (moved < 1e-3).numpy()
