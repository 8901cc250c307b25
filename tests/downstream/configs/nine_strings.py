"""The same with `_base_` strings: keys are merged, here only the loss and the epochs are new."""

_base_ = ['./_base_/parts.py']
model = dict(loss=dict(_delete_=True, type='SmoothL1Loss'), flip_test=True)
train_cfg = dict(max_epochs=2, val_interval=2)
