"""A scene that is one whole picture, near or far: its hair, clothes and background are what is no face."""

import numpy as np

from ... import geometry
from .camera import take_photograph
from .compose import SCENE_PX, Scene
from .paste import Placement, shrunk_warp
from .sources import Portrait

FACE_PX = (20.0, 420.0)  # the longer side of the face in a scene of 192 pixels
LARGEST_PX = 230.0  # larger faces are ignored: a detector finds them in the reduced picture


def show_picture(portrait: Portrait, size: int, rng: np.random.Generator) -> Scene:
    """Return a scene of `size` pixels that shows a random part of a picture; its edge is continued outside."""
    low, high = np.log(np.array(FACE_PX) * size / SCENE_PX)
    scale = float(np.exp(rng.uniform(low, high))) / portrait.side
    sides = np.array(portrait.image.shape[1::-1]) * scale
    room = size - sides
    corner = rng.uniform(np.minimum(room, 0), np.maximum(room, 0))
    centre = corner + sides / 2
    place = Placement((float(centre[0]), float(centre[1])), scale, float(rng.normal(0, 8)), bool(rng.random() < 0.5))
    warp = place.warp(np.array(portrait.image.shape[1::-1]) / 2 - 0.5)
    box = geometry.exact_box(geometry.apply(warp, portrait.landmarks))
    image = take_photograph(shrunk_warp(portrait.pyramid, warp, size, size), rng)
    is_large = float((box[2:] - box[:2]).max()) > LARGEST_PX * size / SCENE_PX
    return Scene(image, [box], [is_large], [0.0])
