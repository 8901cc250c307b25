"""The shipped model follows a drawn face that moves, turns and grows; it runs without torch."""

import cv2
import numpy as np
import pytest
from films import write_film

from facelmk.datasets import SyntheticFaces
from facelmk.geometry import about, apply, rotate, scale, shift
from facelmk.inference.films.read import open_film
from facelmk.inference.films.timings import Timings
from facelmk.inference.runtime import is_available, load_exported

COUNT = 30


@pytest.mark.skipif(not is_available(), reason='needs onnxruntime')
def test_a_face_that_moves_turns_and_grows(tmp_path) -> None:
    face = SyntheticFaces('wflw', 1, 1, size=160).face(0)
    middle = face['landmarks'].mean(0)
    warps = [
        shift(40 + 3 * i, 40 + i) @ about(rotate(12 * np.sin(i / 6)) @ scale(1 + 0.1 * np.sin(i / 5)), middle)
        for i in range(COUNT)
    ]
    images = [cv2.warpAffine(face['image'], warp[:2], (400, 280), borderMode=cv2.BORDER_REPLICATE) for warp in warps]
    model, timings = load_exported('facelmk_nano'), Timings()
    with open_film(write_film(tmp_path / 'film.mp4', images, fps=30)) as film:
        frames = list(model.follow(film, timings=timings))
    assert [[found.id for found in faces] for faces in frames] == [[1]] * COUNT
    still = float(np.linalg.norm(frames[0][0].landmarks - apply(warps[0], face['landmarks']), axis=1).mean())
    for faces, warp in zip(frames, warps, strict=True):
        apart = np.linalg.norm(faces[0].landmarks - apply(warp, face['landmarks']), axis=1).mean()
        assert apart < still + 3  # pixels, of a face that is about 100 pixels wide
    assert timings.frames == COUNT and set(timings) == {'read', 'detect', 'landmarks'}
    assert timings['detect'] < timings['landmarks']  # only the first and each 15th frame is detected
