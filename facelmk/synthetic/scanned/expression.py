"""The expression of a scanned head, drawn so that it fits the expression of a `FaceShape`."""

import numpy as np

from ..shape import FaceShape

_RARE = (
    'jawLeft',
    'jawRight',
    'mouthLeft',
    'mouthRight',
    'jawForward',
    'mouthShrugUpper',
    'mouthShrugLower',
    'mouthRollLower',
    'mouthRollUpper',
    'cheekPuff_L',
    'cheekPuff_R',
)


def draw_expression(face: FaceShape, rng: np.random.Generator) -> dict[str, float]:
    """The shares of ICT-FaceKit's expressions, from 0 to about 1, for the expression of a face."""
    lean = rng.normal(0, 0.12)
    both = _on_both_sides(face, rng)
    closed = rng.random()
    blink = 1.0 if closed < 0.035 else rng.uniform(0.3, 0.8) if closed < 0.08 else max(0.0, rng.uniform(-0.15, 0.22))
    wink = 1 + 0.9 * (rng.random() < 0.02)
    shares = {}
    for side, sign in (('L', 1), ('R', -1)):
        for name, share in both.items():
            shares[f'{name}_{side}'] = float(np.clip(share * (1 + sign * lean) + rng.normal(0, 0.04), 0, 1.1))
        shares[f'eyeBlink_{side}'] = min(blink * (wink if sign > 0 else 1.0), 1.0)
        gaze = face.gaze * (3.2, 0.9)
        shares[f'eyeLookUp_{side}' if gaze[1] < 0 else f'eyeLookDown_{side}'] = min(abs(gaze[1]), 0.8)
        shares[f'eyeLook{"Out" if gaze[0] * sign > 0 else "In"}_{side}'] = min(abs(gaze[0]), 0.9)
    shares['jawOpen'] = float(np.clip(1.9 * face.gap * rng.uniform(0.7, 1.1) - 0.12 * (face.gap > 0), 0, 1))
    shares['mouthFunnel' if rng.random() < 0.4 else 'mouthPucker'] = min(face.pucker, 1.0)
    for name in _RARE:
        shares[name] = max(0.0, rng.normal(-0.06, 0.12))
    return {name: share for name, share in shares.items() if share > 0.01}


def _on_both_sides(face: FaceShape, rng: np.random.Generator) -> dict[str, float]:
    """The expressions that the head has for the left and for the right side."""
    smile, sad = max(face.smile, 0.0), max(-face.smile, 0.0)
    return dict(
        mouthSmile=0.85 * smile,
        mouthDimple=0.3 * smile * rng.uniform(0, 1),
        cheekSquint=0.7 * smile * rng.uniform(0.3, 1),
        mouthFrown=0.8 * sad,
        browDown=0.8 * face.frown,
        eyeSquint=0.7 * face.squeeze + 0.35 * smile * rng.uniform(0, 1),
        mouthPress=0.5 * face.squeeze,
        noseSneer=0.5 * face.squeeze + 0.25 * face.frown,
        browOuterUp=0.7 * face.surprise,
        eyeWide=0.8 * face.surprise,
        browInnerUp=0.8 * face.surprise + 0.3 * sad,
        mouthStretch=0.5 * rng.uniform(0, 1) * (face.gap > 0.2),
        mouthUpperUp=min(3.2 * face.gap, 0.8) * rng.uniform(0.2, 1),
        mouthLowerDown=min(3.2 * face.gap, 0.9) * rng.uniform(0.3, 1),
    )
