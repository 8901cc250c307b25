"""Read an XML of annotations: without entities and document types, which can hide gigabytes, and within limits."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from ...errors import DataDefect
from ..records import read_text

MAX_DEPTH = 50
FORBIDDEN = re.compile(r'<!(DOCTYPE|ENTITY)', re.IGNORECASE)
PIECE = 1 << 16  # letters


def root_of(file: Path) -> str:
    """Return the name of the first element of a file, '' if it is no XML."""
    try:
        with file.open('rb') as stream:
            head = stream.read(4096).decode('utf-8', 'replace')
    except OSError:
        return ''
    found = re.search(r'<([A-Za-z_][\w.-]*)', re.sub(r'<!--.*?-->|<[?!][^>]*>', '', head, flags=re.DOTALL))
    return found[1] if found else ''


def read_elements(file: Path, name: str) -> Iterator[Element]:
    """Yield each complete element of that name; it is emptied afterwards, so that a large file takes little memory."""
    text = read_text(file)
    if FORBIDDEN.search(text):
        raise DataDefect(
            f'{file} declares a document type or entities, which annotations do not need. Remove <!DOCTYPE'
        )
    depth = 0
    try:
        for event, element in _events(text):
            depth += 1 if event == 'start' else -1
            if depth > MAX_DEPTH:
                raise DataDefect(f'{file} has {depth} elements inside one another. It is no file of annotations')
            if event == 'end' and element.tag == name:
                yield element
                element.clear()
    except (ParseError, ValueError) as error:
        raise DataDefect(f'{file} is no complete XML: {error}. Correct it, or export it again') from error


def _events(text: str) -> Iterator[tuple[str, Element]]:
    """Yield the start and the end of each element; the parser may keep the last ones until it is closed."""
    parser: Any = XMLPullParser(('start', 'end'))
    for first in range(0, len(text), PIECE):
        parser.feed(text[first : first + PIECE])
        yield from parser.read_events()
    parser.close()
    yield from parser.read_events()
