"""Measure the smoothing of films: jitter of a still face, and lag of a moving one. docs/predict.md holds the figures.

    python docs/measure_smoothing.py [PICTURE]

PICTURE is a photograph with one face; without it, a drawn face is used. The frames are cut out of it in memory, with
the noise of a camera, at 30 frames a second; the moving face crosses the picture at a constant speed.
"""

import sys
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from facelmk.datasets import SyntheticFaces
from facelmk.inference.films.read import Frame
from facelmk.inference.runtime import load_exported

FPS = 30.0
NOISE = 4.0  # grey levels of a camera's noise, standard deviation
STILL_FRAMES, MOVING_FRAMES, SETTLED = 150, 60, 20
FACE_PX = 160
SPEEDS = (0.1, 0.3, 1.0)  # widths of the face a second


class Frames:
    """Frames of one face that is still or moves to the right by `step` pixels a frame."""

    source, is_camera = 'frames', False

    def __init__(self, face: NDArray[np.uint8], step: float, count: int) -> None:
        self.face, self.step, self.count = face, step, count

    def __iter__(self) -> Iterator[Frame]:
        random = np.random.default_rng(0)
        width = int(self.face.shape[1] + self.step * self.count) + 40
        for i in range(self.count):
            warp = np.array([[1, 0, 20 + self.step * i], [0, 1, 20]], float)
            size = (width, self.face.shape[0] + 40)
            image = cv2.warpAffine(self.face, warp, size, borderMode=cv2.BORDER_REPLICATE).astype(float)
            noisy = image + random.normal(0, NOISE, image.shape)
            yield Frame(np.clip(noisy, 0, 255).astype(np.uint8), i, i / FPS)


def landmarks(frames: Frames, smooth: bool) -> NDArray[np.float64]:
    """Return the landmarks (frames, K, 2) of the face in all frames."""
    model = load_exported('facelmk_nano')
    found = [faces[0].landmarks for faces in model.follow(frames, smooth=smooth) if faces]  # type: ignore[arg-type]
    assert len(found) == frames.count, f'the face was found in {len(found)} of {frames.count} frames'
    return np.array(found, np.float64)


def jitter(points: NDArray[np.float64]) -> float:
    """Return the root mean square of the distance of each landmark from its mean place, in pixels."""
    apart = points[SETTLED:] - points[SETTLED:].mean(0)
    return float(np.sqrt((apart**2).sum(-1).mean()))


def picture(path: str | None) -> tuple[NDArray[np.uint8], float]:
    """Return a picture whose face has about `FACE_PX` pixels, and the width of its box."""
    image = SyntheticFaces('wflw', 1, 1, size=320).face(0)['image'] if path is None else cv2.imread(path)
    (face,) = load_exported('facelmk_nano')(image)
    factor = FACE_PX / float(face.box[2] - face.box[0])
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), FACE_PX


def main() -> None:
    """Print both tables."""
    face, width = picture(sys.argv[1] if len(sys.argv) > 1 else None)
    still = [jitter(landmarks(Frames(face, 0, STILL_FRAMES), smooth)) for smooth in (False, True)]
    print(f'still face: jitter {still[0]:.3f} px without, {still[1]:.3f} px with smoothing: {still[1] / still[0]:.2f}')
    for speed in SPEEDS:
        step = speed * width / FPS
        raw, smooth = (landmarks(Frames(face, step, MOVING_FRAMES), smooth) for smooth in (False, True))
        behind = (raw - smooth)[SETTLED:, :, 0].mean()
        print(f'{speed} face widths a second: {behind / step:.2f} frames ({1000 * behind / step / FPS:.0f} ms) behind')


if __name__ == '__main__':
    main()
