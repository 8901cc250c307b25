"""60 epochs of Adam at 1e-4 for batches of 16, steps at 30 and 50, as the original HRNet for faces trains."""

optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[30, 50], gamma=0.1, by_epoch=True)]
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=1)
