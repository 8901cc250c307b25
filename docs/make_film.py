"""Make a film of pictures that move, turn and grow before a coloured background, to try films with.

    python docs/make_film.py FILM.mp4 [PICTURE ...]
    taskset -c 0 facelmk predict FILM.mp4 --out drawn.mp4 -v

It has 10 seconds of 25 frames of 640 x 480 pixels, with the noise of a camera. Two pictures pass each other. Without
pictures it shows two drawn faces.
"""

import sys
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facelmk.datasets import SyntheticFaces
from facelmk.geometry import rotate, scale, shift

FPS, SECONDS, SIZE = 25, 10, (640, 480)
PICTURE_PX = 150  # width of a picture before it grows
NOISE = 4.0

Picture = NDArray[np.uint8]


def paste(frame: Picture, picture: Picture, number: int, time: float) -> None:
    """Put a picture into a frame, where it is at a time in seconds."""
    height, width = picture.shape[:2]
    x = SIZE[0] * (0.5 + 0.28 * np.sin(0.7 * time + number * np.pi))
    y = SIZE[1] * (0.5 + 0.12 * np.sin(1.7 * time + number))
    size = PICTURE_PX / width * (1.3 + 0.4 * np.sin(0.9 * time + number))
    turn = rotate(20 * np.sin(1.1 * time + number))
    warp = (shift(x, y) @ turn @ scale(size) @ shift(-width / 2, -height / 2))[:2]
    inside = cv2.warpAffine(np.full((height, width), 255, np.uint8), warp, SIZE) > 127
    frame[inside] = cv2.warpAffine(picture, warp, SIZE)[inside]


def main() -> None:
    """Write the film."""
    path, *names = sys.argv[1:]
    drawn = SyntheticFaces('wflw', 2, 1, size=300)
    pictures: Sequence[Picture] = [cv2.imread(name) for name in names] or [drawn.face(i)['image'] for i in range(2)]
    random = np.random.default_rng(0)
    colours = random.integers(40, 120, (12, 16, 3), np.uint8)
    background = cv2.resize(colours, SIZE, interpolation=cv2.INTER_CUBIC)
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*'mp4v'), FPS, SIZE)
    for i in range(FPS * SECONDS):
        frame = background.copy()
        for number, picture in enumerate(pictures):
            paste(frame, picture, number, i / FPS)
        noisy = frame + random.normal(0, NOISE, frame.shape)
        writer.write(np.clip(noisy, 0, 255).astype(np.uint8))
    writer.release()


if __name__ == '__main__':
    main()
