"""The numbers of all pictures and frames in one file, row by row: json, csv, COCO's json and CVAT's XML."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol

from ..faces.cvat import END, HEAD, cvat_image, cvat_labels
from ..faces.tables import coco_annotations, coco_categories, coco_image, columns, csv_lines, table_rows

CHUNK = 1 << 20  # bytes that stay in memory, and that are copied at once


class Form(Protocol):
    """Turns rows into the bytes of a file."""

    def row(self, row: Mapping[str, Any]) -> bytes:
        """Return what a row adds to the file."""

    def end(self) -> Iterator[bytes]:
        """Yield what completes the file."""

    def close(self) -> None:
        """Delete temporary files."""


class JsonList:
    """A list of the rows."""

    rows = 0

    def row(self, row: Mapping[str, Any]) -> bytes:
        """Return the row as json, with what separates it from the one before."""
        start = ', ' if self.rows else '['
        self.rows += 1
        return f'{start}{json.dumps(row)}'.encode()

    def end(self) -> Iterator[bytes]:
        """Yield the end of the list."""
        yield b']\n' if self.rows else b'[]\n'

    def close(self) -> None:
        """Nothing is open."""


class CsvTable:
    """A table with a row for each face; its first line names the columns."""

    has_header = False

    def row(self, row: Mapping[str, Any]) -> bytes:
        """Return a line for each face of the row."""
        faces = row['faces']
        header = [] if self.has_header or not faces else [columns(len(faces[0]['landmarks']))]
        self.has_header |= bool(header)
        return csv_lines([*header, *table_rows([row])]).encode(errors='backslashreplace')  # of names that are no text

    def end(self) -> Iterator[bytes]:
        """Yield the names of the columns if there was no face."""
        yield b'' if self.has_header else csv_lines([columns(0)]).encode()

    def close(self) -> None:
        """Nothing is open."""


class CocoFile:
    """COCO's dict: the annotations are written first, and the images, in a temporary file until then, at the end."""

    def __init__(self) -> None:
        self.images = tempfile.SpooledTemporaryFile(max_size=CHUNK)  # noqa: SIM115, closed by `close`
        self.rows = self.faces = 0
        self.markup: str | None = None

    def row(self, row: Mapping[str, Any]) -> bytes:
        """Return the annotations of a row."""
        start = '' if self.rows else '{"annotations": ['
        self.rows += 1
        image = json.dumps(coco_image(row, self.rows))
        self.images.write(f'{", " if self.rows > 1 else ""}{image}'.encode())
        separator = ', ' if self.faces else ''
        annotations = coco_annotations(row, self.rows, self.faces + 1)
        self.faces += len(annotations)
        if not annotations:
            return start.encode()
        self.markup = row['faces'][0]['markup']
        return f'{start}{separator}{", ".join(map(json.dumps, annotations))}'.encode()

    def end(self) -> Iterator[bytes]:
        """Yield the images and the categories."""
        yield b'' if self.rows else b'{"annotations": ['
        yield b'], "images": ['
        self.images.seek(0)
        while chunk := self.images.read(CHUNK):
            yield chunk
        yield f'], "categories": {json.dumps(coco_categories(self.markup))}}}\n'.encode()

    def close(self) -> None:
        """Delete the temporary file."""
        with suppress(OSError):  # of a full disk, which was reported already
            self.images.close()


class CvatFile:
    """CVAT's XML of images; the labels follow the images, because the first picture may have no face."""

    def __init__(self) -> None:
        self.rows = 0
        self.markup: str | None = None

    def row(self, row: Mapping[str, Any]) -> bytes:
        """Return the image of a row."""
        image = cvat_image(row, self.rows)  # an error here leaves the file as it is
        start = '' if self.rows else HEAD
        self.rows += 1
        self.markup = row['faces'][0]['markup'] if row['faces'] else self.markup
        return f'{start}{image}'.encode()

    def end(self) -> Iterator[bytes]:
        """Yield the labels and the end."""
        yield f'{"" if self.rows else HEAD}{cvat_labels(self.markup)}{END}'.encode()

    def close(self) -> None:
        """Nothing is open."""
