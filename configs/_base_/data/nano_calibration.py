"""Held-back faces for the calibration of the small networks (`facelmk calibrate fit`): drawn ones, free to use."""

from mmengine.config import read_base

with read_base():
    from .nano_sets import drawn, scanned

calibration_data = dict(
    type='JoinedFaces',
    markup='wflw_300w',
    datasets=[
        dict(dataset=dict(scanned, count=256, seed=9002), name='scanned'),
        dict(dataset=dict(drawn, count=256, seed=9001), name='drawn'),
    ],
)
del drawn, scanned
