"""The .pts files of 300W and LFPW (https://ibug.doc.ic.ac.uk/resources/300-W/): one beside each picture."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import MissingResource
from ...registry import DATASETS
from ..annotated import AnnotatedFaces, Detected
from ..base import Transform
from ..defects import DefectList
from ..records import IMAGE_SUFFIXES, FaceRecord, numbers, split_fraction, try_read_text


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

    def __init__(
        self,
        image_root: str = '',
        data_root: str = '',
        markup: str = '300w',
        pipeline: Sequence[dict | Transform] = (),
        folders: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        part: str = 'all',
        share: float = 0.1,
        seed: int = 0,
        **options: Any,
    ) -> None:
        self.part = self._choice('part', part, ('all', 'train', 'val'))
        self.share, self.seed = share, seed
        self.folders = _by_tag(folders)
        super().__init__('', data_root, image_root, markup, pipeline, **options)
        self.subsets = self.subsets or tuple(tag for tag in self.folders if tag)

    @classmethod
    def needs(cls, options: Mapping[str, Any]) -> list[Path]:
        """Return the folders that a reader with these arguments cannot do without."""
        root = Path(options.get('data_root', ''), options.get('image_root', ''))
        return [root / folder for group in _by_tag(options.get('folders')).values() for folder in group]

    @classmethod
    def detect(cls, path: Path) -> Detected | None:
        file = next(path.rglob('*.pts'), None) if path.is_dir() else None
        if file is None:
            return None
        row = read_pts(file, DefectList())  # the reader will say what is wrong
        return Detected({'image_root': str(path)}, len(row) // 2 if row else None)

    def read(self, file: Path) -> list[FaceRecord]:
        """Return the faces of all folders, by name."""
        paths = {
            path: tag
            for tag, group in self.folders.items()
            for folder in group
            for path in self._pictures(self.image_root / folder)
        }
        rows = {path: read_pts(path.with_suffix('.pts'), self.defects) for path in paths}
        valid = {path: row for path, row in rows.items() if row is not None}
        names = [path.relative_to(self.image_root).as_posix() for path in valid]
        landmarks, defective = numbers(self.image_root, names, list(valid.values()), 2 * self.markup.size, self.defects)
        return self.rows(
            self.image_root,
            names,
            landmarks.reshape(-1, self.markup.size, 2),
            tags=[(paths[path],) if paths[path] else () for path in valid],
            defective=defective,
        )

    def _pictures(self, folder: Path) -> list[Path]:
        """Return the pictures below `folder` that have a .pts and are in this part."""
        if not folder.is_dir():
            raise MissingResource(f'{folder} is no folder. Check data_root, image_root and folders')
        return [
            path
            for path in sorted(folder.rglob('*'))
            if path.suffix.lower() in IMAGE_SUFFIXES
            and os.path.isfile(path.with_suffix('.pts'))
            and self._in_part(path.stem)
        ]

    def _in_part(self, stem: str) -> bool:
        return self.part == 'all' or (split_fraction(stem, self.seed) < self.share) == (self.part == 'val')


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
