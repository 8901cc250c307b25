"""What a test leaves behind: tables, curves, error maps, galleries, as text, files and one static page."""

from .collect import Collector, Results, collected
from .conclude import conclude

__all__ = ['Collector', 'Results', 'collected', 'conclude']
