"""DeepPose: ResNet-50, global average pooling and one linear layer for the coordinates."""

model = dict(
    type='facelmk.FaceLandmarker',
    backbone=dict(type='ResNet', depth=50, pretrained='torchvision://resnet50'),
    head=dict(type='RegressionHead'),
    codec=dict(type='Coordinates'),
    loss=dict(type='SmoothL1Loss'),
    flip_test=True,
)
