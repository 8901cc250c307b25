"""Objects around and in front of the head, and how they are drawn into an image."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .appearance import Appearance
from .drawing import Colour, blend, bounds, colour_of, fill, line, tint, to_bgr
from .textures import hair_texture, noise_window

ToImage = Callable[..., np.ndarray]  # projects points (N, 3) to (N, 2), in shares of the image's side


@dataclass
class SceneObject:
    """Outlines (N, 2) in shares of the image's side, so that images of all sizes show the same scene.

    `kind` is 'solid', 'cloth', 'hair', 'ear', 'transparent', 'line' or 'closed_line'. `hides` says whether landmarks
    below the object become invisible. `alpha` is for transparent objects, `width` for lines.
    """

    kind: str
    outlines: list[np.ndarray]
    colour: np.ndarray
    hides: bool = True
    alpha: float = 1.0
    width: float = 0.0

    def __post_init__(self) -> None:
        self.colour = np.asarray(self.colour, float)


def draw_object(image: np.ndarray, item: SceneObject, look: Appearance, rng: np.random.Generator) -> None:
    """Draw one object into an image, in place."""
    size = image.shape[0]
    outlines = [outline * size - 0.5 for outline in item.outlines]
    colour = colour_of(item.colour)
    if item.kind == 'ear':
        for outline, shade in zip(outlines, (1.0, 0.72, 0.9), strict=True):
            fill(image, outline, colour_of(np.array(colour), shade))
    elif item.kind in ('closed_line', 'line'):
        for outline in outlines:
            line(image, outline, colour, item.width * size, item.kind == 'closed_line')
    elif item.kind == 'transparent':
        _draw_transparent(image, outlines, colour, item.alpha)
    else:
        _draw_solid(image, outlines, item, look, rng)


def _draw_transparent(image: np.ndarray, outlines: list[np.ndarray], colour: Colour, alpha: float) -> None:
    rows, cols = bounds(np.clip(np.concatenate(outlines), 0, image.shape[0] - 1), 2, image.shape)
    mask = np.zeros(image[rows, cols].shape[:2], np.uint8)
    for outline in outlines:
        fill(mask, outline - [cols.start, rows.start], int(255 * alpha))
    image[rows, cols] = blend(image[rows, cols], colour, mask)


def _draw_solid(
    image: np.ndarray, outlines: list[np.ndarray], item: SceneObject, look: Appearance, rng: np.random.Generator
) -> None:
    """Fill the outlines with a hair or noise texture that is darker at the edges."""
    rows, cols = bounds(np.clip(np.concatenate(outlines), 0, image.shape[0] - 1), 2, image.shape)
    view = image[rows, cols]
    mask = np.zeros(view.shape[:2], np.uint8)
    for outline in outlines:
        fill(mask, outline - [cols.start, rows.start], 255)
    height, width = mask.shape
    bright = look.exposure**0.5 * (0.75 + 0.25 * abs(look.key_light[2]))
    if item.kind == 'hair':
        layer = tint(hair_texture(look, rng, 256, 256), np.full(3, bright), 1)
        layer = cv2.resize(layer, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        noise = noise_window('cloth' if item.kind == 'cloth' else 'blotch', rng, 64, 64, 0.3)
        layer = tint(to_bgr(cv2.resize(noise, (width, height))), item.colour * bright)
        edge = cv2.resize(cv2.GaussianBlur(cv2.resize(mask, (48, 48)), (0, 0), 3), (width, height))
        layer = cv2.multiply(layer, to_bgr(cv2.convertScaleAbs(edge, alpha=0.62, beta=97)), scale=1 / 235)
    image[rows, cols] = blend(view, layer, mask)
