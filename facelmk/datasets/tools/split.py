"""Split faces into training and validation by picture, the same on every run, also after pictures were added."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ...errors import DataDefect
from ..records import read_text, split_fraction

MIN_PICTURES = 5  # with fewer, a validation says nothing
MAX_VALIDATION = 1000  # pictures; more make a validation slow, not more exact


def split_pictures(
    pictures: Iterable[str], share: float, seed: int = 0, earlier: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return 'train' or 'val' for each picture. About `share` of them validate, at most `MAX_VALIDATION`.

    Names are ordered by a hash of name and seed. A picture stays where `earlier` has it.
    """
    names = dict.fromkeys(pictures)
    if len(names) < MIN_PICTURES:
        raise DataDefect(
            f'{len(names)} pictures with faces. Expected at least {MIN_PICTURES}, because some of them must not train '
            'but validate. Annotate more pictures'
        )
    before = {name: part for name, part in (earlier or {}).items() if name in names}
    new = sorted((name for name in names if name not in before), key=lambda name: split_fraction(name, seed))
    wanted = min(MAX_VALIDATION, max(1, round(share * len(names)))) - list(before.values()).count('val')
    parts = before | {name: 'val' if i < wanted else 'train' for i, name in enumerate(new)}
    return {name: parts[name] for name in names}


def earlier_split(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the part of each picture in the COCO files of an earlier split, by part; {} if there is none."""
    parts: dict[str, str] = {}
    for part, file in files.items():
        if file.is_file():
            content = json.loads(read_text(file))
            parts |= {row['file_name']: part for row in content.get('images', ())}
    return parts


WORDS = {
    'train': ('train', 'training', 'trainset'),
    'val': ('val', 'valid', 'validation', 'dev'),
    'test': ('test', 'testing', 'testset'),
}
PARTS = {word: part for part, words in WORDS.items() for word in words}


def part_of(name: str) -> str | None:
    """Return 'train', 'val' or 'test' for the name of a file or folder that says which part it is, else None."""
    words = re.split(r'[^a-z]+', name.lower())
    named = [PARTS[word] for word in words if word in PARTS]
    return named[-1] if named else None


def own_parts(names: Sequence[str]) -> list[str] | None:
    """Return the part of each file or folder, if all of them say one and there is more than training; else None."""
    parts = [part_of(name) for name in names]
    named = [part for part in parts if part is not None]
    return named if len(named) == len(parts) and 'train' in named and len(set(named)) > 1 else None
