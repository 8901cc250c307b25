"""Backgrounds of scenes: gradients, textures, stripes, leaves, lights, walls, printed pages, gravel."""

import functools
import math
from collections.abc import Callable

import cv2
import numpy as np

from ..drawing import Colour, ellipse, fill, to_bgr
from ..textures import noise_window

Image = np.ndarray
Rng = np.random.Generator
LETTERS = list('abcdefghijklmnopqrstuvwxyzABCDEFGHIKMNRST0123456789.,-')
NOISES = ('pore', 'blotch', 'hair', 'cloth')


def any_colour(rng: Rng) -> Colour:
    """A random colour, often of low saturation."""
    light, vivid, *channels = rng.random(5).tolist()
    spread = 150 * (vivid if vivid < 0.7 else 2 * vivid)
    b, g, r = (min(max(255 * light + spread * (channel - 0.5), 0.0), 255.0) for channel in channels)
    return b, g, r


def skin_colour(rng: Rng) -> Colour:
    """A colour of skin, from dark to light."""
    light, blue, green = rng.random(3).tolist()
    light = 50 + 195 * light
    return light * (0.55 + 0.3 * blue), light * (0.68 + 0.22 * green), light


def plain(size: int, rng: Rng) -> Image:
    """A smooth field of a few colours."""
    cells = int(rng.integers(1, 6))
    colours = [any_colour(rng) for _ in range(cells * cells)]
    field = np.array(colours, np.float32).reshape(cells, cells, 3)
    return cv2.resize(field, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def noisy(size: int, rng: Rng) -> Image:
    """Two colours mixed by noise, at several scales: plaster, cloth, clouds, hair."""
    window = int(size / rng.choice([0.5, 1, 2, 4]))
    kind = NOISES[rng.integers(len(NOISES))]
    noise = noise_window(kind, rng, min(window, 500), min(window, 500), rng.uniform(0.6, 2.5))
    noise = cv2.resize(noise, (size, size), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3:
        noise = cv2.rotate(noise, cv2.ROTATE_90_CLOCKWISE)
    return two_colours(noise, any_colour(rng), any_colour(rng))


def two_colours(mix: Image, low: Colour, high: Colour) -> Image:
    """Map grey levels (H, W) to colours between two."""
    levels = np.linspace(low, high, 256).astype(np.uint8).reshape(256, 1, 3)
    return cv2.LUT(to_bgr(mix), levels)


@functools.cache
def _grid(size: int) -> np.ndarray:
    """The row and the column of each pixel (2, size, size)."""
    return np.mgrid[:size, :size].astype(np.float32)


def striped(size: int, rng: Rng) -> Image:
    """Stripes, checks or bricks at any angle."""
    period, share = rng.uniform(4, 50), rng.uniform(0.2, 0.8)
    y, x = _grid(size)
    angle = rng.uniform(0, np.pi)
    cosine, sine = math.cos(angle), math.sin(angle)
    u, v = x * cosine + y * sine, y * cosine - x * sine
    first = (u % period) < share * period
    kind = rng.integers(4)
    if kind == 0:
        pattern = first
    elif kind == 1:
        pattern = first ^ ((v % period) < share * period)
    elif kind == 2:
        pattern = first & ((v % (period * 0.6)) < share * period * 0.6)
    else:
        pattern = ((u + (v // (period / 2) % 2) * period / 2) % period < 2) | (v % (period / 2) < 2)
    return two_colours(pattern.astype(np.uint8) * 255, any_colour(rng), any_colour(rng))


def leaves(size: int, rng: Rng) -> Image:
    """Many small ellipses of similar colours: leaves, gravel, a crowd from far away."""
    image = np.full((size, size, 3), any_colour(rng), np.uint8)
    base, spread = np.array(any_colour(rng)), rng.uniform(10, 70)
    long = rng.uniform(0.015, 0.08) * size
    count = int(rng.integers(60, 200))
    centres = rng.uniform(0, size, (count, 2))
    colours = np.clip(base + rng.normal(0, spread, (count, 1)) + rng.normal(0, spread / 3, (count, 3)), 0, 255)
    radii, angles = rng.uniform(0.3, 1, (count, 2)) * long, rng.uniform(0, 180, count)
    for centre, radius, angle, colour in zip(
        centres.tolist(), radii.tolist(), angles.tolist(), colours.tolist(), strict=True
    ):
        cv2.ellipse(image, (centre, (2 * radius[0], 2 * radius[1]), angle), colour, -1)
    return image


def lights(size: int, rng: Rng) -> Image:
    """Blurred discs of light, as behind a portrait."""
    image = plain(size // 2, rng)
    for _ in range(int(rng.integers(4, 25))):
        radius = rng.uniform(0.01, 0.12) * size
        fill(image, ellipse(rng.uniform(0, size / 2, 2), (radius, radius)), any_colour(rng))
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 6))
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)


def room(size: int, rng: Rng) -> Image:
    """Walls, a floor and boxes: large polygons with straight edges."""
    image = np.full((size, size, 3), any_colour(rng), np.uint8)
    for _ in range(int(rng.integers(3, 14))):
        corner, extent = rng.uniform(-0.2, 1, 2) * size, rng.uniform(0.05, 0.8, 2) * size
        quad = corner + np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * extent + rng.normal(0, 0.04 * size, (4, 2))
        fill(image, quad, any_colour(rng))
    return image


def page(size: int, rng: Rng) -> Image:
    """Lines of print: words of small letters, a little turned."""
    side = int(1.3 * size)
    mix, height = np.full((side, side), rng.integers(0, 60), np.uint8), rng.uniform(4, 16)
    font, thick = int(rng.integers(0, 8)), max(1, round(height / rng.uniform(5, 12)))
    row = height
    while row < side:
        words = (''.join(rng.choice(LETTERS, int(rng.integers(1, 11)))) for _ in range(int(side / height / 3)))
        place = int(rng.choice([0, 0, rng.uniform(0, size / 3)])), int(row)
        cv2.putText(mix, ' '.join(words), place, font, height / 22, (255,), thick, cv2.LINE_AA)
        row += height * rng.choice([1.5, 1.5, 1.5, 3.0])
    turn = np.asarray(cv2.getRotationMatrix2D((side / 2, side / 2), rng.normal(0, 6), 1.0), np.float64)
    turn[:, 2] -= (side - size) / 2
    return two_colours(cv2.warpAffine(mix, turn, (size, size)), any_colour(rng), any_colour(rng))


def grains(size: int, rng: Rng) -> Image:
    """Grains of one size with hard contrast: gravel, sand, grass, foliage."""
    finest = rng.uniform(0.5, 4)
    stretch = rng.choice([1.0, 1.0, rng.uniform(0.2, 0.6)])
    shape = max(int(size * stretch / finest), 8), max(int(size / finest), 8)
    noise = rng.normal(0, 1, shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.8) - cv2.GaussianBlur(noise, (0, 0), rng.uniform(1.2, 4))
    levels = 128 + noise * rng.uniform(40, 160) / max(float(noise.std()), 1e-6)
    mix = cv2.resize(np.clip(levels, 0, 255).astype(np.uint8), (size, size), interpolation=cv2.INTER_CUBIC)
    return two_colours(mix, any_colour(rng), any_colour(rng))


BACKDROPS: tuple[Callable[[int, Rng], Image], ...] = (
    plain,
    noisy,
    noisy,
    striped,
    leaves,
    lights,
    room,
    room,
    page,
    grains,
    grains,
)


def draw_backdrop(size: int, rng: Rng) -> Image:
    """A background (size, size, 3) of a random kind, with light and texture."""
    image = BACKDROPS[rng.integers(len(BACKDROPS))](size, rng)
    if rng.random() < 0.4:
        noise = noise_window(NOISES[rng.integers(4)], rng, size, size, rng.uniform(0.1, 0.7))
        image = cv2.multiply(image, to_bgr(noise), scale=1 / 128)
    if rng.random() < 0.3:
        shade = cv2.resize(rng.uniform(40, 200, (2, 2)).astype(np.uint8), (size, size), interpolation=cv2.INTER_LINEAR)
        image = cv2.multiply(image, to_bgr(shade), scale=1 / 128)
    if rng.random() < 0.35:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 4))
    return image
