"""The original HRNet for faces on 300W: its crop, targets and decoding in whole pixels, its schedule, no flip test."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.hrnet_orig import *
    from ._base_.data.w300 import *
    from ._base_.metrics.hrnet_orig import *
    from ._base_.models.hrnet_w18_orig import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e_orig import *

model.update(markup='300w')
model.codec.update(sigma=1.0)
train_dataloader.update(batch_size=16)
val_dataloader.update(batch_size=8)

result = dict(
    source='HRNet-Facial-Landmark-Detection, a retrained release (the paper: 2.87, 5.15, 3.32, 3.85)',
    protocol=protocols.tight_box,
    NME=dict(common=2.91, challenge=5.11, full=3.34, test=3.85),
    checkpoint_page='https://1drv.ms/u/s!AiWjZ1LamlxzeYLmza1XU-4WhnQ',
    bibtex=['hrnet_faces', 'hrnet', '300w'],
)
