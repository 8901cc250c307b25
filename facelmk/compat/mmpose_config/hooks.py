"""Hooks of MMPose."""

from ...config.arguments import find
from ...registry import HOOKS
from .metrics import direction
from .pipeline import Steps, translate_pipeline
from .reading import Part, Values

SWITCH = 'PipelineSwitchHook'
OFF = {  # hooks of MMPose that draw, and what draws here
    'PoseVisualizationHook': 'enable=False. Draw with facelmk test --show-dir DIR',
    'BadCaseAnalysisHook': 'enable=False. Draw with facelmk test --badcase N',
}
OF_DRAWINGS = ('interval', 'kpt_thr', 'show', 'wait_time', 'out_dir', 'backend_args')
OF_BAD_CASES = ('metric_type', 'metric', 'metric_key', 'badcase_thr')


def translate_default_hooks(part: Part | None, defaults: Values) -> Values:
    """The default hooks of facelmk with MMPose's in their place; a checkpoint is also written every few minutes."""
    hooks: Values = dict(defaults)
    if part is None:
        return hooks
    for name in part.values:
        hook = part.part(name)
        if hook is None:
            hooks[name] = None
        elif _is_off(hook):
            continue
        elif hook.kind() == 'CheckpointHook':
            hooks[name] = dict(type='CheckpointHook', minutes=defaults['checkpoint']['minutes']) | _checkpoint(hook)
        else:
            hooks[name] = _hook(hook)
    return hooks


def translate_custom_hooks(parts: list[Part]) -> tuple[list[Values], list[tuple[Steps, Part]]]:
    """The other hooks, and the pipelines that some of them switch to."""
    hooks, pipelines = [], []
    for part in parts:
        name = part.kind()
        if name == SWITCH:
            steps = translate_pipeline(part.parts('switch_pipeline'))
            pipelines.append((steps, part))
            hooks.append(dict(type='SwitchPipeline', epoch=part.get('switch_epoch')))
        elif name != 'SyncBuffersHook' and not _is_off(part):  # facelmk's SyncStatistics does the same
            hooks.append(_hook(part))
    return hooks, pipelines


def _is_off(part: Part) -> bool:
    """Whether a hook of MMPose is switched off, so that nothing else of it counts."""
    name = part.kind()
    if name not in OFF:
        return False
    if part.flag('enable', False):
        part.refuse('enable', OFF[name])
    part.skip(*OF_DRAWINGS, *(OF_BAD_CASES if name == 'BadCaseAnalysisHook' else ()))
    return True


def _hook(part: Part) -> Values:
    """A hook of mmengine, which is the same here."""
    name = part.kind()
    if find(HOOKS, name) is None:
        part.refuse_kind('Expected a hook of mmengine')
    values = dict(part.all())
    values.pop('_scope_', None)
    return values | {'type': name}


def _checkpoint(part: Part) -> Values:
    values = _hook(part)
    names = values.get('save_best')
    names = names if isinstance(names, list) else [names]
    rules = values.get('rule')
    rules = rules if isinstance(rules, list) else [rules] * len(names)
    if all(isinstance(name, str) and rule == direction(name) for name, rule in zip(names, rules, strict=False)):
        del values['rule']  # the metric knows it
    return values
