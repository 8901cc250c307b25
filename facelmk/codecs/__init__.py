"""Points <-> what a network speaks."""
from .base import Codec
from .coordinates import Coordinates
from .heatmap import Heatmap
from .integral import Integral

__all__ = ['Codec', 'Coordinates', 'Heatmap', 'Integral']
