"""Write the reference of the code and of the command line, and the pages of the clone's own files: `make docs` runs it.

The pages are made from the package and its argument parsers each time the docs are built, so git ignores them.
"""

from pathlib import Path

from code_pages import code_pages
from command_pages import command_pages
from project_pages import project_pages

DOCS = Path(__file__).parent
FOLDERS = ('reference', 'project')


def pages() -> dict[str, str]:
    """All pages that are made from something else, by their path below docs/."""
    return dict([*code_pages(), *command_pages(), *project_pages()])


def write_pages() -> None:
    """Write all pages; an unchanged one keeps its time, so that Sphinx does not read it again."""
    texts = pages()
    for folder in FOLDERS:
        for path in (DOCS / folder).rglob('*.*'):
            if path.relative_to(DOCS).as_posix() not in texts:
                path.unlink()
    for name, text in texts.items():
        path = DOCS / name
        if not path.is_file() or path.read_text(encoding='utf-8') != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding='utf-8')


if __name__ == '__main__':
    write_pages()
