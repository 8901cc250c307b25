"""The faces of `nano_calibration.py` and, with the same weight, LFPW's 702 training faces, which are for research only."""

from mmengine.config import read_base

with read_base():
    from .lfpw68 import train_dataloader as lfpw
    from .nano_calibration import calibration_data

calibration_data.datasets = [*calibration_data.datasets, dict(dataset=lfpw.dataset, name='lfpw')]
del lfpw
