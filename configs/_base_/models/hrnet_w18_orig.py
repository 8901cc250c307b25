"""HRNetV2-W18 of the original HRNet for faces: BatchNorm momentum 0.01, whole pixels, no flip test."""

model = dict(
    type='facelmk.FaceLandmarker',
    backbone=dict(type='HRNet', width=18, momentum=0.01, pretrained='open-mmlab://msra/hrnetv2_w18'),
    head=dict(type='HeatmapHead', convs=1),
    codec=dict(type='HRNetInteger', sigma=1.5),
    loss=dict(type='HeatmapMSELoss'),
    flip_test=False,
)
