"""A page: one HTML file that needs no other file, no script and no network, so it can be mailed."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from ...files.atomic import check_output, write_bytes
from .style import STYLE

MAX_PAGE_BYTES = 5_000_000  # what mail servers take; the parts of a page are limited so that it stays below
INDEX = 'index.html'


@dataclass(frozen=True)
class Section:
    """A part of a page: its anchor, its title, its HTML, and a note that says how to read it."""

    key: str
    title: str
    body: str
    note: str = ''

    def html(self) -> str:
        """Return the section as HTML."""
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ''
        return f'<section id="{escape(self.key)}"><h2>{escape(self.title)}</h2>{note}{self.body}</section>'


@dataclass(frozen=True)
class Page:
    """A title, facts about what the page shows, and its sections."""

    title: str
    facts: Mapping[str, object]
    sections: Sequence[Section]

    def html(self) -> str:
        """Return the page as HTML; the last line says how large it is."""
        body = ''.join([self._head(), *(section.html() for section in self.sections)])
        size = size_text(len(body.encode()) + len(STYLE))
        footer = f'<footer>One file of {size}, with all its pictures. It needs no network.</footer>'
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">{_policy()}<title>{escape(self.title)}'
            '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<style>{STYLE}</style></head><body><main id="top">{body}{footer}</main></body></html>\n'
        )

    def _head(self) -> str:
        listed = ''.join(f'<dt>{escape(name)}</dt><dd>{escape(str(fact))}</dd>' for name, fact in self.facts.items())
        links = ''.join(f'<a href="#{escape(part.key)}">{escape(part.title)}</a>' for part in self.sections)
        return (
            f'<header><h1>{escape(self.title)}</h1><dl>{listed}</dl><nav aria-label="Contents">{links}</nav></header>'
        )


def _policy() -> str:
    """Return the content security policy: this style sheet and pictures within the file, nothing else."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    rules = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return f'<meta http-equiv="Content-Security-Policy" content="{rules}">'


def is_page(target: str | Path) -> bool:
    """Whether a path is that of a page, not of a picture or a folder."""
    return Path(target).suffix.lower() in ('.html', '.htm')


def page_file(target: str | Path) -> Path:
    """Return the file of a page: `target` if it ends in .html, or index.html in the folder `target`."""
    return Path(target) if is_page(target) else Path(target, INDEX)


def check_page(target: str | Path) -> None:
    """Refuse a place that no page can be written to: call this before the work that the page shows."""
    file = page_file(target)
    if file != Path(target):
        check_output(target, folder=True)
    check_output(file)


def write_page(page: Page, target: str | Path) -> Path:
    """Write a page to a file or folder; return the file."""
    file = page_file(target)
    write_bytes(file, page.html().encode())
    return file


def size_text(size: int) -> str:
    """Return a number of bytes as text, such as '1.2 MB' or '80 kB'."""
    return f'{size / 1e6:.1f} MB' if size >= 1e5 else f'{size / 1e3:.0f} kB'
