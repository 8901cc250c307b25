"""Drawn things that a detector may take for a face: each is drawn at a centre, with a radius in pixels."""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..drawing import Colour, ellipse, fill, line
from .backdrops import any_colour, skin_colour

Image = np.ndarray
Rng = np.random.Generator
Draw = Callable[[Image, NDArray, float, Rng], None]
PROSE = 'aaabcddeeeefghiiijklmnnoooprrsstttuuvwy    ....,'
LETTERS = 'ABEHKMNORSTX0368&@?aegs:;=.'


def disc(image: Image, centre: NDArray, radii: Sequence[float] | NDArray, colour: Colour, angle: float = 0.0) -> None:
    """Fill an ellipse, anti-aliased, in place; the angle is in radians."""
    x, y = (round(16 * float(value)) for value in centre)
    a, b = (max(round(16 * float(value)), 1) for value in radii)
    cv2.ellipse(image, (x, y), (a, b), math.degrees(angle), 0, 360, colour, -1, cv2.LINE_AA, 4)


def block(image: Image, corner: NDArray, extent: Sequence[float] | NDArray, colour: Colour) -> None:
    """Fill an upright rectangle from its upper left corner, anti-aliased, in place."""
    x, y = (float(value) for value in corner)
    width, height = (float(value) for value in extent)
    low, high = (round(16 * x), round(16 * y)), (round(16 * (x + width)), round(16 * (y + height)))
    cv2.rectangle(image, low, high, colour, -1, cv2.LINE_AA, 4)


def _darker(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def oval(image: Image, centre: NDArray, radius: float, rng: Rng) -> None:
    """A skin-coloured oval, often with shading, sometimes with one mark that is no face: a pot, a fruit, a hand."""
    colour = skin_colour(rng)
    radii = np.array([radius * rng.uniform(0.6, 1), radius])
    angle = rng.normal(0, 0.4)
    for k in range(int(rng.integers(1, 5))):
        shrink = 1 - 0.2 * k
        middle = centre + rng.normal(0, 0.04 * radius, 2)
        disc(image, middle, radii * shrink, _darker(colour, 0.8 + 0.07 * k), angle)
    if rng.random() < 0.4:
        mark = centre + rng.uniform(-0.5, 0.5, 2) * radii
        disc(image, mark, radii * rng.uniform(0.05, 0.3, 2), _darker(colour, rng.uniform(0.1, 0.7)))


def headless(image: Image, centre: NDArray, radius: float, rng: Rng) -> None:
    """A head seen from behind: hair, neck and shoulders without a face."""
    skin, hair, cloth = skin_colour(rng), _darker(skin_colour(rng), rng.uniform(0.05, 0.8)), any_colour(rng)
    disc(image, centre + (0, 2.1 * radius), (1.9 * radius, radius), cloth)
    disc(image, centre + (0, 0.9 * radius), (0.4 * radius, 0.6 * radius), skin)
    if rng.random() < 0.5:
        disc(image, centre + (0, 0.2 * radius), (0.75 * radius, radius), skin)
    disc(image, centre, (0.85 * radius, rng.uniform(0.8, 1.1) * radius), hair)
    for x in rng.uniform(-0.8, 0.8, int(rng.integers(0, 12))):
        strand = centre + np.array([[x * 0.3, -1], [x * 0.8, 0], [x, 0.9]]) * radius
        line(image, strand, _darker(hair, rng.uniform(0.6, 1.4)), max(radius / 20, 1))


def clock(image: Image, centre: NDArray, radius: float, rng: Rng) -> None:
    """A clock: a disc with marks around its edge and two hands."""
    disc(image, centre, (radius, radius), any_colour(rng))
    disc(image, centre, (0.88 * radius, 0.88 * radius), any_colour(rng))
    ink, count = any_colour(rng), int(rng.choice([4, 8, 12]))
    for angle in np.arange(count) * 2 * np.pi / count:
        ray = np.array([np.cos(angle), np.sin(angle)])
        line(image, centre + np.outer([0.7 * radius, 0.82 * radius], ray), ink, radius / 14)
    for length in (0.45, 0.7):
        angle = rng.uniform(0, 2 * np.pi)
        line(
            image,
            np.array([centre, centre + length * radius * np.array([np.cos(angle), np.sin(angle)])]),
            ink,
            radius / 10,
        )


def wheel(image: Image, centre: NDArray, radius: float, rng: Rng) -> None:
    """A wheel, a plate or a target: rings, sometimes with spokes."""
    colours = [any_colour(rng) for _ in range(3)]
    for k in range(int(rng.integers(2, 6))):
        share = 1 - k * rng.uniform(0.15, 0.3)
        if share > 0.08:
            disc(image, centre, (share * radius, share * radius), colours[k % 3])
    if rng.random() < 0.6:
        for angle in np.arange(rng.integers(3, 10)) * 2 * np.pi / 7 + rng.uniform(0, 3):
            ray = np.array([np.cos(angle), np.sin(angle)])
            line(image, centre + np.outer([0.1 * radius, 0.8 * radius], ray), colours[2], radius / 12)


def window(image: Image, centre: NDArray, radius: float, rng: Rng) -> None:
    """A house front, a shelf or a keyboard: rectangles in rows and columns on a larger one."""
    block(image, centre - radius, (2 * radius, 2 * radius), any_colour(rng))
    rows, columns = (int(number) for number in rng.integers(1, 5, 2))
    share, colour = rng.uniform(0.4, 0.85), any_colour(rng)
    for row in range(rows):
        for column in range(columns):
            cell = np.array([2 / columns, 2 / rows]) * radius
            corner = centre - radius + cell * (np.array([column, row]) + (1 - share) / 2)
            block(image, corner, cell * share, colour)


def two_dots(image: Image, centre: NDArray, radius: float, rng: Rng) -> None:
    """A pair: lamps of a car, a socket, buttons, handles, sometimes with a bar; on any ground, often on none."""
    ground = any_colour(rng) if rng.random() < 0.7 else skin_colour(rng)
    kind = rng.integers(3)
    if kind == 0:
        disc(image, centre, (radius, radius * rng.uniform(0.5, 1.1)), ground)
    elif kind == 1:
        sides = radius * rng.uniform(0.5, 1, 2)
        block(image, centre - sides, 2 * sides, ground)
    dot, distance = any_colour(rng), rng.uniform(0.3, 0.6)
    dot_radii = radius * rng.uniform(0.08, 0.3) * np.array([1, rng.uniform(0.5, 1.4)])
    angle = rng.normal(0, 0.25) if rng.random() < 0.7 else rng.uniform(0, np.pi)
    axis = np.array([np.cos(angle), np.sin(angle)]) * distance * radius
    for side in (-1, 1):
        disc(image, centre + side * axis, dot_radii, dot)
    if rng.random() < 0.3:  # a number plate or a slot
        low = centre + np.array([0, rng.choice([-1, 1]) * rng.uniform(0.4, 0.8) * radius])
        extent = np.array([2, 0.4]) * rng.uniform(0.1, 0.6) * radius
        block(image, low - extent / 2, extent, any_colour(rng))


def text(image: Image, centre: NDArray, radius: float, rng: Rng) -> None:
    """Lines of letters."""
    colour, font = any_colour(rng), int(rng.integers(0, 8))
    height = max(radius * rng.uniform(0.15, 0.9), 5)
    for row in range(int(rng.integers(1, 4))):
        letters = ''.join(rng.choice(list(LETTERS), int(rng.integers(1, 9))))
        x, y = (int(value) for value in centre + (-radius, (row - 0.5) * 1.4 * height))
        cv2.putText(
            image, letters, (x, y), font, height / 22, colour, max(int(height / rng.uniform(5, 14)), 1), cv2.LINE_AA
        )


def paragraph(image: Image, centre: NDArray, radius: float, rng: Rng) -> None:
    """A page with many lines of small letters."""
    sides = radius * rng.uniform(0.7, 1.5, 2)
    block(image, centre - sides, 2 * sides, any_colour(rng))
    ink, font, height = any_colour(rng), int(rng.choice([0, 2, 3, 4])), rng.uniform(5, 16)
    letters = ''.join(rng.choice(list(PROSE), 200))
    per_line = max(int(2 * sides[0] / (0.75 * height)), 1)
    left, top = (int(value) for value in centre - sides)
    for row in range(min(int(2 * sides[1] / (1.7 * height)), 12)):
        line_of = letters[row * 13 : row * 13 + int(per_line * rng.uniform(0.6, 1))]
        cv2.putText(image, line_of, (left, top + int((row + 1) * 1.7 * height)), font, height / 24, ink, 1, cv2.LINE_AA)


def gloss(image: Image, centre: NDArray, radius: float, rng: Rng) -> None:
    """A shiny thing: a spoon, a pot, a lamp of a car, with dark parts and highlights."""
    colour, angle = any_colour(rng), rng.uniform(0, np.pi)
    for k in range(int(rng.integers(3, 7))):
        radii = radius * (1 - 0.13 * k) * rng.uniform(0.5, 1, 2)
        middle = centre + rng.normal(0, 0.12 * radius, 2)
        disc(image, middle, radii, _darker(colour, rng.uniform(0.25, 1.2)), angle + rng.normal(0, 0.3))
    for _ in range(int(rng.integers(1, 6))):
        spot = centre + rng.uniform(-0.6, 0.6, 2) * radius
        disc(image, spot, radius * rng.uniform(0.03, 0.25, 2), (245.0, 250.0, 250.0), rng.uniform(0, np.pi))


def lines(image: Image, centre: NDArray, radius: float, rng: Rng) -> None:
    """Branches, cables or scratches."""
    colour = any_colour(rng)
    for _ in range(int(rng.integers(1, 7))):
        path = centre + np.cumsum(rng.normal(0, 0.5 * radius, (4, 2)), 0)
        line(image, path, colour, rng.uniform(0.02, 0.15) * radius)


def shape(image: Image, centre: NDArray, radius: float, rng: Rng) -> None:
    """A polygon or an ellipse."""
    radii, angle = radius * rng.uniform(0.2, 1, 2), rng.uniform(0, np.pi)
    fill(image, ellipse(centre, radii, angle, int(rng.choice([3, 4, 4, 5, 6, 20]))), any_colour(rng))


LOOKALIKES: tuple[Draw, ...] = (oval, oval, headless, clock, wheel, window, two_dots, two_dots, text, paragraph, gloss)
CLUTTER: tuple[Draw, ...] = (shape, shape, lines, text, paragraph, window, oval)


def draw_thing(image: Image, kinds: tuple[Draw, ...], radius: float, rng: Rng) -> None:
    """Draw one thing of some kind anywhere in an image, in place."""
    kinds[rng.integers(len(kinds))](image, rng.uniform(0, image.shape[0], 2), radius, rng)
