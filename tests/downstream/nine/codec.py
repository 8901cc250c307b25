"""Points as seen from the middle of the crop."""

import torch

from facelmk.codecs import Codec
from facelmk.registry import CODECS


@CODECS.register_module()
class FromMiddle(Codec):
    """(point - middle) / half of the crop; a mirror turns the sign of x."""

    tolerance = 1e-3

    def encode(self, points, visible, like, size):
        return (points * 2 + 1 - size).to(like) / size, visible.to(like)[..., None]

    def decode(self, output, size):
        return (output * size + size - 1) / 2, torch.ones_like(output[..., 0])

    def flip(self, output, mirror, size):
        return output[:, mirror] * output.new_tensor([-1, 1])
