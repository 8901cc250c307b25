"""Find pictures that are not where an annotation file says: moved, or annotated on another machine."""

import os
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from ..files.drafts import paths_below

NO_PICTURES = {'.json', '.xml', '.csv', '.txt', '.pts', '.mat', '.npz', '.py', '.pth', '.md', '.yaml', '.yml', '.zip'}
UPLOADED = re.compile(r'^[0-9a-f]{8}-(?=.)')  # what Label Studio writes before the name of an uploaded file


class PictureFinder:
    """Finds pictures below a folder by the end of their path: 'C:/home/anna/set/a.jpg' is 'set/a.jpg' or 'a.jpg' here.

    A picture is found if exactly one file has the longest common end. The folder is only searched if a path leads to no
    picture.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.found: dict[str, str] = {}

    @cached_property
    def by_name(self) -> Mapping[str, list[tuple[str, ...]]]:
        """The pictures below the folder, as the parts of their paths, by their name in small letters."""
        index: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for path in paths_below(self.folder):
            if path.suffix.lower() not in NO_PICTURES and path.is_file():
                index[path.name.lower()].append(path.relative_to(self.folder).parts)
        return index

    def find(self, name: str) -> str:
        """Return the name of a picture below the folder; `name` as it is if it leads there, or to no picture."""
        if name not in self.found:
            self.found[name] = self._find(name)
        return self.found[name]

    def _find(self, name: str) -> str:
        if not name or '\0' in name:
            return name
        for candidate in (name, *spellings(name)):
            if os.path.isfile(self.folder / candidate):
                return candidate
        for candidate in spellings(name):
            if (place := self._longest(parts_of(candidate))) is not None:
                return place
        return name

    def _longest(self, parts: tuple[str, ...]) -> str | None:
        """Return the file whose path ends as `parts` do, for the longest end that only one file has."""
        files = self.by_name.get(parts[-1].lower(), []) if parts else []
        length = 0
        while len(files) > 1:
            length += 1
            closer = [file for file in files if file[-length - 1 : -1] == parts[-length - 1 : -1]]
            if not closer or length >= len(parts):
                return None
            files = closer
        return '/'.join(files[0]) if files else None


def parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of a path of any system, without drive and root."""
    path = PureWindowsPath(name) if '\\' in name or re.match('[A-Za-z]:', name) else PurePosixPath(name)
    return tuple(part for part in path.parts if part not in (path.anchor, '.', '..'))


def spellings(name: str) -> list[str]:
    """Return what the name of a picture in an annotation file may mean, the likely ones first.

    Label Studio writes /data/local-files/?d=FOLDER/a.jpg, and /data/upload/3/ab12cd34-a.jpg for a.jpg.
    """
    names = [name.replace('\\', '/')]
    address = _address(name) if '?' in name or '://' in name or '%' in name else None
    if address is not None:
        names = [*(parse_qs(address.query).get('d') or ()), unquote(address.path), *names]
    last = names[0].rpartition('/')[2]
    plain = UPLOADED.sub('', last)
    return [one for one in dict.fromkeys([*names, *([plain] if plain != last else [])]) if one]


def _address(name: str) -> SplitResult | None:
    """Return the parts of an address, None if it is none."""
    try:
        return urlsplit(name)
    except ValueError:  # a bracket that is not closed
        return None
