"""Loops, optimizers, schedules and everything else that MMPose leaves to mmengine, as facelmk does."""

from typing import Any

from ...config.arguments import find
from ...registry import OPTIM_WRAPPER_CONSTRUCTORS, PARAM_SCHEDULERS
from .reading import Part, Values

UNCHANGED = (  # keys of mmengine's Runner that are the same here
    *('auto_scale_lr', 'randomness', 'env_cfg', 'log_processor', 'work_dir', 'experiment_name', 'sync_bn'),
    *('find_unused_parameters', 'model_wrapper_cfg', 'compile', 'efficient_conv_bn_eval'),
)
LEFT_OUT = {  # keys whose usual value needs no line
    'log_level': ('INFO',),
    'load_from': (None,),
    'resume': (False,),
    'launcher': ('none',),
    'default_scope': ('mmpose', 'mmengine'),
    'backend_args': (dict(backend='local'), None),
    'file_client_args': (dict(backend='disk'), None),
    'data_preprocessor': (None,),
}
ANY_VALUE = ('log_level', 'load_from', 'resume')


def translate_schedule(root: Part) -> Values:
    """The schedule of a run, and the keys of the Runner beside it."""
    config = {key: root.get(key) for key in UNCHANGED if root.values.get(key) is not None}
    root.skip(*(key for key in UNCHANGED if key in root))
    for key, usual in LEFT_OUT.items():
        if key in ANY_VALUE and key in root and root.values[key] not in usual:
            config[key] = root.get(key)
        else:
            root.only(key, *usual)
    if (loop := _train_loop(root.part('train_cfg'))) is not None:
        config['train_cfg'] = loop
    if root.values.get('optim_wrapper') is not None:
        config['optim_wrapper'] = _optim_wrapper(root.needed('optim_wrapper'))
    root.skip('param_scheduler')
    if root.values.get('param_scheduler') is not None:
        epochs = (loop or {}).get('max_epochs')
        config['param_scheduler'] = [_scheduler(part, epochs) for part in root.parts('param_scheduler')]
    if root.values.get('visualizer') is not None:
        config['visualizer'] = _visualizer(root.needed('visualizer'))
    return config


def _train_loop(part: Part | None) -> Values | None:
    if part is None or not part.values:
        return None
    if part.get('type', 'EpochBasedTrainLoop') not in ('EpochBasedTrainLoop', 'IterBasedTrainLoop'):
        part.refuse('type', 'EpochBasedTrainLoop or IterBasedTrainLoop')
    loop = part.copy('by_epoch', 'max_epochs', 'max_iters', 'val_interval', 'val_begin', 'dynamic_intervals')
    if part.values.get('type') == 'IterBasedTrainLoop':
        loop['by_epoch'] = False
    return {'by_epoch': True} | loop


def translate_test_loop(part: Part | None, name: str) -> Values:
    """val_cfg or test_cfg."""
    if part is None:
        return {}
    part.only('type', name)
    return {'fp16': True} if part.flag('fp16', False) else {}


def _optim_wrapper(part: Part) -> Values:
    constructor = part.get('constructor')
    if constructor is not None and find(OPTIM_WRAPPER_CONSTRUCTORS, constructor) is None:
        part.refuse('constructor', 'DefaultOptimWrapperConstructor')
    values = part.all()
    return {key: value for key, value in values.items() if (key, value) != ('type', 'OptimWrapper')}


def _scheduler(part: Part, epochs: Any) -> Values:
    """A schedule. Where it covers the whole training, as it does without begin and end, they are left out."""
    name = part.kind()
    if find(PARAM_SCHEDULERS, name) is None:
        part.refuse_kind('Expected a schedule of mmengine')
    values = dict(part.all())
    values['type'] = name
    values.pop('_scope_', None)
    if values.get('by_epoch', True) and values.get('begin', 0) == 0 and isinstance(epochs, int):
        values.pop('begin', None)
        if isinstance(values.get('end'), int) and values['end'] >= epochs:
            del values['end']
    return values


def _visualizer(part: Part) -> Values:
    name = part.kind()
    if name not in ('PoseLocalVisualizer', 'Pose3dLocalVisualizer', 'Visualizer'):
        part.refuse_kind('Expected PoseLocalVisualizer')
    part.only('name', 'visualizer')
    backends = [backend.all() for backend in part.parts('vis_backends')]
    return dict(type='Visualizer', vis_backends=backends)
