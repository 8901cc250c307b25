"""Open a file or a folder as a data set: find the reader, the landmark scheme and the folder of the pictures."""

import os
from collections.abc import Iterable
from pathlib import Path

from ..errors import FacelmkError, MissingResource
from ..markups import MARKUPS
from ..registry import DATASETS
from .annotated import AnnotatedFaces
from .readers import READERS

USUAL = {98: 'wflw', 68: '300w', 29: 'cofw', 19: 'aflw', 106: 'lapa', 5: 'five'}  # landmark scheme by number of points
LAYOUTS = ', '.join(reader.layout for reader in READERS if reader.layout)


def open_faces(
    source: str | Path, markup: str | None = None, image_root: str | Path | None = None, defects: str = 'stop'
) -> AnnotatedFaces:
    """Return the faces of an annotation file or folder; without `image_root`, pictures are searched beside it."""
    path = Path(source)
    if not path.exists():
        raise MissingResource(f'{path} is not there (from {Path.cwd()}). Give {LAYOUTS}')
    for reader in READERS:
        if detected := reader.detect(path):
            break
    else:
        what = 'this folder' if path.is_dir() else f'the ending {path.suffix!r}'
        raise FacelmkError(f'{path}: no reader knows {what}. Give {LAYOUTS}')
    options = detected.options | {'defects': defects}
    options['markup'] = markup or options.get('markup') or _markup_of(detected.size, path)
    if detected.pictures:
        options['image_root'] = str(image_root or _find_image_root(path, detected.pictures))
    elif image_root is not None:
        options['image_root'] = str(image_root)
    return DATASETS.build({'type': reader.__name__, **options})


def _markup_of(size: int | None, path: Path) -> str:
    """Return the landmark scheme with a number of points; if several have it, the most usual one."""
    if size is None:
        return 'wflw'
    names = [name for name, markup in MARKUPS.items() if markup.size == size]
    if not names:
        raise FacelmkError(
            f'{path} has {size} points in each face, and no known landmark scheme has this number. Add yours with '
            'facelmk.markups.MARKUPS.add, then name it with --markup'
        )
    return USUAL.get(size, names[0])


def _find_image_root(path: Path, pictures: Iterable[str]) -> Path:
    """Return the folder near an annotation file that holds most of the pictures; by default the file's own folder."""
    bases = [path.parent, *([path.parent.parent] if 'annotations' in path.parent.name.lower() else [])]
    names = list(pictures)
    most, best = 0, path.parent
    for base in bases:
        children = sorted(child for child in base.iterdir() if child.is_dir())
        for folder in (base / 'images', base / 'WFLW_images', base, *children):
            count = sum(os.path.isfile(folder / name) for name in names)
            if count > most:
                most, best = count, folder
    return best
