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
    wide = draw.random() < .42
    yaw = draw.uniform(-60, 60) if wide else _normal(draw, 0, 17)
    pitch = draw.uniform(-24, 24) if draw.random() < .25 else _normal(draw, 0, 8)
    roll = draw.uniform(-35, 35) if draw.random() < .2 else _normal(draw, 0, 9)
    self.yaw, self.pitch, self.roll = np.radians([yaw, pitch, roll])
    self.body = draw.uniform(-.1, .7, 3) * (1, .5, .5)  # how far the body turns with the head
    self.distance = 6. + 14 * draw.random()**1.4
    self.fill = draw.uniform(.55, .65)
    self.shift = draw.uniform(-.04, .04, 2)


def _mood(self, draw):
    kind = draw.random()
    self.smile, self.gap, self.pucker, self.surprise, self.frown, self.squeeze = 0., 0., 0., 0., 0., 0.
    if kind < .30:  # neutral
        self.smile = _normal(draw, 0, .15)
        self.gap = max(0., draw.uniform(-.12, .06))
    elif kind < .62:  # smile, with teeth or closed
        self.smile = draw.uniform(.25, 1.1)
        self.gap = draw.uniform(.02, .16) if draw.random() < .7 else 0.
    elif kind < .80:  # talk
        self.smile, self.gap = _normal(draw, .1, .3), draw.uniform(.0, .14)
        self.pucker = max(0., draw.uniform(-.5, .7))
    elif kind < .90:  # shout, surprise
        self.gap, self.surprise = draw.uniform(.12, .42), draw.uniform(0, 1)
        self.smile, self.pucker = draw.uniform(-.4, .6), max(0., draw.uniform(-.6, .6))
    else:  # grimace, pout
        self.smile, self.frown, self.squeeze = draw.uniform(-1, .3), draw.uniform(.2, 1), draw.uniform(0, .8)
        self.pucker, self.gap = max(0., draw.uniform(-.7, .8)), max(0., draw.uniform(-.2, .2))
    self.frown = max(self.frown, draw.uniform(-1.5, .8))
    self.surprise = max(self.surprise, draw.uniform(-2, .7), 0.)
    self.frown = max(self.frown, 0.)


def _skull(self, draw):
    n = lambda spread: _normal(draw, 0, spread)  # noqa: E731
    stretch = n(.06)
    self.stretch = 1 + stretch  # of everything below the eyes
    self.width = 1.03 + n(.075)
    self.width_humps = np.array([[.95, n(.06), .25], [1.25, n(.08), .2], [.35, n(.025), .25], [-.5, n(.04), .35]])
    self.depth = n(.05)
    self.chin = (1.262 + n(.06)) * self.stretch + .55 * self.gap
    self.crown = -1.27 + n(.08)
    self.neck, self.shoulders = 1.14 + n(.12) + (draw.uniform(0, .25) if draw.random() < .3 else 0), 1 + n(.15)
    self.rim_top = .0 + n(.05)
    self.rim = np.radians(np.array([70., 81., 92., 104.]) + n(2.5))


def _eyes(self, draw):
    n = lambda spread: _normal(draw, 0, spread)  # noqa: E731
    self.eye_width = .275 + n(.018)
    self.eye_x = .5 - self.eye_width / 2
    self.eye_y = np.array([n(.006), n(.006)])
    self.eye_tilt = .017 + n(.018)
    self.eye_skew = n(.35)
    opening = .120 + n(.016) + .03 * self.surprise - .03 * max(self.smile, 0) - .05 * self.squeeze
    closed = draw.random()
    both = 0. if closed < .035 else draw.uniform(.25, .6) if closed < .08 else 1.
    wink = draw.random() < .03
    share = np.array([both, both * (draw.uniform(0, .3) if wink else 1.)])
    if draw.random() < .5:
        share = share[::-1]
    opening = np.clip(opening, .03, .18) * share * (1 + .05 * draw.standard_normal(2).clip(-2, 2))
    self.lid_upper, self.lid_lower = opening * (.64 + n(.06)), opening * .36
    self.lid_upper = self.lid_upper - .024 * (1 - share)
    self.lid_lower = self.lid_lower + .026 * (1 - share)
    self.gaze = np.array([n(.10), n(.3)])
    low = self.frown * .035 - self.surprise * .07
    self.brow_y = np.array([-.185, -.185]) + n(.04) + low + draw.normal(0, .008, 2)
    self.brow_tilt = np.array([-.01, -.01]) + n(.045) + .05 * self.frown + n(.008)
    self.brow_arch = np.array([.075, .075]) + n(.022) + .02 * self.surprise
    self.brow_peak = .42 + n(.05)
    self.brow_outer = .675 + n(.04)
    self.brow_inner = np.array([.145, .145]) + n(.032) - .02 * self.frown
    self.brow_thick = between(.062 + n(.016), .025, .12)


def _nose_and_mouth(self, draw):
    n = lambda spread: _normal(draw, 0, spread)  # noqa: E731
    self.nose_top = -.015 + n(.03)
    self.nose_base = (.532 + n(.040)) * self.stretch
    self.nose_tip = self.nose_base - .138 + n(.018)
    self.nose_half = .147 + n(.023) + .012 * max(self.smile, 0)
    self.nose_flare = n(.012)
    self.nose_x = n(.008)
    self.nose_height = 1 + n(.14)
    smile, gap = self.smile, self.gap
    self.mouth_x = n(.012)
    self.mouth_half = .304 + n(.028) + .068 * smile - .09 * self.pucker - .06 * max(gap - .15, 0)
    self.lip_upper = between(.060 + n(.019) - .016 * max(smile, 0) + .015 * self.pucker, .012, .13)
    self.lip_lower = between(.109 + n(.024) - .014 * max(smile, 0) + .012 * self.pucker, .03, .19)
    self.gap_up = between(.22 + n(.06) + .15 * max(smile, 0) * (gap < .2), .05, .55)
    self.mouth_gap = gap
    self.mouth_y = self.nose_base + (.210 + n(.03)) * self.stretch - .015 * smile + .22 * gap
    self.mouth_lift = .004 + n(.014) + .05 * smile + .25 * gap * (smile > .3) * smile - .03 * self.frown * (smile < 0)
    self.mouth_skew = n(.008) if draw.random() < .8 else n(.03)
    self.lip_dip = draw.uniform(0, .025)
    self.chin = max(self.chin, self.mouth_y + (1 - self.gap_up) * gap + self.lip_lower + .22)


def _relief(self, draw):
    v = lambda amount, spread: _normal(draw, amount, amount * spread)  # noqa: E731
    tip, base, half, tall = self.nose_tip, self.nose_base, self.nose_half, self.nose_height
    mouth_x, smile = self.mouth_half, max(self.smile, 0.)
    rows = [
        (0, -.04, v(.045, .4), .12, .10),
        (0, .10, v(.09, .3) * tall, .085, .12),
        (0, .24 * tip / .43, v(.13, .25) * tall, .085, .13),
        (0, tip, v(.25, .1) * tall, .095, .115),
        (0, tip - .1, v(.07, .3) * tall, .08, .1),
        (half * .95, base - .07, v(.14, .15), .066, .065),
        (half * .4, base - .055, .05, .1, .05),
        (.34, .0, -v(.09, .35), .17, .10),
        (.19, -.02, -v(.065, .35), .08, .09),
        (self.eye_x, .0, v(.075, .2), .12, .065),
        (.36, -.19, v(.03, .8), .24, .065),
        (0, -.2, v(.03, .6), .14, .08),
        (.25, -.55, v(.03, .6), .25, .2),
        (.55, .33, v(.05, .5) + .03 * smile, .18, .15),
        (.42, .62, v(-.01, 1.5) + .05 * smile, .16, .17),
        (0, self.mouth_y, v(.06, .3), .30, .24),
        (0, self.mouth_y - .045, v(.05, .3), .17, .05),
        (0, self.mouth_y + self.mouth_gap * .7 + .06, v(.055, .3), .17, .05),
        (mouth_x + .05, self.mouth_y + .01, -v(.035, .3) - .02 * smile, .06, .07),
        (0, self.mouth_y + self.mouth_gap * .75 + .2, -v(.05, .4), .2, .06),
        (0, self.chin - .15, v(.08, .4), .18, .11),
        (.72, -.2, -v(.04, .6), .14, .25),
        (.6, .75, v(.0, 1) + float(draw.normal(0, .02)), .2, .25),
        (half + .15, base - .11, -.03, .07, .1),
    ]
    loose = np.stack([
        draw.uniform(0, .7, 5),
        draw.uniform(-.9, 1.2, 5),
        draw.normal(0, .016, 5),
        draw.uniform(.1, .3, 5),
        draw.uniform(.1, .3, 5)
    ], -1)
    self.relief = np.concatenate([np.array(rows), loose])
