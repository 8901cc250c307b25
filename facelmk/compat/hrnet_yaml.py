"""YAML files of the original HRNet (https://github.com/HRNet/HRNet-Facial-Landmark-Detection).

The values of a file are checked and joined with the original's defaults. `hrnet_values` sets them in a config.
"""

import ast
import contextlib
import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..config.source import parse
from ..errors import FacelmkError, UnknownName, did_you_mean

Values = dict[str, Any]


def stage(modules: int, channels: list[int]) -> Values:
    """Return the values of one stage of the network."""
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
            STAGE2=stage(1, [18, 36]),
            STAGE3=stage(1, [18, 36, 72]),
            STAGE4=stage(1, [18, 32, 72, 144]),
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
MODULES = {'STAGE2': 1, 'STAGE3': 4, 'STAGE4': 3}  # of the four published files
CONFIG_NAMES = {name: f'hrnet_w18_{name.lower()}_orig' for name in ('300W', 'AFLW', 'COFW', 'WFLW')}
READERS = {'.csv': 'CsvFaces', '.mat': 'CofwMat', '.json': 'CocoFaces'}


def read_hrnet(path: Path) -> Values | None:
    """The values of a YAML file of the original HRNet, with its defaults; None for any other YAML."""
    return fill_defaults(parse(path).tree, path)


def fill_defaults(values: Any, path: Path) -> Values | None:
    """The original HRNet's defaults with these values in their place; None where they are not the original HRNet's."""
    if not isinstance(values, dict) or not any(key in DEFAULTS for key in values):
        return None
    return _fill(values, DEFAULTS, '', path)


def _fill(values: Mapping[str, Any], known: Values, place: str, path: Path) -> Values:
    """The defaults `known` with these values in their place."""
    filled = copy.deepcopy(dict(known))
    for key, value in values.items():
        if key not in known:
            raise UnknownName(f"{path}: the original HRNet has no key '{place}{key}'. {did_you_mean(key, known)}")
        if isinstance(known[key], dict):
            if not isinstance(value, dict):
                raise FacelmkError(
                    f'{path}: {place}{key} is {value!r}. Expected the keys {", ".join(known[key])} below it'
                )
            filled[key] = _fill(value, known[key], f'{place}{key}.', path)
        else:
            filled[key] = _cast(value, known[key], f'{path}: {place}{key}')
    return filled


def _cast(value: Any, default: Any, place: str) -> Any:
    """A value of its default's type; text is read as a Python literal, as in `GPUS: (0,)`."""
    if isinstance(value, str) and not isinstance(default, str):
        with contextlib.suppress(ValueError, SyntaxError):  # other text stays text, which is refused below
            value = ast.literal_eval(value)
    if isinstance(default, (list, tuple)) and isinstance(value, (list, tuple)):
        return list(value)
    if place.endswith('LR_STEP') and type(value) is int:
        return value
    if type(value) is type(default) or (type(default) is float and type(value) is int):
        return type(default)(value)
    raise FacelmkError(f'{place} is {value!r}. Expected a value such as {default!r}')


def config_of(values: Values, path: Path) -> str:
    """The name of the config that a file of the original HRNet is based on."""
    name = values['DATASET']['DATASET']
    if name.upper() not in CONFIG_NAMES:
        raise UnknownName(f'{path}: DATASET.DATASET is {name!r}. {did_you_mean(name, CONFIG_NAMES)}')
    return CONFIG_NAMES[name.upper()]
