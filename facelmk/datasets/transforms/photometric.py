"""Transforms that change pixels but no points: light, colour, blur, noise, compression, occlusion."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS, Range, Ranges
from ..base import FaceRecord


class _WithProbability(BaseTransform):
    """Changes `image` with probability `prob`; `change` draws from the sample's random generator."""

    ranges: Ranges = {'prob': (0, 1)}

    def __init__(self, prob: float) -> None:
        self.prob = prob

    def transform(self, sample: FaceRecord) -> FaceRecord:
        rng = sample['rng']
        if rng.random() < self.prob:
            sample['image'] = self.change(sample['image'], rng)
        return sample

    @abstractmethod
    def change(self, image: np.ndarray, rng: Any) -> np.ndarray:
        """Return the changed picture (S, S, 3)."""


class FixedDraws(_WithProbability):
    """Gives `change` an array of `draws` random numbers in [0, 1) in place of the generator.

    The number of draws is always the same, so later transforms get the same random numbers in any case.
    """

    draws = 0

    def transform(self, sample: FaceRecord) -> FaceRecord:
        apply, *numbers = sample['rng'].random(1 + self.draws)
        if apply < self.prob:
            sample['image'] = self.change(sample['image'], np.array(numbers))
        return sample


def odd_size(number: float, largest: int) -> int:
    """Map a number in [0, 1) to an odd number from 3 to `largest`."""
    return 3 + 2 * int(number * ((largest - 1) // 2))


@TRANSFORMS.register_module()
class ColourJitter(_WithProbability):
    """Changes brightness, contrast, saturation and a gain for each channel, by up to the given shares."""

    ranges = dict.fromkeys(('brightness', 'contrast', 'saturation', 'gain'), (0, 1))

    def __init__(
        self,
        brightness: float = 0.3,
        contrast: float = 0.3,
        saturation: float = 0.4,
        gain: float = 0.1,
        prob: float = 0.8,
    ) -> None:
        super().__init__(prob)
        self.brightness, self.contrast, self.saturation, self.gain = brightness, contrast, saturation, gain

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        brightness, contrast, saturation = rng.uniform(-1, 1, 3) * (self.brightness, self.contrast, self.saturation)
        gains = 1 + rng.uniform(-self.gain, self.gain, 3)
        if saturation:
            grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            image = cv2.addWeighted(image, 1 + saturation, grey, -saturation, 0)
        mean = float(image.mean())
        levels = np.arange(256, dtype=np.float32)[:, None]
        table = (levels * (1 + brightness) - mean) * (1 + contrast) * gains + mean
        return cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8)[None])


@TRANSFORMS.register_module()
class Grey(_WithProbability):
    """Makes the picture grey, in three channels."""

    def __init__(self, prob: float = 0.1) -> None:
        super().__init__(prob)

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


@TRANSFORMS.register_module()
class Blur(_WithProbability):
    """Applies a Gaussian blur of up to `sigma` pixels, or with `kernel` a mean filter of 3 to `kernel` pixels."""

    ranges = {'sigma': (0.1, 50), 'kernel': (3, 99)}

    def __init__(self, sigma: float = 2.0, prob: float = 0.2, kernel: int | None = None) -> None:
        super().__init__(prob)
        self.sigma, self.kernel = sigma, kernel

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.kernel is not None:
            side = odd_size(rng.random(), self.kernel)
            return cv2.blur(image, (side, side))
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.1, 1) * self.sigma)


@TRANSFORMS.register_module()
class Shrink(_WithProbability):
    """Reduces the picture by up to `factor` and enlarges it again, as if it had been small."""

    ranges = {'factor': (1, 64)}

    def __init__(self, factor: float = 4.0, prob: float = 0.2) -> None:
        super().__init__(prob)
        self.factor = factor

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        side = max(8, round(image.shape[0] / rng.uniform(1, self.factor)))
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


@TRANSFORMS.register_module()
class Noise(_WithProbability):
    """Adds Gaussian noise of up to `sigma` grey levels."""

    ranges = {'sigma': (0, 255)}

    def __init__(self, sigma: float = 12.0, prob: float = 0.2) -> None:
        super().__init__(prob)
        self.sigma = sigma

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.random() * self.sigma)
        return np.clip(image + noise, 0, 255).astype(np.uint8)


@TRANSFORMS.register_module()
class Jpeg(_WithProbability):
    """Compresses the picture as JPEG with a quality between `low` and 90."""

    ranges = {'low': (1, 90)}

    def __init__(self, low: int = 20, prob: float = 0.2) -> None:
        super().__init__(prob)
        self.low = low

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        quality = int(rng.integers(self.low, 91))
        _, content = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return cv2.imdecode(content, cv2.IMREAD_COLOR)


@TRANSFORMS.register_module()
class Occlude(_WithProbability):
    """Covers one rectangle with a plain colour or with noise; its sides are up to `share` of the picture's."""

    ranges = {'share': (0.1, 1)}

    def __init__(self, share: float = 0.4, prob: float = 0.3) -> None:
        super().__init__(prob)
        self.share = share

    def change(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        image, size = image.copy(), image.shape[0]
        height, width = (rng.uniform(0.1, self.share, 2) * size).astype(int) + 1
        y, x = rng.integers(0, size - height + 1), rng.integers(0, size - width + 1)
        colour = rng.integers(0, 256, (1, 1, 3))
        noise = rng.integers(0, 256, (height, width, 3))
        image[y : y + height, x : x + width] = colour if rng.random() < 0.7 else noise
        return image


@TRANSFORMS.register_module()
class MedianBlur(FixedDraws):
    """Applies a median filter of 3 to `kernel` pixels."""

    draws = 1
    ranges = {'kernel': (3, 99)}

    def __init__(self, kernel: int = 7, prob: float = 0.1) -> None:
        super().__init__(prob)
        self.kernel = kernel

    def change(self, image: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        return cv2.medianBlur(image, odd_size(numbers[0], self.kernel))


@TRANSFORMS.register_module()
class CoarseDropout(FixedDraws):
    """Covers `holes` rectangles with black; their sides are between `size[0]` and `size[1]` of the picture's."""

    ranges = {'holes': (1, 100), 'size': Range(0, 1, length=2, rising=True)}

    def __init__(self, holes: int = 1, size: Sequence[float] = (0.2, 0.4), prob: float = 1.0) -> None:
        super().__init__(prob)
        self.holes, self.size, self.draws = holes, tuple(size), 4 * holes

    def change(self, image: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        image, (low, high) = image.copy(), self.size
        shape = np.array(image.shape[:2])
        for extent, position in numbers.reshape(-1, 2, 2):
            sides = (shape * (low + (high - low) * extent)).astype(int)
            top, left = (position * (shape - sides + 1)).astype(int)
            image[top : top + sides[0], left : left + sides[1]] = 0
        return image
