"""How faces look in a notebook: a picture of bounded size, embedded, and a line of text."""

import base64
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_SIDE_PX = 640
JPEG_QUALITY = 85
STYLE = 'font-family: sans-serif; font-size: 13px; margin: 4px 0'


def figure(image: NDArray[np.uint8] | None, caption: str) -> str:
    """Return html with a picture (H, W, 3), BGR, if there is one, and its caption."""
    text = escape(caption)
    if image is None or not image.size:
        return f'<div style="{STYLE}">{text}</div>'
    image = shrink(image)
    content = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
    data = base64.b64encode(content).decode()
    height, width = image.shape[:2]
    picture = f'<img src="data:image/jpeg;base64,{data}" width="{width}" height="{height}" alt="{text}">'
    return f'<div style="{STYLE}">{picture}<br>{text}</div>'


def shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture whose longer side has at most `MAX_SIDE_PX` pixels."""
    height, width = image.shape[:2]
    factor = MAX_SIDE_PX / max(height, width)
    if factor >= 1:
        return image
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
