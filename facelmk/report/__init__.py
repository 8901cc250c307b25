"""The results of a test: tables, curves, error maps and galleries, as text, files and one static page."""

from .collect import Collector, Results, collect_results
from .conclude import conclude

__all__ = ['Collector', 'Results', 'collect_results', 'conclude']
