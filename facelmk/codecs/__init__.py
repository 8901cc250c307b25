"""Points <-> what a network speaks."""
from .base import Codec
from .coordinates import Coordinates
from .heatmap import Heatmap
from .integral import Integral
from .simcc import SimCC

__all__ = ['Codec', 'Coordinates', 'Heatmap', 'Integral', 'SimCC']
