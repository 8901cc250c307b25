"""Find a config, load it, fill in what follows from the rest, and refuse what nobody would read."""
import copy
import difflib
import functools
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from mmengine import Config, ConfigDict
from mmengine.config import config as mmengine_config
from mmengine.config.lazy import LazyAttr, LazyObject
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmengine.utils import import_modules_from_strings
from torch.utils.data import DataLoader

from .. import registry as shelves
from ..registry import FacelmkError, Shelf, UnknownName, near
from .hrnet_yaml import put, read_hrnet, row_of
from .seeds import THEIRS, our_name, refuse_mmposes, tell_name

TOP: dict[str, Shelf] = {  # which shelf a key of the config itself takes its part from
    'model': shelves.MODELS, 'optim_wrapper': shelves.OPTIM_WRAPPERS, 'param_scheduler': shelves.PARAM_SCHEDULERS,
    'default_hooks': shelves.HOOKS, 'custom_hooks': shelves.HOOKS, 'train_cfg': shelves.LOOPS,
    'val_evaluator': shelves.METRICS, 'test_evaluator': shelves.METRICS, 'visualizer': shelves.VISUALIZERS}
BELOW: dict[str, Shelf] = {  # and which a key further down; other keys stay on their parent's shelf
    'backbone': shelves.BACKBONES, 'head': shelves.HEADS, 'codec': shelves.CODECS, 'target': shelves.CODECS,
    'loss': shelves.LOSSES, 'dataset': shelves.DATASETS, 'pipeline': shelves.TRANSFORMS,
    'sampler': shelves.DATA_SAMPLERS, 'collate_fn': shelves.FUNCTIONS, 'optimizer': shelves.OPTIMIZERS,
    'vis_backends': shelves.VISBACKENDS}
OWN_KEYS = {'custom_imports', 'result', 'sync_bn', 'find_unused_parameters', 'model_wrapper_cfg', 'env_cfg',
            'compile', 'efficient_conv_bn_eval'}
ALWAYS = {'type', '_scope_'}
RUNNERS_OWN = {'hook': {'priority'}, 'parameter scheduler': {'convert_to_iter_based'},
               'optim_wrapper': {'constructor', 'paramwise_cfg'}}  # what the Runner takes out before it builds a part


def config_folder() -> Path:
    """Where the configs are: inside the installed package, or beside it in a clone."""
    inside = Path(__file__).parents[1] / 'configs'
    return inside if inside.is_dir() else Path(__file__).parents[2] / 'configs'


def package_folder(package: str) -> str:
    """Where `from package.configs... import *` of a config looks for the package's folder `configs`."""
    if package == shelves.SCOPE:
        return str(config_folder().parent)
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise UnknownName(f'a config is based on {package!r}, but there is no such package. Install it, or add its '
                          'folder to PYTHONPATH')
    return found.submodule_search_locations[0]


mmengine_config.get_installed_path = package_folder  # mmengine's own needs pkg_resources, which setuptools 82 dropped


def config_names() -> list[str]:
    """The names of all configs that come with facelmk."""
    return sorted(path.stem for path in config_folder().glob('*.py'))


def find_config(source: str | Path) -> Path:
    """The file of a config that is given by path or by name, ours or another project's for the same thing."""
    if Path(source).is_file():
        refuse_mmposes(Path(source))
        return Path(source)
    named = config_folder() / f'{Path(source).stem}.py'
    if named.is_file():
        return named
    if ours := our_name(source):
        tell_name(source, ours)
        return config_folder() / f'{ours}.py'
    raise UnknownName(f'{source!s} is neither a config file nor the name of a config. '
                      f'{near(Path(source).stem, [*config_names(), *THEIRS])}')


def load_config(source: str | Path, options: dict[str, Any] | None = None) -> Config:
    """A config, complete and checked; `options` are dotted keys and values that replace its own."""
    path = find_config(source)
    config = _read_hrnets(path) or _read(path)
    of_test = {key: value for key, value in (options or {}).items() if key.startswith('test_')}
    _replace(config, {key: value for key, value in (options or {}).items() if key not in of_test}, path)
    _fill_test(config)
    _replace(config, of_test, path)
    check(config, path)
    complete(config)
    return config


def _read_hrnets(path: Path) -> Config | None:
    """The config that a YAML of the original HRNet asks for; None for any other file."""
    values = read_hrnet(path) if path.suffix in ('.yaml', '.yml') else None
    if values is None:
        return None
    config = _read(find_config(row_of(values, path)))
    put(values, config, path)
    return config


def _read(path: Path) -> Config:
    """The config of a file, with the modules imported that hold a project's own parts."""
    if '' not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # a project's own parts lie where its commands are run
    try:
        config = Config.fromfile(path)
        refuse_mmposes(path, config.text)
        if config.get('custom_imports'):  # mmengine skips them in configs that use read_base
            import_modules_from_strings(**config.custom_imports)
        for key in [key for key, value in config.items() if _is_stray(value)]:
            config.pop(key)
    except FacelmkError:
        raise
    except Exception as error:  # a config is a program: whatever it raises is a mistake in it or in what it imports
        raise FacelmkError(f'{path} cannot be read: {type(error).__name__}: {error}. Modules are looked for where the '
                           'command is run and along PYTHONPATH') from error
    return config


def _is_stray(value: Any) -> bool:
    """Names that composing a config leaves behind: helpers, and imported functions, classes and modules."""
    return isinstance(value, (type, FunctionType, ModuleType, LazyObject, LazyAttr))


def _replace(config: Config, options: dict[str, Any], path: Path) -> None:
    if options:
        _check_options(options, config, path)
        config.merge_from_dict(options)


def _fill_test(config: Config) -> None:
    """What is not said of the test is as in validation."""
    for part in ('dataloader', 'evaluator'):
        if config.get(f'test_{part}') is None and config.get(f'val_{part}') is not None:
            config[f'test_{part}'] = copy.deepcopy(config[f'val_{part}'])


def complete(config: Config) -> None:
    """Fill in what was left out: crop size, samplers, the collate, work folder, TensorBoard where installed."""
    _fill_size(config)
    for phase in ('train', 'val', 'test'):
        loader = config.get(f'{phase}_dataloader')
        if loader is not None:
            loader.setdefault('num_workers', 2)
            loader.setdefault('persistent_workers', loader.num_workers > 0)
            training = phase == 'train'  # ranks must take equally many steps in training; a test counts no face twice
            loader.setdefault('sampler', ConfigDict(type='FaceSampler', shuffle=training, round_up=training))
            loader.setdefault('collate_fn', ConfigDict(type='facelmk.collate_faces'))
    for phase in ('val', 'test'):
        if config.get(f'{phase}_dataloader') is not None and config.get(f'{phase}_cfg') is None:
            config[f'{phase}_cfg'] = ConfigDict()
    config.setdefault('work_dir', f'work_dirs/{Path(config.filename).stem}')
    config.setdefault('default_scope', shelves.SCOPE)
    backends = config.get('visualizer', {}).get('vis_backends')
    if backends is not None and importlib.util.find_spec('tensorboard'):
        if not any(backend['type'] == 'TensorboardVisBackend' for backend in backends):
            backends.append(ConfigDict(type='TensorboardVisBackend'))


def _fill_size(config: Config) -> None:
    """The model is told how large the crops are that the pipeline cuts."""
    model, loader = config.get('model'), config.get('val_dataloader') or {}
    pipeline = loader.get('dataset', {}).get('pipeline', ())
    crops = [step for step in pipeline if isinstance(step, dict) and step.get('type') == 'CropFace']
    if model and crops and 'size' in _arguments(shelves.MODELS.get(model.type)):
        model.setdefault('size', crops[-1].get('size', 256))


def check(config: Config, path: Path) -> None:
    """Refuse misspelt keys and types, with the near name and the file."""
    known = _runner_keys()
    for key in config:
        if key not in known and not key.startswith('_') and _close(key, known):
            raise UnknownName(f'{path}: nothing reads the key {key!r}. {near(key, known)}')
    for key in filter(known.__contains__, config):  # in the file's order: what was copied into the test comes last
        _check_value(config[key], key, TOP.get(key), str(path))
    for phase in ('train', 'val', 'test'):
        loader = config.get(f'{phase}_dataloader')
        if isinstance(loader, dict):
            known = _arguments(DataLoader) | {'dataset', 'num_batch_per_epoch'}
            _check_names(loader, known, f'{phase}_dataloader', path)
    train = config.get('train_cfg')
    if isinstance(train, dict) and 'type' not in train:
        _check_names(train, _arguments(EpochBasedTrainLoop) | {'by_epoch', 'max_iters'}, 'train_cfg', path)


def _check_value(value: Any, where: str, shelf: Shelf | None, path: str) -> None:
    """Every part below `value`: its type stands on the shelf, its arguments are ones that it takes."""
    if isinstance(value, dict):
        if shelf is not None and isinstance(value.get('type'), str):
            _check_part(value, where, shelf, path)
        for key, child in value.items():
            _check_value(child, f'{where}.{key}', BELOW.get(key, shelf), path)
    elif isinstance(value, (list, tuple)):
        for i, child in enumerate(value):
            _check_value(child, f'{where}[{i}]', shelf, path)


def _check_part(part: dict, where: str, shelf: Shelf, path: str) -> None:
    kind = part['type']
    found = _find(shelf, kind)
    if found is None:
        raise UnknownName(f'{path}: {where} has type {kind!r}, which is no registered {shelf.name}. '
                          f'{_meant(kind.rpartition(".")[2], shelf)} A part of your own is found once its module '
                          'stands in `custom_imports`.')
    names = _arguments(found)
    if names:
        _check_names(part, names | ALWAYS | RUNNERS_OWN.get(shelf.name, set()), f'{where} ({kind})', path)


def _meant(name: str, shelf: Shelf) -> str:
    """What does the same as a step of MMPose's pipelines, or the near name."""
    from ..datasets.mmpose import STEPS  # for this error alone: it loads all data sets

    if name in STEPS:
        return f"It is MMPose's; what does the same here: {STEPS[name]}."
    return near(name, _all_names(shelf))


def _find(shelf: Shelf, kind: str) -> Any:
    """The part of that type, on our shelf or on mmengine's below it."""
    try:
        return shelf.get(kind)
    except RuntimeError:
        return None


def _all_names(shelf: Shelf) -> set[str]:
    return set(shelf) | set(shelf.parent.module_dict if shelf.parent is not None else ())


def _check_names(given: dict, known: set[str], where: str, path: str | Path) -> None:
    for key in given:
        if key not in known:
            raise UnknownName(f'{path}: {where} takes no {key!r}. {near(key, known - ALWAYS)}')


@functools.cache
def _arguments(part: Any) -> set[str]:
    """The names that a class or function takes, its bases' included; empty where it takes any."""
    names: set[str] = set()
    for owner in _owners(part):
        parameters = inspect.signature(owner).parameters.values()
        names |= {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return names - {'self'}
    return set()


def _owners(part: Any) -> Iterator[Any]:
    """The functions whose arguments a call reaches: a class's __init__ and, through **kwargs, its bases'."""
    if not inspect.isclass(part):
        yield part
        return
    for base in part.__mro__[:-1]:
        if '__init__' in vars(base) and not getattr(base, '__module__', '').startswith('torch.nn.modules.module'):
            yield vars(base)['__init__']


def _runner_keys() -> set[str]:
    return set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'} | OWN_KEYS


def _close(key: str, known: set[str]) -> bool:
    """Whether `key` is a misspelling; a config's names of its own (data_root, train_pipeline) are not."""
    return bool(difflib.get_close_matches(key, known, cutoff=.78))


def _check_options(options: dict[str, Any], config: Config, path: Path) -> None:
    """A key on the command line must be one that the config, the Runner or the part it belongs to knows."""
    for dotted in options:
        first, *rest = dotted.split('.')
        if first not in config and first not in _runner_keys():
            raise UnknownName(f'--cfg-options {dotted}: neither {path} nor the Runner has {first!r}. '
                              f'{near(first, set(config) | _runner_keys())}')
        _follow(config.get(first), rest, dotted)


def _follow(value: Any, keys: list[str], dotted: str) -> None:
    for i, key in enumerate(keys):
        if isinstance(value, (list, tuple)):
            if not key.isdigit() or int(key) >= len(value):
                raise FacelmkError(f'--cfg-options {dotted}: {key!r} must be a number below {len(value)}, '
                                   'the length of the list')
            value = value[int(key)]
        elif not isinstance(value, dict) or key not in value:
            if i < len(keys) - 1 and isinstance(value, dict):
                raise UnknownName(f'--cfg-options {dotted}: there is no {key!r}. {near(key, value)}')
            return
        else:
            value = value[key]
