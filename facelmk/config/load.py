"""Find a config, load it, fill in what follows from the rest, and refuse what nobody would read."""

import copy
import importlib.util
import logging
import os
import sys
import traceback
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from mmengine import Config
from mmengine.config import config as mmengine_config
from mmengine.config.lazy import LazyAttr, LazyObject
from mmengine.utils import import_modules_from_strings

from .. import registry as registries
from ..errors import FacelmkError, UnknownName, did_you_mean
from .complete import complete as complete
from .complete import put_options
from .folders import config_folder as config_folder
from .foreign import config_formats, our_name, refuse_foreign
from .inherit import check_bases
from .safe import check_parts, check_safe, try_out
from .validate import check

log = logging.getLogger(__name__)  # to the error stream: --json must stay json
SUFFIXES = ('.py', '.yaml', '.yml', '.json')


def package_folder(package: str) -> str:
    """Where `from package.configs... import *` of a config looks for the package's folder `configs`."""
    if package == registries.SCOPE:
        return str(config_folder().parent)
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise UnknownName(
            f'a config is based on {package!r}, but there is no such package. Install it, or add its '
            'folder to PYTHONPATH'
        )
    return found.submodule_search_locations[0]


mmengine_config.get_installed_path = package_folder  # mmengine's own needs pkg_resources, which setuptools 82 dropped


def config_names() -> list[str]:
    """The names of all configs that come with facelmk."""
    return sorted(path.stem for path in config_folder().glob('*.py'))


def find_config(source: str | Path) -> Path:
    """The file of a config that is given by path or by name, ours or another project's for the same thing."""
    if os.path.isfile(source):
        refuse_foreign(Path(source))
        return Path(source)
    if os.path.isdir(source):
        raise UnknownName(f'{source!s} is a folder; give one of its config files ({", ".join(SUFFIXES)})')
    named = config_folder() / f'{Path(source).stem}.py'
    if os.path.isfile(named):  # which takes names that are too long for a file
        return named
    if ours := our_name(source):
        log.warning(
            '%s is the config %s here. No file of the other project is read: put your own changes behind --cfg-options '
            'or into a config based on %s',
            source,
            ours,
            ours,
        )
        return config_folder() / f'{ours}.py'
    known = [*config_names(), *(name for known in config_formats() for name in known.names())]
    raise UnknownName(
        f'{source!s} is neither a config file nor the name of a config. {did_you_mean(Path(source).stem, known)}'[:1000]
    )


def load_config(source: str | Path, options: dict[str, Any] | None = None, safe: bool = False) -> Config:
    """A config, complete and checked; `options` are dotted keys and values that replace its own.

    `safe` refuses files that hold more than data, before anything of them is run.
    """
    config, path = open_config(source, options, safe)
    check(config, path)
    complete(config)
    return config


def open_config(source: str | Path, options: dict[str, Any] | None = None, safe: bool = False) -> tuple[Config, Path]:
    """A config as it stands in its file, with the options in it, and the file; nothing is checked or completed."""
    path = find_config(source)
    if safe:
        check_safe(path)
        try_out(lambda: (_read_foreign(path, safe) or _read(path, safe)).to_dict(), path)
    config = _read_foreign(path, safe) or _read(path, safe)
    of_test = {key: value for key, value in (options or {}).items() if key.startswith('test_')}
    put_options(config, {key: value for key, value in (options or {}).items() if key not in of_test}, path)
    _fill_test(config)
    put_options(config, of_test, path)
    if safe:
        check_parts(config._cfg_dict, path)
    return config, path


def _read_foreign(path: Path, safe: bool) -> Config | None:
    """The config that a file of another project asks for; None for any other file."""
    for known in config_formats():
        if found := known.read(path):
            name, change = found
            config = _read(find_config(name), safe)
            change(config)
            return config
    return None


def _read(path: Path, safe: bool = False) -> Config:
    """The config of a file, with the modules imported that hold a project's own parts."""
    if '' not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # a project's own parts lie where its commands are run
    if path.suffix not in SUFFIXES:
        raise FacelmkError(f'{path}: a config ends in {", ".join(SUFFIXES)}, this file in {path.suffix!r}')
    try:
        check_bases(path)  # before mmengine, whose yaml reader would obey tags that build Python's objects
        config = Config.fromfile(path, import_custom_modules=not safe)
        refuse_foreign(path, config.text)
        if config.get('custom_imports') and not safe:  # mmengine skips them in configs that use read_base
            import_modules_from_strings(**config.custom_imports)
        for key in [key for key, value in config.items() if _is_stray(value)]:
            config.pop(key)
    except FacelmkError:
        raise
    except (Exception, SystemExit) as error:  # a config is a program: what it raises is a mistake in it, or below it
        where = ' Modules are looked for where the command is run and along PYTHONPATH'
        raise FacelmkError(
            f'{_place(error, path)} cannot be read: {type(error).__name__}: {error}.'
            f'{where if isinstance(error, ImportError) else ""}'
        ) from error
    return config


def _place(error: BaseException, path: Path) -> str:
    """The line of a config that raised an error, or the file where no line did."""
    lines = [row for row in traceback.extract_tb(error.__traceback__) if row.name == '<module>']
    return f'{lines[0].filename}:{lines[0].lineno}' if lines else str(path)


def _is_stray(value: Any) -> bool:
    """Names that composing a config leaves behind: helpers, and imported functions, classes and modules."""
    return isinstance(value, (type, FunctionType, ModuleType, LazyObject, LazyAttr))


def _fill_test(config: Config) -> None:
    """What is not said of the test is as in validation."""
    for part in ('dataloader', 'evaluator'):
        if config.get(f'test_{part}') is None and config.get(f'val_{part}') is not None:
            config[f'test_{part}'] = copy.deepcopy(config[f'val_{part}'])
