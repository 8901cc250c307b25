"""Errors over the distance of the outer eye corners and, beside them, over that of the pupils."""

val_evaluator = [
    dict(type='NME'),
    dict(type='FailureRate', threshold=0.1),
    dict(type='AUC', threshold=0.1),
    dict(type='NME', norm='inter_pupil', prefix='inter_pupil'),
    dict(type='FailureRate', threshold=0.1, norm='inter_pupil', prefix='inter_pupil'),
]
