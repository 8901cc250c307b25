"""What a camera and a file do to a scene: light, colour, blur, noise, compression."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..drawing import to_bgr
from ..textures import noise_window

Image = np.ndarray
Rng = np.random.Generator


def take_photograph(scene: Image, rng: Rng) -> Image:
    """Return the scene as a camera may see it; half of the scenes stay nearly as they are."""
    if rng.random() < 0.6:
        scene = cv2.LUT(scene, _tone(rng))
    if rng.random() < 0.12:
        scene = to_bgr(cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY))
    kind = rng.random()
    if kind < 0.15:
        scene = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.4, 1.8))
    elif kind < 0.25:
        scene = _reduced(scene, rng.uniform(0.35, 0.9))
    if rng.random() < 0.25:
        size = scene.shape[0]
        noise = noise_window('pixel', rng, size, size, rng.uniform(0.03, 0.5))
        scene = cv2.addWeighted(scene, 1, to_bgr(noise), 1, -128)
    if rng.random() < 0.3:
        quality = (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 90)))
        scene = cv2.imdecode(cv2.imencode('.jpg', scene, quality)[1], cv2.IMREAD_COLOR)
    return scene


def _tone(rng: Rng) -> NDArray[np.uint8]:
    """The tone curve of each channel (1, 256, 3): gamma, contrast, brightness and a cast; at times dark or pale."""
    ramp = np.linspace(0, 1, 256)[:, None] ** np.exp(rng.normal(0, 0.3))
    contrast = rng.uniform(0.2, 0.6) if rng.random() < 0.2 else rng.uniform(0.7, 1.3)
    middle = rng.uniform(0.15, 0.8) if contrast < 0.6 else rng.uniform(0.4, 0.6)
    cast = 1 + rng.normal(0, 0.06, 3)
    return np.clip(((ramp - 0.5) * contrast + middle) * cast * 255, 0, 255).astype(np.uint8).reshape(1, 256, 3)


def _reduced(scene: Image, factor: float) -> Image:
    small = cv2.resize(scene, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, scene.shape[1::-1], interpolation=cv2.INTER_LINEAR)
