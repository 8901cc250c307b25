"""What people do with landmarks: draw them and save the picture."""
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import FacelmkError, MissingResource
from .markups import Markup

GREEN, RED, WHITE = (80, 255, 80), (60, 60, 255), (255, 255, 255)  # BGR


def draw(image: NDArray[np.uint8], points: NDArray, markup: Markup | None = None, colour: Sequence[int] = GREEN,
         numbers: bool = False, visible: NDArray | None = None) -> NDArray[np.uint8]:
    """A copy of a BGR picture with points (K, 2) on it, and the mark-up's lines between them where it is given.

    Points that are not `visible` (K,) are red.
    """
    image = np.ascontiguousarray(image).copy()
    size = max(1, round(max(np.ptp(points, 0)) / 110)) if len(points) > 1 else 2
    for line in markup.lines if markup is not None else ():
        if len(line) > 1:
            path = np.round(points[list(line)] * 16).astype(np.int32)
            cv2.polylines(image, [path], False, tuple(c // 2 for c in colour), 1, cv2.LINE_AA, shift=4)
    for i, (x, y) in enumerate(np.round(points * 16).astype(int)):
        shade = tuple(colour) if visible is None or visible[i] > 0 else RED
        cv2.circle(image, (x, y), size * 16, shade, -1, cv2.LINE_AA, shift=4)
        if numbers:
            cv2.putText(image, str(i), (x // 16 + 2, y // 16), cv2.FONT_HERSHEY_SIMPLEX, .35, WHITE, 1, cv2.LINE_AA)
    return image


def outline(image: NDArray[np.uint8], box: NDArray, colour: Sequence[int] = WHITE) -> NDArray[np.uint8]:
    """A copy of a BGR picture with a box (4,) on it."""
    image = np.ascontiguousarray(image).copy()
    x1, y1, x2, y2 = (int(value) for value in np.round(np.asarray(box, np.float64) * 16))
    cv2.rectangle(image, (x1, y1), (x2, y2), tuple(colour), 1, cv2.LINE_AA, shift=4)
    return image


def compare(image: NDArray[np.uint8], points: NDArray, truth: NDArray) -> NDArray[np.uint8]:
    """A copy of a BGR picture with the true points in green, the predicted ones in red, and lines between them."""
    image = draw(image, truth, colour=GREEN)
    for a, b in zip(np.round(points * 16).astype(int), np.round(truth * 16).astype(int), strict=True):
        cv2.line(image, tuple(a), tuple(b), WHITE, 1, cv2.LINE_AA, shift=4)
    return draw(image, points, colour=RED)


def save(image: NDArray[np.uint8], path: str | Path) -> Path:
    """Write a picture in the format of the file's ending, making its folder."""
    path = Path(path)
    try:
        _, content = cv2.imencode(path.suffix or '.jpg', image)
    except cv2.error as error:
        raise FacelmkError(f'{path}: OpenCV writes no {path.suffix!r}; use .jpg or .png') from error
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.tobytes())
    return path


def show(image: NDArray[np.uint8], title: str, wait: float) -> None:
    """Show a picture in a window for `wait` seconds."""
    if sys.platform == 'linux' and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        raise MissingResource('there is no screen to show pictures on; write them into a folder instead')  # Qt aborts
    try:
        cv2.imshow(title, image)
        cv2.waitKey(max(1, round(wait * 1000)))
    except cv2.error as error:
        raise MissingResource('no window can be opened here; write pictures into a folder instead') from error
