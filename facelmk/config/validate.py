"""Refuse what nobody would read: misspelt keys and types, values of a wrong kind, two mark-ups in one config."""

import difflib
import functools
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine import Config
from mmengine.hooks import CheckpointHook, EMAHook
from mmengine.model import BaseAveragedModel
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from .. import registry as registries
from ..errors import FacelmkError, UnknownName, did_you_mean
from ..markups import MARKUPS
from ..registry import Registry
from .foreign import config_formats
from .inherit import holder
from .schema import SLOTS, TYPES, out_of_range, plain_at
from .type_check import expected, hints, misfit

TOP: dict[str, Registry] = {  # which registry a key of the config itself takes its part from
    'model': registries.MODELS,
    'optim_wrapper': registries.OPTIM_WRAPPERS,
    'param_scheduler': registries.PARAM_SCHEDULERS,
    'default_hooks': registries.HOOKS,
    'custom_hooks': registries.HOOKS,
    'train_cfg': registries.LOOPS,
    'val_cfg': registries.LOOPS,
    'test_cfg': registries.LOOPS,
    'log_processor': registries.LOG_PROCESSORS,
    'val_evaluator': registries.METRICS,
    'test_evaluator': registries.METRICS,
    'visualizer': registries.VISUALIZERS,
    'train_pipeline': registries.TRANSFORMS,
    'train_pipeline_stage2': registries.TRANSFORMS,
    'val_pipeline': registries.TRANSFORMS,
}
BELOW: dict[str, Registry] = {  # and which a key further down; other keys stay on their parent's registry
    'backbone': registries.BACKBONES,
    'head': registries.HEADS,
    'codec': registries.CODECS,
    'target': registries.CODECS,
    'loss': registries.LOSSES,
    'dataset': registries.DATASETS,
    'pipeline': registries.TRANSFORMS,
    'sampler': registries.DATA_SAMPLERS,
    'collate_fn': registries.FUNCTIONS,
    'optimizer': registries.OPTIMIZERS,
    'vis_backends': registries.VISBACKENDS,
}
PIPELINES = ('train_pipeline', 'train_pipeline_stage2', 'val_pipeline')  # `complete` puts them where they belong
OWN_KEYS = {
    'custom_imports',
    'result',
    *PIPELINES,
    'sync_bn',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'env_cfg',
    'compile',
    'efficient_conv_bn_eval',
}
ALWAYS = {'type', '_scope_'}
PART = re.compile(  # places of dicts that cannot do without a type
    r'(model|model\.(backbone|head|codec|loss|loss\[\d+\]\.(loss|target))|(train|val|test)_dataloader\.dataset|'
    r'(default|custom)_hooks(\[\d+\]|\.\w+)|(val|test)_evaluator\[\d+\]|param_scheduler\[\d+\]|visualizer|'
    r'optim_wrapper\.optimizer|(.*\.(pipeline|vis_backends)|(train|val)_pipeline(_stage2)?)\[\d+\])'
)
ENDS = (CheckpointHook.__init__, EMAHook.__init__)  # take any name, and hand it to what takes few
REPLACED = {  # what configs of mmcv's and mmengine's first runners said, and where it stands now
    'total_epochs': 'train_cfg.max_epochs',
    'evaluation': 'train_cfg.val_interval and default_hooks.checkpoint.save_best',
    'checkpoint_config': 'default_hooks.checkpoint',
    'log_config': 'default_hooks.logger',
    'lr_config': 'param_scheduler',
    'optimizer_config': 'optim_wrapper.clip_grad',
    'resume_from': 'facelmk train --resume CHECKPOINT',
    'dist_params': 'env_cfg.dist_cfg',
    'workflow': 'train_cfg.val_interval',
}
ESSENTIAL = ('model', 'train_dataloader', 'val_dataloader', 'test_dataloader')
NOT_PLAIN = frozenset({'sampler', 'batch_sampler', 'collate_fn', 'worker_init_fn', 'dataset'})  # configs of parts here
RUNNERS_OWN = {
    'hook': {'priority'},
    'parameter scheduler': {'convert_to_iter_based'},
    'optim_wrapper': {'constructor', 'paramwise_cfg'},
}  # what the Runner takes out before it builds a part


def check(config: Config, path: Path | str) -> None:
    """Refuse the first of the faults, with the near name and the file."""
    for fault in faults(config, path):
        raise fault


def faults(config: Config, path: Path | str) -> Iterator[FacelmkError]:
    """Every misspelt key and type, value of a wrong kind, and mark-up that does not agree."""
    known = runner_keys()
    if not any(key in known or _close(key, known) for key in config):
        yield FacelmkError(
            f'{path} says nothing that a run needs: a config has {", ".join(ESSENTIAL)}. '
            'facelmk config show quickstart prints a whole one'
        )
    for key in config:
        if key in REPLACED:
            yield UnknownName(f'{path}: nothing reads the key {key!r} any more; what it said stands in {REPLACED[key]}')
        elif key not in known and not key.startswith('_') and _close(key, known):
            yield UnknownName(f'{path}: nothing reads the key {key!r}. {did_you_mean(key, known)}')
    yield from _of_runner(config, path)
    for key in filter(known.__contains__, config):  # in the file's order: what was copied into the test comes last
        if not key.startswith('test_') or config[key] != config.get(f'val_{key[5:]}'):
            yield from _of_value(config[key], key, TOP.get(key), path)
    for slot in config.get('default_hooks') or () if isinstance(config.get('default_hooks'), dict) else ():
        if slot not in SLOTS and _close(slot, set(SLOTS)):
            yield UnknownName(
                f'{holder(path, slot)}: default_hooks.{slot} stands beside the hook that it seems to '
                f'mean, and does not replace it. {did_you_mean(slot, SLOTS)}'
            )
    for phase in ('train', 'val', 'test'):
        loader = config.get(f'{phase}_dataloader')
        if isinstance(loader, dict):
            more = {'dataset', 'num_batch_per_epoch'}
            yield from _of_arguments(loader, DataLoader, f'{phase}_dataloader', path, more, NOT_PLAIN)
    train = config.get('train_cfg')
    if isinstance(train, dict) and 'type' not in train:
        yield from _of_arguments(train, EpochBasedTrainLoop, 'train_cfg', path, {'by_epoch', 'max_iters'})
    yield from _of_markups(config, path)


def _of_runner(config: Config, path: Path | str) -> Iterator[FacelmkError]:
    """Keys of the config itself whose values are of another kind than the Runner says."""
    for key, (parameter, hint) in arguments(Runner).items():
        if key in config and config[key] is not None and key not in ('model', 'log_level'):
            if wanted := expected(config[key], parameter, hint):
                yield FacelmkError(f'{holder(path, key)}: {key}={short(config[key])}; expected {wanted}')
    for key in PIPELINES:
        if key in config and (wanted := misfit(config[key], list[dict])):
            yield FacelmkError(f'{holder(path, key)}: {key}={short(config[key])}; expected {wanted}')
    if 'model' in config and not isinstance(config.model, dict):
        yield FacelmkError(f'{holder(path, "model")}: model={short(config.model)}; expected a dict with a type')


def _of_value(value: Any, where: str, registry: Registry | None, path: str | Path) -> Iterator[FacelmkError]:
    """Every part below `value`: its type stands in the registry, its arguments are ones that it takes."""
    if isinstance(value, dict):
        if registry is not None and isinstance(value.get('type', TYPES.get(where)), str):
            yield from _of_part(value, where, registry, path)
        elif registry is not None and PART.fullmatch(where) and not callable(value.get('type')):
            said = f'type={value["type"]!r}' if 'type' in value else f'no type, only {", ".join(value) or "nothing"}'
            yield FacelmkError(
                f'{holder(path, where.rpartition(".")[2])}: {where} has {said}; expected the name of a '
                f'{registry.name}, as type=..., such as {", ".join(sorted(_all_names(registry))[:3])}'
            )
        yield from _of_plain(value, where, path)
        for key, child in value.items():
            yield from _of_value(child, f'{where}.{key}', BELOW.get(key, registry), path)
    elif isinstance(value, (list, tuple)):
        if where == 'model.loss' and not value:
            yield FacelmkError(f'{holder(path, "loss")}: model.loss has no term; there is nothing to train by')
        for i, child in enumerate(value):
            yield from _of_value(child, f'{where}[{i}]', registry, path)


def _of_plain(value: dict, where: str, path: str | Path) -> Iterator[FacelmkError]:
    """Keys and kinds of a dict that is read key by key."""
    known = plain_at(where)
    if known is None:
        return
    for key, child in value.items():
        if key not in known:
            yield UnknownName(f'{holder(path, key)}: {where} takes no {key!r}. {did_you_mean(key, known)}')
        elif wanted := misfit(child, known[key]) or out_of_range(key, child, own=False):
            yield FacelmkError(f'{holder(path, key)}: {where} has {key}={short(child)}; expected {wanted}')


def _of_part(part: dict, where: str, registry: Registry, path: str | Path) -> Iterator[FacelmkError]:
    kind = str(part.get('type', TYPES.get(where)))
    found = find(registry, kind)
    if found is None:
        yield UnknownName(
            f'{holder(path, kind)}: {where} has type {kind!r}, which is no registered {registry.name}. '
            f'{_meant(kind.rpartition(".")[2], registry)} A part of your own is found once its module '
            'stands in `custom_imports`.'
        )
        return
    more = ALWAYS | RUNNERS_OWN.get(registry.name, set())
    if inspect.isclass(found) and issubclass(found, EMAHook):
        name = str(part.get('ema_type', arguments(EMAHook)['ema_type'][0].default))
        average = find(registries.MODELS, name)
        if average is None:
            yield UnknownName(
                f'{holder(path, name)}: {where} has ema_type {name!r}, which is no registered average. '
                f'{did_you_mean(name, _averages())}'
            )
            return
        more |= arguments(average).keys() - {'model'}
    yield from _of_arguments(part, found, f'{where} ({kind})', path, more)


def _averages() -> list[str]:
    return [
        name
        for name in _all_names(registries.MODELS)
        if inspect.isclass(found := find(registries.MODELS, name)) and issubclass(found, BaseAveragedModel)
    ]


def _meant(name: str, registry: Registry) -> str:
    """What does the same as a step of MMPose's pipelines, or the near name."""
    for known in config_formats():
        if found := known.replacement(name):
            return found
    return did_you_mean(name, _all_names(registry))


def _of_arguments(
    given: dict, part: Any, where: str, path: str | Path, more: set[str], unasked: frozenset[str] = frozenset()
) -> Iterator[FacelmkError]:
    """What a part does not take, and values of a wrong kind; `more` are keys that others read."""
    names, by_split = arguments(part), '.layouts[' in where  # layouts may give a value for each split
    own, top = getattr(part, '__module__', '').startswith('facelmk.'), '.' not in where.partition(' ')[0]
    for key, value in given.items():
        if names and key not in names and key not in more:
            yield UnknownName(
                f'{holder(path, str(key))}: {where} takes no {key!r}. {did_you_mean(key, set(names) | more - ALWAYS)}'
            )
        elif key in names and key not in unasked and not by_split:
            wanted = expected(value, *names[key]) or (own or top) and out_of_range(key, value, own)
            if wanted:
                yield FacelmkError(f'{holder(path, str(key))}: {where} has {key}={short(value)}; expected {wanted}')


def short(value: Any) -> str:
    """A value in a line."""
    text = repr(value)
    return text if len(text) < 80 else f'{text[:70]} ...'


def _of_markups(config: Config, path: str | Path) -> Iterator[FacelmkError]:
    """Where model and data sets speak of other points."""
    model = markup_of(config.get('model'), registries.MODELS)
    for phase in ('train', 'val', 'test'):
        data = markup_of((config.get(f'{phase}_dataloader') or {}).get('dataset'), registries.DATASETS)
        if model and data and not MARKUPS[model].same_points(MARKUPS[data]):
            counts = [f'{name!r} ({MARKUPS[name].size} points)' for name in (model, data)]
            yield FacelmkError(
                f'{path}: the model is made for mark-up {counts[0]}, {phase}_dataloader.dataset gives '
                f"{counts[1]}. Set model.markup and the data set's markup to the same, or convert the "
                'faces by JoinedFaces'
            )


def markup_of(part: Any, registry: Registry) -> str | None:
    """The mark-up that a part says, or has by default; None where it has none or it cannot be told."""
    if not isinstance(part, dict) or not isinstance(part.get('type'), str):
        return None
    found = find(registry, part['type'])
    names = {} if found is None else arguments(found)
    if 'markup' not in names:
        return None
    name = part.get('markup', names['markup'][0].default)
    return name if isinstance(name, str) and name in MARKUPS else None


def find(registry: Registry, kind: str) -> Any:
    """The part of that type, in our registry or on mmengine's below it."""
    try:
        return registry.get(kind)
    except (RuntimeError, TypeError):  # a module that cannot be imported; a name that is no text
        return None


def _all_names(registry: Registry) -> set[str]:
    return set(registry) | set(registry.parent.module_dict if registry.parent is not None else ())


@functools.cache
def arguments(part: Any) -> dict[str, tuple[inspect.Parameter, Any]]:
    """The arguments of a class or function by name, its bases' included, with annotations; empty where it takes any."""
    names: dict[str, tuple[inspect.Parameter, Any]] = {}
    for owner in _owners(part):
        parameters = inspect.signature(owner).parameters
        kinds = hints(owner)
        names = {
            name: (p, kinds.get(name))
            for name, p in parameters.items()
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and name != 'self'
        } | names
        if owner in ENDS or not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return names
    return {}


def _owners(part: Any) -> Iterator[Any]:
    """The functions whose arguments a call reaches: a class's __init__ and, through **kwargs, its bases'."""
    if not inspect.isclass(part):
        yield part
        return
    for base in part.__mro__[:-1]:
        if '__init__' in vars(base) and not getattr(base, '__module__', '').startswith('torch.nn.modules.module'):
            yield vars(base)['__init__']


def runner_keys() -> set[str]:
    return set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'} | OWN_KEYS


def _close(key: str, known: set[str]) -> bool:
    """Whether `key` is a misspelling; a config's names of its own (data_root, train_pipeline) are not."""
    return bool(difflib.get_close_matches(key, known, cutoff=0.78))
