"""The pages of the site that are files of the clone outside of docs/."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = {  # pages of the clone that are outside of docs/
    'CONTRIBUTING.md': 'contributing',
    'CHANGELOG.md': 'changes',
    'SECURITY.md': 'security',
    'CODE_OF_CONDUCT.md': 'conduct',
    'zoo/README.md': 'weights',
}


def relinked(text: str, path: str) -> str:
    """A page of the clone with its links as seen from docs/project/."""

    def link(match: re.Match) -> str:
        target = match[1]
        if re.match(r'https?:|mailto:|#', target):
            return match[0]
        file, mark, anchor = target.partition('#')
        inside = (ROOT / path).parent.joinpath(file).resolve().relative_to(ROOT).as_posix()
        if inside in FILES:
            return f']({FILES[inside]}.md{mark}{anchor})'
        return (
            f'](../{inside.removeprefix("docs/")}{mark}{anchor})'
            if inside.startswith('docs/')
            else f'](../../{inside})'
        )

    return re.sub(r'\]\(([^)\s]+)\)', link, text)


def project_pages() -> Iterator[tuple[str, str]]:
    """Yield path and text of each file of the clone that is a page of the site."""
    for path, name in FILES.items():
        if (ROOT / path).is_file():
            yield f'project/{name}.md', relinked((ROOT / path).read_text(encoding='utf-8'), path)
