"""Look over a config before a cluster job starts: everything that is wrong or odd with it, not only the first."""

import math
import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from mmengine import Config
from mmengine.hooks import EMAHook

from ...checkpoint import PRETRAINED, find_checkpoint
from ...config import config_names
from ...config.folders import claim
from ...config.schema import missing_keys
from ...config.validate import mistakes
from ...datasets import FaceDataset
from ...errors import FacelmkError
from ...markups import MARKUPS
from ...metrics.base import ErrorMetric, FaceMetric
from ...metrics.errors import check_ends
from ...registry import DATASETS, HOOKS, METRICS, MODELS
from .findings import ERROR, NOTE, WARNING, Finding, Parts, attempt
from .overlap import shared
from .rehearsal import rehearse

PHASES = ('train', 'val', 'test')
SHARED = 0.5  # of the free disk: more than that for checkpoints is told


def check_config(config: Config, path: Path, gpus: int = 1, step: bool = True) -> list[Finding]:
    """Every finding about a complete config; with `step`, a training step and a validation batch on the CPU, too."""
    found = [Finding(ERROR, 'keys', str(mistake)) for mistake in mistakes(config, path)]
    gone = [*(['model'] if config.get('model') is None else ()), *missing_keys('train', config), *missing_keys('val', config)]
    if gone:
        found.append(Finding(ERROR, 'keys', f'{path} does not say all that a run needs: there is no {", ".join(gone)}'))
    parts = _build(config, found)
    looks: dict[str, Callable[[], Iterable[Finding]]] = {
        'mark-up': partial(_agree, config, parts),
        'train and test': partial(_apart, config, parts),
        'evaluator': partial(_evaluator, config, parts),
        'hooks': partial(_hooks, config, parts, found),
        'weights': partial(_weights, config, found),
        'learning rate': partial(_rate, config, gpus),
        'schedule': partial(_schedule, config, parts, gpus),
        'disk': partial(_disk, config, parts),
    }
    for subject, look in looks.items():
        found += attempt(lambda look=look: list(look()), subject, 2, found) or []  # type: ignore[misc]
    if step and parts.model is not None and {'train', 'val'} & set(parts.sets):
        found += rehearse(config, parts)
    return found


def exit_code(found: list[Finding]) -> int:
    """0, or 2 for a wrong config, or 3 where weights are missing, or 4 where only the data are wrong."""
    codes = {finding.code for finding in found if finding.severity == ERROR}
    return min(codes, default=0)


def _build(config: Config, found: list[Finding]) -> Parts:
    """Data sets, model and metrics; what cannot be built is a finding."""
    sets: dict[str, FaceDataset] = {}
    for phase in PHASES:
        loader = config.get(f'{phase}_dataloader')
        if loader is None:
            if phase != 'test':
                found.append(Finding(NOTE, f'{phase} data', f'the config has no {phase}_dataloader'))
            continue
        if phase == 'test' and loader.get('dataset') == (config.get('val_dataloader') or {}).get('dataset'):
            sets |= {'test': sets['val']} if 'val' in sets else {}
            continue
        part = dict(loader.get('dataset', {}))
        part.pop('cache', None)  # two faces are drawn sooner
        built = attempt(partial(DATASETS.build, part), f'{phase} data', 4, found)
        if built is not None:
            sets[phase] = built
            count = (
                Finding(NOTE, f'{phase} data', f'{len(built)} faces')
                if len(built)
                else Finding(ERROR, f'{phase} data', 'the data set is empty', 4)
            )
            found.append(count)
    model = None if config.get('model') is None else attempt(partial(MODELS.build, config.model), 'model', 2, found)
    metrics = [attempt(partial(METRICS.build, row), 'evaluator', 2, found) for row in rows(config.get('val_evaluator'))]
    return Parts(sets, model, [metric for metric in metrics if metric is not None])


def rows(evaluator: Any) -> list[Any]:
    """The metrics of an evaluator, which may be a list, a single one or mmengine's Evaluator around them."""
    if isinstance(evaluator, dict) and 'metrics' in evaluator:
        evaluator = evaluator['metrics']
    return [evaluator] if isinstance(evaluator, dict) else list(evaluator or ())


def _agree(config: Config, parts: Parts) -> Iterator[Finding]:
    """Mark-ups and crop sizes of model and data."""
    wanted = getattr(getattr(parts.model, 'markup', None), 'name', None)
    for phase, data in parts.sets.items():
        if wanted is not None and not MARKUPS[wanted].same_points(data.markup):
            yield Finding(
                ERROR,
                'mark-up',
                f'the model gives {wanted!r}, the {phase} data {data.markup.name!r} ({data.markup.size} points)',
            )
        crops = [
            step
            for step in config[f'{phase}_dataloader'].dataset.get('pipeline', ())
            if isinstance(step, dict) and str(step.get('type', '')).endswith('CropFace')
        ]
        size = (config.get('model') or {}).get('size')
        for crop in crops:
            if size is not None and crop.get('size', 256) != size:
                yield Finding(
                    ERROR,
                    'crop',
                    f'the {phase} pipeline cuts {crop.get("size", 256)} pixels, the model is made for {size}',
                )


def _apart(config: Config, parts: Parts) -> Iterator[Finding]:
    """Faces and pictures that training and a test share."""
    for phase in ('val', 'test'):
        if phase not in parts.sets or 'train' not in parts.sets or (phase == 'test' and _same(parts)):
            continue
        train, own = (
            {key: value for key, value in config[f'{name}_dataloader'].dataset.items() if key != 'pipeline'}
            for name in ('train', phase)
        )
        if own == train:
            yield Finding(ERROR, 'train and test', f'{phase} data are the training data: its figures tell nothing')
            continue
        faces, pictures = shared(parts.sets['train'], parts.sets[phase])
        if faces:
            yield Finding(
                ERROR,
                'train and test',
                f'{len(faces)} faces of {phase} are in the training set, too; the first is {faces[0]}',
                4,
            )
        if pictures:
            yield Finding(
                WARNING,
                'train and test',
                f'{len(pictures)} pictures of {phase} have other faces that are '
                f'in the training set; the first is {pictures[0]}',
            )
    if _same(parts):
        yield Finding(NOTE, 'val and test', 'are one data set: a best checkpoint is chosen on what it is tested on')


def _same(parts: Parts) -> bool:
    return 'test' in parts.sets and parts.sets['test'] is parts.sets.get('val')


def _evaluator(config: Config, parts: Parts) -> Iterator[Finding]:
    """Normalisers that the mark-up has, and a `save_best` that is measured."""
    data = parts.sets.get('val') or parts.sets.get('test')
    named: set[str] = set()
    for metric in parts.metrics:
        if data is not None:
            metric.dataset_meta = data.metainfo
        if isinstance(metric, ErrorMetric) and data is not None:
            try:
                check_ends(metric.norm, data.markup)
            except FacelmkError as error:
                yield Finding(ERROR, 'evaluator', str(error))
        if isinstance(metric, FaceMetric):
            named |= {f'{metric.prefix}/{key}' if metric.prefix else key for key in metric.figures([])}
    wanted = (config.get('default_hooks') or {}).get('checkpoint', {}).get('save_best')
    for key in [wanted] if isinstance(wanted, str) else wanted or ():
        if key != 'auto' and named and key not in named and key.split('/')[0] not in named:
            yield Finding(
                ERROR, 'save_best', f'{key!r} is no figure of the evaluator, which gives {", ".join(sorted(named))}'
            )


def _hooks(config: Config, parts: Parts, found: list[Finding]) -> Iterator[Finding]:
    """Hooks and averages that cannot be made as the config says; yields nothing, for `attempt` tells."""
    for row in (*(config.get('default_hooks') or {}).values(), *(config.get('custom_hooks') or ())):
        if not isinstance(row, dict) or 'type' not in row:
            continue
        given = {key: value for key, value in row.items() if key != 'priority'}
        hook = attempt(partial(HOOKS.build, given), f'hook {row["type"]}', 2, found)
        if isinstance(hook, EMAHook) and parts.model is not None:
            attempt(
                partial(MODELS.build, hook.ema_cfg, default_args=dict(model=parts.model)),
                f'hook {row["type"]}',
                2,
                found,
            )
    yield from ()


def _weights(config: Config, found: list[Finding]) -> Iterator[Finding]:
    """Weights to start from that are not there; those on the net are not asked for."""
    backbone = (config.get('model') or {}).get('backbone') or {}
    for key, source in (('load_from', config.get('load_from')), ('pretrained', backbone.get('pretrained'))):
        if not isinstance(source, str) or (key, source) == ('pretrained', 'timm'):
            continue
        if source.startswith(('http://', 'https://')) or source in PRETRAINED or source in config_names():
            yield Finding(NOTE, 'weights', f'{key}={source} comes over the net where the cache does not have it')
        else:
            attempt(partial(find_checkpoint, source), f'{key}', 3, found)


def _rate(config: Config, gpus: int) -> Iterator[Finding]:
    """The batch that the learning rate was chosen for, and the one that it will be used with."""
    rate = ((config.get('optim_wrapper') or {}).get('optimizer') or {}).get('lr')
    scale = config.get('auto_scale_lr') or {}
    base, scaled = scale.get('base_batch_size'), scale.get('enable')
    if config.get('train_dataloader') is None or not isinstance(rate, (int, float)) or not base:
        yield Finding(NOTE, 'learning rate', 'the config does not say which batch it is for (auto_scale_lr)')
        return
    steps = int((config.get('optim_wrapper') or {}).get('accumulative_counts', 1))
    batch = int(config.train_dataloader.get('batch_size', 1)) * gpus * steps
    made = f'{gpus} GPU{"s make" if gpus > 1 else " makes"} {batch}' + (
        f' in {steps} steps that are summed up' if steps > 1 else ''
    )
    right = f'{rate:g} is for a batch of {base}; {made}, for which it scales to {rate * batch / base:g}'
    if batch == base:
        yield Finding(NOTE, 'learning rate', f'{rate:g} for a batch of {base}; {made}')
    elif scaled:
        yield Finding(NOTE, 'learning rate', f'{right}, as auto_scale_lr.enable makes it')
    else:
        yield Finding(WARNING, 'learning rate', f'{right}: train with --auto-scale-lr')


def _schedule(config: Config, parts: Parts, gpus: int) -> Iterator[Finding]:
    """How many steps there are, and where warm-up and milestones lie among them."""
    train, loader = config.get('train_cfg') or {}, config.get('train_dataloader') or {}
    data, epochs = parts.sets.get('train'), train.get('max_epochs')
    if data is None or not len(data) or not isinstance(epochs, int):
        return
    share, batch = math.ceil(len(data) / gpus), int(loader.get('batch_size', 1))
    each = share // batch if loader.get('drop_last') else math.ceil(share / batch)
    if not each:
        yield Finding(ERROR, 'schedule', f'{share} faces a GPU make no batch of {batch} with drop_last')
        return
    if share % batch == 1 and not loader.get('drop_last'):
        yield Finding(
            WARNING,
            'schedule',
            'the last batch of an epoch has one face, on which BatchNorm cannot train: '
            'it will be left out. Another batch_size, or train_dataloader.drop_last=True, says so',
        )
    yield Finding(NOTE, 'schedule', f'{each} steps an epoch, {each * epochs} in {epochs} epochs')
    warm = 0.0
    for row in rows(config.get('param_scheduler')):
        unit = each if row.get('by_epoch', True) and not row.get('convert_to_iter_based') else 1
        if str(row.get('type', '')).startswith(('Linear', 'Constant')) and isinstance(row.get('end'), (int, float)):
            warm = max(warm, row['end'] * unit)
    marks = [
        mark * (each if row.get('by_epoch', True) else 1)
        for row in rows(config.get('param_scheduler'))
        for mark in row.get('milestones', ())
    ]
    for late, what in ((warm, 'warm-up ends'), (max(marks, default=0), 'the last milestone lies')):
        if late >= each * epochs:
            yield Finding(WARNING, 'schedule', f'{what} at step {late:g}, training at step {each * epochs}')
    if marks and warm > min(marks):
        yield Finding(WARNING, 'schedule', f'warm-up ends at step {warm:g}, after the first milestone at {min(marks)}')


def _disk(config: Config, parts: Parts) -> Iterator[Finding]:
    """Whether the work folder takes the checkpoints."""
    try:
        claim(config.work_dir)
    except FacelmkError as error:
        yield Finding(ERROR, 'work_dir', str(error))
        return
    if parts.model is None:
        return
    hook = (config.get('default_hooks') or {}).get('checkpoint', {})
    epochs = (config.get('train_cfg') or {}).get('max_epochs')
    kept = hook.get('max_keep_ckpts', -1)
    made = math.ceil((epochs if isinstance(epochs, int) else 1) / max(hook.get('interval', 1), 1))
    number = kept if kept > 0 else made
    size = sum(value.numel() * value.element_size() for value in parts.model.state_dict().values())
    averages = sum(str(row.get('type', '')).endswith('EMAHook') for row in config.get('custom_hooks') or ())
    copies = 1 + averages + (2 if hook.get('save_optimizer', True) else 0)  # Adam's two moments
    best = hook.get('save_best')
    beside = 1 + (len(best) if isinstance(best, list) else bool(best)) + bool(hook.get('every') or hook.get('minutes'))
    need = copies * size * (number + beside)  # the one that is being written, the best ones, that inside an epoch
    place = next(p for p in (Path(config.work_dir).absolute(), *Path(config.work_dir).absolute().parents) if p.exists())
    free = shutil.disk_usage(place).free
    severity = ERROR if need > free else WARNING if need > SHARED * free else NOTE
    yield Finding(
        severity,
        'disk',
        f'checkpoints may take {need / 2**30:.2f} GiB, {place} has {free / 2**30:.2f} GiB '
        f'free ({number + beside} of {copies * size / 2**20:.0f} MiB'
        f'{", averaged weights included" if averages else ""})',
    )
