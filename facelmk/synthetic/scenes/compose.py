"""One scene from random numbers: background, things that are no face, faces, and things in front of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ... import geometry
from ...datasets.scenes import as_array
from ...datasets.transforms.fit_scene import share_inside
from ..drawing import ellipse
from .backdrops import draw_backdrop
from .camera import take_photograph
from .fragments import FRAGMENTS
from .lookalikes import CLUTTER, LOOKALIKES, draw_thing
from .paste import Mask, Placement, Pyramid, paste, rectangle
from .sources import Portrait, clothes_or_hair

Image = np.ndarray
Rng = np.random.Generator
PickPortrait = Callable[[Rng], Portrait]
SCENE_PX = 192  # the side of the scenes that all limits in pixels are given for; other scenes scale them
TRIES = 6  # places that are tried for a face before it is left out
LEAST_INSIDE, MOST_COVERED = 0.5, 0.4  # shares of a box; other faces are ignored


@dataclass(frozen=True)
class SceneOptions:
    """The size of scenes, how many faces, how large they are in pixels, and the share of scenes without a face."""

    size: int
    most_faces: int
    face_px: tuple[float, float]
    faceless: float


@dataclass
class Scene:
    """A scene while it is composed: the image, and for each face its box, whether it is ignored and how far covered."""

    image: Image
    boxes: list[NDArray[np.float32]] = field(default_factory=list)
    ignored: list[bool] = field(default_factory=list)
    covered: list[float] = field(default_factory=list)

    def cover(self, mask: Mask | None) -> None:
        """Note what a pasted picture hides of the faces that are already there."""
        if mask is not None:
            shares = [mask.covered_share(box) for box in self.boxes]
            self.covered = [1 - (1 - old) * (1 - new) for old, new in zip(self.covered, shares, strict=True)]

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the boxes (N, 4) and which of them are ignored (N,)."""
        boxes = as_array(self.boxes)
        hidden = np.array(self.covered) > MOST_COVERED
        cut = share_inside(boxes, self.image.shape[0]) < LEAST_INSIDE
        return boxes, np.array(self.ignored, bool) | hidden | cut


def compose(rng: Rng, portraits: PickPortrait, options: SceneOptions) -> Scene:
    """Draw a scene."""
    has_faces = rng.random() >= options.faceless and options.most_faces > 0
    scene = Scene(_ground(rng, portraits, options.size))
    count = 1 + int(options.most_faces * rng.random() ** 2.5) if has_faces else 0
    emptiness = 1.0 if has_faces else 1.8  # scenes without a face have more that looks like one
    _draw_things(scene, CLUTTER, int(rng.integers(0, 7) * emptiness), (0.02, 0.4), rng)
    _draw_things(scene, LOOKALIKES, int(rng.integers(0, 4) * emptiness), (0.03, 0.45), rng)
    for _ in range(int(rng.integers(0, 4) * emptiness)):
        _add_fragment(scene, portraits(rng), rng)
    for _ in range(count):
        _add_face(scene, portraits(rng), options, rng)
    if rng.random() < 0.3:
        _add_fragment(scene, portraits(rng), rng)
    scene.image = take_photograph(scene.image, rng)
    return scene


def _ground(rng: Rng, portraits: PickPortrait, size: int) -> Image:
    """A drawn background, or one made of enlarged clothes or hair."""
    region = clothes_or_hair(portraits(rng), rng) if rng.random() < 0.2 else None
    if region is None:
        return draw_backdrop(size, rng)
    return cv2.resize(region, (size, size), interpolation=cv2.INTER_LINEAR)


def _draw_things(scene: Scene, kinds: tuple, count: int, radii: tuple[float, float], rng: Rng) -> None:
    for _ in range(count):
        radius = _log_uniform(radii, rng) * scene.image.shape[0]
        draw_thing(scene.image, kinds, radius, rng)


def _add_fragment(scene: Scene, portrait: Portrait, rng: Rng) -> None:
    """Paste a piece of a face, clothes or hair anywhere."""
    piece = FRAGMENTS[rng.integers(len(FRAGMENTS))](portrait, rng)
    if piece is None:
        return
    size = scene.image.shape[0]
    scale = _log_uniform((0.06, 0.8), rng) * size / max(piece.shape[:2])
    x, y = rng.uniform(0, size, 2)
    place = Placement((x, y), scale, rng.normal(0, 15), bool(rng.random() < 0.5))
    middle, radii = np.array(piece.shape[1::-1]) / 2 - 0.5, np.array(piece.shape[1::-1]) / 2
    outline = rectangle(piece) if rng.random() < 0.6 else ellipse(middle, radii)
    scene.cover(
        paste(scene.image, Pyramid(piece), place.warp(middle), outline, _feather(scale * max(piece.shape[:2]), rng))
    )


def _add_face(scene: Scene, portrait: Portrait, options: SceneOptions, rng: Rng) -> None:
    """Paste a face where it hides no other one; leave it out if there is no such place."""
    is_upside_down = rng.random() < 0.03
    for _ in range(TRIES):
        side = _log_uniform(options.face_px, rng)
        place = _place(portrait, side, options.size, is_upside_down, rng)
        warp, outline = place.warp((portrait.box[:2] + portrait.box[2:]) / 2), _outline(portrait, rng)
        box = geometry.exact_box(geometry.apply(warp, portrait.landmarks))
        if share_inside(box[None], options.size)[0] > 0.02 and _is_free(scene, warp, outline, box):
            break
    else:
        return
    mask = paste(scene.image, portrait.pyramid, warp, outline, _feather(side, rng), _gain(rng))
    if mask is not None:
        scene.cover(mask)
        scene.boxes.append(box)
        scene.ignored.append(is_upside_down)
        scene.covered.append(0.0)


def _place(portrait: Portrait, side: float, size: int, is_upside_down: bool, rng: Rng) -> Placement:
    """Return where a face of a side in pixels is put; most faces lie inside of the scene."""
    margin = min(side / 2, size / 2) if rng.random() < 0.85 else 0.0
    x, y = rng.uniform(margin, size - margin + 1e-6, 2)
    degrees = float(np.clip(rng.normal(0, 12), -30, 30)) + (180 if is_upside_down else 0)
    return Placement((x, y), side / portrait.side, degrees, bool(rng.random() < 0.5))


def _outline(portrait: Portrait, rng: Rng) -> NDArray:
    """Return what is pasted of a picture: all of it, a rectangle around the face, or the head alone."""
    kind = rng.random()
    if kind < 0.35:
        return rectangle(portrait.image)
    size, centre = portrait.box[2:] - portrait.box[:2], (portrait.box[:2] + portrait.box[2:]) / 2
    if kind < 0.6:
        low = np.maximum(portrait.box[:2] - rng.uniform((0.15, 0.4), (0.9, 1.0)) * size, -0.5)
        high = np.minimum(
            portrait.box[2:] + rng.uniform(0.15, 1.2, 2) * size, np.array(portrait.image.shape[1::-1]) - 0.5
        )
        return np.array([low, (high[0], low[1]), high, (low[0], high[1])])
    grow = rng.uniform(0.95, 1.25)
    head = ellipse(centre - (0, 0.17 * size[1]), size * (0.6 * grow, 0.74 * grow), 0, 28)
    return np.clip(head, -0.5, np.array(portrait.image.shape[1::-1]) - 0.5)


def _is_free(scene: Scene, warp: geometry.Matrix, outline: NDArray, box: NDArray[np.float32]) -> bool:
    """Whether a picture hides no face that is there, and its face overlaps none."""
    if not scene.boxes:
        return True
    corners = geometry.apply(warp, outline)
    window, boxes = np.concatenate([corners.min(0), corners.max(0)]), as_array(scene.boxes)
    hidden, overlapping = geometry.shares_inside(boxes, [window, box]).max(0)
    return bool(hidden < 0.3 and overlapping < 0.15)


def _feather(side: float, rng: Rng) -> float:
    """Return the width of a soft edge for a picture of a side in pixels; 0 is a hard edge."""
    return 0.0 if rng.random() < 0.4 else rng.uniform(0.01, 0.1) * side


def _gain(rng: Rng) -> tuple[float, ...] | None:
    """Return a factor for each channel, or None for most faces."""
    return tuple(rng.uniform(0.4, 1.3) * (1 + rng.normal(0, 0.08, 3))) if rng.random() < 0.35 else None


def _log_uniform(limits: tuple[float, float], rng: Rng) -> float:
    return math.exp(rng.uniform(math.log(limits[0]), math.log(limits[1])))
