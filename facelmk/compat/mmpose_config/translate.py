"""An MMPose 1.x config of a top-down face model as a config of facelmk."""

import functools
from typing import Any, NoReturn

from ...config.evaluate import evaluate
from ...config.folders import config_folder
from ...config.source import ConfigSource, read_source
from ...errors import FacelmkError
from .codec import Coding
from .data import markup_of, translate_loader
from .hooks import translate_custom_hooks, translate_default_hooks
from .metrics import translate_metrics
from .model import MODEL, translate_model
from .pipeline import Steps, translate_pipeline
from .reading import Part, Reading, Values, plain, unusable
from .schedule import LEFT_OUT, UNCHANGED, translate_schedule, translate_test_loop
from .variables import refuse_unused_variables

PHASES = ('train', 'val', 'test')
KEYS = (  # of a config that are read; all others are variables of the file
    'model',
    *(f'{phase}_{part}' for phase in PHASES for part in ('dataloader', 'cfg')),
    *('val_evaluator', 'test_evaluator', 'default_hooks', 'custom_hooks', 'optim_wrapper', 'param_scheduler'),
    *('visualizer', *UNCHANGED, *LEFT_OUT),
)
REFUSED = ('custom_imports',)  # of the Runner: parts of the user's own, for MMPose


def translate(values: Values, source: ConfigSource) -> Values:
    """The config of facelmk that does the same. Values without a counterpart are refused."""
    reading = Reading(values, source)
    try:
        config = _translate(reading.root)
    except FacelmkError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise unusable(reading, error) from error
    reading.refuse_unread([key for key in reading.root.values if key in KEYS])
    for key in REFUSED:
        if reading.root.values.get(key):
            reading.refuse(key, f'{key} names parts made for MMPose. Register them here, in a config of facelmk')
    refuse_unused_variables(source, set(reading.root.values), KEYS)
    return config


def _translate(root: Part) -> Values:
    if root.needed('model').kind() != MODEL:
        root.needed('model').refuse_kind(f'Expected {MODEL}')
    loaders = {phase: part for phase in PHASES if (part := root.part(f'{phase}_dataloader')) is not None}
    markup = _markup(root, loaders)
    model, coding, sync = translate_model(root.needed('model'), markup)
    config = _runtime() | {'model': model}
    pipelines = {phase: _pipeline(loader, coding) for phase, loader in loaders.items()}
    for phase, loader in loaders.items():
        config[f'{phase}_dataloader'] = translate_loader(loader, phase == 'train')
        if phase != 'test' or 'val' not in loaders:
            config[f'{"train" if phase == "train" else "val"}_pipeline'] = pipelines[phase]
        elif pipelines['test'] != pipelines['val']:
            config['test_dataloader']['dataset']['pipeline'] = pipelines['test']
    hooks, stages = translate_custom_hooks(root.parts('custom_hooks'))
    for steps, part in stages:
        config['train_pipeline_stage2'] = _checked(steps, part, coding)
    config['default_hooks'] = translate_default_hooks(root.part('default_hooks'), config['default_hooks'])
    config |= {'custom_hooks': hooks} if hooks else {}
    config |= translate_schedule(root) | _evaluation(root, markup)
    config |= {'sync_bn': 'torch'} if sync else {}
    return _without_copies(config)


@functools.cache
def _runtime_values() -> Values:
    values: Values = plain(evaluate(read_source(config_folder() / '_base_' / 'runtime.py')))
    return {key: value for key, value in values.items() if key != 'protocols'}


def _runtime() -> Values:
    """What every run of facelmk has: hooks, logs, and how processes start."""
    values: Values = plain(_runtime_values())
    return values


def _markup(root: Part, loaders: dict[str, Part]) -> str:
    schemes = {phase: markup_of(loader.needed('dataset')) for phase, loader in loaders.items()}
    if not schemes:
        root.reading.refuse('model', 'the config has no train_dataloader, val_dataloader or test_dataloader. Add one')
    first = next(iter(schemes.values()))
    for phase, scheme in schemes.items():
        if scheme != first:
            loaders[phase].needed('dataset').refuse('type', f'a data set of the landmark scheme {first}')
    return first


def _pipeline(loader: Part, coding: Coding) -> list[Values]:
    dataset = loader.needed('dataset')
    return _checked(translate_pipeline(dataset.parts('pipeline')), dataset, coding, 'pipeline')


def _checked(steps: Steps, owner: Part, coding: Coding, key: str = 'switch_pipeline') -> list[Values]:
    """The steps, if their crops and targets are those of the model's codec."""
    if not steps.steps:
        owner.refuse(key, 'the steps from LoadImage to PackPoseInputs')
    if steps.size != coding.size:
        owner.refuse(key, f"crops of {coding.size} pixels, the decoder's input_size. TopdownAffine has {steps.size}")
    if steps.udp != coding.udp:
        owner.refuse(key, f'TopdownAffine(use_udp={coding.udp}), which belongs to the codec of the model')
    decoder = owner.reading.root.values['model']['head']['decoder']
    for part, encoder in steps.encoders:
        if encoder != decoder:
            _refuse_encoder(part, encoder, decoder)
    return steps.steps


def _refuse_encoder(part: Part, encoder: Any, decoder: Values) -> NoReturn:
    """Name the first key in which an encoder differs from the decoder."""
    keys = [key for key in {**decoder, **encoder} if encoder.get(key, ()) != decoder.get(key, ())]
    place = f'{part.where("encoder")}.{keys[0]}'
    part.reading.refuse(
        place,
        f'{place} is {encoder.get(keys[0], "missing")!r}, model.head.decoder.{keys[0]} is '
        f'{decoder.get(keys[0], "missing")!r}. Expected one codec for both',
    )


def _evaluation(root: Part, markup: str) -> Values:
    config: Values = {}
    for phase, loop in (('val', 'ValLoop'), ('test', 'TestLoop')):
        if metrics := translate_metrics(root.parts(f'{phase}_evaluator'), markup):
            config[f'{phase}_evaluator'] = metrics
        if options := translate_test_loop(root.part(f'{phase}_cfg'), loop):
            config[f'{phase}_cfg'] = options
    return config


def _without_copies(config: Values) -> Values:
    """The config without a test that is the validation, which load_config repeats."""
    for part in ('dataloader', 'evaluator'):
        if config.get(f'test_{part}') == config.get(f'val_{part}', ()):
            del config[f'test_{part}']
    return config
