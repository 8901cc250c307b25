"""Noise, hair and cloth textures. The noise images are computed once and shared by all faces."""

import functools

import cv2
import numpy as np

from .appearance import Appearance
from .drawing import tint, to_bgr

_SIDE_PX = 512
# blurs of white noise that each texture is the sum of: sigma along x, sigma along y, weight
_BLURS: dict[str, list[tuple[float, float, float]]] = {
    'pixel': [(0, 0, 1)],
    'pore': [(0.8, 0.8, 1), (2.0, 2.0, 0.7)],
    'blotch': [(6, 6, 1), (14, 14, 1.5), (3, 3, 0.4)],
    'hair': [(0.6, 9, 1), (1.6, 24, 1.1), (5, 40, 0.8)],
    'cloth': [(0.7, 3, 1), (3, 0.7, 1), (12, 12, 0.8)],
}


@functools.cache
def noise_texture(kind: str) -> np.ndarray:
    """The noise of one kind (512, 512) uint8, with mean 128."""
    rng = np.random.Generator(np.random.Philox(key=[_stable_hash(kind), 7]))
    noise = rng.standard_normal((_SIDE_PX, _SIDE_PX)).astype(np.float32)
    total = sum(weight * _standardise(_wrapped_blur(noise, sx, sy)) for sx, sy, weight in _BLURS[kind])
    return np.clip(128 + 32 * _standardise(np.asarray(total)), 0, 255).astype(np.uint8)


def _stable_hash(word: str) -> int:
    """A hash that is the same in every process."""
    return int.from_bytes(word.encode()[:8], 'little')


def noise_window(
    kind: str, rng: np.random.Generator, height: int, width: int, strength: float, mean: float = 128
) -> np.ndarray:
    """A random window of a noise texture (height, width) uint8, its contrast multiplied by `strength`."""
    texture = noise_texture(kind)
    top = int(rng.integers(0, max(_SIDE_PX - height, 1)))
    left = int(rng.integers(0, max(_SIDE_PX - width, 1)))
    window = texture[top : top + height, left : left + width]
    if window.shape != (height, width):
        window = cv2.resize(window, (width, height))
    return cv2.convertScaleAbs(window, alpha=strength, beta=mean - 128 * strength)


def hair_texture(look: Appearance, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Strands in the hair colour of the face (height, width, 3)."""
    return tint(to_bgr(noise_window('hair', rng, height, width, 1.25)), look.hair_colour)


def cloth_texture(look: Appearance, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Plain or striped cloth (height, width, 3)."""
    image = tint(to_bgr(noise_window('cloth', rng, height, width, rng.uniform(0.2, 0.7))), look.cloth_colour)
    if rng.random() < 0.35:
        stripe, step = rng.uniform(10, 245, 3), int(rng.integers(6, 30))
        for k in range(0, height, 2 * step):
            image[k : k + step] = image[k : k + step] // 2 + (stripe / 2).astype(np.uint8)
    return image


def _wrapped_blur(noise: np.ndarray, sx: float, sy: float) -> np.ndarray:
    if not sx:
        return noise
    pad = 128
    return cv2.GaussianBlur(np.pad(noise, pad, mode='wrap'), (0, 0), sx, sigmaY=sy)[pad:-pad, pad:-pad]


def _standardise(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()
