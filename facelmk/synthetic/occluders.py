"""Objects that hide a part of the face: hands, microphones, strands of hair, sticks, other people."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from .appearance import Appearance
from .drawing import ellipse, spline
from .objects import SceneObject, ToImage
from .shape import pick


def with_depth(points: np.ndarray, z: ArrayLike) -> np.ndarray:
    """Points (N, 2) with z, a number or (N,), as (N, 3)."""
    return np.concatenate([points, np.broadcast_to(np.asarray(z, float).reshape(-1, 1), (len(points), 1))], -1)


def _limb(start: np.ndarray, end: np.ndarray, start_radius: float, end_radius: float, count: int = 7) -> np.ndarray:
    """The outline of a stick with a round end."""
    axis = (end - start) / (np.linalg.norm(end - start) + 1e-6)
    side = np.array([-axis[1], axis[0]])
    cap = np.linspace(-np.pi / 2, np.pi / 2, count)
    tip = end + end_radius * (np.cos(cap)[:, None] * axis + np.sin(cap)[:, None] * side)
    return np.concatenate([[start - start_radius * side], tip, [start + start_radius * side]])


def _hand(look: Appearance, to_image: ToImage, rng: np.random.Generator) -> list[SceneObject]:
    """A wrist with palm, a thumb and four fingers, from below or from the side."""
    target = to_image(np.array([[rng.uniform(-0.7, 0.7), rng.uniform(-0.1, 1.3), 0.3]]))[0]
    size = _unit_length(to_image) * rng.uniform(0.8, 1.1)
    heading = rng.uniform(-np.pi, 0) + rng.normal(0, 0.3)
    up = np.array([np.cos(heading), np.sin(heading)])
    side = np.array([-up[1], up[0]])
    palm = target - up * size * 0.35
    tone = look.skin_colour * rng.uniform(0.7, 1.05)
    wrist = SceneObject('solid', [_limb(palm - up * size * 1.5, palm, size * 0.26, size * 0.3)], tone)
    spread = rng.uniform(0.05, 0.3)
    fingers = []
    for k, length in enumerate((0.75, 0.9, 0.85, 0.68)):
        lean = (k - 1.5) * spread
        root = palm + side * (k - 1.5) * size * 0.17
        tip = root + (up * np.cos(lean) + side * np.sin(lean)) * size * length * rng.uniform(0.7, 1)
        fingers.append(_limb(root, tip, size * 0.09, size * 0.075))
    thumb = _limb(palm - side * size * 0.25, palm - side * size * 0.55 + up * size * 0.25, size * 0.1, size * 0.08)
    return [wrist] + [SceneObject('solid', [part], tone * rng.uniform(0.92, 1.05)) for part in [thumb, *fingers]]


def _random_target(to_image: ToImage, rng: np.random.Generator, low: float = -0.2, high: float = 1.3) -> np.ndarray:
    """A random position (2,) in front of the face, between two heights."""
    return to_image(np.array([[rng.uniform(-0.75, 0.75), rng.uniform(low, high), 0.35]]))[0]


def _unit_length(to_image: ToImage) -> float:
    """The unit of length, as a share of the image's side."""
    ends = to_image(np.array([[0, 0, 0.3], [0, 1, 0.3]]))
    return float(np.sqrt(((ends[1] - ends[0]) ** 2).sum()))


def _random_polygon(centre: np.ndarray, size: float, rng: np.random.Generator) -> np.ndarray:
    return ellipse(
        centre,
        (size * rng.uniform(0.15, 0.4), size * rng.uniform(0.15, 0.5)),
        rng.uniform(0, 3),
        pick(rng, {4: 0.5, 6: 0.25, 24: 0.25}),
    )


def _microphone(look: Appearance, to_image: ToImage, rng: np.random.Generator) -> list[SceneObject]:
    head, size = _random_target(to_image, rng, 0.75, 1.3), _unit_length(to_image)
    away = np.array([rng.normal(0, 0.8), 1.0])
    away = away / np.linalg.norm(away)
    tone = np.repeat(rng.uniform(15, 110), 3)
    return [
        SceneObject('solid', [_limb(head, head + away * size * 1.6, size * 0.09, size * 0.08)], tone * 0.6),
        SceneObject('solid', [ellipse(head, (size * 0.17, size * 0.19))], tone),
    ]


def _strand(look: Appearance, to_image: ToImage, rng: np.random.Generator) -> list[SceneObject]:
    """One to three strands of hair across the face."""
    objects = []
    for _ in range(int(rng.integers(1, 4))):
        sign = pick(rng, {-1: 0.5, 1: 0.5})
        top, bottom = rng.uniform(0.0, 0.6), rng.uniform(0.2, 0.8)
        width = rng.uniform(0.03, 0.16)
        spine = np.array(
            [
                [top, -0.75],
                [(top + bottom) / 2 + rng.normal(0.1, 0.08), -0.1],
                [bottom, rng.uniform(0.3, 0.6)],
                [bottom + rng.normal(0, 0.1), rng.uniform(0.8, 1.6)],
            ]
        ) * [sign, 1]
        spine = spline(spine, 14)
        taper = width * np.sin(np.linspace(0.9, 3.1, 14))[:, None] * [1, 0]
        outline = np.concatenate([spine - taper, (spine + taper)[::-1]])
        in_front = with_depth(outline, 0.3 - 0.5 * outline[:, 0] ** 2)
        objects.append(SceneObject('hair', [to_image(in_front)], look.hair_colour))
    return objects


def _stick(look: Appearance, to_image: ToImage, rng: np.random.Generator) -> list[SceneObject]:
    start, end = _random_target(to_image, rng), rng.uniform(-0.2, 1.2, 2)
    outline = _limb(start * 2 - end, end, 0.02, 0.02) + rng.normal(0, 0.01)
    return [SceneObject('solid', [outline], rng.uniform(0, 255, 3))]


def _person(look: Appearance, to_image: ToImage, rng: np.random.Generator) -> list[SceneObject]:
    """The shoulder or head of another person at the edge of the image, in front of the face."""
    side = pick(rng, {-1: 0.5, 1: 0.5})
    edge = to_image(np.array([[side * 0.8, 0.9, 0.2]]))[0]
    radius = rng.uniform(0.2, 0.35)
    colour = look.hair_colour if rng.random() < 0.5 else rng.uniform(0, 255, 3)
    outline = ellipse(np.add(edge, (side * radius * 0.8, radius * 0.7)), (radius, radius * rng.uniform(0.9, 1.4)))
    return [SceneObject('solid', [outline], colour)]


def _object(look: Appearance, to_image: ToImage, rng: np.random.Generator) -> list[SceneObject]:
    centre, size = _random_target(to_image, rng), _unit_length(to_image)
    return [SceneObject('solid', [_random_polygon(centre, size, rng)], rng.uniform(0, 255, 3))]


Occluder = Callable[[Appearance, ToImage, np.random.Generator], list[SceneObject]]
OCCLUDERS: dict[str, Occluder] = {
    'hand': _hand,
    'object': _object,
    'microphone': _microphone,
    'strand': _strand,
    'stick': _stick,
    'person': _person,
}
