"""Changes of hue, saturation and value, as in the training of detectors and of RTMPose."""

from collections.abc import Sequence
from itertools import permutations

import cv2
import numpy as np

from ...registry import TRANSFORMS, Range
from .photometric import FixedDraws

LEVELS = np.arange(256)
CHANNEL_ORDERS = list(permutations(range(3)))


@TRANSFORMS.register_module()
class HSV(FixedDraws):
    """Adds up to the given numbers of levels to hue (of 180), saturation and value, each in half of the pictures.

    It is the colour augmentation of YOLOX, mmdet's YOLOXHSVRandomAug.
    """

    draws = 6
    ranges = {'hue': (0, 90), 'saturation': (0, 255), 'value': (0, 255)}

    def __init__(self, hue: float = 5, saturation: float = 30, value: float = 30, prob: float = 1.0) -> None:
        super().__init__(prob)
        self.max_change = np.array([hue, saturation, value])

    def change(self, image: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        gains = np.trunc((numbers[:3] * 2 - 1) * self.max_change) * (numbers[3:] < 0.5)
        return shift_colours(image, *gains)


def shift_colours(image: np.ndarray, hue: float, saturation: float, value: float) -> np.ndarray:
    """Return the picture with levels added to its hue (modulo 180), saturation and value."""
    return _look_up_hsv(image, (LEVELS + hue) % 180, LEVELS + saturation, LEVELS + value)


def _look_up_hsv(image: np.ndarray, *tables: np.ndarray) -> np.ndarray:
    """Replace hue, saturation and value by those in three tables (256,)."""
    levels = np.clip(np.stack(tables, -1), 0, 255).astype(np.uint8)[None]
    return cv2.cvtColor(cv2.LUT(cv2.cvtColor(image, cv2.COLOR_BGR2HSV), levels), cv2.COLOR_HSV2BGR)


@TRANSFORMS.register_module()
class Photometric(FixedDraws):
    """Changes brightness, contrast, saturation, hue and the order of the channels, each in half of the pictures.

    It is MMPose's PhotometricDistortion with two differences: contrast changes once, before or after the colours
    (there twice or never), and hue is taken modulo 180 (there modulo 256).
    """

    draws = 10
    ranges = {
        'brightness': (0, 255),
        'contrast': Range(0, 10, length=2, rising=True),
        'saturation': Range(0, 10, length=2, rising=True),
        'hue': (0, 90),
    }

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
        use_brightness, use_contrast, contrast_last, use_saturation, use_hue, swap_channels = numbers[:6] < 0.5
        brightness, contrast, saturation, hue = numbers[6:]
        if use_brightness:
            image = _scale_levels(image, 1, self.brightness * (2 * brightness - 1))
        if use_contrast and not contrast_last:
            image = _scale_levels(image, _between(self.contrast, contrast), 0)
        if use_saturation or use_hue:
            turn = (int(2 * self.hue * hue) - self.hue) * use_hue
            gain = _between(self.saturation, saturation) if use_saturation else 1
            image = _look_up_hsv(image, (LEVELS + turn) % 180, LEVELS * gain, LEVELS)
        if use_contrast and contrast_last:
            image = _scale_levels(image, _between(self.contrast, contrast), 0)
        # the number is below 0.5 if channels are swapped; its value decides how
        return np.ascontiguousarray(image[..., CHANNEL_ORDERS[int(numbers[5] * 12)]]) if swap_channels else image


def _between(limits: Sequence[float], number: float) -> float:
    return limits[0] + (limits[1] - limits[0]) * number


def _scale_levels(image: np.ndarray, factor: float, offset: float) -> np.ndarray:
    """Return image * factor + offset."""
    return cv2.LUT(image, np.clip(LEVELS * factor + offset, 0, 255).astype(np.uint8))
