"""Model configs, random inputs and steady points for the comparisons with MMPose's networks."""

import numpy as np
import torch


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


def steady(codec, output):
    """Where noise in the sixth digit, as threads and processors bring, moves the decoded point by less than 1e-3 px.

    In maps of noise DARK's parabola is nearly flat here and there, and cells of one height are ties of the maximum.
    """
    generator, points = torch.Generator().manual_seed(0), codec.decode(output, 256)[0]
    moved = torch.zeros(output.shape[:2])
    for _ in range(8):
        noise = torch.randn(output.shape, generator=generator) * 5e-7 * output.abs().max()
        moved = torch.maximum(moved, (codec.decode(output + noise, 256)[0] - points).abs().amax(-1))
    return (moved < 1e-3).numpy()
