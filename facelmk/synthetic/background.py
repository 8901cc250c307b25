"""The background of a face."""

import cv2
import numpy as np

from .appearance import Appearance
from .drawing import Colour, ellipse, fill, line, to_bgr
from .textures import noise_window


def draw_background(size: int, rng: np.random.Generator, look: Appearance) -> np.ndarray:
    """A background (size, size, 3): a soft colour field with shapes, sharp or blurred."""
    full, blurred = size, rng.random() < 0.65
    size = size // 2 if blurred else size
    kind = rng.random()
    cells = int(rng.integers(1, 7)) if kind < 0.6 else int(rng.integers(6, 24))
    base = rng.uniform(10, 245) + rng.normal(0, 25, 3)
    spread = rng.uniform(5, 75)
    noise = (
        base
        + rng.normal(0, spread, (cells, cells, 1))
        + rng.normal(0, spread * rng.uniform(0.1, 0.8), (cells, cells, 3))
    )
    noise = np.clip(noise, 0, 255).astype(np.float32)
    image = np.clip(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 9))):
        if rng.random() < 0.7:
            colour = np.clip(rng.uniform(0, 255) + rng.normal(0, 40, 3), 0, 255)
        else:
            colour = look.skin_colour * rng.uniform(0.6, 1.1)
        _shape(image, size, rng, tuple(colour))
    width = rng.uniform(0.004, 0.05) * size
    if blurred:
        image = cv2.resize(
            cv2.GaussianBlur(image, (0, 0), max(width, 0.3)), (full, full), interpolation=cv2.INTER_LINEAR
        )
    if rng.random() < 0.5:
        texture = noise_window(('cloth', 'blotch', 'hair')[rng.integers(3)], rng, 128, 128, rng.uniform(0.1, 0.9))
        texture = cv2.resize(texture, (full, full))
        image = cv2.multiply(image, to_bgr(texture), scale=1 / 128)
    return image


def _shape(image: np.ndarray, size: int, rng: np.random.Generator, colour: Colour) -> None:
    """Draw an ellipse, a diamond, a line or stripes, in place."""
    centre, radii = rng.uniform(0, 1, 2), rng.uniform(0.02, 0.4, 2)
    kind = rng.integers(4)
    if kind == 0:
        fill(image, ellipse(centre, radii, rng.uniform(0, 3)) * size, colour)
    elif kind == 1:
        fill(image, ellipse(centre, radii, rng.uniform(0, 3), 4) * size, colour)
    elif kind == 2:
        line(image, (centre + rng.normal(0, 0.4, (3, 2))) * size, colour, rng.uniform(0.005, 0.05) * size)
    else:
        step, width = rng.uniform(0.04, 0.2), rng.uniform(0.01, 0.08)
        for k in range(6):
            left = centre[0] + k * step
            fill(image, np.array([[left, -0.1], [left + width, -0.1], [left + width, 1.1], [left, 1.1]]) * size, colour)
