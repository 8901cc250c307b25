"""The original HRNet for faces on WFLW: its crop, targets and decoding in whole pixels, its schedule, no flip test."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.hrnet_orig import *
    from ._base_.data.wflw import *
    from ._base_.metrics.hrnet_orig import *
    from ._base_.models.hrnet_w18_orig import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e_orig import *

train_dataloader.update(batch_size=16)
val_dataloader.update(batch_size=8)

result = dict(
    source='HRNet-Facial-Landmark-Detection',
    protocol=protocols.tight_box,
    NME=dict(test=4.60, pose=7.86, illumination=4.57, occlusion=5.42, blur=5.36, makeup=4.26, expression=4.78),
    checkpoint_page='https://1drv.ms/u/s!AiWjZ1LamlxzdTsr_9QZCwJsn5U',
    bibtex=['hrnet_faces', 'hrnet', 'wflw'],
)
