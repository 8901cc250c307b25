"""Predicted faces: draw and save them, reduce them to five points, align them."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..datasets.transforms.pixels import resample
from ..errors import FacelmkError, MissingResource
from ..files.atomic import write_bytes
from ..geometry import Matrix
from ..markups import MARKUPS, Markup, convert

GREEN, RED, WHITE = (80, 255, 80), (60, 60, 255), (255, 255, 255)  # BGR
FACE_PX_PER_RADIUS_PX = 130  # sides of a face in pixels whose points have a radius of one pixel
MIN_RADIUS_PX = 0.4  # of a point, so that those of a small face stay apart
MIN_FACE_WITH_LINES_PX = 50  # side of the smallest face with lines; in smaller ones they would hide it
PICTURE_PX_PER_LINE_PX = 800  # longer side of a picture whose boxes have lines of one pixel
ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
ARCFACE_SIZE = 112  # side in pixels of the crop that these five points are in (https://arxiv.org/abs/1801.07698)


@dataclass(repr=False, eq=False)
class Face:
    """A predicted face: landmarks (K, 2) in pixels of the photograph, scores (K,), box (4,) and landmark scheme.

    `errors` (K,) are the expected errors of the landmarks in pixels of the photograph. `score`, from 0 to 1, is the
    probability that the landmarks are good; it is low where there is no face. Both are None for a network without a
    calibration. `image` is the photograph (H, W, 3), BGR; faces of one photograph share it. In a film, `id` is the same
    number in all frames that show the face; otherwise it is None.
    """

    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]
    box: NDArray[np.float32]
    markup: Markup
    image: NDArray[np.uint8] | None = None
    errors: NDArray[np.float32] | None = None
    score: float | None = None
    id: int | None = None

    def __repr__(self) -> str:
        return f'Face({len(self.landmarks)} landmarks of {self.markup.name!r}, box {np.round(self.box, 1).tolist()})'

    def five_points(self) -> NDArray[np.float32]:
        """Return left eye, right eye, nose tip, left and right mouth corner, (5, 2); left means left in the image."""
        return self.markup.five_points(self.landmarks)

    def to_markup(self, name: str) -> 'Face':
        """Return the face in another landmark scheme, such as the 68 points of '300w' from the 98 of 'wflw'."""
        if name == self.markup.name:
            return self
        errors = self.scores if self.errors is None else self.errors
        columns = np.column_stack((self.landmarks, self.scores, errors))
        columns, known = convert(columns, np.ones(len(columns), np.float32), self.markup.name, name)
        if not known.all():
            raise FacelmkError(
                f'{int((known == 0).sum())} of the {len(known)} landmarks of {name!r} cannot be computed from '
                f'{self.markup.name!r}. Choose a model with the scheme {name!r}'
            )
        return replace(
            self,
            landmarks=columns[:, :2].copy(),
            scores=columns[:, 2],
            errors=None if self.errors is None else columns[:, 3],
            markup=MARKUPS[name],
        )

    def align(self, size: int = ARCFACE_SIZE) -> NDArray[np.uint8]:
        """Return the crop that recognition networks expect, (size, size, 3) BGR: the five points lie on ArcFace's."""
        if self.image is None:
            raise FacelmkError('Face.image is None. Set it to the photograph (H, W, 3), BGR, to cut the crop from')
        warp = similarity(self.five_points(), ARCFACE * size / ARCFACE_SIZE)
        return np.asarray(resample(self.image, warp, size), np.uint8)

    def to_dict(self) -> dict[str, Any]:
        """Return the face as plain numbers and lists, for json; `id`, `score`, `errors` only if the face has them."""
        calibrated = {} if self.errors is None else {'score': self.score, 'errors': self.errors.tolist()}
        return ({} if self.id is None else {'id': self.id}) | {
            'markup': self.markup.name,
            'box': self.box.tolist(),
            'landmarks': self.landmarks.tolist(),
            'scores': self.scores.tolist(),
        } | calibrated


class Faces(list[Face]):
    """The faces of one photograph or frame (H, W, 3), BGR; `source` is its path, its URL or the number of a camera.

    Of a film or a camera, `frame` is the number of the frame, from 0, and `time` its time in seconds; the faces are in
    the order of their ids.
    """

    def __init__(
        self,
        faces: Iterable[Face] = (),
        image: NDArray[np.uint8] | None = None,
        source: Any = None,
        frame: int | None = None,
        time: float | None = None,
    ) -> None:
        super().__init__(faces)
        self.image, self.source, self.frame, self.time = image, source, frame, time

    def plot(self, boxes: bool = False, numbers: bool = False) -> NDArray[np.uint8]:
        """Return a copy of the photograph with landmarks and lines; boxes and point numbers are optional."""
        if self.image is None:
            raise FacelmkError('Faces.image is None. Set it to the photograph (H, W, 3), BGR, to draw on')
        picture = self.image.copy()
        for face in self:
            picture = draw(
                outline(picture, face.box) if boxes else picture, face.landmarks, face.markup, numbers=numbers
            )
        return picture

    def save(self, path: str | Path, boxes: bool = False, numbers: bool = False) -> Path:
        """Write the drawing in the format of the path's suffix; return the path."""
        return save(self.plot(boxes, numbers), path)

    def to_dict(self) -> dict[str, Any]:
        """Return the photograph's width and height, and its faces, for json; of a frame also its number and time."""
        height, width = (None, None) if self.image is None else self.image.shape[:2]
        frame = {} if self.frame is None else {'frame': self.frame, 'time': self.time}
        return frame | {'width': width, 'height': height, 'faces': [face.to_dict() for face in self]}


def similarity(source: ArrayLike, target: ArrayLike) -> Matrix:
    """Return the 3x3 rotation, scale and shift that best fit points (N, 2) to others, never mirrored (Umeyama 1991)."""
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    source_centre, target_centre = source.mean(0), target.mean(0)
    a, b = (
        (source - source_centre) @ [1, 1j],
        (target - target_centre) @ [1, 1j],
    )  # points as complex numbers: the map is b = w a + v
    spread = (abs(a) ** 2).sum()
    if not spread > 0:
        raise FacelmkError(
            f'all points lie on {source_centre.round(1).tolist()}, so they cannot be aligned. Expected different points'
        )
    w = (a.conj() * b).sum() / spread
    linear = np.array([[w.real, -w.imag], [w.imag, w.real]])
    return np.vstack([np.column_stack([linear, target_centre - linear @ source_centre]), [0, 0, 1]])


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


def show(image: NDArray[np.uint8], title: str, wait: float) -> None:
    """Show an image in a window for `wait` seconds."""
    if sys.platform == 'linux' and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        raise MissingResource(
            'there is no screen to show images on. Write them into a folder instead'
        )  # Qt would abort
    try:
        cv2.imshow(title, image)
        cv2.waitKey(max(1, round(wait * 1000)))
    except cv2.error as error:
        raise MissingResource('OpenCV cannot open a window here. Write images into a folder instead') from error
