"""What is around the head and before it: ears, long hair, glasses, brims, hands and other things.

Outlines are in units of the picture's side, so that every size shows the same scene.
"""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from .paint import ellipse, smooth
from .parameters import pick

See = Callable[[np.ndarray], np.ndarray]


def behind_head(
    face: SimpleNamespace, look: SimpleNamespace, see: See, draw: np.random.Generator
) -> list[SimpleNamespace]:
    """Long hair, drawn before the head."""
    things = []
    if look.style in ('medium', 'long') and look.hat != 'hood':
        length = draw.uniform(0.7, 1.3) if look.style == 'medium' else draw.uniform(1.2, 2.6)
        wide = draw.uniform(0.92, 1.2)
        half = np.array(
            [
                [0.0, -1.28],
                [0.5, -1.15],
                [0.85, -0.6],
                [0.95, -0.2],
                [wide, 0.4],
                [wide + draw.normal(0, 0.08), 0.8 * length],
                [0.8 * wide, length],
                [0.3, length + 0.05],
            ]
        )
        outline = np.concatenate([half, half[::-1] * [-1, 1]])
        outline = smooth(outline + draw.normal(0, 0.02, outline.shape), 48, True)
        things.append(_thing('hair', [see(_at(outline, -0.95))], look.hair * 0.8, hides=False))
    return things


def ears(
    face: SimpleNamespace, look: SimpleNamespace, see: See, draw: np.random.Generator
) -> list[tuple[bool, SimpleNamespace]]:
    """Both ears, each with True where it is nearer than the head's side."""
    found = []
    turned = np.sin(face.yaw)
    out = draw.uniform(0.04, 0.16)
    tall, low = draw.uniform(0.24, 0.32), draw.normal(0.14, 0.03)
    shapes = np.array(
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
        if (look.style in ('medium', 'long') and draw.random() < 0.75) or look.hat == 'hood':
            continue
        flat = smooth(shapes, 27, True)
        rings = []
        for scale, shift in ((1.0, 0.0), (0.68, 0.06), (0.36, -0.05)):
            across, down = flat[:, 0] * scale + shift, flat[:, 1] * scale
            rings.append(
                see(
                    np.stack(
                        [
                            sign * (0.80 * face.width + 0.04 + out * (across + 0.6)),
                            low + tall * down + 0.05 * across,
                            -0.74 - 0.13 * across,
                        ],
                        -1,
                    )
                )
            )
        tone = look.skin * np.clip(0.78 + 0.25 * sign * look.key[0], 0.35, 1.1) * look.exposure**0.5
        found.append((-sign * turned > 0.10, _thing('ear', rings, tone, hides=False)))
    return found


def before_head(
    face: SimpleNamespace, look: SimpleNamespace, see: See, draw: np.random.Generator
) -> list[SimpleNamespace]:
    """Things drawn over the head, from near to it to near the camera."""
    things = []
    if look.style == 'long' and look.hat != 'hood':
        things += _curtains(face, look, see, draw)
    if look.hat in ('cap', 'brim'):
        things.append(_brim(look, see, draw))
    if look.glasses:
        things += _glasses(face, look, see, draw)
    if look.cover in ('hand', 'thing', 'microphone', 'lock', 'bar', 'person'):
        things += _COVERS[look.cover](face, look, see, draw)
    return things


def _thing(kind, outlines, colour, hides=True, alpha=1.0, width=0.0):
    return SimpleNamespace(
        kind=kind, outlines=outlines, colour=np.asarray(colour, float), hides=hides, alpha=alpha, width=width
    )


def _at(flat, z):
    return np.concatenate([flat, np.broadcast_to(np.asarray(z, float).reshape(-1, 1), (len(flat), 1))], -1)


def _curtains(face, look, see, draw):
    found = []
    for sign in (-1, 1):
        if draw.random() < 0.35:
            continue
        inner = draw.uniform(0.66, 0.92)
        length = draw.uniform(0.9, 2.4)
        path = np.array(
            [
                [0.55, -0.85],
                [0.74, -0.45],
                [inner, 0.1],
                [inner + draw.normal(0, 0.05), 0.7],
                [inner + draw.normal(0.05, 0.1), 1.2],
                [0.8 + draw.normal(0.1, 0.1), length],
                [1.05, length + 0.1],
                [1.15, 1.2],
                [1.1, 0.6],
                [1.02, 0.1],
                [0.95, -0.4],
                [0.7, -0.95],
            ]
        ) * [sign, 1]
        outline = smooth(path, 40, True)
        z = np.interp(np.abs(outline[:, 0]), [0.5, 0.8, 1.0], [-0.1, -0.4, -0.65])
        found.append(_thing('hair', [see(np.concatenate([outline, z[:, None]], -1))], look.hair))
    return found


def _brim(look, see, draw):
    tilt, reach = draw.uniform(-0.1, 0.22), draw.uniform(0.35, 0.75)
    if look.hat == 'cap':
        t = np.linspace(-1, 1, 13)
        back = np.stack([0.78 * t, -0.44 - 0.04 * (1 - t * t), -0.75 + 1.0 * np.sqrt(1 - 0.82 * t * t)], -1)
        front = np.stack([0.74 * t, -0.40 + tilt * (1 - t * t), -0.75 + (1.0 + reach) * np.sqrt(1 - 0.8 * t * t)], -1)
        ring = np.concatenate([back, front[::-1]])
    else:
        turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        wide = 0.95 + reach
        ring = np.stack(
            [
                wide * np.sin(turn),
                -0.5 + tilt * np.cos(turn) + 0.12 * np.abs(np.sin(turn)) ** 2 * -1,
                -0.8 + wide * 1.05 * np.cos(turn),
            ],
            -1,
        )
    return _thing('cloth', [see(ring)], look.cloth * 0.8)


def _glasses(face, look, see, draw):
    wide, high, low = draw.uniform(0.20, 0.27), draw.uniform(0.10, 0.2), draw.normal(0.04, 0.02)
    power = draw.uniform(0.35, 1.0)
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    sx, sy = (np.sign(f) * np.abs(f) ** power for f in (np.cos(turn), np.sin(turn)))
    lenses, bars = [], []
    centre = max(face.eye_x - 0.01, wide + 0.06)
    depth = lambda x: 0.26 - 0.28 * x * x  # noqa: E731
    for sign in (-1, 1):
        x = sign * (centre + wide * sx)
        lenses.append(see(np.stack([x, low + high * (sy + 0.1 * sx * sy), depth(x)], -1)))
        end = sign * (centre + wide)
        bars.append(
            see(
                np.array(
                    [[end, low - 0.05, depth(end)], [sign * 0.9, low - 0.06, -0.2], [sign * 0.92, low - 0.02, -0.75]]
                )
            )
        )
    gap = np.linspace(-(centre - wide), centre - wide, 5)
    bridge = see(np.stack([gap, low - 0.03 - 0.03 * np.cos(gap / gap[-1] * 1.5), depth(gap) + 0.02], -1))
    scale = float(np.abs(lenses[0] - lenses[1]).mean())
    near = bars[:1] if face.yaw > 0.12 else bars[1:] if face.yaw < -0.12 else bars
    dark = draw.uniform(0.75, 1.0) if look.shades else draw.uniform(0, 0.12)
    tint = draw.uniform(5, 60, 3) if look.shades else draw.uniform(120, 255, 3)
    found = [_thing('lens', lenses, tint, hides=look.shades, alpha=dark)]
    found.append(_thing('wire', [*lenses], look.frame, hides=False, width=look.frame_width * scale * 1.35))
    found.append(_thing('stick', [bridge, *near], look.frame, hides=False, width=look.frame_width * scale * 1.35))
    if draw.random() < 0.35:
        spot = lenses[draw.integers(2)]
        middle = spot.mean(0)
        found.append(
            _thing(
                'lens',
                [middle + (spot - middle) * draw.uniform(0.2, 0.5, 2) + (spot[0] - middle) * 0.2],
                (250, 250, 250),
                hides=False,
                alpha=draw.uniform(0.2, 0.8),
            )
        )
    return found


def _limb(start, end, width_a, width_b, count=7):
    axis = (end - start) / (np.linalg.norm(end - start) + 1e-6)
    side = np.array([-axis[1], axis[0]])
    cap = np.linspace(-np.pi / 2, np.pi / 2, count)
    tip = end + width_b * (np.cos(cap)[:, None] * axis + np.sin(cap)[:, None] * side)
    return np.concatenate([[start - width_a * side], tip, [start + width_a * side]])


def _hand(face, look, see, draw):
    """A palm and four or five fingers that come from below or the side."""
    target = see(np.array([[draw.uniform(-0.7, 0.7), draw.uniform(-0.1, 1.3), 0.3]]))[0]
    size = _thing_size(see) * draw.uniform(0.8, 1.1)
    heading = draw.uniform(-np.pi, 0) + draw.normal(0, 0.3)
    up = np.array([np.cos(heading), np.sin(heading)])
    side = np.array([-up[1], up[0]])
    palm = target - up * size * 0.35
    tone = look.skin * draw.uniform(0.7, 1.05)
    wrist = _thing('limb', [_limb(palm - up * size * 1.5, palm, size * 0.26, size * 0.3)], tone)
    spread = draw.uniform(0.05, 0.3)
    fingers = []
    for k, long in enumerate((0.75, 0.9, 0.85, 0.68)):
        lean = (k - 1.5) * spread
        root = palm + side * (k - 1.5) * size * 0.17
        fingers.append(
            _limb(
                root,
                root + (up * np.cos(lean) + side * np.sin(lean)) * size * long * draw.uniform(0.7, 1),
                size * 0.09,
                size * 0.075,
            )
        )
    thumb = _limb(palm - side * size * 0.25, palm - side * size * 0.55 + up * size * 0.25, size * 0.1, size * 0.08)
    return [wrist] + [_thing('limb', [part], tone * draw.uniform(0.92, 1.05)) for part in [thumb, *fingers]]


def _thing_at(face, see, draw, low=-0.2, high=1.3):
    return see(np.array([[draw.uniform(-0.75, 0.75), draw.uniform(low, high), 0.35]]))[0]


def _thing_size(see):
    ends = see(np.array([[0, 0, 0.3], [0, 1, 0.3]]))
    return float(np.sqrt(((ends[1] - ends[0]) ** 2).sum()))


def _bottle(centre, size, draw):
    return ellipse(
        centre,
        (size * draw.uniform(0.15, 0.4), size * draw.uniform(0.15, 0.5)),
        draw.uniform(0, 3),
        pick(draw, {4: 0.5, 6: 0.25, 24: 0.25}),
    )


def _microphone(face, look, see, draw):
    head, size = _thing_at(face, see, draw, 0.75, 1.3), _thing_size(see)
    away = np.array([draw.normal(0, 0.8), 1.0])
    away = away / np.linalg.norm(away)
    tone = np.repeat(draw.uniform(15, 110), 3)
    return [
        _thing('limb', [_limb(head, head + away * size * 1.6, size * 0.09, size * 0.08)], tone * 0.6),
        _thing('limb', [ellipse(head, (size * 0.17, size * 0.19))], tone),
    ]


def _lock(face, look, see, draw):
    """Loose hair across the face."""
    found = []
    for _ in range(int(draw.integers(1, 4))):
        sign = pick(draw, {-1: 0.5, 1: 0.5})
        top, foot = draw.uniform(0.0, 0.6), draw.uniform(0.2, 0.8)
        wide = draw.uniform(0.03, 0.16)
        spine = np.array(
            [
                [top, -0.75],
                [(top + foot) / 2 + draw.normal(0.1, 0.08), -0.1],
                [foot, draw.uniform(0.3, 0.6)],
                [foot + draw.normal(0, 0.1), draw.uniform(0.8, 1.6)],
            ]
        ) * [sign, 1]
        spine = smooth(spine, 14)
        taper = wide * np.sin(np.linspace(0.9, 3.1, 14))[:, None] * [1, 0]
        flat = np.concatenate([spine - taper, (spine + taper)[::-1]])
        found.append(_thing('hair', [see(_at(flat, 0.3 - 0.5 * flat[:, 0] ** 2))], look.hair))
    return found


def _bar(face, look, see, draw):
    start, end = _thing_at(face, see, draw), draw.uniform(-0.2, 1.2, 2)
    return [_thing('limb', [_limb(start * 2 - end, end, 0.02, 0.02) + draw.normal(0, 0.01)], draw.uniform(0, 255, 3))]


def _person(face, look, see, draw):
    """Somebody's shoulder or head at the picture's edge, before the face."""
    side = pick(draw, {-1: 0.5, 1: 0.5})
    ends = see(np.array([[side * 0.8, 0.9, 0.2]]))[0]
    radius = draw.uniform(0.2, 0.35)
    colour = look.hair if draw.random() < 0.5 else draw.uniform(0, 255, 3)
    return [
        _thing(
            'limb',
            [ellipse(np.add(ends, (side * radius * 0.8, radius * 0.7)), (radius, radius * draw.uniform(0.9, 1.4)))],
            colour,
        )
    ]


def _thing_cover(face, look, see, draw):
    centre, size = _thing_at(face, see, draw), _thing_size(see)
    return [_thing('limb', [_bottle(centre, size, draw)], draw.uniform(0, 255, 3))]


_COVERS = {
    'hand': _hand,
    'thing': _thing_cover,
    'microphone': _microphone,
    'lock': _lock,
    'bar': _bar,
    'person': _person,
}
