"""The .pts files of 300W and LFPW (https://ibug.doc.ic.ac.uk/resources/300-W/): one beside each picture."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import MissingResource
from ...registry import DATASETS
from ..base import AnnotatedFaces, FaceRecord, Transform
from ..defects import refuse
from .records import PICTURES, chance_of, numbers, text_of


@DATASETS.register_module()
class PtsFaces(AnnotatedFaces):
    """Pictures with a .pts of the same name beside them, in `image_root` and all folders below it.

    `folders` reads only some of them; as {'challenge': ['ibug']} it tags their faces, too. A picture without .pts
    or a .pts without picture is passed over. `part='train'|'val'` splits the faces in two by a hash of seed and
    file name, so that a face never changes sides: about `share` of them are 'val'.
    """

    boxes = ('tight',)
    own_tags = True

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
        """The folders without which a reader with these arguments cannot work."""
        root = Path(options.get('data_root', ''), options.get('image_root', ''))
        return [root / folder for group in _by_tag(options.get('folders')).values() for folder in group]

    def read(self, file: Path) -> list[FaceRecord]:
        """The faces of all folders, by name."""
        found = [
            (path, tag)
            for tag, group in self.folders.items()
            for folder in group
            for path in self._pictures(self.image_root / folder)
        ]
        rows = [points_of(path.with_suffix('.pts')) for path, _ in found]
        found = [place for place, row in zip(found, rows, strict=True) if row is not None]
        names = [path.relative_to(self.image_root).as_posix() for path, _ in found]
        landmarks = numbers(self.image_root, names, [row for row in rows if row is not None], 2 * self.markup.size)
        return self.rows(
            self.image_root,
            names,
            landmarks.reshape(-1, self.markup.size, 2),
            tags=[(tag,) if tag else () for _, tag in found],
        )

    def _pictures(self, folder: Path) -> list[Path]:
        """The pictures below `folder` that have a .pts and are in this part."""
        if not folder.is_dir():
            raise MissingResource(f'{folder} is no folder; check data_root, image_root and folders')
        return [
            path
            for path in sorted(folder.rglob('*'))
            if path.suffix.lower() in PICTURES and os.path.isfile(path.with_suffix('.pts')) and self._in_part(path.stem)
        ]

    def _in_part(self, stem: str) -> bool:
        return self.part == 'all' or (chance_of(stem, self.seed) < self.share) == (self.part == 'val')


def _by_tag(folders: Sequence[str] | Mapping[str, Sequence[str]] | None) -> dict[str, Sequence[str]]:
    """Folders by the tag of their faces; '' where they have none."""
    if isinstance(folders, Mapping):
        return dict(folders)
    return {'': ('',) if folders is None else tuple(folders)}


def points_of(file: Path) -> list[str] | None:
    """The numbers between the braces, without comments (# or //); None where they cannot be told, a defect."""
    text = text_of(file)
    if text is None:
        return None
    _, brace, rest = re.sub('(#|//).*', '', text).partition('{')
    if not brace or '{' in rest:
        refuse(file, [('the file', f"it holds {'several' if brace else 'no'} '{{' before its points; one is expected")])
        return None
    return rest.partition('}')[0].split()
