"""The rows of index.json, one for each model, and where the files of the zoo are. Neither needs torch."""

import functools
import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
INDEX = FOLDER / 'index.json'
LANDMARKS, FACES = 'landmarks', 'faces'  # what a model finds


@functools.cache
def read_index() -> Mapping[str, Any]:
    """Return index.json: `default`, `sources`, `data` and `models`."""
    content: Mapping[str, Any] = json.loads(INDEX.read_text(encoding='utf-8'))
    return content


@functools.cache
def rows() -> Mapping[str, Mapping[str, Any]]:
    """Return the rows of the index by the names of the models."""
    return {row['name']: row for row in read_index()['models']}


DEFAULT: str = read_index()['default']  # the model of facelmk.load()


def list_models(pattern: str = '*') -> list[str]:
    """Return the names of the models with weights that match a pattern of the shell, such as '*300w*'.

    The pattern is compared with the name and with the landmark scheme, without regard to capital letters.
    """
    wanted = pattern.lower()
    return [
        name
        for name, row in rows().items()
        if any(fnmatchcase(text or '', wanted) for text in (name, row.get('markup')))
    ]


def is_model(name: Any) -> bool:
    """Whether the zoo has a model of this name."""
    return isinstance(name, str) and name in rows()


def file_of(row: Mapping[str, Any]) -> Path | None:
    """Return the file of a model, if this installation has it: in the package, or in the clone around it."""
    path = FOLDER.parents[1] / row['file'] if row.get('file') else None
    return path if path is not None and path.is_file() else None
