"""The faces of a reader come from its packed file, if it has one for the present content of its sources."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from ..errors import DataDefect
from ..files.atomic import write_bytes
from ..files.download import cache_folder
from ..files.notes import note
from ..files.turns import one_at_a_time
from ..markups import Markup
from .columns import FaceColumns
from .defects import DefectList
from .face_rows import FaceRows
from .pack_file import PackedFaces, are_texts, open_pack, write_pack
from .pack_key import Sources, digest, plain, version_of

MIN_BYTES = 4 << 20  # of annotations: smaller ones are read in a few tenths of a second
MAX_DEFECTS = 10_000
OLD_S = 30 * 86400.0  # after which a packed file of other content is removed
STATE = ('faces', 'defects', 'subsets', 'box_counts')  # what reading changes, and the packed file keeps
NOT_READ = ('pipeline', 'packed', 'faces', 'defects', 'box_counts')  # what does not change the faces


class Reader(Protocol):
    """What is needed of `AnnotatedFaces`."""

    ann_file: Path
    packed: bool | str
    on_defects: str
    bbox_file: str | None
    markup: Markup
    faces: FaceColumns | FaceRows
    subsets: tuple[str, ...]
    defects: DefectList
    box_counts: tuple[int, int]

    def all_sources(self) -> list[Path]: ...


def read_or_open(reader: Reader, read: Callable[[], None]) -> None:
    """Set the faces, defects and subsets of a reader: from its packed file, or by `read`, which may make that file."""
    pack = _pack_of(reader)
    if pack is None:
        read()
    elif not pack.restore(reader):
        with one_at_a_time(pack.lock, lambda: note(f'waits for another process that packs {reader.ann_file}')):
            if not pack.restore(reader):  # no other process made it during the wait
                _read_and_pack(reader, read, pack)


def _read_and_pack(reader: Reader, read: Callable[[], None], pack: 'Pack') -> None:
    before = _arguments(reader, STATE)
    read()
    # attributes that `read` sets are lost in a packed file: such a reader is not packed
    if isinstance(reader.faces, FaceColumns) and before == _arguments(reader, STATE):
        if pack.write(reader, reader.faces):
            pack.restore(reader)  # and free the arrays


def _pack_of(reader: Reader) -> 'Pack | None':
    """Return where the packed file of a reader is or would be; None if it has none."""
    if reader.packed is False or reader.on_defects == 'keep':
        return None
    version, arguments = version_of(type(reader)), _arguments(reader, ())
    if version is None or arguments is None:
        return None
    try:
        sources = Sources(reader.all_sources())
    except (OSError, ValueError):  # a file is missing, which the reader will say
        return None
    if sources.bytes < MIN_BYTES:
        return None
    folder = cache_folder() / 'packed' if reader.packed is True else Path(reader.packed)
    # a file of boxes may name its pictures from the current folder
    return Pack(folder, digest([version, arguments, os.getcwd() if reader.bbox_file else '']), sources)


def _arguments(reader: Reader, without: tuple[str, ...]) -> Any:
    """Return the attributes of a reader on which its faces depend, in their plain form; None if one has none."""
    try:
        return plain({key: value for key, value in vars(reader).items() if key not in (*NOT_READ, *without)})
    except TypeError:
        return None


class Pack:
    """The packed file of a reader with its arguments, for the present content of its sources."""

    def __init__(self, folder: Path, reader: str, sources: Sources) -> None:
        self.folder, self.reader, self.sources = folder, reader, sources
        self.lock = folder / f'{reader[:24]}.lock'
        self._state = sources.state()
        self._seen = folder / f'{reader[:24]}-{self._state[:24]}.seen'
        self._content = self._seen_content()

    @property
    def path(self) -> Path:
        """The file; its name contains reader and content."""
        if self._content is None:
            self._content = self.sources.content()
        return self.folder / f'{self.reader[:24]}-{self._content[:24]}.faces'

    def _seen_content(self) -> str | None:
        """Return the digest of the content that the sources had in their present state, if it was noted."""
        with suppress(OSError, ValueError):
            text = self._seen.read_text('ascii')
            if len(text) == 64 and set(text) <= set('0123456789abcdef'):
                return text
        return None

    def restore(self, reader: Reader) -> bool:
        """Set faces, defects and subsets of a reader from the packed file; return False if there is no sound one."""
        try:
            path = self.path
            if not path.exists():
                return False
            faces = open_pack(path)
            _check_header(faces, self.reader + path.stem[-24:], reader.markup.size)
        except OSError:
            return False
        except DataDefect as error:
            _log(f'{error}. It is made anew')
            return False
        reader.faces, reader.subsets = faces, tuple(faces.header['subsets'])
        reader.box_counts = tuple(faces.header['box_counts'])
        for file, record, wrong in faces.header['defects']:
            reader.defects.add(Path(file), record, wrong)
        self._note()
        return True

    def write(self, reader: Reader, faces: FaceColumns) -> bool:
        """Write what was read; return False if that failed: the sources changed meanwhile, or the disk is full."""
        path = self.path
        header = {
            'key': self.reader + path.stem[-24:],
            'reader': type(reader).__name__,
            'subsets': reader.subsets,
            'box_counts': reader.box_counts,
            'defects': reader.defects,
        }
        try:
            sources = Sources(reader.all_sources())
            same = sources.state() == self._state and (sources.is_settled() or sources.content() == self._content)
            if not same or len(reader.defects) > MAX_DEFECTS:
                return False
            write_pack(path, faces, header)
        except (OSError, ValueError, TypeError) as error:
            reason = getattr(error, 'strerror', None) or error
            _log(f'{path} could not be written ({reason}): each start reads {reader.ann_file}')
            return False
        _log(f'{len(faces)} faces of {reader.ann_file} are packed in {path}: the next start opens that file')
        self._remove_old(path)
        return True

    def _note(self) -> None:
        """Note the content of the sources in their present state, unless a change might leave that state the same."""
        if self._content and self.sources.is_settled() and not self._seen.exists():
            with suppress(OSError):
                write_bytes(self._seen, self._content.encode())

    def _remove_old(self, path: Path) -> None:
        """Remove old packed files of the same reader: other processes may still read newer ones."""
        for other in self.folder.glob(f'{self.reader[:24]}-*'):
            with suppress(OSError):
                if other != path and time.time() - os.stat(other).st_mtime > OLD_S:
                    other.unlink()


def _check_header(faces: PackedFaces, key: str, size: int) -> None:
    """Raise DataDefect if a packed file has another key, other arrays or other entries than a reader's."""
    header = faces.header
    fields = {field.name: (field.kind, field.shape) for field in faces.fields}
    arrays = {'box': (4,), 'landmarks': (size, 2), 'visible': (size,)}
    expected = {name: ('array', shape) for name, shape in arrays.items()} | {'norm': ('norm', ())}
    defects, subsets, counts = (header.get(key) for key in ('defects', 'subsets', 'box_counts'))
    sound = (
        header.get('key') == key
        and expected.items() <= fields.items()
        and (isinstance(defects, list) and all(are_texts(row) and len(row) == 3 for row in defects))
        and are_texts(subsets)
        and (isinstance(counts, list) and list(map(type, counts)) == [int, int])
    )
    if not sound:
        raise DataDefect(f'{faces.path} is the packed file of another data set, or a damaged one')


def _log(text: str) -> None:
    from mmengine.logging import print_log  # mmengine imports torch

    print_log(text, logger='current')
