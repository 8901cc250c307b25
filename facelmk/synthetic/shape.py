"""The shape, expression and pose of one face, drawn from (seed, index), and its random streams."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

Key = TypeVar('Key')


class FaceShape:
    """The shape, expression and pose of a face; lengths in distances of the outer eye corners, angles in radians.

    Pairs are (left, right). Tests change single values, so these are plain attributes.
    """

    # pose and framing
    yaw: float
    pitch: float
    roll: float
    body: np.ndarray  # by what share (3,) the body turns with the head
    distance: float  # of the camera
    extent: float  # longer side of the landmarks' box, as a share of the image
    shift: np.ndarray
    # expression, about 0 to 1
    smile: float
    gap: float
    pucker: float
    surprise: float
    frown: float
    squeeze: float
    # head
    stretch: float
    width: float
    width_bulges: np.ndarray
    depth: float
    chin: float
    crown: float
    neck: float
    shoulders: float
    rim_top: float  # height of the first contour point
    rim: np.ndarray  # azimuths of the contour at four heights
    relief: np.ndarray
    # eyes and brows
    eye_width: float
    eye_x: float
    eye_y: np.ndarray
    eye_tilt: float
    eye_skew: float
    lid_upper: np.ndarray
    lid_lower: np.ndarray
    gaze: np.ndarray
    brow_y: np.ndarray
    brow_tilt: np.ndarray
    brow_arch: np.ndarray
    brow_peak: float
    brow_outer: float
    brow_inner: np.ndarray
    brow_thick: float
    # nose and mouth
    nose_top: float
    nose_base: float
    nose_tip: float
    nose_half: float
    nose_flare: float
    nose_x: float
    nose_height: float
    mouth_x: float
    mouth_half: float
    lip_upper: float
    lip_lower: float
    gap_up: float  # share of the gap above the line of the mouth corners
    mouth_gap: float
    mouth_y: float
    mouth_lift: float
    mouth_skew: float
    lip_dip: float


def stream(seed: int, index: int, topic: int) -> np.random.Generator:
    """The random generator of one topic of one face, independent of all other faces and topics."""
    return np.random.Generator(np.random.Philox(key=[seed % 2**64, index % 2**64], counter=[0, 0, topic, 0]))


def draw_shape(seed: int, index: int) -> FaceShape:
    """Draw the shape, expression and pose of a face."""
    rng = stream(seed, index, 0)
    face = FaceShape()
    _pose(face, rng)
    _expression(face, rng)
    _head(face, rng)
    _eyes(face, rng)
    _nose_and_mouth(face, rng)
    _relief(face, rng)
    return face


def pick(rng: np.random.Generator, shares: Mapping[Key, float]) -> Key:
    """Draw one of the keys; `shares` are their probabilities."""
    remaining = rng.random()
    for key, share in shares.items():
        remaining -= share
        if remaining < 0:
            return key
    return next(iter(shares))


def clip(value: float, low: float, high: float) -> float:
    """Clip one number; `np.clip` is slower for scalars."""
    return min(max(value, low), high)


def _normal(rng: np.random.Generator, mean: float, spread: float) -> float:
    """A normal number, at most 2.5 standard deviations from its mean."""
    return mean + spread * min(max(rng.standard_normal(), -2.5), 2.5)


def _pose(face: FaceShape, rng: np.random.Generator) -> None:
    wide = rng.random() < 0.42
    yaw = rng.uniform(-60, 60) if wide else _normal(rng, 0, 17)
    pitch = rng.uniform(-24, 24) if rng.random() < 0.25 else _normal(rng, 0, 8)
    roll = rng.uniform(-35, 35) if rng.random() < 0.2 else _normal(rng, 0, 9)
    face.yaw, face.pitch, face.roll = np.radians([yaw, pitch, roll])
    face.body = rng.uniform(-0.1, 0.7, 3) * (1, 0.5, 0.5)
    face.distance = 6.0 + 14 * rng.random() ** 1.4
    face.extent = rng.uniform(0.55, 0.65)
    face.shift = rng.uniform(-0.04, 0.04, 2)


def _expression(face: FaceShape, rng: np.random.Generator) -> None:
    kind = rng.random()
    face.smile, face.gap, face.pucker, face.surprise, face.frown, face.squeeze = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind < 0.30:  # neutral
        face.smile = _normal(rng, 0, 0.15)
        face.gap = max(0.0, rng.uniform(-0.12, 0.06))
    elif kind < 0.62:  # smile, with teeth or closed
        face.smile = rng.uniform(0.25, 1.1)
        face.gap = rng.uniform(0.02, 0.16) if rng.random() < 0.7 else 0.0
    elif kind < 0.80:  # talk
        face.smile, face.gap = _normal(rng, 0.1, 0.3), rng.uniform(0.0, 0.14)
        face.pucker = max(0.0, rng.uniform(-0.5, 0.7))
    elif kind < 0.90:  # shout, surprise
        face.gap, face.surprise = rng.uniform(0.12, 0.42), rng.uniform(0, 1)
        face.smile, face.pucker = rng.uniform(-0.4, 0.6), max(0.0, rng.uniform(-0.6, 0.6))
    else:  # grimace, pout
        face.smile, face.frown, face.squeeze = rng.uniform(-1, 0.3), rng.uniform(0.2, 1), rng.uniform(0, 0.8)
        face.pucker, face.gap = max(0.0, rng.uniform(-0.7, 0.8)), max(0.0, rng.uniform(-0.2, 0.2))
    face.frown = max(face.frown, rng.uniform(-1.5, 0.8))
    face.surprise = max(face.surprise, rng.uniform(-2, 0.7), 0.0)
    face.frown = max(face.frown, 0.0)


def _head(face: FaceShape, rng: np.random.Generator) -> None:
    n = lambda spread: _normal(rng, 0, spread)  # noqa: E731
    stretch = n(0.06)
    face.stretch = 1 + stretch  # of everything below the eyes
    face.width = 1.03 + n(0.075)
    face.width_bulges = np.array(
        [[0.95, n(0.06), 0.25], [1.25, n(0.08), 0.2], [0.35, n(0.025), 0.25], [-0.5, n(0.04), 0.35]]
    )
    face.depth = n(0.05)
    face.chin = (1.262 + n(0.06)) * face.stretch + 0.55 * face.gap
    face.crown = -1.27 + n(0.08)
    face.neck, face.shoulders = 1.14 + n(0.12) + (rng.uniform(0, 0.25) if rng.random() < 0.3 else 0), 1 + n(0.15)
    face.rim_top = 0.0 + n(0.05)
    face.rim = np.radians(np.array([70.0, 81.0, 92.0, 104.0]) + n(2.5))


def _eyes(face: FaceShape, rng: np.random.Generator) -> None:
    n = lambda spread: _normal(rng, 0, spread)  # noqa: E731
    face.eye_width = 0.275 + n(0.018)
    face.eye_x = 0.5 - face.eye_width / 2
    face.eye_y = np.array([n(0.006), n(0.006)])
    face.eye_tilt = 0.017 + n(0.018)
    face.eye_skew = n(0.35)
    opening = 0.120 + n(0.016) + 0.03 * face.surprise - 0.03 * max(face.smile, 0) - 0.05 * face.squeeze
    closed = rng.random()
    both = 0.0 if closed < 0.035 else rng.uniform(0.25, 0.6) if closed < 0.08 else 1.0
    wink = rng.random() < 0.03
    openness = np.array([both, both * (rng.uniform(0, 0.3) if wink else 1.0)])
    if rng.random() < 0.5:
        openness = openness[::-1]
    opening = np.clip(opening, 0.03, 0.18) * openness * (1 + 0.05 * rng.standard_normal(2).clip(-2, 2))
    face.lid_upper, face.lid_lower = opening * (0.64 + n(0.06)), opening * 0.36
    face.lid_upper = face.lid_upper - 0.024 * (1 - openness)
    face.lid_lower = face.lid_lower + 0.026 * (1 - openness)
    face.gaze = np.array([n(0.10), n(0.3)])
    lowered = face.frown * 0.035 - face.surprise * 0.07
    face.brow_y = np.array([-0.185, -0.185]) + n(0.04) + lowered + rng.normal(0, 0.008, 2)
    face.brow_tilt = np.array([-0.01, -0.01]) + n(0.045) + 0.05 * face.frown + n(0.008)
    face.brow_arch = np.array([0.075, 0.075]) + n(0.022) + 0.02 * face.surprise
    face.brow_peak = 0.42 + n(0.05)
    face.brow_outer = 0.675 + n(0.04)
    face.brow_inner = np.array([0.145, 0.145]) + n(0.032) - 0.02 * face.frown
    face.brow_thick = clip(0.062 + n(0.016), 0.025, 0.12)


def _nose_and_mouth(face: FaceShape, rng: np.random.Generator) -> None:
    n = lambda spread: _normal(rng, 0, spread)  # noqa: E731
    face.nose_top = -0.015 + n(0.03)
    face.nose_base = (0.532 + n(0.040)) * face.stretch
    face.nose_tip = face.nose_base - 0.138 + n(0.018)
    face.nose_half = 0.147 + n(0.023) + 0.012 * max(face.smile, 0)
    face.nose_flare = n(0.012)
    face.nose_x = n(0.008)
    face.nose_height = 1 + n(0.14)
    smile, gap = face.smile, face.gap
    face.mouth_x = n(0.012)
    face.mouth_half = 0.304 + n(0.028) + 0.068 * smile - 0.09 * face.pucker - 0.06 * max(gap - 0.15, 0)
    face.lip_upper = clip(0.060 + n(0.019) - 0.016 * max(smile, 0) + 0.015 * face.pucker, 0.012, 0.13)
    face.lip_lower = clip(0.109 + n(0.024) - 0.014 * max(smile, 0) + 0.012 * face.pucker, 0.03, 0.19)
    face.gap_up = clip(0.22 + n(0.06) + 0.15 * max(smile, 0) * (gap < 0.2), 0.05, 0.55)
    face.mouth_gap = gap
    face.mouth_y = face.nose_base + (0.210 + n(0.03)) * face.stretch - 0.015 * smile + 0.22 * gap
    face.mouth_lift = (
        0.004 + n(0.014) + 0.05 * smile + 0.25 * gap * (smile > 0.3) * smile - 0.03 * face.frown * (smile < 0)
    )
    face.mouth_skew = n(0.008) if rng.random() < 0.8 else n(0.03)
    face.lip_dip = rng.uniform(0, 0.025)
    face.chin = max(face.chin, face.mouth_y + (1 - face.gap_up) * gap + face.lip_lower + 0.22)


def _relief(face: FaceShape, rng: np.random.Generator) -> None:
    vary = lambda amount, spread: _normal(rng, amount, amount * spread)  # noqa: E731
    tip, base, half, height = face.nose_tip, face.nose_base, face.nose_half, face.nose_height
    mouth_x, smile = face.mouth_half, max(face.smile, 0.0)
    rows = [
        (0, -0.04, vary(0.045, 0.4), 0.12, 0.10),
        (0, 0.10, vary(0.09, 0.3) * height, 0.085, 0.12),
        (0, 0.24 * tip / 0.43, vary(0.13, 0.25) * height, 0.085, 0.13),
        (0, tip, vary(0.25, 0.1) * height, 0.095, 0.115),
        (0, tip - 0.1, vary(0.07, 0.3) * height, 0.08, 0.1),
        (half * 0.95, base - 0.07, vary(0.14, 0.15), 0.066, 0.065),
        (half * 0.4, base - 0.055, 0.05, 0.1, 0.05),
        (0.34, 0.0, -vary(0.09, 0.35), 0.17, 0.10),
        (0.19, -0.02, -vary(0.065, 0.35), 0.08, 0.09),
        (face.eye_x, 0.0, vary(0.075, 0.2), 0.12, 0.065),
        (0.36, -0.19, vary(0.03, 0.8), 0.24, 0.065),
        (0, -0.2, vary(0.03, 0.6), 0.14, 0.08),
        (0.25, -0.55, vary(0.03, 0.6), 0.25, 0.2),
        (0.55, 0.33, vary(0.05, 0.5) + 0.03 * smile, 0.18, 0.15),
        (0.42, 0.62, vary(-0.01, 1.5) + 0.05 * smile, 0.16, 0.17),
        (0, face.mouth_y, vary(0.06, 0.3), 0.30, 0.24),
        (0, face.mouth_y - 0.045, vary(0.05, 0.3), 0.17, 0.05),
        (0, face.mouth_y + face.mouth_gap * 0.7 + 0.06, vary(0.055, 0.3), 0.17, 0.05),
        (mouth_x + 0.05, face.mouth_y + 0.01, -vary(0.035, 0.3) - 0.02 * smile, 0.06, 0.07),
        (0, face.mouth_y + face.mouth_gap * 0.75 + 0.2, -vary(0.05, 0.4), 0.2, 0.06),
        (0, face.chin - 0.15, vary(0.08, 0.4), 0.18, 0.11),
        (0.72, -0.2, -vary(0.04, 0.6), 0.14, 0.25),
        (0.6, 0.75, vary(0.0, 1) + float(rng.normal(0, 0.02)), 0.2, 0.25),
        (half + 0.15, base - 0.11, -0.03, 0.07, 0.1),
    ]
    random_bumps = np.stack(
        [
            rng.uniform(0, 0.7, 5),
            rng.uniform(-0.9, 1.2, 5),
            rng.normal(0, 0.016, 5),
            rng.uniform(0.1, 0.3, 5),
            rng.uniform(0.1, 0.3, 5),
        ],
        -1,
    )
    face.relief = np.concatenate([np.array(rows), random_bumps])
