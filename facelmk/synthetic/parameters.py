"""What makes one face: shape, expression, pose, looks and scene, drawn from (seed, index) alone."""

from types import SimpleNamespace
from typing import Any

import numpy as np


def stream(seed: int, index: int, topic: int) -> np.random.Generator:
    """The random stream of one topic of one face; no other face or topic moves it."""
    return np.random.Generator(np.random.Philox(key=[seed % 2**64, index % 2**64], counter=[0, 0, topic, 0]))


def face(seed: int, index: int) -> SimpleNamespace:
    """Shape, expression and pose of a face."""
    draw = stream(seed, index, 0)
    self = SimpleNamespace()
    _pose(self, draw)
    _mood(self, draw)
    _skull(self, draw)
    _eyes(self, draw)
    _nose_and_mouth(self, draw)
    _relief(self, draw)
    return self


def pick(draw: np.random.Generator, shares: dict) -> Any:
    """One of the keys, by their shares."""
    at = draw.random()
    for name, share in shares.items():
        at -= share
        if at < 0:
            return name
    return next(iter(shares))


def between(value: float, low: float, high: float) -> float:
    """`value`, kept between two bounds."""
    return min(max(value, low), high)


def _normal(draw, mean, spread, low=-2.5, high=2.5):
    return mean + spread * min(max(draw.standard_normal(), low), high)


def _pose(self, draw):
    wide = draw.random() < 0.42
    yaw = draw.uniform(-60, 60) if wide else _normal(draw, 0, 17)
    pitch = draw.uniform(-24, 24) if draw.random() < 0.25 else _normal(draw, 0, 8)
    roll = draw.uniform(-35, 35) if draw.random() < 0.2 else _normal(draw, 0, 9)
    self.yaw, self.pitch, self.roll = np.radians([yaw, pitch, roll])
    self.body = draw.uniform(-0.1, 0.7, 3) * (1, 0.5, 0.5)  # how far the body turns with the head
    self.distance = 6.0 + 14 * draw.random() ** 1.4
    self.fill = draw.uniform(0.55, 0.65)
    self.shift = draw.uniform(-0.04, 0.04, 2)


def _mood(self, draw):
    kind = draw.random()
    self.smile, self.gap, self.pucker, self.surprise, self.frown, self.squeeze = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind < 0.30:  # neutral
        self.smile = _normal(draw, 0, 0.15)
        self.gap = max(0.0, draw.uniform(-0.12, 0.06))
    elif kind < 0.62:  # smile, with teeth or closed
        self.smile = draw.uniform(0.25, 1.1)
        self.gap = draw.uniform(0.02, 0.16) if draw.random() < 0.7 else 0.0
    elif kind < 0.80:  # talk
        self.smile, self.gap = _normal(draw, 0.1, 0.3), draw.uniform(0.0, 0.14)
        self.pucker = max(0.0, draw.uniform(-0.5, 0.7))
    elif kind < 0.90:  # shout, surprise
        self.gap, self.surprise = draw.uniform(0.12, 0.42), draw.uniform(0, 1)
        self.smile, self.pucker = draw.uniform(-0.4, 0.6), max(0.0, draw.uniform(-0.6, 0.6))
    else:  # grimace, pout
        self.smile, self.frown, self.squeeze = draw.uniform(-1, 0.3), draw.uniform(0.2, 1), draw.uniform(0, 0.8)
        self.pucker, self.gap = max(0.0, draw.uniform(-0.7, 0.8)), max(0.0, draw.uniform(-0.2, 0.2))
    self.frown = max(self.frown, draw.uniform(-1.5, 0.8))
    self.surprise = max(self.surprise, draw.uniform(-2, 0.7), 0.0)
    self.frown = max(self.frown, 0.0)


def _skull(self, draw):
    n = lambda spread: _normal(draw, 0, spread)  # noqa: E731
    stretch = n(0.06)
    self.stretch = 1 + stretch  # of everything below the eyes
    self.width = 1.03 + n(0.075)
    self.width_humps = np.array(
        [[0.95, n(0.06), 0.25], [1.25, n(0.08), 0.2], [0.35, n(0.025), 0.25], [-0.5, n(0.04), 0.35]]
    )
    self.depth = n(0.05)
    self.chin = (1.262 + n(0.06)) * self.stretch + 0.55 * self.gap
    self.crown = -1.27 + n(0.08)
    self.neck, self.shoulders = 1.14 + n(0.12) + (draw.uniform(0, 0.25) if draw.random() < 0.3 else 0), 1 + n(0.15)
    self.rim_top = 0.0 + n(0.05)
    self.rim = np.radians(np.array([70.0, 81.0, 92.0, 104.0]) + n(2.5))


def _eyes(self, draw):
    n = lambda spread: _normal(draw, 0, spread)  # noqa: E731
    self.eye_width = 0.275 + n(0.018)
    self.eye_x = 0.5 - self.eye_width / 2
    self.eye_y = np.array([n(0.006), n(0.006)])
    self.eye_tilt = 0.017 + n(0.018)
    self.eye_skew = n(0.35)
    opening = 0.120 + n(0.016) + 0.03 * self.surprise - 0.03 * max(self.smile, 0) - 0.05 * self.squeeze
    closed = draw.random()
    both = 0.0 if closed < 0.035 else draw.uniform(0.25, 0.6) if closed < 0.08 else 1.0
    wink = draw.random() < 0.03
    share = np.array([both, both * (draw.uniform(0, 0.3) if wink else 1.0)])
    if draw.random() < 0.5:
        share = share[::-1]
    opening = np.clip(opening, 0.03, 0.18) * share * (1 + 0.05 * draw.standard_normal(2).clip(-2, 2))
    self.lid_upper, self.lid_lower = opening * (0.64 + n(0.06)), opening * 0.36
    self.lid_upper = self.lid_upper - 0.024 * (1 - share)
    self.lid_lower = self.lid_lower + 0.026 * (1 - share)
    self.gaze = np.array([n(0.10), n(0.3)])
    low = self.frown * 0.035 - self.surprise * 0.07
    self.brow_y = np.array([-0.185, -0.185]) + n(0.04) + low + draw.normal(0, 0.008, 2)
    self.brow_tilt = np.array([-0.01, -0.01]) + n(0.045) + 0.05 * self.frown + n(0.008)
    self.brow_arch = np.array([0.075, 0.075]) + n(0.022) + 0.02 * self.surprise
    self.brow_peak = 0.42 + n(0.05)
    self.brow_outer = 0.675 + n(0.04)
    self.brow_inner = np.array([0.145, 0.145]) + n(0.032) - 0.02 * self.frown
    self.brow_thick = between(0.062 + n(0.016), 0.025, 0.12)


def _nose_and_mouth(self, draw):
    n = lambda spread: _normal(draw, 0, spread)  # noqa: E731
    self.nose_top = -0.015 + n(0.03)
    self.nose_base = (0.532 + n(0.040)) * self.stretch
    self.nose_tip = self.nose_base - 0.138 + n(0.018)
    self.nose_half = 0.147 + n(0.023) + 0.012 * max(self.smile, 0)
    self.nose_flare = n(0.012)
    self.nose_x = n(0.008)
    self.nose_height = 1 + n(0.14)
    smile, gap = self.smile, self.gap
    self.mouth_x = n(0.012)
    self.mouth_half = 0.304 + n(0.028) + 0.068 * smile - 0.09 * self.pucker - 0.06 * max(gap - 0.15, 0)
    self.lip_upper = between(0.060 + n(0.019) - 0.016 * max(smile, 0) + 0.015 * self.pucker, 0.012, 0.13)
    self.lip_lower = between(0.109 + n(0.024) - 0.014 * max(smile, 0) + 0.012 * self.pucker, 0.03, 0.19)
    self.gap_up = between(0.22 + n(0.06) + 0.15 * max(smile, 0) * (gap < 0.2), 0.05, 0.55)
    self.mouth_gap = gap
    self.mouth_y = self.nose_base + (0.210 + n(0.03)) * self.stretch - 0.015 * smile + 0.22 * gap
    self.mouth_lift = (
        0.004 + n(0.014) + 0.05 * smile + 0.25 * gap * (smile > 0.3) * smile - 0.03 * self.frown * (smile < 0)
    )
    self.mouth_skew = n(0.008) if draw.random() < 0.8 else n(0.03)
    self.lip_dip = draw.uniform(0, 0.025)
    self.chin = max(self.chin, self.mouth_y + (1 - self.gap_up) * gap + self.lip_lower + 0.22)


def _relief(self, draw):
    v = lambda amount, spread: _normal(draw, amount, amount * spread)  # noqa: E731
    tip, base, half, tall = self.nose_tip, self.nose_base, self.nose_half, self.nose_height
    mouth_x, smile = self.mouth_half, max(self.smile, 0.0)
    rows = [
        (0, -0.04, v(0.045, 0.4), 0.12, 0.10),
        (0, 0.10, v(0.09, 0.3) * tall, 0.085, 0.12),
        (0, 0.24 * tip / 0.43, v(0.13, 0.25) * tall, 0.085, 0.13),
        (0, tip, v(0.25, 0.1) * tall, 0.095, 0.115),
        (0, tip - 0.1, v(0.07, 0.3) * tall, 0.08, 0.1),
        (half * 0.95, base - 0.07, v(0.14, 0.15), 0.066, 0.065),
        (half * 0.4, base - 0.055, 0.05, 0.1, 0.05),
        (0.34, 0.0, -v(0.09, 0.35), 0.17, 0.10),
        (0.19, -0.02, -v(0.065, 0.35), 0.08, 0.09),
        (self.eye_x, 0.0, v(0.075, 0.2), 0.12, 0.065),
        (0.36, -0.19, v(0.03, 0.8), 0.24, 0.065),
        (0, -0.2, v(0.03, 0.6), 0.14, 0.08),
        (0.25, -0.55, v(0.03, 0.6), 0.25, 0.2),
        (0.55, 0.33, v(0.05, 0.5) + 0.03 * smile, 0.18, 0.15),
        (0.42, 0.62, v(-0.01, 1.5) + 0.05 * smile, 0.16, 0.17),
        (0, self.mouth_y, v(0.06, 0.3), 0.30, 0.24),
        (0, self.mouth_y - 0.045, v(0.05, 0.3), 0.17, 0.05),
        (0, self.mouth_y + self.mouth_gap * 0.7 + 0.06, v(0.055, 0.3), 0.17, 0.05),
        (mouth_x + 0.05, self.mouth_y + 0.01, -v(0.035, 0.3) - 0.02 * smile, 0.06, 0.07),
        (0, self.mouth_y + self.mouth_gap * 0.75 + 0.2, -v(0.05, 0.4), 0.2, 0.06),
        (0, self.chin - 0.15, v(0.08, 0.4), 0.18, 0.11),
        (0.72, -0.2, -v(0.04, 0.6), 0.14, 0.25),
        (0.6, 0.75, v(0.0, 1) + float(draw.normal(0, 0.02)), 0.2, 0.25),
        (half + 0.15, base - 0.11, -0.03, 0.07, 0.1),
    ]
    loose = np.stack(
        [
            draw.uniform(0, 0.7, 5),
            draw.uniform(-0.9, 1.2, 5),
            draw.normal(0, 0.016, 5),
            draw.uniform(0.1, 0.3, 5),
            draw.uniform(0.1, 0.3, 5),
        ],
        -1,
    )
    self.relief = np.concatenate([np.array(rows), loose])
