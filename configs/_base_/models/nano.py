"""NanoNet with integral heatmaps for the 98 and the 68 points: 0.9 million parameters."""

model = dict(
    type='facelmk.FaceLandmarker',
    markup='wflw_300w',
    backbone=dict(type='NanoNet'),
    head=dict(type='HeatmapHead'),
    codec=dict(type='Integral'),
    calibration=dict(type='ErrorCalibration'),
    loss=dict(type='IntegralLoss', spread=0.15),
)
