"""The effects of camera and file format: tone, colour, blur, noise and JPEG compression."""

import cv2
import numpy as np

from .appearance import Appearance
from .drawing import to_bgr
from .textures import noise_window


def photograph(image: np.ndarray, look: Appearance, rng: np.random.Generator) -> np.ndarray:
    """Apply all effects to an 8-bit image."""
    size = image.shape[0]
    image = _blurred(image, look, size)
    image = cv2.LUT(image, _curves(look))
    if look.grey:
        image = to_bgr(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    elif look.saturation < 0.9:
        grey = to_bgr(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
        image = cv2.addWeighted(image, look.saturation, grey, 1 - look.saturation, 0)
    if look.noise > 0.02:
        noise = (
            to_bgr(noise_window('pixel', rng, size, size, look.noise))
            if look.grey
            else cv2.merge([noise_window('pixel', rng, size, size, look.noise) for _ in range(3)])
        )
        image = cv2.addWeighted(image, 1, noise, 1, -128)
    if look.jpeg:
        image = cv2.imdecode(cv2.imencode('.jpg', image, (cv2.IMWRITE_JPEG_QUALITY, look.jpeg))[1], cv2.IMREAD_COLOR)
    return image


def _curves(look: Appearance) -> np.ndarray:
    """The tone curve of each channel (1, 256, 3)."""
    ramp = np.linspace(0, 1, 256)[:, None]
    curve = (ramp**look.gamma - 0.5) * look.contrast + 0.5
    curve = curve * look.balance
    return np.clip(curve * 255, 0, 255).astype(np.uint8).reshape(1, 256, 3)


def _blurred(image: np.ndarray, look: Appearance, size: int) -> np.ndarray:
    width = look.blur * size
    if look.motion:
        length = max(int(width * 3.5) | 1, 3)
        kernel = np.zeros((length, length), np.float32)
        half = np.array([np.cos(look.motion_angle), np.sin(look.motion_angle)]) * (length - 1) / 2
        middle = np.array([(length - 1) / 2] * 2)
        start, end = (np.round(middle + sign * half).astype(int).tolist() for sign in (-1, 1))
        cv2.line(kernel, start, end, (1,))
        return cv2.filter2D(image, -1, kernel / kernel.sum())
    if width > 2.4:  # at half size, which is faster and looks the same
        small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return cv2.resize(cv2.GaussianBlur(small, (0, 0), width / 2), (size, size), interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(image, (0, 0), width) if width > 0.35 else image
