"""The original HRNet's YAML files (https://github.com/HRNet/HRNet-Facial-Landmark-Detection) on our configs.

A file is read with the original's defaults, checked, and put onto the row `hrnet_w18_<data>_orig`.
"""

import ast
import copy
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from mmengine import Config, ConfigDict

from ..errors import FacelmkError, UnknownName, did_you_mean
from ..markups import MARKUPS

Values = dict[str, Any]
log = logging.getLogger(__name__)


def _stage(modules: int, channels: list[int]) -> Values:
    return dict(
        NUM_MODULES=modules,
        NUM_BRANCHES=len(channels),
        NUM_BLOCKS=[4] * len(channels),
        NUM_CHANNELS=channels,
        BLOCK='BASIC',
        FUSE_METHOD='SUM',
    )


DEFAULTS: Values = dict(
    OUTPUT_DIR='output',
    LOG_DIR='log',
    GPUS=(0, 1, 2, 4),
    WORKERS=16,
    PRINT_FREQ=20,
    AUTO_RESUME=False,
    PIN_MEMORY=True,
    CUDNN=dict(BENCHMARK=True, DETERMINISTIC=False, ENABLED=True),
    MODEL=dict(
        NAME='hrnet',
        INIT_WEIGHTS=True,
        PRETRAINED='',
        NUM_JOINTS=17,
        TARGET_TYPE='Gaussian',
        IMAGE_SIZE=[256, 256],
        HEATMAP_SIZE=[64, 64],
        SIGMA=1.5,
        EXTRA=dict(
            PRETRAINED_LAYERS=['*'],
            STEM_INPLANES=64,
            FINAL_CONV_KERNEL=1,
            WITH_HEAD=True,
            STAGE2=_stage(1, [18, 36]),
            STAGE3=_stage(1, [18, 36, 72]),
            STAGE4=_stage(1, [18, 32, 72, 144]),
        ),
    ),
    DATASET=dict(ROOT='', DATASET='AFLW', TRAINSET='', TESTSET='', FLIP=True, SCALE_FACTOR=0.25, ROT_FACTOR=30.0),
    TRAIN=dict(
        LR_FACTOR=0.1,
        LR_STEP=[30, 50],
        LR=1e-4,
        OPTIMIZER='adam',
        MOMENTUM=0.0,
        WD=0.0,
        NESTEROV=False,
        BEGIN_EPOCH=0,
        END_EPOCH=60,
        RESUME=True,
        CHECKPOINT='',
        BATCH_SIZE_PER_GPU=16,
        SHUFFLE=True,
    ),
    TEST=dict(BATCH_SIZE_PER_GPU=32, FLIP_TEST=False),
)
MODULES = {'STAGE2': 1, 'STAGE3': 4, 'STAGE4': 3}
ROWS = {name: f'hrnet_w18_{name.lower()}_orig' for name in ('300W', 'AFLW', 'COFW', 'WFLW')}
READERS = {'.csv': 'CsvFaces', '.mat': 'CofwMat', '.json': 'CocoFaces'}


def read_hrnet(path: Path) -> Values | None:
    """What a file of the original HRNet says, its defaults filled in; None if it is another kind of YAML."""
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))  # the safe loader builds plain data alone
    except yaml.YAMLError as error:
        raise FacelmkError(f'{path} is no plain YAML: {error}') from error
    if not isinstance(content, dict) or not any(key in DEFAULTS for key in content):
        return None
    return _filled(content, DEFAULTS, '', path)


def _filled(given: Mapping[str, Any], known: Values, place: str, path: Path) -> Values:
    """The defaults with what is given in their place."""
    found = copy.deepcopy(dict(known))
    for key, value in given.items():
        if key not in known:
            raise UnknownName(f"{path}: the original HRNet has no key '{place}{key}'. {did_you_mean(key, known)}")
        if isinstance(known[key], dict):
            if not isinstance(value, dict):
                raise FacelmkError(
                    f'{path}: {place}{key} is {value!r}; expected the keys {", ".join(known[key])} below it'
                )
            found[key] = _filled(value, known[key], f'{place}{key}.', path)
        else:
            found[key] = _cast(value, known[key], f'{path}: {place}{key}')
    return found


def _cast(value: Any, default: Any, place: str) -> Any:
    """A value in its default's kind; text stands for the Python value that it spells, as in `GPUS: (0,)`."""
    if isinstance(value, str) and not isinstance(default, str):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            pass  # told below, as the text that it is
    if isinstance(default, (list, tuple)) and isinstance(value, (list, tuple)):
        return list(value)
    if place.endswith('LR_STEP') and type(value) is int:
        return value
    if type(value) is type(default) or type(default) is float and type(value) is int:
        return type(default)(value)
    raise FacelmkError(f'{place} is {value!r}; expected a value such as {default!r}')


def config_of(values: Values, path: Path) -> str:
    """The name of the config that a file is put onto."""
    name = values['DATASET']['DATASET']
    if name.upper() not in ROWS:
        raise UnknownName(f'{path}: DATASET.DATASET is {name!r}. {did_you_mean(name, ROWS)}')
    return ROWS[name.upper()]


def apply_values(values: Values, config: Config, path: Path) -> None:
    """Set in `config`, one of the original HRNet's, the values of the file at `path`."""
    log.warning('%s: the config %s with the values of this file', path, config_of(values, path))
    _put_model(values['MODEL'], config, path)
    _put_schedule(values['TRAIN'], config, path)
    _put_crop(values, config)
    _put_data(values, config, path)
    config.default_hooks.logger.interval = values['PRINT_FREQ']
    config.setdefault('env_cfg', ConfigDict()).cudnn_benchmark = values['CUDNN']['BENCHMARK']
    config.model.flip_test = values['TEST']['FLIP_TEST']
    config.resume = values['AUTO_RESUME'] or values['TRAIN']['RESUME']
    config.work_dir = str(Path(values['OUTPUT_DIR'], values['DATASET']['DATASET'], path.name.split('.')[0]))


def _put_model(model: Values, config: Config, path: Path) -> None:
    extra, markup = model['EXTRA'], MARKUPS[config.model.get('markup', 'wflw')]
    width = extra['STAGE2']['NUM_CHANNELS'][0]
    stages = {name: _stage(count, [width * 2**i for i in range(int(name[-1]))]) for name, count in MODULES.items()}
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
            f'EXTRA.{name}.{key}': (wanted, extra[name][key])
            for name, stage in stages.items()
            for key, wanted in stage.items()
        },
    }
    for key, (wanted, given) in fixed.items():
        if given != wanted:
            raise FacelmkError(
                f'{path}: MODEL.{key} is {given!r}; the network here has {wanted!r}, as the four '
                "published files do (left out, the original's defaults are of another network)"
            )
    config.model.size = size[0]
    config.model.backbone.width = width
    config.model.codec.sigma = model['SIGMA']
    config.model.backbone.pretrained = _start(model, path)


def _start(model: Values, path: Path) -> str | None:
    """The file of start weights; without it the original starts from scratch, silently."""
    start = model['PRETRAINED'] if model['INIT_WEIGHTS'] else ''
    if not start or Path(start).is_file():
        return start or None
    log.warning(
        '%s: MODEL.PRETRAINED %s is not there, so a training starts from scratch, as the original does. '
        'model.backbone.pretrained=open-mmlab://msra/hrnetv2_w18 behind --cfg-options fetches the same weights',
        path,
        start,
    )
    return None


def _put_schedule(train: Values, config: Config, path: Path) -> None:
    if train['BEGIN_EPOCH']:
        raise FacelmkError(
            f'{path}: TRAIN.BEGIN_EPOCH is {train["BEGIN_EPOCH"]}; only 0 is known here. To go on with '
            'a run, leave it 0 and give --resume'
        )
    momentum, decay = train['MOMENTUM'], train['WD']
    optimizers = {
        'adam': dict(type='Adam', lr=train['LR']),  # the original gives it no weight decay, whatever WD says
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


def _put_crop(values: Values, config: Config) -> None:
    data, size = values['DATASET'], values['MODEL']['IMAGE_SIZE'][0]
    for name in ('train_pipeline', 'val_pipeline'):
        for step in config[name]:
            if 'size' in step:
                step.size = size
            if name == 'train_pipeline' and 'rotate' in step:
                step.flip = 0.5 if data['FLIP'] else 0.0
                step.rotate = data['ROT_FACTOR']
                step.scale = (1 - data['SCALE_FACTOR'], 1 + data['SCALE_FACTOR'])


def _put_data(values: Values, config: Config, path: Path) -> None:
    data, gpus = values['DATASET'], len(values['GPUS'])  # one batch is shared out over the GPUs there
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
    """The row's data set, reading one annotation file, with the subsets whose lists lie beside it."""
    file, dataset = Path(table), next(_published(dataset))
    reader = READERS.get(file.suffix)
    layout = next((layout for layout in dataset.layouts if layout['type'] == reader), None)
    if layout is None:
        known = [suffix for suffix, name in READERS.items() if name in {layout['type'] for layout in dataset.layouts}]
        raise FacelmkError(f'{place} is {table!r}; this data set is read from {" or ".join(known)}')
    layout = ConfigDict(layout, ann_file=f'{{split}}{file.suffix}')
    if pictures and 'image_root' in layout:
        layout.image_root = pictures.replace('{', '{{').replace('}', '}}')
    lists = {
        tag: name
        for tag, name in (dataset.get('subset_files') or {}).items()
        if file.with_name(f'{file.stem}_{name}{file.suffix}').is_file()
    }
    kept = {key: value for key, value in dataset.items() if key != 'counts'}  # those are of the row's own tables
    return ConfigDict(dict(kept, root='', split=str(file.with_suffix('')), layouts=[layout], subset_files=lists))


def _published(value: Any) -> Iterator[ConfigDict]:
    """The data sets, at or below a config, that are read in one of several layouts."""
    if isinstance(value, dict):
        if 'layouts' in value:
            yield value
        value = list(value.values())
    for child in value if isinstance(value, list) else ():
        yield from _published(child)
