"""Pages: one HTML file each, with its pictures inside, for reports, comparisons, data sets and training curves."""

from .frame import MAX_PAGE_BYTES, Page, Section, check_page, is_page, write_page

__all__ = ['MAX_PAGE_BYTES', 'Page', 'Section', 'check_page', 'is_page', 'write_page']
