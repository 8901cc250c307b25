"""Objects that belong to the head but not to its surface: long hair, ears, hat brims and glasses."""

import numpy as np

from .appearance import Appearance
from .drawing import spline
from .objects import SceneObject, ToImage
from .occluders import OCCLUDERS, with_depth
from .shape import FaceShape


def behind_head(face: FaceShape, look: Appearance, to_image: ToImage, rng: np.random.Generator) -> list[SceneObject]:
    """Long hair behind the head. It is drawn first."""
    objects = []
    if look.hair_style in ('medium', 'long') and look.hat != 'hood':
        length = rng.uniform(0.7, 1.3) if look.hair_style == 'medium' else rng.uniform(1.2, 2.6)
        width = rng.uniform(0.92, 1.2)
        half = np.array(
            [
                [0.0, -1.28],
                [0.5, -1.15],
                [0.85, -0.6],
                [0.95, -0.2],
                [width, 0.4],
                [width + rng.normal(0, 0.08), 0.8 * length],
                [0.8 * width, length],
                [0.3, length + 0.05],
            ]
        )
        outline = np.concatenate([half, half[::-1] * [-1, 1]])
        outline = spline(outline + rng.normal(0, 0.02, outline.shape), 48, True)
        objects.append(SceneObject('hair', [to_image(with_depth(outline, -0.95))], look.hair_colour * 0.8, hides=False))
    return objects


def ears(
    face: FaceShape, look: Appearance, to_image: ToImage, rng: np.random.Generator
) -> list[tuple[bool, SceneObject]]:
    """Both ears, each with True if it is nearer to the camera than the side of the head."""
    objects = []
    turned = np.sin(face.yaw)
    protrusion = rng.uniform(0.04, 0.16)
    half_height, y = rng.uniform(0.24, 0.32), rng.normal(0.14, 0.03)
    knots = np.array(
        [
            [-0.3, -1.0],
            [0.35, -1.05],
            [0.95, -0.65],
            [1.0, -0.1],
            [0.6, 0.5],
            [0.1, 0.95],
            [-0.35, 1.0],
            [-0.5, 0.6],
            [-0.45, 0],
        ]
    )
    for sign in (-1, 1):
        if (look.hair_style in ('medium', 'long') and rng.random() < 0.75) or look.hat == 'hood':
            continue
        outer = spline(knots, 27, True)
        outlines = []
        for scale, shift in ((1.0, 0.0), (0.68, 0.06), (0.36, -0.05)):
            across, down = outer[:, 0] * scale + shift, outer[:, 1] * scale
            x = sign * (0.80 * face.width + 0.04 + protrusion * (across + 0.6))
            outline = np.stack([x, y + half_height * down + 0.05 * across, -0.74 - 0.13 * across], -1)
            outlines.append(to_image(outline))
        tone = look.skin_colour * np.clip(0.78 + 0.25 * sign * look.key_light[0], 0.35, 1.1) * look.exposure**0.5
        objects.append((bool(-sign * turned > 0.10), SceneObject('ear', outlines, tone, hides=False)))
    return objects


def in_front_of_head(
    face: FaceShape, look: Appearance, to_image: ToImage, rng: np.random.Generator
) -> list[SceneObject]:
    """The objects drawn over the head, from the head towards the camera."""
    objects = []
    if look.hair_style == 'long' and look.hat != 'hood':
        objects += _side_hair(look, to_image, rng)
    if look.hat in ('cap', 'brim'):
        objects.append(_brim(look, to_image, rng))
    if look.glasses:
        objects += _glasses(face, look, to_image, rng)
    if look.occluder in OCCLUDERS:
        objects += OCCLUDERS[look.occluder](look, to_image, rng)
    return objects


def _side_hair(look: Appearance, to_image: ToImage, rng: np.random.Generator) -> list[SceneObject]:
    """Long hair beside and over the face."""
    objects = []
    for sign in (-1, 1):
        if rng.random() < 0.35:
            continue
        inner = rng.uniform(0.66, 0.92)
        length = rng.uniform(0.9, 2.4)
        path = np.array(
            [
                [0.55, -0.85],
                [0.74, -0.45],
                [inner, 0.1],
                [inner + rng.normal(0, 0.05), 0.7],
                [inner + rng.normal(0.05, 0.1), 1.2],
                [0.8 + rng.normal(0.1, 0.1), length],
                [1.05, length + 0.1],
                [1.15, 1.2],
                [1.1, 0.6],
                [1.02, 0.1],
                [0.95, -0.4],
                [0.7, -0.95],
            ]
        ) * [sign, 1]
        outline = spline(path, 40, True)
        z = np.interp(np.abs(outline[:, 0]), [0.5, 0.8, 1.0], [-0.1, -0.4, -0.65])
        objects.append(SceneObject('hair', [to_image(np.concatenate([outline, z[:, None]], -1))], look.hair_colour))
    return objects


def _brim(look: Appearance, to_image: ToImage, rng: np.random.Generator) -> SceneObject:
    tilt, reach = rng.uniform(-0.1, 0.22), rng.uniform(0.35, 0.75)
    if look.hat == 'cap':
        t = np.linspace(-1, 1, 13)
        back = np.stack([0.78 * t, -0.44 - 0.04 * (1 - t * t), -0.75 + 1.0 * np.sqrt(1 - 0.82 * t * t)], -1)
        front = np.stack([0.74 * t, -0.40 + tilt * (1 - t * t), -0.75 + (1.0 + reach) * np.sqrt(1 - 0.8 * t * t)], -1)
        outline = np.concatenate([back, front[::-1]])
    else:
        angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        radius = 0.95 + reach
        y = -0.5 + tilt * np.cos(angle) - 0.12 * np.abs(np.sin(angle)) ** 2
        outline = np.stack([radius * np.sin(angle), y, -0.8 + radius * 1.05 * np.cos(angle)], -1)
    return SceneObject('cloth', [to_image(outline)], look.cloth_colour * 0.8)


def _glasses(face: FaceShape, look: Appearance, to_image: ToImage, rng: np.random.Generator) -> list[SceneObject]:
    """Lenses, frame, bridge and temples, sometimes a reflection."""
    half_width, half_height, y = rng.uniform(0.20, 0.27), rng.uniform(0.10, 0.2), rng.normal(0.04, 0.02)
    power = rng.uniform(0.35, 1.0)
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    sx, sy = (np.sign(f) * np.abs(f) ** power for f in (np.cos(angle), np.sin(angle)))
    lenses, temples = [], []
    centre = max(face.eye_x - 0.01, half_width + 0.06)
    depth = lambda x: 0.26 - 0.28 * x * x  # noqa: E731
    for sign in (-1, 1):
        x = sign * (centre + half_width * sx)
        lenses.append(to_image(np.stack([x, y + half_height * (sy + 0.1 * sx * sy), depth(x)], -1)))
        end = sign * (centre + half_width)
        temple = [[end, y - 0.05, depth(end)], [sign * 0.9, y - 0.06, -0.2], [sign * 0.92, y - 0.02, -0.75]]
        temples.append(to_image(np.array(temple)))
    gap = np.linspace(-(centre - half_width), centre - half_width, 5)
    bridge = to_image(np.stack([gap, y - 0.03 - 0.03 * np.cos(gap / gap[-1] * 1.5), depth(gap) + 0.02], -1))
    scale = float(np.abs(lenses[0] - lenses[1]).mean())
    visible_temples = temples[:1] if face.yaw > 0.12 else temples[1:] if face.yaw < -0.12 else temples
    alpha = rng.uniform(0.75, 1.0) if look.sunglasses else rng.uniform(0, 0.12)
    tint = rng.uniform(5, 60, 3) if look.sunglasses else rng.uniform(120, 255, 3)
    objects = [SceneObject('transparent', lenses, tint, hides=look.sunglasses, alpha=alpha)]
    width = look.frame_width * scale * 1.35
    objects.append(SceneObject('closed_line', lenses, look.frame_colour, hides=False, width=width))
    objects.append(SceneObject('line', [bridge, *visible_temples], look.frame_colour, hides=False, width=width))
    if rng.random() < 0.35:
        lens = lenses[rng.integers(2)]
        middle = lens.mean(0)
        reflection = middle + (lens - middle) * rng.uniform(0.2, 0.5, 2) + (lens[0] - middle) * 0.2
        white, alpha = np.full(3, 250.0), rng.uniform(0.2, 0.8)
        objects.append(SceneObject('transparent', [reflection], white, hides=False, alpha=alpha))
    return objects
