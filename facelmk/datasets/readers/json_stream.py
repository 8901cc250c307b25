"""Read a large json piece by piece: each element of its lists is made smaller before the next one is parsed."""

import json
from collections.abc import Callable, Mapping
from json import JSONDecodeError
from pathlib import Path
from typing import Any, TextIO

from ...files.progress import MB, Progress

PIECE_LETTERS = 1 << 20
SPACES = ' \t\r\n'
ENDS = ',]}:' + SPACES  # what may follow a value: 12. and 12e are the beginnings of numbers
Shrink = Callable[[Any], Any]


def read_object(file: Path, shrink: Mapping[str, Shrink]) -> dict[str, Any] | None:
    """Return the object in a json; each element of the list under a key of `shrink` is what its function returns.

    Return None if the file holds something else or is damaged: json.loads then says what is wrong with it.
    """
    try:
        size = file.stat().st_size
        with (
            file.open(encoding='utf-8-sig', newline='') as stream,
            Progress(f'reading {file.name}', size / MB, unit='MB/s') as progress,
        ):
            return _Scanner(stream, progress).read(shrink)
    except (ValueError, RecursionError):
        return None


class _Scanner:
    """The text of a file from `at` on; `parse` of the standard library reads one value of it."""

    def __init__(self, stream: TextIO, progress: Progress) -> None:
        self.stream, self.text, self.at = stream, '', 0
        self.progress, self.letters = progress, 0
        self.parse = json.JSONDecoder().raw_decode

    def read(self, shrink: Mapping[str, Shrink]) -> dict[str, Any]:
        content: dict[str, Any] = {}
        self.expect('{')
        while self.peek() != '}' or content:
            key = self.value() if self.peek() == '"' else self.fail()
            self.expect(':')
            content[key] = self.items(shrink.get(key, _same)) if self.peek() == '[' else self.value()
            if self.peek() == '}':
                break
            self.expect(',')
        self.expect('}')
        return content if not self.peek() else self.fail()

    def items(self, shrink: Shrink) -> list[Any]:
        """Return the elements of a list."""
        self.expect('[')
        items: list[Any] = []
        while self.peek() != ']' or items:
            items.append(shrink(self.value()))
            if self.peek() == ']':
                break
            self.expect(',')
        self.expect(']')
        return items

    def value(self) -> Any:
        """Return the value at the present place; a number may continue in the next piece of the file."""
        self.peek()
        while True:
            try:
                value, end = self.parse(self.text, self.at)
            except JSONDecodeError:
                if not self.more():
                    raise
                continue
            used = end - self.at
            is_whole = end < len(self.text) and self.text[end] in ENDS
            if is_whole or not self.more():
                self.at += used  # after `more`, the text begins with the value
                return value

    def expect(self, letter: str) -> None:
        if self.peek() != letter:
            self.fail()
        self.at += 1

    def peek(self) -> str:
        """Return the next letter that is no space, '' at the end of the file."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in SPACES:
                    return self.text[self.at]
                self.at += 1
            if not self.more():
                return ''

    def more(self) -> bool:
        """Read another piece, as long as the present text; return False at the end of the file."""
        piece = self.stream.read(max(PIECE_LETTERS, len(self.text) - self.at))
        self.text, self.at = self.text[self.at :] + piece, 0
        self.letters += len(piece)
        self.progress.show(self.letters / MB)
        return bool(piece)

    def fail(self) -> Any:
        raise ValueError('this is another text')


def _same(value: Any) -> Any:
    return value
