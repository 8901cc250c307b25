"""SceneNet with box maps at stride 8: 0.22 million parameters."""

model = dict(
    type='facelmk.FaceDetector',
    backbone=dict(type='SceneNet'),
    head=dict(type='BoxHead'),
    codec=dict(type='BoxMaps'),
    loss=dict(type='BoxMapsLoss'),
)
