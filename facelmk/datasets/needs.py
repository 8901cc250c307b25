"""Which files a data set of a config needs, found without torch, so that a missing one is reported at once.

A reader with a rule of its own has a method `absent` or `needs`; this module knows the usual rules by the type's name.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import MissingResource

Part = Mapping[str, Any]


def annotation_paths(options: Part) -> list[Path]:
    """Return the annotation files and the folder of pictures that a reader with these arguments needs."""
    files = (options.get('ann_file'), *(options.get('tags') or {}).values(), options.get('image_root'))
    return [Path(options.get('data_root') or '', file) for file in files if file]


def root_folder(options: Part) -> list[Path]:
    """Return the folder of a published data set; which files it needs depends on the layout."""
    return [Path(options.get('root') or '')]


USUAL_NEEDS: dict[str, Callable[[Part], list[Path]]] = {
    'PublishedFaces': root_folder,
    **dict.fromkeys(('CsvFaces', 'CocoFaces', 'WflwTxt', 'LapaTxt', 'NpzFaces'), annotation_paths),
}


def usual_absent(options: Part) -> list[Path]:
    """Return the paths that a data set needs and that are not on the disk, as far as its type's name says it."""
    needs = USUAL_NEEDS.get(str(options.get('type')).rpartition('.')[2], lambda _: [])
    return [path for path in needs(options) if not path.exists()]


def missing_files(dataset: Part, absent: Callable[[Part], list[Path]] = usual_absent) -> list[Path]:
    """Return the files that a data set, or a member of it, needs and that are not on the disk."""
    inner = [path for member in _members(dataset) for path in missing_files(member, absent)]
    return inner + absent(dataset)


def _members(dataset: Part) -> Iterator[Part]:
    members = [dataset.get('dataset'), *(dataset.get('datasets') or ()), *(dataset.get('faces') or ())]
    for member in members:
        if isinstance(member, Mapping) and not member.get('optional'):
            yield member


def refuse_missing_data(config: Part, phases: tuple[str, ...], absent: Callable[[Part], list[Path]]) -> None:
    """Refuse data sets whose files are not on the disk."""
    for phase in phases:
        dataset: Any = (config.get(f'{phase}_dataloader') or {}).get('dataset')
        if isinstance(dataset, Mapping) and (missing := missing_files(dataset, absent)):
            raise MissingResource(
                f'{phase}_dataloader.dataset ({dataset.get("type")}) needs {missing[0]}, which is not there (from '
                f'{Path.cwd()}). Put the data set there, or name its folder with --data'
            )
