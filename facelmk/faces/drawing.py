"""Draw landmarks, boxes and comparisons into pictures; save and show pictures."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import FacelmkError, MissingResource
from ..files.atomic import write_bytes
from ..markups import Markup

GREEN, RED, WHITE = (80, 255, 80), (60, 60, 255), (255, 255, 255)  # BGR
FACE_PX_PER_RADIUS_PX = 130  # sides of a face in pixels whose points have a radius of one pixel
MIN_RADIUS_PX = 0.4  # of a point, so that those of a small face stay apart
MIN_FACE_WITH_LINES_PX = 50  # side of the smallest face with lines; in smaller ones they would hide it
PICTURE_PX_PER_LINE_PX = 800  # longer side of a picture whose boxes have lines of one pixel


def draw(
    image: NDArray[np.uint8],
    points: NDArray,
    markup: Markup | None = None,
    colour: Sequence[int] = GREEN,
    numbers: bool = False,
    visible: NDArray | None = None,
) -> NDArray[np.uint8]:
    """Return a copy of a BGR image with points (K, 2) and, with a `markup`, its lines between them.

    Points that are not `visible` (K,) are red.
    """
    image = np.ascontiguousarray(image).copy()
    extent = float(max(np.ptp(points, 0))) if len(points) > 1 else 2 * FACE_PX_PER_RADIUS_PX
    radius = max(MIN_RADIUS_PX, extent / FACE_PX_PER_RADIUS_PX)
    for line in markup.lines if markup is not None and extent >= MIN_FACE_WITH_LINES_PX else ():
        if len(line) > 1:
            path = np.round(points[list(line)] * 16).astype(np.int32)
            shade, width = tuple(c // 2 for c in colour), max(1, round(radius / 2))
            cv2.polylines(image, [path], False, shade, width, cv2.LINE_AA, shift=4)
    for i, (x, y) in enumerate(np.round(points * 16).astype(int)):
        point_colour = tuple(colour) if visible is None or visible[i] > 0 else RED
        cv2.circle(image, (x, y), round(radius * 16), point_colour, -1, cv2.LINE_AA, shift=4)
        if numbers:
            cv2.putText(image, str(i), (x // 16 + 2, y // 16), cv2.FONT_HERSHEY_SIMPLEX, 0.35, WHITE, 1, cv2.LINE_AA)
    return image


def outline(image: NDArray[np.uint8], box: NDArray, colour: Sequence[int] = WHITE) -> NDArray[np.uint8]:
    """Return a copy of a BGR image with a box (4,) on it."""
    image = np.ascontiguousarray(image).copy()
    x1, y1, x2, y2 = (int(value) for value in np.round(np.asarray(box, np.float64) * 16))
    width = max(1, round(max(image.shape[:2]) / PICTURE_PX_PER_LINE_PX))
    cv2.rectangle(image, (x1, y1), (x2, y2), tuple(colour), width, cv2.LINE_AA, shift=4)
    return image


def compare(image: NDArray[np.uint8], points: NDArray, truth: NDArray) -> NDArray[np.uint8]:
    """Return a copy of a BGR image with ground truth in green, prediction in red, and lines between both."""
    image = draw(image, truth, colour=GREEN)
    for a, b in zip(np.round(points * 16).astype(int), np.round(truth * 16).astype(int), strict=True):
        cv2.line(image, tuple(a), tuple(b), WHITE, 1, cv2.LINE_AA, shift=4)
    return draw(image, points, colour=RED)


def save(image: NDArray[np.uint8], path: str | Path) -> Path:
    """Write an image in the format of the file's suffix; create its folder."""
    path = Path(path)
    try:
        written, content = cv2.imencode(path.suffix or '.jpg', image)
        if not written:  # OpenCV logs the reason, such as colours in a .pgm
            raise ValueError('the format does not take this picture')
    except (cv2.error, ValueError) as error:
        raise FacelmkError(f'{path}: OpenCV cannot write {path.suffix!r}. Use .jpg or .png') from error
    write_bytes(path, content.tobytes())
    return path


def show(image: NDArray[np.uint8], title: str, wait: float) -> int:
    """Show an image in a window for `wait` seconds, or until a key is pressed; return the key, or -1."""
    check_screen()
    try:
        cv2.imshow(title, image)
        return cv2.waitKey(max(1, round(wait * 1000)))
    except cv2.error as error:
        raise MissingResource('OpenCV cannot open a window here. Write images into a folder instead') from error


def check_screen() -> None:
    """Refuse to show images where there is no screen: Qt would end the program."""
    if sys.platform == 'linux' and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        raise MissingResource('there is no screen to show images on. Write them into a folder instead')
