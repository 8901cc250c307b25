"""240 epochs of RMSprop at 1e-4 for batches of 8, steps at 80 and 160, as Adaptive Wing's paper trains.

SeungyounShin's repository, which others train with, has 1e-6 and steps at 60 and 120 instead:
`--cfg-options optim_wrapper.optimizer.lr=1e-6 param_scheduler.0.milestones=[60,120]`.
"""

optim_wrapper = dict(optimizer=dict(type='RMSprop', lr=1e-4, weight_decay=1e-5))
param_scheduler = [dict(type='MultiStepLR', milestones=[80, 160], gamma=0.1, by_epoch=True)]
train_cfg = dict(by_epoch=True, max_epochs=240, val_interval=1)
