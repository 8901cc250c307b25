"""Read annotations, find their landmark scheme, their parts and the boxes of the faces, and write the split."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..datasets.annotated import AnnotatedFaces
from ..datasets.defects import summary
from ..datasets.images.decode import read_size
from ..datasets.open_faces import Found, find_annotations, open_found, scheme_of
from ..datasets.readers import PtsFaces
from ..datasets.records import is_valid
from ..datasets.schemes import describe, has_names, lie_as, normaliser_of
from ..datasets.tools.split import earlier_split, own_parts, part_of, split_pictures
from ..datasets.tools.writers.coco import write_coco
from ..errors import DataDefect, FacelmkError
from ..markups import SHIPPED, Markup
from ..metrics.errors import NORMS
from .boxes import choose_boxes

PARTS = ('train', 'val', 'test')
SHARE = 0.2  # of the pictures, which validate

Face = dict[str, Any]


@dataclass
class OwnData:
    """The faces of a folder or file by part, with the files that hold them, and what was found out about them."""

    source: Path
    markup: Markup
    image_root: Path
    faces: Mapping[str, list[Face]]
    files: Mapping[str, Path]
    lines: list[str] = field(default_factory=list)

    @property
    def norm(self) -> str:
        """The normaliser of the errors."""
        return normaliser_of(self.markup)


def prepare(
    source: str | Path,
    folder: Path,
    markup: str | None = None,
    flip_pairs: str | None = None,
    image_root: str | None = None,
    origin: int | None = None,
) -> OwnData:
    """Read all faces at `source`, split them, and write train.json and val.json into `folder`."""
    path = Path(source).expanduser()
    found = find_annotations(path)
    _refuse_own_folder(path, found, folder)
    scheme = _one_scheme(found, [scheme_of(each, markup, flip_pairs) for each in found])
    readers = [open_found(each, scheme.name, image_root, 'keep', origin=origin) for each in found]
    data = OwnData(path, scheme, _common_root(readers), {}, {part: folder / f'{part}.json' for part in PARTS})
    faces = [_usable(reader, data) for reader in readers]
    data.lines[:0] = [_format_line(found, readers, faces), _scheme_line(found[0], scheme)]
    data.faces = _split(found, faces, data)
    data.lines.append(choose_boxes(scheme, data.faces))
    _write(data, folder)
    return data


def _refuse_own_folder(source: Path, found: Sequence[Found], folder: Path) -> None:
    """Refuse to write the split into the folder of the annotations, which may have files of the same names."""
    own = {source.resolve(), *(each.path.resolve().parent for each in found if each.path.is_file())}
    if folder.resolve() in own:
        raise FacelmkError(
            f'the work folder {folder} holds the annotations of {source}, and train.json, val.json and test.json are '
            'written there. Choose another one with --work-dir'
        )


def _one_scheme(found: Sequence[Found], schemes: Sequence[Markup]) -> Markup:
    first = schemes[0]
    for each, scheme in zip(found, schemes, strict=True):
        if (scheme.size, scheme.names) != (first.size, first.names):
            raise FacelmkError(
                f'{found[0].path} has {first.size} points in each face, {each.path} has {scheme.size}, or other '
                'names. Expected files with the same points. Give one of them'
            )
    return first


def _common_root(readers: Sequence[AnnotatedFaces]) -> Path:
    paths = {path for reader in readers for path in reader.faces.paths() if os.path.isfile(path)}
    folders = {os.path.dirname(os.path.abspath(path)) for path in paths}
    return Path(os.path.commonpath(folders)) if folders else Path.cwd()


def _usable(reader: AnnotatedFaces, data: OwnData) -> list[Face]:
    """Return the faces whose pictures exist, with `name`, the path below the common root."""
    faces, missing, readable = [], dict[str, None](), dict[str, bool]()
    for face in reader.faces:
        path = os.path.abspath(face['path'])
        if path not in readable:
            readable[path] = os.path.isfile(path) and read_size(path) is not None
        if not readable[path]:
            missing[path] = None
        elif is_valid(face) and (face['visible'] > 0).any():
            faces.append(face | {'path': path, 'name': Path(os.path.relpath(path, data.image_root)).as_posix()})
    where = reader.ann_file if str(reader.ann_file) not in ('', '.') else reader.image_root
    if reader.defects:
        data.lines.append(f'left out: {summary(reader.defects, shown=1)} (facelmk data check {where} lists all)')
    if not faces and not missing:
        raise DataDefect(f'{where} has no usable face. {summary(reader.defects) if reader.defects else ""}'.strip())
    if missing:
        first = next(iter(missing))
        if not faces:
            raise DataDefect(
                f'{where}: none of its {len(missing)} pictures can be read; the first is {first}. Give their folder '
                'with --image-root'
            )
        data.lines.append(f'left out: the faces of {len(missing)} pictures that cannot be read, such as {first}')
    return faces


def _format_line(found: Sequence[Found], readers: Sequence[AnnotatedFaces], faces: Sequence[list[Face]]) -> str:
    pictures = len({face['path'] for part in faces for face in part})
    files = ', '.join(str(each.path) for each in found[:3])
    name = readers[0].layout or type(readers[0]).__name__
    text = f'format: {name}, {sum(map(len, faces))} faces in {pictures} pictures ({files})'
    if isinstance(readers[0], PtsFaces):
        other = 'files that count from 1, as those of 300W, need --origin 1'
        text += f'; the first pixel is {readers[0].origin}' + ('' if readers[0].origin else f' ({other})')
    return text


def _scheme_line(found: Found, scheme: Markup) -> str:
    points = found.detected.points
    odd = ''
    if points is not None and scheme.name in SHIPPED and not has_names(points) and not lie_as(points, scheme):
        odd = '. The eyes, nose and mouth do not lie so: if the points mean something else, add --flip-pairs'
    return f'points: {describe(scheme)}; errors over {NORMS[normaliser_of(scheme)]}{odd}'


def _split(found: Sequence[Found], faces: Sequence[list[Face]], data: OwnData) -> dict[str, list[Face]]:
    """Return the faces by part: the parts that the files or folders of the pictures have, else a split by picture."""
    everything = [face for part in faces for face in part]
    if parts := own_parts([each.path.name for each in found]):
        by_part: dict[str, list[Face]] = {part: [] for part in PARTS}
        for part, some in zip(parts, faces, strict=True):
            by_part[part] += some
        return _named(by_part, 'those of the files', data)
    folders = {face['name']: _folder_part(face['name']) for face in everything}
    if own_parts([part or '' for part in folders.values()]):
        by_part = {part: [face for face in everything if folders[face['name']] == part] for part in PARTS}
        return _named(by_part, "those of the pictures' folders", data)
    earlier = earlier_split(data.files)
    split = split_pictures([face['name'] for face in everything], SHARE, earlier=earlier)
    by_part = {part: [face for face in everything if split[face['name']] == part] for part in PARTS}
    return _named(by_part, 'as before' if earlier else 'made by picture', data)


def _folder_part(name: str) -> str | None:
    parts = [part for folder in Path(name).parts[:-1] if (part := part_of(folder))]
    return parts[-1] if parts else None


def _named(by_part: dict[str, list[Face]], how: str, data: OwnData) -> dict[str, list[Face]]:
    """Return the parts that have faces, and note them; a test part validates if there is no other."""
    if not by_part['val']:
        by_part['val'], by_part['test'] = by_part['test'], []
    by_part = {part: some for part, some in by_part.items() if some}
    if missing := [part for part in ('train', 'val') if part not in by_part]:
        raise DataDefect(f'{data.source}: its part {missing[0]} has no usable face. Expected faces in train and val')
    counts = ', '.join(f'{len(some)} {part}' for part, some in by_part.items())
    data.lines.append(f'split: {counts} ({how}; {data.files["train"].parent}/*.json)')
    return by_part


def _write(data: OwnData, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    root = Path(os.path.relpath(data.image_root, folder)).as_posix()
    for part, file in data.files.items():
        if part in data.faces:
            write_coco(data.faces[part], file, (), 'none', data.markup, root)
        else:
            file.unlink(missing_ok=True)
