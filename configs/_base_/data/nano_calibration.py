"""Held-back faces that fit the expected errors and scores of the small networks: drawn ones, which anyone may use."""

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
