"""Mistakes that no single value shows: values and parts of a complete config that do not fit together.

The parts say what they need, so that a part of another project is checked, too. A class may have a method
`check_arguments(values)`, a transform `crop_argument`, a metric `figures` and `check_markup`.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from mmengine import Config
from mmengine.dataset import InfiniteSampler
from mmengine.hooks import CheckpointHook

from .. import registry as registries
from ..errors import FacelmkError
from ..markups import MARKUPS
from .arguments import arguments, arguments_of, part_of
from .schema import TOP_REGISTRIES, rows, walk
from .source import Source, holder

PHASES = ('train', 'val', 'test')
CLIP_KEYS = {'norm': {'max_norm', 'norm_type', 'error_if_nonfinite', 'foreach'}, 'value': {'clip_value', 'foreach'}}
Mistakes = Iterator[FacelmkError]


def check_relations(config: Config, source: Source) -> None:
    """Raise the first mistake that the values of a complete config make together, in training or not."""
    for find in RELATIONS.values():
        for mistake in find(config, source):
            raise mistake


def check_relations_of_training(config: Config, source: Source) -> None:
    """Raise the first mistake that matters in training alone."""
    for find in TRAINING_RELATIONS.values():
        for mistake in find(config, source):
            raise mistake


def _part_mistakes(config: Config, source: Source) -> Mistakes:
    """Arguments that a part refuses together, by its own `check_arguments`."""
    for key, registry in TOP_REGISTRIES.items():
        for values, place, inner in walk(config.get(key), key, registry):
            yield from _refused(values, place, inner, source)
    for phase in PHASES:
        place = f'{phase}_dataloader'
        for values, inner_place, inner in walk(config.get(place), place, None):
            yield from _refused(values, inner_place, inner, source)


def _refused(values: Any, place: str, registry: Any, source: Source) -> Mistakes:
    part = None if registry is None else part_of(values, registry)
    check = getattr(part, 'check_arguments', None)
    if check is not None and (reason := _attempt(partial(check, values))[1]):
        yield FacelmkError(f'{source}: {place}: {reason}')


def _attempt(action: Callable[[], Any]) -> tuple[Any, str]:
    """The result of an action, and why it refuses its arguments; neither where it fails otherwise, as building will."""
    try:
        return action(), ''
    except FacelmkError as error:
        return None, str(error)
    except Exception:  # of parts that other projects wrote, too
        return None, ''


def _scheme_mistakes(config: Config, source: Source) -> Mistakes:
    """Data sets whose landmark scheme is not the model's."""
    model = _markup_of(config.get('model'), registries.MODELS)
    for phase in PHASES:
        data = _markup_of((config.get(f'{phase}_dataloader') or {}).get('dataset'), registries.DATASETS)
        if model and data and not MARKUPS[model].same_points(MARKUPS[data]):
            counts = [f'{name!r} ({MARKUPS[name].size} points)' for name in (model, data)]
            yield FacelmkError(
                f'{source}: the model has the landmark scheme {counts[0]}, {phase}_dataloader.dataset has {counts[1]}. '
                'Set both arguments `markup` to the same scheme, or convert the faces by JoinedFaces'
            )


def _markup_of(part: Any, registry: registries.Registry) -> str | None:
    """The landmark scheme of a part, which may be its default; None where it has none, or another part decides."""
    names = arguments_of(part, registry)
    name = part.get('markup', names['markup'].default) if 'markup' in names else None
    return name if isinstance(name, str) and name in MARKUPS else None


def _test_crop_mistakes(config: Config, source: Source) -> Mistakes:
    return _crop_mistakes(config, source, ('val_dataloader', 'test_dataloader'))


def _training_crop_mistakes(config: Config, source: Source) -> Mistakes:
    return _crop_mistakes(config, source, ('val_dataloader', 'train_dataloader', 'custom_hooks'))


def _crop_mistakes(config: Config, source: Source, keys: Sequence[str]) -> Mistakes:
    """Pipelines whose crops have another size than the model and the validation."""
    sizes: dict[str, tuple[str, Any]] = {}  # of each pipeline: the place and the size of its last crop
    for key in keys:
        for step, place, registry in walk(config.get(key), key, TOP_REGISTRIES.get(key)):
            part = part_of(step, registry) if registry is registries.TRANSFORMS else None
            name = getattr(part, 'crop_argument', None)
            if name is not None:
                default = arguments(part)[name].default
                sizes[place.rpartition('[')[0]] = f'{place} has {name}=', step.get(name, default)
    model = config.get('model')
    owner, expected = next(iter(sizes.values()), ('', None))
    if 'size' in arguments_of(model, registries.MODELS) and model.get('size') is not None:
        owner, expected = 'model.size=', model['size']
    for place, size in sizes.values():
        if size != expected:
            yield FacelmkError(
                f'{holder(source, "size")}: {place}{size}, {owner}{expected}. Expected crops of one size in training, '
                'validation and test. Set all of them together'
            )


def _evaluator_mistakes(config: Config, source: Source) -> Mistakes:
    """Metrics that need points which the data do not have."""
    for phase in ('val', 'test'):
        data = _markup_of((config.get(f'{phase}_dataloader') or {}).get('dataset'), registries.DATASETS)
        for i, metric in enumerate(_metrics(config, phase)):
            check = getattr(metric, 'check_markup', None)
            if data and check and (reason := _attempt(partial(check, MARKUPS[data]))[1]):
                yield FacelmkError(f'{source}: {phase}_evaluator[{i}]: {reason}')
        figures = [name for metric in _metrics(config, phase) for name in figures_of(metric) or ()]
        if twice := sorted({name for name in figures if figures.count(name) > 1}):
            yield FacelmkError(
                f'{source}: {phase}_evaluator computes {", ".join(twice)} twice. Expected each figure once. Remove one '
                'metric, or give it a prefix'
            )


def _metrics(config: Config, phase: str) -> list[Any]:
    """The metrics of a phase; None for one that cannot be built."""
    build = registries.METRICS.build
    return [_attempt(partial(build, row))[0] for row in rows(config.get(f'{phase}_evaluator'))]


def figures_of(metric: Any) -> list[str] | None:
    """The names of the figures that a metric computes; None for another project's, which does not say."""
    if not (hasattr(metric, 'figures') and hasattr(metric, 'with_prefix')):
        return None
    return list(metric.with_prefix(metric.figures([])))


def _best_mistakes(config: Config, source: Source) -> Mistakes:
    """A `save_best` or `monitor` that names no figure which the validation computes."""
    best = ((config.get('default_hooks') or {}).get('checkpoint') or {}).get('save_best') or ()
    names = [('default_hooks.checkpoint', 'save_best', key) for key in ([best] if isinstance(best, str) else best)]
    for place, registry in (('custom_hooks', registries.HOOKS), ('param_scheduler', registries.PARAM_SCHEDULERS)):
        for i, row in enumerate(rows(config.get(place))):
            if argument := arguments_of(row, registry).get('monitor'):
                names.append((f'{place}[{i}]', 'monitor', row.get('monitor', argument.default)))
    if not names or config.get('val_dataloader') is None:
        return
    figures = [figures_of(metric) for metric in _metrics(config, 'val')]
    if None in figures:
        return
    known = {name for names in figures for name in names or ()}
    for place, word, key in names:
        if not (known if key == 'auto' else any(key == name or key.startswith(f'{name}/') for name in known)):
            yield FacelmkError(
                f'{holder(source, word)}: {place} has {word}={key!r}. Expected a figure that val_evaluator '
                f'computes: {", ".join(sorted(known)) or "it has no metric"}'
            )


def _schedule_mistakes(config: Config, source: Source) -> Mistakes:
    """A schedule that ends before it begins or raises the rate in the end; a validation that never comes."""
    rate = ((config.get('optim_wrapper') or {}).get('optimizer') or {}).get('lr')
    for i, row in enumerate(rows(config.get('param_scheduler'))):
        begin, end, lowest = (row.get(key) for key in ('begin', 'end', 'eta_min'))
        if end is not None and (begin or 0) >= end:
            yield FacelmkError(
                f'{source}: param_scheduler[{i}] has begin={begin or 0}, end={end}. Expected begin < end'
            )
        if (
            lowest is not None
            and isinstance(rate, (int, float))
            and str(row.get('type')).endswith('LR')
            and lowest > rate
        ):
            yield FacelmkError(
                f'{source}: param_scheduler[{i}] has eta_min={lowest}. Expected at most lr={rate}, where it starts'
            )
    loop = config.get('train_cfg') or {}
    last = loop.get('max_iters' if loop.get('by_epoch') is False else 'max_epochs')
    if last is not None and loop.get('val_begin', 1) > last:
        yield FacelmkError(
            f'{source}: train_cfg has val_begin={loop["val_begin"]}. Expected at most {last}, where training ends'
        )


def _runner_mistakes(config: Config, source: Source) -> Mistakes:
    """Options of torch's functions that need, or exclude, one another."""
    for phase in PHASES:
        loader = config.get(f'{phase}_dataloader') or {}
        if loader.get('shuffle'):
            yield FacelmkError(
                f'{source}: {phase}_dataloader has shuffle={loader["shuffle"]}. Expected it in the sampler: '
                f'{phase}_dataloader.sampler.shuffle'
            )
        for key in ('persistent_workers', 'prefetch_factor'):
            if loader.get(key) and not loader.get('num_workers'):
                yield FacelmkError(
                    f'{source}: {phase}_dataloader has {key}={loader[key]} without workers. Expected num_workers >= 1, '
                    f'or no {key}'
                )
        loop = config.get(f'{phase}_cfg') or {}
        by_epoch = phase != 'train' or 'max_epochs' in loop
        if by_epoch and _is_endless(loader.get('sampler')):
            yield FacelmkError(
                f'{source}: {phase}_dataloader.sampler has type={loader["sampler"]["type"]!r}, which never ends. '
                'Expected FaceSampler, or for training a loop with max_iters'
            )
        part = part_of(loader.get('collate_fn'), registries.FUNCTIONS)
        if getattr(part, '__module__', '').startswith('mmengine'):  # its batches have no data_samples as columns
            yield FacelmkError(
                f'{source}: {phase}_dataloader.collate_fn has type={loader["collate_fn"]["type"]!r}, whose batches '
                "facelmk's models do not take. Expected facelmk.collate_faces"
            )
    kinds = [str(row.get('type')) for row in rows((config.get('visualizer') or {}).get('vis_backends'))]
    if twice := next((kind for kind in kinds if kinds.count(kind) > 1), None):
        yield FacelmkError(f'{source}: visualizer.vis_backends has {twice!r} twice. Expected it once')
    scope = config.get('default_scope')
    scopes = {name for registry in TOP_REGISTRIES.values() for name in registry.parent.children}
    if scope not in scopes:
        yield FacelmkError(f'{source}: default_scope={scope!r}. Expected one of {", ".join(sorted(scopes))}')
    scale = config.get('auto_scale_lr') or {}
    if scale.get('enable') and scale.get('base_batch_size') is None:
        yield FacelmkError(f'{source}: auto_scale_lr has enable=True. Expected base_batch_size beside it')
    clip = (config.get('optim_wrapper') or {}).get('clip_grad') or {}
    kind = clip.get('type', 'norm')
    limit = 'max_norm' if kind == 'norm' else 'clip_value'
    if clip and (limit not in clip or clip.keys() - CLIP_KEYS[kind] - {'type'}):
        yield FacelmkError(
            f'{source}: optim_wrapper.clip_grad has {", ".join(clip)}. Expected {limit} and none but '
            f'{", ".join(sorted(CLIP_KEYS[kind]))} with type={kind!r}'
        )


def _is_endless(sampler: Any) -> bool:
    part = part_of(sampler, registries.DATA_SAMPLERS)
    return inspect.isclass(part) and issubclass(part, InfiniteSampler)


def _checkpoint_mistakes(config: Config, source: Source) -> Mistakes:
    """A name that all checkpoints would share, or that lies elsewhere or under another ending than a resume looks."""
    name = ((config.get('default_hooks') or {}).get('checkpoint') or {}).get('filename_tmpl')
    try:
        names = ['epoch_1.pth', 'epoch_2.pth'] if name is None else [name.format(number) for number in (1, 2)]
    except (ValueError, LookupError, AttributeError):  # what is between the braces
        names = []
    if len(set(names)) < 2 or any('/' in name or not name.endswith('.pth') for name in names):
        yield FacelmkError(
            f'{source}: default_hooks.checkpoint has filename_tmpl={name!r}. Expected a name without a folder that '
            "ends in .pth and has {} for the number, such as 'epoch_{}.pth'"
        )
    for i, row in enumerate(rows(config.get('custom_hooks'))):
        part = part_of(row, registries.HOOKS)
        if inspect.isclass(part) and issubclass(part, CheckpointHook):
            yield FacelmkError(
                f'{source}: custom_hooks[{i}] is a second {part.__name__}. Expected one, in default_hooks.checkpoint'
            )


RELATIONS: dict[str, Callable[[Config, Source], Mistakes]] = {  # by what they are about
    'parts': _part_mistakes,
    'landmark scheme': _scheme_mistakes,
    'crop': _test_crop_mistakes,
    'evaluator': _evaluator_mistakes,
    'runner': _runner_mistakes,
}
TRAINING_RELATIONS: dict[str, Callable[[Config, Source], Mistakes]] = {
    'crop': _training_crop_mistakes,
    'save_best': _best_mistakes,
    'schedule': _schedule_mistakes,
    'checkpoint': _checkpoint_mistakes,
}
