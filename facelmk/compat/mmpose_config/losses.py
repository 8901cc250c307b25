"""Losses of MMPose's heads."""

from typing import Any, NamedTuple

from .reading import Part, Values

MAPS, POINTS = ('HeatmapHead', 'CPMHead'), ('RegressionHead',)


class Loss(NamedTuple):
    """A loss of MMPose: its heads, our name, arguments {ours: (theirs, their default)}, and what has one value here."""

    heads: tuple[str, ...]
    ours: str
    arguments: dict[str, tuple[str, Any]] = {}
    fixed: Values = {}
    added: Values = {}  # arguments that make our loss MMPose's
    factor: float = 1.0
    weighs: bool | None = None  # whether points are always weighed; None: as use_target_weight says


_NOT_EMPTY = dict(skip_empty_channel=False)
LOSSES = {
    # 1.x leaves invisible points out of these two whatever use_target_weight says
    'KeypointMSELoss': Loss(MAPS, 'HeatmapMSELoss', fixed=_NOT_EMPTY, weighs=True),
    'FocalHeatmapLoss': Loss(
        MAPS,
        'FocalHeatmapLoss',
        dict(alpha=('alpha', 2), beta=('beta', 4)),
        _NOT_EMPTY,
        dict(steepness=None, peak=1),
        weighs=True,
    ),
    # three means over a third of the maps each, two of them halved, in the place of one mean over all
    'CombinedTargetMSELoss': Loss(MAPS, 'HeatmapMSELoss', factor=1.5),
    'KeypointOHKMMSELoss': Loss(MAPS, 'OHKMLoss', dict(topk=('topk', 8))),
    'AdaptiveWingLoss': Loss(
        MAPS,
        'AdaptiveWingLoss',
        dict(alpha=('alpha', 2.1), omega=('omega', 14), epsilon=('epsilon', 1), theta=('theta', 0.5)),
    ),
    'SmoothL1Loss': Loss(POINTS, 'SmoothL1Loss'),
    'L1Loss': Loss(POINTS, 'L1Loss', fixed=dict(reduction='mean')),
    'WingLoss': Loss(POINTS, 'WingLoss', dict(omega=('omega', 10.0), epsilon=('epsilon', 2.0))),
    'SoftWingLoss': Loss(
        POINTS, 'SoftWingLoss', dict(omega1=('omega1', 2.0), omega2=('omega2', 20.0), epsilon=('epsilon', 0.5))
    ),
    'RLELoss': Loss(
        ('RLEHead',),
        'RLELoss',
        dict(residual=('residual', True), q_distribution=('q_distribution', 'laplace')),
        dict(size_average=True),
    ),
    'KLDiscretLoss': Loss(
        ('RTMCCHead',),
        'KLDiscretLoss',
        dict(beta=('beta', 1.0), softmax=('label_softmax', False), label_beta=('label_beta', 10.0)),
        dict(mask=None, mask_weight=1.0),
    ),
}


def translate_loss(part: Part, head: str) -> Any:
    """`model.loss`: one loss, or a list of one term that has a weight or takes no weights of points."""
    known = {name: loss for name, loss in LOSSES.items() if head in loss.heads}
    name, loss = part.choose(known)
    for key, value in loss.fixed.items():
        part.only(key, value)
    values = {ours: part.get(theirs, default) for ours, (theirs, default) in loss.arguments.items()}
    result = dict(type=loss.ours) | values | loss.added
    weight = loss.factor * part.get('loss_weight', 1.0)
    weighs = part.flag('use_target_weight', name == 'KLDiscretLoss')
    if name == 'CombinedTargetMSELoss':
        part.exactly('use_target_weight', True)
    term: Values = dict(loss=result)
    term |= {} if weight == 1 else dict(weight=weight)
    term |= {} if loss.weighs or weighs else dict(weigh_points=False)
    return result if len(term) == 1 else [term]
