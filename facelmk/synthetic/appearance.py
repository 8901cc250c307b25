"""The appearance of a face: colours, hair, make-up, accessories, light and image quality, drawn from (seed, index)."""

import numpy as np

from .shape import pick, stream

_SKIN_COLOURS = np.array(
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
_HAIR_COLOURS = np.array([[22, 20, 22], [30, 34, 42], [32, 46, 70], [42, 66, 104], [78, 120, 168], [132, 176, 212],
                   [36, 60, 130], [150, 150, 152], [205, 205, 208]], float)
# fmt: on
_HAIR_SHARES = np.array([0.24, 0.2, 0.16, 0.12, 0.1, 0.06, 0.04, 0.05, 0.03])
_IRIS_COLOURS = np.array(
    [[26, 38, 62], [34, 52, 84], [60, 88, 110], [88, 104, 92], [150, 124, 92], [160, 140, 120]], float
)


class Appearance:
    """All that is visible of a face and does not move its landmarks. Colours are BGR from 0 to 255.

    Tests change single values, so these are plain attributes.
    """

    # skin, hair and features
    skin_tone: float  # 0 light, 1 dark
    skin_colour: np.ndarray
    hair_colour: np.ndarray
    male: bool
    age: float
    brow_colour: np.ndarray
    brow_density: float
    brow_low: float
    iris_colour: np.ndarray
    iris_size: float
    lip_colour: np.ndarray
    lip_edge: float
    chin_fold: float
    hair_style: str
    hairline: float
    fringe: bool
    fringe_height: float
    parting: float
    beard: str
    moustache: float  # how far it hangs over the upper lip
    beard_weight: float
    neck_tone: float
    # make-up
    make_up: bool
    lipstick: float
    lipstick_colour: np.ndarray
    eye_shadow: float
    eye_shadow_colour: np.ndarray
    eye_liner: float
    blush: float
    # accessories and occluders
    glasses: bool
    sunglasses: bool
    frame_colour: np.ndarray
    frame_width: float
    occluder: str
    hat: str
    cloth_colour: np.ndarray
    # light
    hard_light: bool
    key_light: np.ndarray  # unit direction towards the light
    key_light_colour: np.ndarray
    ambient_colour: np.ndarray
    fill_light: np.ndarray
    exposure: float
    shine: float
    cast_shadow: float
    # camera and file
    blurred: bool
    blur: float
    motion: bool
    motion_angle: float
    grey: bool
    noise: float
    jpeg: int  # quality; 0 for no compression
    gamma: float
    balance: np.ndarray
    contrast: float
    saturation: float


def draw_appearance(seed: int, index: int) -> Appearance:
    """Draw the appearance of a face."""
    rng = stream(seed, index, 1)
    look = Appearance()
    _skin_and_hair(look, rng)
    _make_up(look, rng)
    _accessories(look, rng)
    _light(look, rng)
    _image_quality(look, rng)
    return look


def _interpolate(table: np.ndarray, position: float) -> np.ndarray:
    """The row of a table at a position from 0 (first row) to 1 (last row)."""
    position = np.clip(position, 0, 1) * (len(table) - 1)
    low = min(int(position), len(table) - 2)
    return table[low] + (table[low + 1] - table[low]) * (position - low)


def _skin_and_hair(look: Appearance, rng: np.random.Generator) -> None:
    look.skin_tone = rng.random()
    warm = rng.normal(0, 0.06) * np.array([-1, -0.1, 0.6])
    look.skin_colour = np.clip(
        _interpolate(_SKIN_COLOURS, look.skin_tone) * (1 + warm + rng.normal(0, 0.02, 3)) * (1 + rng.normal(0, 0.05)),
        20,
        252,
    )
    dark = look.skin_tone > 0.55
    shares = _HAIR_SHARES * (np.array([3, 1.5, 0.5, 0.2, 0.1, 0.1, 0.2, 0.6, 0.3]) if dark else 1)
    hair = _HAIR_COLOURS[pick(rng, dict(enumerate(shares / shares.sum())))]
    look.hair_colour = np.clip(hair * (1 + rng.normal(0, 0.12, 3)) * rng.uniform(0.75, 1.25), 8, 240)
    look.male = rng.random() < 0.5
    look.age = rng.random()
    brow = 0.6 * look.hair_colour + 0.4 * np.minimum(look.hair_colour, look.skin_colour * 0.5)
    look.brow_colour = np.minimum(brow * rng.uniform(0.6, 1.1), look.skin_colour * 0.85)
    look.brow_density = rng.uniform(0.25, 1.0) if rng.random() < 0.3 else rng.uniform(0.6, 1.0)
    look.brow_low = rng.uniform(0, 0.4)
    look.iris_colour = _interpolate(_IRIS_COLOURS, rng.random() ** (3 if dark else 1.2)) * rng.uniform(0.7, 1.3)
    look.iris_size = rng.uniform(0.060, 0.070)
    lips = look.skin_colour * (0.72, 0.70, 0.86) * (1 + rng.normal(0, 0.06, 3)) * rng.uniform(0.8, 1.15)
    look.lip_colour = np.clip(look.skin_colour + (lips - look.skin_colour) * rng.uniform(0.15, 1.1), 10, 250)
    look.lip_edge, look.chin_fold = rng.uniform(0.3, 1.0), rng.uniform(0, 1.2)
    styles = (
        dict(bald=0.12, short=0.62, medium=0.2, long=0.06)
        if look.male
        else dict(bald=0.01, short=0.14, medium=0.25, long=0.6)
    )
    look.hair_style = pick(rng, styles)
    look.hairline = np.clip(rng.normal(0.83, 0.09), 0.6, 1.05) + (
        rng.uniform(0, 0.2) if look.male and rng.random() < 0.3 else 0
    )
    look.fringe = rng.random() < (0.12 if look.male else 0.28) and look.hair_style != 'bald'
    look.fringe_height = rng.uniform(0.12, 0.42) if rng.random() < 0.65 else rng.uniform(-0.02, 0.2)
    look.parting = rng.uniform(-0.5, 0.5)
    beards = dict(none=0.46, stubble=0.2, goatee=0.12, full=0.14, moustache=0.08)
    look.beard = pick(rng, beards) if look.male else 'none'
    look.moustache = rng.uniform(-0.02, 0.035)
    look.beard_weight = rng.uniform(0.3, 1.0)
    look.neck_tone = rng.uniform(0.55, 1.06)


def _make_up(look: Appearance, rng: np.random.Generator) -> None:
    look.make_up = rng.random() < (0.12 if look.male else 0.42)
    strong = rng.uniform(0.5, 1.0) if look.make_up else rng.uniform(0, 0.25) * (not look.male)
    look.lipstick = strong * (rng.random() < 0.8)
    hue = [[40, 30, 190], [70, 40, 150], [110, 80, 225], [60, 70, 200], [90, 20, 110], [40, 40, 120]][rng.integers(6)]
    look.lipstick_colour = np.array(hue) * rng.uniform(0.7, 1.2)
    look.eye_shadow = strong * (rng.random() < 0.7)
    look.eye_shadow_colour = rng.uniform(20, 170, 3)
    look.eye_liner = strong * (rng.random() < 0.8) + 0.2 * rng.random()
    look.blush = strong * rng.random()
    if look.make_up and look.lipstick + look.eye_shadow == 0:
        look.lipstick = look.eye_shadow = strong


def _accessories(look: Appearance, rng: np.random.Generator) -> None:
    look.glasses = rng.random() < 0.17
    look.sunglasses = look.glasses and rng.random() < 0.25
    look.frame_colour = rng.uniform(10, 90, 3) if rng.random() < 0.7 else rng.uniform(20, 230, 3)
    look.frame_width = rng.uniform(0.012, 0.045)
    look.occluder = pick(
        rng,
        {
            '': 0.79,
            'hand': 0.05,
            'object': 0.035,
            'mask': 0.025,
            'scarf': 0.02,
            'microphone': 0.025,
            'strand': 0.03,
            'stick': 0.015,
            'person': 0.01,
        },
    )
    look.hat = pick(rng, {'': 0.86, 'cap': 0.04, 'beanie': 0.035, 'hood': 0.03, 'band': 0.015, 'brim': 0.02})
    look.cloth_colour = rng.uniform(10, 245, 3) if rng.random() < 0.7 else np.repeat(rng.uniform(10, 245), 3)


def _light(look: Appearance, rng: np.random.Generator) -> None:
    look.hard_light = rng.random() < 0.22
    side, up = rng.normal(0, 0.7), rng.uniform(-0.1, 0.9)
    key = np.array([side, -up, rng.uniform(0.4, 1.2)])
    if look.hard_light:
        key = np.array(
            [pick(rng, {-1: 0.5, 1: 0.5}) * rng.uniform(0.6, 1.4), -rng.uniform(-0.5, 0.9), rng.uniform(-0.1, 0.7)]
        )
    look.key_light = (key / np.linalg.norm(key)).astype(np.float32)
    share = rng.uniform(0.55, 0.95) if look.hard_light else rng.uniform(0.15, 0.65)
    warm = rng.normal(0, 0.09 + 0.10 * look.hard_light) * np.array([-1, -0.1, 0.8]) + rng.normal(0, 0.03, 3)
    look.key_light_colour = share * (1 + warm)
    look.ambient_colour = (1 - share) * (1 - 0.6 * warm)
    look.fill_light = np.array([-look.key_light[0] * 0.8, -0.2, 0.5])
    look.exposure = rng.uniform(0.28, 0.65) if look.hard_light and rng.random() < 0.5 else rng.uniform(0.75, 1.12)
    if look.hard_light and rng.random() < 0.25:
        look.exposure = rng.uniform(1.3, 1.7)
    look.shine = rng.uniform(0, 0.35) if rng.random() < 0.7 else rng.uniform(0.2, 0.7)
    look.cast_shadow = rng.uniform(0.2, 0.9)


def _image_quality(look: Appearance, rng: np.random.Generator) -> None:
    look.blurred = rng.random() < 0.18
    look.blur = rng.uniform(0.011, 0.024) if look.blurred else rng.uniform(0, 0.006)
    look.motion = look.blurred and rng.random() < 0.35
    look.motion_angle = rng.uniform(0, np.pi)
    look.grey = rng.random() < 0.07
    look.noise = rng.uniform(0, 0.12) if rng.random() < 0.7 else rng.uniform(0.1, 0.5)
    look.jpeg = int(rng.integers(18, 90)) if rng.random() < 0.3 else 0
    look.gamma = np.exp(rng.normal(0, 0.12))
    look.balance = 1 + rng.normal(0, 0.05) * np.array([-1, 0, 1]) + rng.normal(0, 0.02, 3)
    look.contrast = rng.uniform(0.75, 1.15)
    look.saturation = rng.uniform(0.7, 1.15)
