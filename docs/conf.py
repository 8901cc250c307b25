"""The site of the docs, built by `make docs`: Sphinx with furo's theme and MyST's Markdown. It needs no network."""

import re
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import make_reference  # noqa: E402
from project_pages import FILES  # noqa: E402
from public_names import addresses  # noqa: E402
from rst_text import escaped  # noqa: E402
from sphinx.util import logging  # noqa: E402

import facelmk  # noqa: E402

project = 'facelmk'
author = 'the authors of facelmk'
version = release = facelmk.__version__
extensions = ['myst_parser', 'sphinx.ext.autodoc']
exclude_patterns = ['_build']
root_doc = 'index'

myst_heading_anchors = 4  # links to headings are those of GitHub
default_role = 'code'  # `name` in a docstring
smartquotes = False  # they would turn --option into a dash
autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
autodoc_inherit_docstrings = False  # those of torch and mmengine
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = 'hide'
suppress_warnings = ['myst.header']  # a page of the clone may begin with a heading of another level

html_theme = 'furo'
html_title = f'facelmk {release}'
html_static_path = ['site.css']
html_css_files = ['site.css']
html_copy_source = html_show_sourcelink = False
html_theme_options = {'navigation_with_keys': True, 'top_of_page_buttons': []}

OTHER_PAGES = 'other-pages'  # the line of index.md that is replaced by the how-to pages that it does not name


def add_other_pages(app: Any, name: str, source: list[str]) -> None:
    """Name the pages below docs/ that index.md does not, so that a new page is in the contents at once."""
    if name == app.config.root_doc:
        known = set(re.findall(r'^([\w/]+)$', source[0], re.M))
        others = sorted({path.stem for path in DOCS.glob('*.md')} - known - {name})
        source[0] = source[0].replace(OTHER_PAGES, '\n'.join(others))


def link_project_pages(app: Any, name: str, source: list[str]) -> None:
    """Lead links to files of the clone, such as ../CONTRIBUTING.md, to their pages of the site."""
    above = '../' * name.count('/')
    for path, page in FILES.items():
        source[0] = source[0].replace(f']({above}../{path}', f'](/project/{page}.md')


def check_names(app: Any, env: Any) -> None:
    """Warn of each public name that has no entry; `make docs` ends with an error then."""
    for address in sorted(addresses().keys() - env.domaindata['py']['objects'].keys()):
        logging.getLogger(__name__).warning('%s is not in the reference', address)


def docstring_in_rst(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Keep stars, bars and underscores of a docstring as they are."""
    lines[:] = escaped('\n'.join(lines)).split('\n')


def setup(app: Any) -> None:
    """Make the pages that come from the code, and connect the functions above."""
    app.connect('builder-inited', lambda app: make_reference.write_pages())
    app.connect('source-read', add_other_pages)
    app.connect('source-read', link_project_pages)
    app.connect('env-check-consistency', check_names)
    app.connect('autodoc-process-docstring', docstring_in_rst)
