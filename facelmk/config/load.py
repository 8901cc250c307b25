"""Read a config, check it, and fill in what follows from the rest."""

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from mmengine import Config
from mmengine.config import config as mmengine_config
from mmengine.config.lazy import LazyAttr, LazyObject
from mmengine.utils import import_modules_from_strings

from ..errors import FacelmkError
from ..registry import registered_parts_only
from .completion import complete, put_options
from .evaluate import NotData, evaluate
from .find import find_config
from .folders import package_folder
from .foreign import config_formats
from .own_markups import add_markups
from .relations import check_relations
from .safe import check_parts
from .source import ConfigSource, read_source
from .validate import check

NO_CALLS = 'mmengine calls no function of a module that a config imports. Write the value out'  # its error is empty
HELPERS = (type, FunctionType, ModuleType, LazyObject, LazyAttr)  # what a program leaves among its names


# mmengine's own two need pkg_resources, which setuptools 82 dropped
mmengine_config.get_installed_path = package_folder
mmengine_config.is_installed = lambda package: importlib.util.find_spec(package) is not None


def load_config(name: str | Path, options: dict[str, Any] | None = None, safe: bool = False) -> Config:
    """A config, complete and checked; `options` are dotted keys and the values that replace its own.

    With `safe`, a file that holds more than data is refused and none of it is run.
    """
    config, source = open_config(name, options, safe)
    check(config, source)
    complete(config)
    check_relations(config, source)
    return config


def config_of_text(text: str, path: Path) -> Config:
    """The config whose text a checkpoint at `path` holds, complete and checked. It must be data; no code in it runs."""
    source = read_source(path, safe=True, text=text)
    config, _ = _open(source, {}, safe=True)
    check(config, source)
    complete(config)
    check_relations(config, source)
    return config


def open_config(
    name: str | Path, options: dict[str, Any] | None = None, safe: bool = False
) -> tuple[Config, ConfigSource]:
    """A config with the options in it, and its file; values are neither checked nor completed."""
    return _open(read_source(find_config(name), safe), options or {}, safe)


def _open(source: ConfigSource, options: dict[str, Any], safe: bool) -> tuple[Config, ConfigSource]:
    with registered_parts_only(safe):
        config = _translate(source, safe) or _read(source, safe)
        if safe:
            check_parts(config, source)
        put_options(config, options, source.path)
        source.options = tuple(options)
        add_markups(config.get('markups'), source)
        if any(key.partition('.')[0] == 'custom_imports' for key in options):
            _import_modules(config, source, safe)
        if safe:
            check_parts(config, source)
    return config, source


def _translate(source: ConfigSource, safe: bool) -> Config | None:
    """The config that a file of another project stands for; None for a file of facelmk."""
    for known in config_formats():
        if translation := known.read(source.tree, source.path):
            name, change = translation
            config = _read(read_source(find_config(name), safe), safe)
            change(config)
            return config
    return None


def _read(source: ConfigSource, safe: bool) -> Config:
    """The values of a config, translated if it is another project's, with the modules that it names imported."""
    config = read_values(source, safe)
    for known in config_formats():
        if (values := known.translate(config._cfg_dict, source)) is not None:
            return Config(values, cfg_text=source.text, filename=str(source))
    _import_modules(config, source, safe)
    return config


def _import_modules(config: Config, source: ConfigSource, safe: bool) -> None:
    if isinstance(config.get('custom_imports'), dict) and not safe:  # else the check refuses it
        with _translate_program_errors(source):
            import_modules_from_strings(**config.custom_imports)


def read_values(source: ConfigSource, safe: bool = False) -> Config:
    """The values of a config as its files have them. A file that is more than data is a program: mmengine runs it."""
    if not (safe or '' in sys.path or str(Path.cwd()) in sys.path):
        sys.path.append(str(Path.cwd()))  # where the modules of a project are
    with _translate_program_errors(source):  # of keys that mmengine reserves, too
        try:
            config = Config(evaluate(source), cfg_text=source.text, filename=str(source))
        except NotData as reason:
            if safe:
                raise FacelmkError(
                    f'{reason}. --safe-config takes data alone: literals, dict(...), arithmetic on names of the '
                    'config, read_base imports and _base_ of configs, del and .update(...). Write it as data, or trust '
                    'the file as you would trust a script and leave --safe-config out'
                ) from reason
            _refuse_two_kinds_of_bases(source, reason)
            config = Config.fromfile(source.path, import_custom_modules=False)
            for known in config_formats():
                known.refuse(source.path, config.text)  # bases of other packages, which only mmengine finds
        for key in [key for key, value in config.items() if isinstance(value, HELPERS)]:
            config.pop(key)
    return config


def _refuse_two_kinds_of_bases(source: ConfigSource, reason: NotData) -> None:
    """Refuse a program with bases of both kinds, which mmengine cannot run; as data they can be joined."""
    files = source.files()
    by_import = next((file for file in files if file.imported), None)
    by_name = next((file for file in files if file.merged), None)
    if by_import is not None and by_name is not None:
        raise FacelmkError(
            f'{reason}, so this config is a program, and not data. {by_name}:{by_name.merged[0][0]} names its bases by '
            f'_base_, {by_import} by read_base(). Expected one of them in a program. Write the config as data, or `with'
            ' read_base(): from facelmk.configs.NAME import *` in the place of _base_'
        )


@contextmanager
def _translate_program_errors(source: ConfigSource) -> Iterator[None]:
    """An error of a config that is a program, or of a module that it imports, as a mistake in its line."""
    try:
        yield
    except FacelmkError:
        raise
    except (Exception, SystemExit) as error:
        lines = [row for row in traceback.extract_tb(error.__traceback__) if row.name == '<module>']
        where = f'{lines[0].filename}:{lines[0].lineno}' if lines else source
        hint = ' Modules are looked for in the current folder and along PYTHONPATH'
        reason = f'{type(error).__name__}: {error}' if str(error) else NO_CALLS
        raise FacelmkError(
            f'{where} cannot be read: {reason}.{hint if isinstance(error, ImportError) else ""}'
        ) from error
