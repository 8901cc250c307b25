"""HRNetV2-W18 with heatmaps; grid and flip test are those of MMPose's published checkpoints."""

model = dict(
    type='facelmk.FaceLandmarker',
    backbone=dict(type='HRNet', width=18, pretrained='open-mmlab://msra/hrnetv2_w18'),
    head=dict(type='HeatmapHead', convs=1),
    codec=dict(type='Heatmap', sigma=2, refine='quarter', centre='cell', aligned=False),
    loss=dict(type='HeatmapMSELoss'),
    flip_test=True,
)
