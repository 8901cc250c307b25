"""Colours changed by hue, saturation and value, as detectors and RTMPose are trained with."""

from collections.abc import Sequence
from itertools import permutations

import cv2
import numpy as np

from ...registry import TRANSFORMS
from .photometric import Drawn

LEVELS = np.arange(256)
ORDERS = list(permutations(range(3)))


@TRANSFORMS.register_module()
class HSV(Drawn):
    """Adds up to so many levels to hue (of 180), saturation and value, each of them in half of the pictures.

    YOLOX's change of colours, as mmdet's YOLOXHSVRandomAug.
    """

    draws = 6

    def __init__(self, hue: float = 5, saturation: float = 30, value: float = 30, prob: float = 1.0) -> None:
        super().__init__(prob)
        self.most = np.array([hue, saturation, value])

    def change(self, image: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        gains = np.trunc((numbers[:3] * 2 - 1) * self.most) * (numbers[3:] < 0.5)
        return shift_colours(image, *gains)


def shift_colours(image: np.ndarray, hue: float, saturation: float, value: float) -> np.ndarray:
    """The picture with so many levels added to its hue, which goes round at 180, its saturation and its value."""
    table = np.stack([(LEVELS + hue) % 180, LEVELS + saturation, LEVELS + value], -1)
    return _through(image, table)


def _through(image: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The picture whose hue, saturation and value are looked up in a table (256, 3)."""
    levels = np.clip(table, 0, 255).astype(np.uint8)[None]
    return cv2.cvtColor(cv2.LUT(cv2.cvtColor(image, cv2.COLOR_BGR2HSV), levels), cv2.COLOR_HSV2BGR)


@TRANSFORMS.register_module()
class Photometric(Drawn):
    """Brightness, contrast, saturation, hue and the order of the channels, each changed in half of the pictures.

    MMPose's PhotometricDistortion, but that contrast is changed once, before or after the colours (there it is twice
    or never), and that a hue below 0 goes round at 180 (there at 256).
    """

    draws = 10

    def __init__(
        self,
        brightness: float = 32,
        contrast: Sequence[float] = (0.5, 1.5),
        saturation: Sequence[float] = (0.5, 1.5),
        hue: int = 18,
        prob: float = 1.0,
    ) -> None:
        super().__init__(prob)
        self.brightness, self.hue = brightness, hue
        self.contrast, self.saturation = tuple(contrast), tuple(saturation)

    def change(self, image: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        bright, contrasted, last, coloured, turned, swapped = numbers[:6] < 0.5
        light, contrast, colour, turn = numbers[6:]
        if bright:
            image = _line(image, 1, self.brightness * (2 * light - 1))
        if contrasted and not last:
            image = _line(image, _between(self.contrast, contrast), 0)
        if coloured or turned:
            image = _through(
                image,
                np.stack(
                    [
                        (LEVELS + (int(2 * self.hue * turn) - self.hue) * turned) % 180,
                        LEVELS * (_between(self.saturation, colour) if coloured else 1),
                        LEVELS,
                    ],
                    -1,
                ),
            )
        if contrasted and last:
            image = _line(image, _between(self.contrast, contrast), 0)
        # which half of [0, 1) the number lies in has decided that they are swapped, the place in it decides how
        return np.ascontiguousarray(image[..., ORDERS[int(numbers[5] * 12)]]) if swapped else image


def _between(ends: Sequence[float], number: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * number


def _line(image: np.ndarray, factor: float, offset: float) -> np.ndarray:
    """The picture times a factor plus an offset."""
    return cv2.LUT(image, np.clip(LEVELS * factor + offset, 0, 255).astype(np.uint8))
