"""Read a page as a browser does: which tags, links, anchors and pictures it has."""

import re
from html.parser import HTMLParser

from facelmk.report.page import MAX_PAGE_BYTES

NOT_CLOSED = ('meta', 'img', 'br', 'link', 'input')
LINKS = ('src', 'href', 'xlink:href', 'action', 'data', 'poster', 'srcset')


class PageReader(HTMLParser):
    """Collects what a page refers to; every tag has to be closed in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict]] = []
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.labels: list[str] = []
        self.photos: list[str] = []
        self.metas: dict[str, str] = {}
        self.tags: list[str] = []
        self.tables_outside: list[str] = []
        self.text = ''
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.handle_startendtag(tag, attributes)
        if tag not in NOT_CLOSED:
            self.open.append((tag, dict(attributes)))

    def handle_startendtag(self, tag: str, attributes: list) -> None:
        found = dict(attributes)
        self.tags.append(tag)
        self.links += [found[name] for name in LINKS if name in found]
        self.anchors += [found['id']] if 'id' in found else []
        self.labels += [found['for']] if 'for' in found else []
        if tag == 'meta' and 'content' in found:
            self.metas[found.get('http-equiv') or found['name']] = found['content']
        if tag == 'img':
            assert found.get('alt'), found
        if tag == 'svg':
            assert found.get('aria-hidden') == 'true' or (found.get('role') == 'img' and found.get('aria-label')), found
            self.photos += [found['aria-label']] if found.get('class') == 'photo' else []
        if tag == 'table' and not any('scroll' in outer.get('class', '').split() for _, outer in self.open):
            self.tables_outside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop()[0] == tag, tag

    def handle_data(self, data: str) -> None:
        self.text += data + ' '


def check_page_alone(source: str) -> PageReader:
    """Check that a page needs no other file, no script and no network, and that its links lead somewhere."""
    page = PageReader(source)
    assert not {'script', 'iframe', 'object', 'embed', 'link', 'form', 'base'} & set(page.tags)
    outside = [link for link in page.links if not link.startswith(('#', 'data:image/jpeg;base64,'))]
    assert outside == []
    assert len(set(page.anchors)) == len(page.anchors)
    missing = {link[1:] for link in page.links if link.startswith('#')} | set(page.labels)
    assert missing - set(page.anchors) == set()
    assert not re.search(r'url\(|@import|https?://|\sstyle=|\son\w+=', source)
    assert "default-src 'none'" in page.metas['Content-Security-Policy']
    assert page.metas['viewport'].startswith('width=device-width')
    assert page.tables_outside == []
    assert len(source.encode()) <= MAX_PAGE_BYTES
    return page
