"""Adaptive Wing's network: four hourglasses, each fed with the boundary map of the last one; pixels from 0 to 1."""

model = dict(
    type='facelmk.FaceLandmarker',
    backbone=dict(type='StackedHourglass', stacks=4),
    head=dict(type='StackHead'),
    codec=dict(type='Boundary', sigma=1.75, centre='cell', radius=3, corner=True),
    loss=dict(type='AdaptiveWingLoss', weight_map=dict(threshold=0.2, weight=10, dilation=3)),
    flip_test=False,
    mean=(0, 0, 0),
    std=(255, 255, 255),
)
