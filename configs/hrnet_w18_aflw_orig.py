"""The original HRNet for faces on AFLW: its crop, targets and decoding in whole pixels, its schedule, no flip test."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.hrnet_orig import *
    from ._base_.data.aflw import *
    from ._base_.models.hrnet_w18_orig import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e_orig import *

model.update(markup='aflw')
optim_wrapper.optimizer.update(lr=2e-4)
train_dataloader.update(batch_size=16)
val_dataloader.update(batch_size=8)
val_evaluator = [
    dict(type='NME', average='face', norm='file'),
    dict(type='FailureRate', threshold=0.08, norm='file'),
    dict(type='FailureRate', threshold=0.1, norm='file'),
    dict(type='AUC', threshold=0.1, norm='file'),
]

result = dict(
    source='HRNet-Facial-Landmark-Detection',
    protocol='NME over the box size of the file in %, no flip test, box of the file, best epoch on the test set',
    NME=dict(full=1.57, frontal=1.46),
    checkpoint_page='https://1drv.ms/u/s!AiWjZ1Lamlxzc7xumEw810iBLTc',
    bibtex=['hrnet_faces', 'hrnet', 'aflw'],
)
