"""What `facelmk predict` finds: the rows of a long list are in a temporary file, so that a folder of any size fits."""

import mmap
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ..errors import DataDefect, FacelmkError
from ..files.atomic import translate_output_errors, write_bytes
from .number_forms import CHUNK, CocoFile, CsvTable, CvatFile, Form, JsonList
from .predict_output import Kind

MAX_NAMED = 5  # of the films that were read, and of the pictures that could not be used, or have no face
FORMS: dict[Kind, Callable[[], Form]] = {Kind.CSV: CsvTable, Kind.COCO: CocoFile, Kind.CVAT: CvatFile}
PLACE = 'the folder of temporary files (TMPDIR)'


class Found:
    """The rows of pictures and frames with their faces, in one form, and what is reported of them.

    Of an error only the text is kept: its traceback would keep the bytes of the picture in memory.
    """

    def __init__(self, file: IO[bytes], form: Form) -> None:
        self.file, self.form = file, form
        self.pictures = self.faces = self.without_face = 0
        self.empty: list[str] = []
        self.films = 0
        self.film_lines: list[str] = []  # of the first films
        self.failures: set[str] = set()  # the names of the inputs
        self.failed: list[str] = []  # the first errors
        self.is_complete = False

    def add(self, row: dict[str, Any]) -> None:
        """Add the row of a picture or of a frame: its path, its size and its faces."""
        with translate_output_errors(PLACE):
            self.file.write(self.form.row(row))
        if 'frame' in row:
            return
        self.pictures += 1
        self.faces += len(row['faces'])
        if not row['faces']:
            self.without_face += 1
            self.empty = [*self.empty, str(row['path'])][:MAX_NAMED]

    def add_film(self, line: str) -> None:
        """Count a film that was read; the line says what was found in it."""
        self.films += 1
        self.film_lines = [*self.film_lines, line][:MAX_NAMED]

    def fail(self, source: str, error: FacelmkError) -> None:
        """Add an input that cannot be used."""
        if source not in self.failures and len(self.failed) < MAX_NAMED:
            text = str(error)
            self.failed.append(text if source in text else f'{source}: {text}')
        self.failures.add(source)

    def write(self, path: Path) -> None:
        """Write the list."""
        with self._content() as content:
            write_bytes(path, content)

    def print(self) -> None:
        """Print the list."""
        with self._content() as content:
            for start in range(0, len(content), CHUNK):
                print(str(content[start : start + CHUNK], 'ascii'), end='')

    def report(self, out: Path | None, others: int) -> None:
        """Print how many faces and pictures there are, where they were written, and which pictures have no face."""
        skipped = f', {count(others, "other file")} skipped' if others else ''
        where = '' if out is None else f': {out}'
        for line in self.film_lines:
            print(line + where)
        if self.films > MAX_NAMED:
            print(f'and {count(self.films - MAX_NAMED, "more film")}{where}')
        if self.pictures or not self.films:
            print(f'{count(self.faces, "face")} in {count(self.pictures, "picture")}{where}{skipped}')
        elif others:
            print(f'{count(others, "other file")} skipped')
        if self.without_face:
            more = self.without_face - len(self.empty)
            print(f'No face in {", ".join(self.empty)}{f" and {more} more" if more else ""}')

    @contextmanager
    def _content(self) -> Iterator[memoryview]:
        """Yield the complete json; the rows stay in the file."""
        with translate_output_errors(PLACE):
            if not self.is_complete:
                for part in self.form.end():
                    self.file.write(part)
                self.file.flush()
            self.is_complete = True
        if self.file.tell() <= CHUNK:
            self.file.seek(0)
            yield memoryview(self.file.read())
        else:
            with mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
                yield view

    def check(self, total: int) -> None:
        """Raise an error that names inputs which could not be used."""
        if self.failed:
            more = f'; and {len(self.failures) - MAX_NAMED} more' if len(self.failures) > MAX_NAMED else ''
            named = '; '.join(self.failed)
            raise DataDefect(f'{len(self.failures)} of {count(total, "input")} could not be used: {named}{more}')


def count(number: int, what: str) -> str:
    """Return a number with its noun, such as '2 faces'."""
    return f'{number} {what}{"s"[: number != 1]}'


@contextmanager
def new_list(kind: Kind = Kind.JSON) -> Iterator[Found]:
    """Yield an empty list; its file is deleted at the end, or by the system if the process is killed."""
    file = tempfile.SpooledTemporaryFile(max_size=CHUNK)  # noqa: SIM115, closing it may fail
    form = FORMS.get(kind, JsonList)()
    try:
        yield Found(file, form)
    finally:
        form.close()
        with suppress(OSError):  # of a full disk, which was reported already
            file.close()
