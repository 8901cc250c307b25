"""The .pts files of 300W and LFPW (https://ibug.doc.ic.ac.uk/resources/300-W/): one beside each picture."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import MissingResource
from ...files.drafts import paths_below
from ...files.progress import track
from ...registry import DATASETS
from ..annotated import AnnotatedFaces, Detected
from ..columns import FaceColumns
from ..defects import DefectList
from ..records import IMAGE_SUFFIXES, numbers, split_fraction, try_read_text


@DATASETS.register_module()
class PtsFaces(AnnotatedFaces):
    """Pictures with a .pts of the same name beside them, in `image_root` and all folders below it.

    `folders` reads only some of them; a dict such as {'challenge': ['ibug']} also tags their faces. A picture without
    .pts or a .pts without picture is skipped. `part='train'|'val'` splits the faces by a hash of seed and file name,
    so a face never changes sides: about `share` of them are 'val'.
    """

    boxes = ('tight',)
    own_tags = True
    layout = 'a folder of .pts'
    ranges = {'share': (0, 1), 'seed': (0, 2**32 - 1)}

    def __init__(
        self,
        image_root: str = '',
        data_root: str = '',
        markup: str = '300w',
        folders: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        part: str = 'all',
        share: float = 0.1,
        seed: int = 0,
        **options: Any,
    ) -> None:
        self.part = self._choice('part', part, ('all', 'train', 'val'))
        self.share, self.seed = share, seed
        self.folders = _by_tag(folders)
        super().__init__('', data_root, image_root, markup, **options)
        self.subsets = self.subsets or tuple(tag for tag in self.folders if tag)

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> list[Path]:
        """Return the folders that a reader with these arguments cannot do without."""
        root = Path(options.get('data_root', ''), options.get('image_root', ''))
        return [root / folder for group in _by_tag(options.get('folders')).values() for folder in group]

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        file = next(paths_below(path, '*.pts'), None) if path.is_dir() else None
        if file is None:
            return None
        row = read_pts(file, DefectList())  # the reader will say what is wrong
        return Detected({'image_root': str(path)}, len(row) // 2 if row else None)

    def sources(self) -> list[Path]:
        return [self.image_root / folder for group in self.folders.values() for folder in group]

    def read(self, file: Path) -> FaceColumns:
        """Return the faces of all folders, by name."""
        tagged = [(tag, self.image_root / folder) for tag, group in self.folders.items() for folder in group]
        paths = {path: tag for tag, folder in tagged for path in self._pictures(folder)}
        rows = {
            path: read_pts(path.with_suffix('.pts'), self.defects)
            for path in track(paths, 'reading .pts files', unit='files/s')
        }
        valid = {path: row for path, row in rows.items() if row is not None}
        names = [path.relative_to(self.image_root).as_posix() for path in valid]
        landmarks, defective = numbers(self.image_root, names, list(valid.values()), 2 * self.markup.size, self.defects)
        tags = [(paths[path],) if paths[path] else () for path in valid]
        points = landmarks.reshape(-1, self.markup.size, 2)
        return self.rows(self.image_root, names, points, tags=tags, defective=defective)

    def _pictures(self, folder: Path) -> list[Path]:
        """Return the pictures below `folder` that have a .pts and are in this part."""
        if not folder.is_dir():
            raise MissingResource(f'{folder} is no folder. Check data_root, image_root and folders')
        pictures = [path for path in sorted(paths_below(folder)) if path.suffix.lower() in IMAGE_SUFFIXES]
        pictures = [path for path in pictures if os.path.isfile(path.with_suffix('.pts'))]
        if self.part == 'all':
            return pictures
        in_val = [split_fraction(path.stem, self.seed) < self.share for path in pictures]
        return [path for path, is_val in zip(pictures, in_val, strict=True) if is_val == (self.part == 'val')]


def _by_tag(folders: Sequence[str] | Mapping[str, Sequence[str]] | None) -> dict[str, Sequence[str]]:
    """Return folders by the tag of their faces; '' means no tag."""
    if isinstance(folders, Mapping):
        return dict(folders)
    return {'': ('',) if folders is None else tuple(folders)}


def read_pts(file: Path, defects: DefectList) -> list[str] | None:
    """Return the numbers between the braces, without comments (# or //), or None and a defect."""
    text = try_read_text(file, defects)
    if text is None:
        return None
    _, brace, rest = re.sub('(#|//).*', '', text).partition('{')
    if not brace or '{' in rest:
        number = 'several' if brace else 'no'
        defects.add(file, 'the file', f"it holds {number} '{{' before its points. Expected one")
        return None
    return rest.partition('}')[0].split()
