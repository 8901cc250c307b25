"""The original HRNet's figures: the mean over each face first, failures above 8 % and above 10 %."""

val_evaluator = [
    dict(type='NME', average='face'),
    dict(type='FailureRate', threshold=0.08),
    dict(type='FailureRate', threshold=0.1),
    dict(type='AUC', threshold=0.1),
]
