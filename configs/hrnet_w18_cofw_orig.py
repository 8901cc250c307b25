"""The original HRNet for faces on COFW: its crop, targets and decoding in whole pixels, its schedule, no flip test."""

from mmengine.config import read_base

with read_base():
    from ._base_.augment.hrnet_orig import *
    from ._base_.data.cofw import *
    from ._base_.metrics.hrnet_orig import *
    from ._base_.models.hrnet_w18_orig import *
    from ._base_.runtime import *
    from ._base_.schedules.adam_60e_orig import *

model.update(markup='cofw')
train_dataloader.update(batch_size=16)
val_dataloader.update(batch_size=8)
train_dataloader.dataset.layouts = val_dataloader.dataset.layouts = [
    dict(type='CofwMat', ann_file='COFW_{split}_color.mat', box='tight')
]

result = dict(
    source='HRNet-Facial-Landmark-Detection',
    protocol='inter-ocular NME in %, no flip test, tight box of the landmarks, in 1-based pixels, best epoch on the test set',
    NME=dict(test=3.45),
    FR=dict(test=0.20),
    checkpoint_page='https://1drv.ms/u/s!AiWjZ1LamlxzdFIsEUQl8jgUaMk',
    bibtex=['hrnet_faces', 'hrnet', 'cofw'],
)
