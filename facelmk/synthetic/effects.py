"""What a camera and a file do to a picture."""

from types import SimpleNamespace

import cv2
import numpy as np

from .paint import piece


def develop(picture: np.ndarray, look: SimpleNamespace, draw: np.random.Generator) -> np.ndarray:
    """Tone, colour, blur, noise and compression, in 8 bits."""
    size = picture.shape[0]
    picture = _blurred(picture, look, size)
    picture = cv2.LUT(picture, _curves(look))
    if look.grey:
        picture = cv2.merge([cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)] * 3)
    elif look.saturation < 0.9:
        grey = cv2.merge([cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)] * 3)
        picture = cv2.addWeighted(picture, look.saturation, grey, 1 - look.saturation, 0)
    if look.noise > 0.02:
        noise = (
            cv2.merge([piece('pixel', draw, size, size, look.noise)] * 3)
            if look.grey
            else cv2.merge([piece('pixel', draw, size, size, look.noise) for _ in range(3)])
        )
        picture = cv2.addWeighted(picture, 1, noise, 1, -128)
    if look.jpeg:
        picture = cv2.imdecode(
            cv2.imencode('.jpg', picture, (cv2.IMWRITE_JPEG_QUALITY, look.jpeg))[1], cv2.IMREAD_COLOR
        )
    return picture


def _curves(look):
    ramp = np.linspace(0, 1, 256)[:, None]
    curve = (ramp**look.gamma - 0.5) * look.contrast + 0.5
    curve = curve * look.balance
    return np.clip(curve * 255, 0, 255).astype(np.uint8).reshape(1, 256, 3)


def _blurred(picture, look, size):
    width = look.blur * size
    if look.motion:
        length = max(int(width * 3.5) | 1, 3)
        kernel = np.zeros((length, length), np.float32)
        reach = np.array([np.cos(look.motion_angle), np.sin(look.motion_angle)]) * (length - 1) / 2
        middle = np.array([(length - 1) / 2] * 2)
        ends = [tuple(int(v) for v in np.round(middle + sign * reach)) for sign in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1)
        return cv2.filter2D(picture, -1, kernel / kernel.sum())
    if width > 2.4:  # a wide blur does not need every pixel
        half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return cv2.resize(cv2.GaussianBlur(half, (0, 0), width / 2), (size, size), interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(picture, (0, 0), width) if width > 0.35 else picture
