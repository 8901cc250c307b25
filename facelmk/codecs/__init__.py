"""Codecs: encode points into the target of a network, decode its output into points."""

from .base import Codec
from .boundary import Boundary
from .box_maps import BoxMaps
from .coordinates import Coordinates
from .heatmap import Heatmap
from .hrnet_integer import HRNetInteger
from .integral import Integral
from .megvii import Megvii
from .rle import RLE
from .simcc import SimCC
from .udp import UDP
from .udp_combined import UDPCombined

# fmt: off
__all__ = ['RLE', 'UDP', 'Boundary', 'BoxMaps', 'Codec', 'Coordinates', 'HRNetInteger', 'Heatmap', 'Integral', 'Megvii',
           'SimCC', 'UDPCombined']
# fmt: on
