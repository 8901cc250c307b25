"""Painting the scene: the backdrop, and the things around and before the head."""

from types import SimpleNamespace

import cv2
import numpy as np

from .paint import Colour, around, blend, ellipse, fill, line, piece
from .wear import hair_picture


def backdrop(size: int, draw: np.random.Generator, look: SimpleNamespace) -> np.ndarray:
    """A background (size, size, 3): soft colours, and shapes sharp or blurred."""
    full, blurred = size, draw.random() < 0.65
    size = size // 2 if blurred else size
    kind = draw.random()
    cells = int(draw.integers(1, 7)) if kind < 0.6 else int(draw.integers(6, 24))
    base = draw.uniform(10, 245) + draw.normal(0, 25, 3)
    spread = draw.uniform(5, 75)
    noise = (
        base
        + draw.normal(0, spread, (cells, cells, 1))
        + draw.normal(0, spread * draw.uniform(0.1, 0.8), (cells, cells, 3))
    )
    noise = np.clip(noise, 0, 255).astype(np.float32)
    picture = np.clip(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
    for _ in range(int(draw.integers(0, 9))):
        colour = (
            tuple(np.clip(draw.uniform(0, 255) + draw.normal(0, 40, 3), 0, 255))
            if draw.random() < 0.7
            else tuple(look.skin * draw.uniform(0.6, 1.1))
        )
        _shape(picture, size, draw, colour)
    width = draw.uniform(0.004, 0.05) * size
    if blurred:
        picture = cv2.resize(
            cv2.GaussianBlur(picture, (0, 0), max(width, 0.3)), (full, full), interpolation=cv2.INTER_LINEAR
        )
    if draw.random() < 0.5:
        grain = piece(('cloth', 'blotch', 'hair')[draw.integers(3)], draw, 128, 128, draw.uniform(0.1, 0.9))
        grain = cv2.resize(grain, (full, full))
        picture = cv2.multiply(picture, cv2.merge([grain] * 3), scale=1 / 128)
    return picture


def _shape(picture, size, draw, colour):
    centre, radii = draw.uniform(0, 1, 2), draw.uniform(0.02, 0.4, 2)
    kind = draw.integers(4)
    if kind == 0:
        fill(picture, ellipse(centre, tuple(radii), draw.uniform(0, 3)) * size, colour)
    elif kind == 1:
        fill(picture, ellipse(centre, tuple(radii), draw.uniform(0, 3), 4) * size, colour)
    elif kind == 2:
        line(picture, (centre + draw.normal(0, 0.4, (3, 2))) * size, colour, draw.uniform(0.005, 0.05) * size)
    else:
        step, wide = draw.uniform(0.04, 0.2), draw.uniform(0.01, 0.08)
        for k in range(6):
            low = centre[0] + k * step
            fill(picture, np.array([[low, -0.1], [low + wide, -0.1], [low + wide, 1.1], [low, 1.1]]) * size, colour)


def paint_thing(image: np.ndarray, thing: SimpleNamespace, look: SimpleNamespace, draw: np.random.Generator) -> None:
    """Draw one thing into a picture, in place."""
    size = image.shape[0]
    outlines = [outline * size - 0.5 for outline in thing.outlines]
    colour: Colour = tuple(float(v) for v in np.clip(thing.colour, 0, 255))
    if thing.kind == 'ear':
        for outline, shade in zip(outlines, (1.0, 0.72, 0.9), strict=True):
            fill(image, outline, tuple(shade * v for v in colour))
    elif thing.kind in ('wire', 'stick'):
        for outline in outlines:
            line(image, outline, colour, thing.width * size, thing.kind == 'wire')
    elif thing.kind == 'lens':
        _paint_soft(image, outlines, colour, thing.alpha)
    else:
        _paint_solid(image, outlines, thing, look, draw)


def _paint_soft(image, outlines, colour, alpha):
    rows, cols = around(np.clip(np.concatenate(outlines), 0, image.shape[0] - 1), 2, image.shape)
    mask = np.zeros(image[rows, cols].shape[:2], np.uint8)
    for outline in outlines:
        fill(mask, outline - [cols.start, rows.start], int(255 * alpha))
    image[rows, cols] = blend(image[rows, cols], colour, mask)


def _paint_solid(image, outlines, thing, look, draw):
    spots = np.clip(np.concatenate(outlines), 0, image.shape[0] - 1)
    rows, cols = around(spots, 2, image.shape)
    view = image[rows, cols]
    mask = np.zeros(view.shape[:2], np.uint8)
    for outline in outlines:
        fill(mask, outline - [cols.start, rows.start], 255)
    height, width = mask.shape
    bright = look.exposure**0.5 * (0.75 + 0.25 * abs(look.key[2]))
    if thing.kind == 'hair':
        layer = cv2.multiply(hair_picture(look, draw, 256, 256), (float(bright),) * 4)
        layer = cv2.resize(layer, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        grain = cv2.resize(piece('cloth' if thing.kind == 'cloth' else 'blotch', draw, 64, 64, 0.3), (width, height))
        layer = cv2.multiply(cv2.merge([grain] * 3), (*(float(c * bright) for c in thing.colour), 0), scale=1 / 128)
        edge = cv2.resize(cv2.GaussianBlur(cv2.resize(mask, (48, 48)), (0, 0), 3), (width, height))
        layer = cv2.multiply(layer, cv2.merge([cv2.convertScaleAbs(edge, alpha=0.62, beta=97)] * 3), scale=1 / 235)
    image[rows, cols] = blend(view, layer, mask)
