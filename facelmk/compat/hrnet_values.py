"""Set the values of a YAML file of the original HRNet in the config that it is based on."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine import Config, ConfigDict

from ..errors import FacelmkError, UnknownName, did_you_mean
from ..markups import MARKUPS
from .hrnet_yaml import DEFAULTS, MODULES, READERS, Values, config_of, stage

log = logging.getLogger(__name__)


def apply_values(values: Values, config: Config, path: Path) -> None:
    """Set the values of the file at `path` in `config`."""
    log.warning('%s: the config %s with the values of this file', path, config_of(values, path))
    _set_model(values['MODEL'], config, path)
    _set_schedule(values['TRAIN'], config, path)
    _set_crop(values, config)
    _set_data(values, config, path)
    config.default_hooks.logger.interval = values['PRINT_FREQ']
    config.setdefault('env_cfg', ConfigDict()).cudnn_benchmark = values['CUDNN']['BENCHMARK']
    config.model.flip_test = values['TEST']['FLIP_TEST']
    config.resume = values['AUTO_RESUME'] or values['TRAIN']['RESUME']
    config.work_dir = str(Path(values['OUTPUT_DIR'], values['DATASET']['DATASET'], path.name.split('.')[0]))


def _set_model(model: Values, config: Config, path: Path) -> None:
    extra, markup = model['EXTRA'], MARKUPS[config.model.get('markup', 'wflw')]
    width = extra['STAGE2']['NUM_CHANNELS'][0]
    stages = {name: stage(count, [width * 2**i for i in range(int(name[-1]))]) for name, count in MODULES.items()}
    size, cells = model['IMAGE_SIZE'], model['HEATMAP_SIZE']
    fixed = {
        'NAME': ('hrnet', model['NAME']),
        'TARGET_TYPE': ('Gaussian', model['TARGET_TYPE']),
        'NUM_JOINTS': (markup.size, model['NUM_JOINTS']),
        'IMAGE_SIZE': ([size[0]] * 2, size),
        'HEATMAP_SIZE': ([size[0] // 4] * 2, cells),
        **{
            f'EXTRA.{key}': (DEFAULTS['MODEL']['EXTRA'][key], extra[key])
            for key in ('STEM_INPLANES', 'FINAL_CONV_KERNEL', 'WITH_HEAD')
        },
        **{
            f'EXTRA.{name}.{key}': (value, extra[name][key])
            for name, stage in stages.items()
            for key, value in stage.items()
        },
    }
    for key, (ours, value) in fixed.items():
        if value != ours:
            raise FacelmkError(
                f'{path}: MODEL.{key} is {value!r}. Expected {ours!r}, as in the four published files. Where a file '
                "leaves a key out, the original's default counts, which is of another network"
            )
    config.model.size = size[0]
    config.model.backbone.width = width
    config.model.codec.sigma = model['SIGMA']
    config.model.backbone.pretrained = _start_weights(model, path)


def _start_weights(model: Values, path: Path) -> str | None:
    """The file of start weights; None if it is missing, where the original starts from scratch without a word."""
    start = model['PRETRAINED'] if model['INIT_WEIGHTS'] else ''
    if not start or Path(start).is_file():
        return start or None
    log.warning(
        '%s: there is no MODEL.PRETRAINED %s. Training starts from scratch, as in the original. To download the same '
        'weights, give --cfg-options model.backbone.pretrained=open-mmlab://msra/hrnetv2_w18',
        path,
        start,
    )
    return None


def _set_schedule(train: Values, config: Config, path: Path) -> None:
    if train['BEGIN_EPOCH']:
        raise FacelmkError(
            f'{path}: TRAIN.BEGIN_EPOCH is {train["BEGIN_EPOCH"]}. Expected 0. To resume a run, leave it 0 and give '
            '--resume'
        )
    momentum, decay = train['MOMENTUM'], train['WD']
    optimizers = {
        'adam': dict(type='Adam', lr=train['LR']),  # without weight decay in the original, whatever WD is
        'sgd': dict(type='SGD', lr=train['LR'], momentum=momentum, weight_decay=decay, nesterov=train['NESTEROV']),
        'rmsprop': dict(type='RMSprop', lr=train['LR'], momentum=momentum, weight_decay=decay),
    }
    if train['OPTIMIZER'] not in optimizers:
        raise UnknownName(
            f'{path}: TRAIN.OPTIMIZER is {train["OPTIMIZER"]!r}. {did_you_mean(train["OPTIMIZER"], optimizers)}'
        )
    config.optim_wrapper.optimizer = ConfigDict(optimizers[train['OPTIMIZER']])
    steps = train['LR_STEP']
    step = (
        dict(type='MultiStepLR', milestones=steps) if isinstance(steps, list) else dict(type='StepLR', step_size=steps)
    )
    config.param_scheduler = [ConfigDict(step, gamma=train['LR_FACTOR'], by_epoch=True)]
    config.train_cfg.max_epochs = train['END_EPOCH']


def _set_crop(values: Values, config: Config) -> None:
    data, size = values['DATASET'], values['MODEL']['IMAGE_SIZE'][0]
    for name in ('train_pipeline', 'val_pipeline'):
        for step in config[name]:
            if 'size' in step:
                step.size = size
            if name == 'train_pipeline' and 'rotate' in step:
                step.flip = 0.5 if data['FLIP'] else 0.0
                step.rotate = data['ROT_FACTOR']
                step.scale = (1 - data['SCALE_FACTOR'], 1 + data['SCALE_FACTOR'])


def _set_data(values: Values, config: Config, path: Path) -> None:
    data, gpus = values['DATASET'], len(values['GPUS'])  # the original splits one batch over its GPUs
    for phase, part, table in (('train', 'TRAIN', 'TRAINSET'), ('val', 'TEST', 'TESTSET'), ('test', 'TEST', 'TESTSET')):
        loader = config.get(f'{phase}_dataloader')
        if loader is None:
            continue
        loader.batch_size = values[part]['BATCH_SIZE_PER_GPU'] * gpus
        loader.num_workers, loader.pin_memory = values['WORKERS'], values['PIN_MEMORY']
        if phase == 'train':
            loader.sampler = ConfigDict(type='FaceSampler', shuffle=values['TRAIN']['SHUFFLE'], round_up=True)
        if data[table]:
            loader.dataset = _of_table(loader.dataset, data[table], data['ROOT'], f'{path}: DATASET.{table}')


def _of_table(dataset: ConfigDict, table: str, pictures: str, place: str) -> ConfigDict:
    """The config's data set for one annotation file, with the subsets that have lists in the same folder."""
    file, dataset = Path(table), next(_published(dataset))
    reader = READERS.get(file.suffix)
    layout = next((layout for layout in dataset.layouts if layout['type'] == reader), None)
    if layout is None:
        known = [suffix for suffix, name in READERS.items() if name in {layout['type'] for layout in dataset.layouts}]
        raise FacelmkError(f'{place} is {table!r}. Expected a {" or ".join(known)} file')
    layout = ConfigDict(layout, ann_file=f'{{split}}{file.suffix}')
    if pictures and 'image_root' in layout:
        layout.image_root = pictures.replace('{', '{{').replace('}', '}}')
    lists = {
        tag: name
        for tag, name in (dataset.get('subset_files') or {}).items()
        if file.with_name(f'{file.stem}_{name}{file.suffix}').is_file()
    }
    # the counts belong to the config's own tables
    options = {key: value for key, value in dataset.items() if key != 'counts'}
    return ConfigDict(dict(options, root='', split=str(file.with_suffix('')), layouts=[layout], subset_files=lists))


def _published(value: Any) -> Iterator[ConfigDict]:
    """The data sets at or below `value` that are read in one of several layouts."""
    if isinstance(value, dict):
        if 'layouts' in value:
            yield value
        value = list(value.values())
    for child in value if isinstance(value, list) else ():
        yield from _published(child)
