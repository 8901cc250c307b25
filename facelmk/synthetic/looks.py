"""The looks of a face: skin, hair, brows, lips, make-up, beard, glasses, light and picture quality."""

from types import SimpleNamespace

import numpy as np

from .parameters import pick, stream

_SKINS = np.array(
    [
        [212, 224, 250],
        [184, 204, 240],
        [160, 184, 226],
        [128, 158, 208],
        [98, 130, 186],
        [72, 98, 150],
        [52, 70, 112],
        [38, 48, 78],
    ],
    float,
)  # BGR, light to dark
# fmt: off
_HAIRS = np.array([[22, 20, 22], [30, 34, 42], [32, 46, 70], [42, 66, 104], [78, 120, 168], [132, 176, 212],
                   [36, 60, 130], [150, 150, 152], [205, 205, 208]], float)
# fmt: on
_HAIR_SHARES = np.array([0.24, 0.2, 0.16, 0.12, 0.1, 0.06, 0.04, 0.05, 0.03])
_IRISES = np.array([[26, 38, 62], [34, 52, 84], [60, 88, 110], [88, 104, 92], [150, 124, 92], [160, 140, 120]], float)


def looks(seed: int, index: int, face: SimpleNamespace) -> SimpleNamespace:
    """Everything about a face that is seen but does not move its points."""
    draw = stream(seed, index, 1)
    self = SimpleNamespace()
    _skin_and_hair(self, draw)
    _make_up(self, draw)
    _covers(self, draw)
    _light(self, draw, face)
    _picture(self, draw)
    return self


def _between(table, at):
    at = np.clip(at, 0, 1) * (len(table) - 1)
    low = min(int(at), len(table) - 2)
    return table[low] + (table[low + 1] - table[low]) * (at - low)


def _skin_and_hair(self, draw):
    self.tone = draw.random()
    warm = draw.normal(0, 0.06) * np.array([-1, -0.1, 0.6])
    self.skin = np.clip(
        _between(_SKINS, self.tone) * (1 + warm + draw.normal(0, 0.02, 3)) * (1 + draw.normal(0, 0.05)), 20, 252
    )
    dark = self.tone > 0.55
    shares = _HAIR_SHARES * (np.array([3, 1.5, 0.5, 0.2, 0.1, 0.1, 0.2, 0.6, 0.3]) if dark else 1)
    hair = _HAIRS[pick(draw, dict(enumerate(shares / shares.sum())))]
    self.hair = np.clip(hair * (1 + draw.normal(0, 0.12, 3)) * draw.uniform(0.75, 1.25), 8, 240)
    self.male = draw.random() < 0.5
    self.age = draw.random()
    brow = 0.6 * self.hair + 0.4 * np.minimum(self.hair, self.skin * 0.5)
    self.brow_colour = np.minimum(brow * draw.uniform(0.6, 1.1), self.skin * 0.85)
    self.brow_density = draw.uniform(0.25, 1.0) if draw.random() < 0.3 else draw.uniform(0.6, 1.0)
    self.brow_low = draw.uniform(0, 0.4)
    self.iris = _between(_IRISES, draw.random() ** (3 if dark else 1.2)) * draw.uniform(0.7, 1.3)
    self.iris_size = draw.uniform(0.060, 0.070)
    lips = self.skin * (0.72, 0.70, 0.86) * (1 + draw.normal(0, 0.06, 3)) * draw.uniform(0.8, 1.15)
    self.lips = np.clip(self.skin + (lips - self.skin) * draw.uniform(0.15, 1.1), 10, 250)
    self.lip_edge, self.chin_fold = draw.uniform(0.3, 1.0), draw.uniform(0, 1.2)
    styles = (
        dict(bald=0.12, short=0.62, medium=0.2, long=0.06)
        if self.male
        else dict(bald=0.01, short=0.14, medium=0.25, long=0.6)
    )
    self.style = pick(draw, styles)
    self.hairline = np.clip(draw.normal(0.83, 0.09), 0.6, 1.05) + (
        draw.uniform(0, 0.2) if self.male and draw.random() < 0.3 else 0
    )
    self.bangs = draw.random() < (0.12 if self.male else 0.28) and self.style != 'bald'
    self.bang_line = draw.uniform(0.12, 0.42) if draw.random() < 0.65 else draw.uniform(-0.02, 0.2)
    self.parting = draw.uniform(-0.5, 0.5)
    beards = dict(none=0.46, stubble=0.2, goatee=0.12, full=0.14, moustache=0.08)
    self.beard = pick(draw, beards) if self.male else 'none'
    self.moustache = draw.uniform(-0.02, 0.035)  # how far it hangs over the upper lip
    self.beard_weight = draw.uniform(0.3, 1.0)
    self.neck_tone = draw.uniform(0.55, 1.06)


def _make_up(self, draw):
    self.make_up = draw.random() < (0.12 if self.male else 0.42)
    strong = draw.uniform(0.5, 1.0) if self.make_up else draw.uniform(0, 0.25) * (not self.male)
    self.lipstick = strong * (draw.random() < 0.8)
    hue = [[40, 30, 190], [70, 40, 150], [110, 80, 225], [60, 70, 200], [90, 20, 110], [40, 40, 120]][draw.integers(6)]
    self.lipstick_colour = np.array(hue) * draw.uniform(0.7, 1.2)
    self.shadow = strong * (draw.random() < 0.7)
    self.shadow_colour = draw.uniform(20, 170, 3)
    self.liner = strong * (draw.random() < 0.8) + 0.2 * draw.random()
    self.blush = strong * draw.random()
    if self.make_up and self.lipstick + self.shadow == 0:
        self.lipstick = self.shadow = strong


def _covers(self, draw):
    self.glasses = draw.random() < 0.17
    self.shades = self.glasses and draw.random() < 0.25
    self.frame = draw.uniform(10, 90, 3) if draw.random() < 0.7 else draw.uniform(20, 230, 3)
    self.frame_width = draw.uniform(0.012, 0.045)
    self.cover = pick(
        draw,
        {
            '': 0.79,
            'hand': 0.05,
            'thing': 0.035,
            'mask': 0.025,
            'scarf': 0.02,
            'microphone': 0.025,
            'lock': 0.03,
            'bar': 0.015,
            'person': 0.01,
        },
    )
    self.hat = pick(draw, {'': 0.86, 'cap': 0.04, 'beanie': 0.035, 'hood': 0.03, 'band': 0.015, 'brim': 0.02})
    self.cloth = draw.uniform(10, 245, 3) if draw.random() < 0.7 else np.repeat(draw.uniform(10, 245), 3)


def _light(self, draw, face):
    self.hard = draw.random() < 0.22
    side, up = draw.normal(0, 0.7), draw.uniform(-0.1, 0.9)
    key = np.array([side, -up, draw.uniform(0.4, 1.2)])
    if self.hard:
        key = np.array(
            [pick(draw, {-1: 0.5, 1: 0.5}) * draw.uniform(0.6, 1.4), -draw.uniform(-0.5, 0.9), draw.uniform(-0.1, 0.7)]
        )
    self.key = (key / np.linalg.norm(key)).astype(np.float32)
    share = draw.uniform(0.55, 0.95) if self.hard else draw.uniform(0.15, 0.65)
    warm = draw.normal(0, 0.09 + 0.10 * self.hard) * np.array([-1, -0.1, 0.8]) + draw.normal(0, 0.03, 3)
    self.key_colour = share * (1 + warm)
    self.ambient = (1 - share) * (1 - 0.6 * warm)
    self.fill_light = np.array([-self.key[0] * 0.8, -0.2, 0.5])
    self.exposure = draw.uniform(0.28, 0.65) if self.hard and draw.random() < 0.5 else draw.uniform(0.75, 1.12)
    if self.hard and draw.random() < 0.25:
        self.exposure = draw.uniform(1.3, 1.7)
    self.shine = draw.uniform(0, 0.35) if draw.random() < 0.7 else draw.uniform(0.2, 0.7)
    self.cast = draw.uniform(0.2, 0.9)


def _picture(self, draw):
    self.blurred = draw.random() < 0.18
    self.blur = draw.uniform(0.011, 0.024) if self.blurred else draw.uniform(0, 0.006)
    self.motion = self.blurred and draw.random() < 0.35
    self.motion_angle = draw.uniform(0, np.pi)
    self.grey = draw.random() < 0.07
    self.noise = draw.uniform(0, 0.12) if draw.random() < 0.7 else draw.uniform(0.1, 0.5)
    self.jpeg = int(draw.integers(18, 90)) if draw.random() < 0.3 else 0
    self.gamma = np.exp(draw.normal(0, 0.12))
    self.balance = 1 + draw.normal(0, 0.05) * np.array([-1, 0, 1]) + draw.normal(0, 0.02, 3)
    self.contrast = draw.uniform(0.75, 1.15)
    self.saturation = draw.uniform(0.7, 1.15)
