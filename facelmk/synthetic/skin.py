"""The texture of a head: skin with its shades and wrinkles, features, beard, neck and collar."""

import cv2
import numpy as np

import facelmk.synthetic.features as features
import facelmk.synthetic.landmarks as face_landmarks
import facelmk.synthetic.mesh as head_mesh

from .appearance import Appearance
from .coverings import HEIGHT, WIDTH, Coverings, paint_coverings
from .drawing import blend, bounds, colour_of, ellipse, fill, line, tint, to_bgr
from .features import to_texture
from .mesh import HeadMesh
from .shape import FaceShape
from .textures import noise_window

_NECK_TOP = head_mesh.NECK_TOP


def draw_texture(
    mesh: HeadMesh,
    face: FaceShape,
    look: Appearance,
    coverings: Coverings,
    rng: np.random.Generator,
    with_eyes: bool = True,
) -> np.ndarray:
    """The texture of a head before lighting: (HEIGHT, WIDTH, 3) uint8; without eyes it has their lids only."""
    noise = cv2.addWeighted(
        noise_window('pore', rng, HEIGHT, WIDTH, 0.12 + 0.25 * look.age * rng.random()),
        0.5,
        noise_window('blotch', rng, HEIGHT, WIDTH, 0.25),
        0.5,
        0,
    )
    _wrinkles(noise, mesh, face, look, rng)
    image = cv2.multiply(to_bgr(noise), _shades(mesh, face, look), scale=1 / 128)
    if look.beard in ('stubble', 'goatee', 'full'):
        image = _beard(image, mesh, face, look, rng)
    features.nostrils(image, mesh, face, look)
    features.mouth(image, mesh, face, look, rng)
    if look.beard in ('goatee', 'full', 'moustache'):
        _moustache(image, mesh, face, look, rng)
    (features.eyes if with_eyes else features.eyelids)(image, mesh, face, look)
    features.brows(image, mesh, face, look, rng)
    _collar(image, look, rng)
    return paint_coverings(image, coverings, look, rng)


def _shades(mesh: HeadMesh, face: FaceShape, look: Appearance) -> np.ndarray:
    """The skin colour with its soft shades."""
    half: np.ndarray = np.full((HEIGHT // 2, WIDTH // 2, 3), 128, np.uint8)
    smile = max(face.smile, 0.0)
    blobs = []
    for sign in (-1, 1):
        x = sign * face.eye_x
        blobs += [
            ((sign * 0.48, 0.42), (0.17, 0.14), (122 - 14 * look.blush, 122 - 18 * look.blush, 130 + 6 * look.blush)),
            ((x, 0.11), (0.13, 0.035), (116, 114, 116) if look.age > 0.4 else (124, 122, 124)),
            ((x, -0.05), (0.15, 0.07), (112, 112, 116)),
            ((sign * 0.17, 0.0), (0.05, 0.09), (104, 104, 108)),
            ((sign * 0.8, 0.3), (0.1, 0.6), (118, 118, 120)),
        ]
        if look.eye_shadow > 0.25:
            colour = (
                128 + (look.eye_shadow_colour / np.maximum(look.skin_colour, 30) * 128 - 128) * look.eye_shadow * 0.8
            )
            blobs.append(((x, -0.06), (0.16, 0.075), tuple(np.clip(colour, 10, 200))))
    blobs += [
        ((0, face.nose_tip), (0.09, 0.08), (124, 124, 132)),
        ((0, face.nose_base + 0.03), (0.12, 0.025), (106, 106, 110)),
        (
            (0, face.mouth_y + face.mouth_gap * 0.7 + face.lip_lower + 0.03 + look.chin_fold * 0.02),
            (0.16, 0.02 + 0.03 * look.chin_fold),
            (128 - 42 * look.chin_fold,) * 2 + (128 - 36 * look.chin_fold,),
        ),
    ]
    outlines = [ellipse(centre, radii) for centre, radii, _ in blobs]
    outlines = np.split(to_texture(mesh, np.concatenate(outlines)) / 2, len(blobs))
    for outline, (_, _, colour) in zip(outlines, blobs, strict=True):
        fill(half, outline, colour_of(np.asarray(colour)))
    folds = _nasolabial(face)
    for fold in np.split(to_texture(mesh, np.concatenate(folds)) / 2, 2):
        depth = 8 + 34 * smile + 14 * look.age
        line(half, fold, (128 - depth, 128 - depth, 130 - depth * 0.8), 2)
    half = cv2.GaussianBlur(half, (9, 9), 0)
    half = tint(half, look.skin_colour)
    return cv2.resize(half, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


def _nasolabial(face: FaceShape) -> list[np.ndarray]:
    half, base, smile = face.nose_half, face.nose_base, max(face.smile, 0.0)
    end_x = face.mouth_half + 0.075 + 0.02 * smile
    curve = np.array(
        [
            [half * 1.3, base - 0.12],
            [half * 1.55, base - 0.01],
            [end_x * 0.93, face.mouth_y - 0.13],
            [end_x, face.mouth_y - 0.02],
            [end_x * 0.98, face.mouth_y + 0.08],
        ]
    )
    return [curve * [sign, 1] for sign in (-1, 1)]


def _wrinkles(noise: np.ndarray, mesh: HeadMesh, face: FaceShape, look: Appearance, rng: np.random.Generator) -> None:
    """Fine lines: smile, forehead, outer eye corners and under the eyes, in place."""
    strength = 0.25 * look.age + 0.25 * max(face.smile, 0)
    lines = []
    if strength > 0.12:
        lines += [fold + rng.normal(0, 0.008, fold.shape) for fold in _nasolabial(face)]
        for sign in (-1, 1):
            x = sign * face.eye_x
            lines.append(
                np.array([[x - 0.12, 0.07], [x - 0.05, 0.115], [x + 0.05, 0.12], [x + 0.12, 0.07], [x + 0.13, 0.06]])
            )
            for k in (-1, 0, 1):
                start = np.array([sign * 0.53, 0.01 + 0.02 * k])
                lines.append(start + np.linspace(0, 1, 5)[:, None] * [sign * 0.09, 0.05 * k + 0.01])
    if look.age > 0.5 or face.surprise > 0.3:
        for k in range(3):
            y = -0.36 - 0.1 * k + rng.normal(0, 0.02)
            lines.append(np.stack([np.linspace(-0.4, 0.4, 5), y + 0.03 * np.cos(np.linspace(-3, 3, 5))], -1))
    if not lines:
        return
    canvas: np.ndarray = np.full(noise.shape, 255, np.uint8)
    for part in np.split(to_texture(mesh, np.concatenate(lines)), len(lines)):
        line(canvas, part, int(255 - 120 * min(strength, 0.6) * rng.uniform(0.3, 1.0)), 1)
    canvas = cv2.GaussianBlur(canvas[:_NECK_TOP], (3, 3), 0)
    noise[:_NECK_TOP] = cv2.multiply(noise[:_NECK_TOP], canvas, scale=1 / 255)


def _beard(
    image: np.ndarray, mesh: HeadMesh, face: FaceShape, look: Appearance, rng: np.random.Generator
) -> np.ndarray:
    alpha: np.ndarray = np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8)
    mouth, base, chin = face.mouth_y, face.nose_base, face.chin
    inner = face.mouth_half + 0.05
    full = [
        (0.80, 0.25),
        (0.72, 0.55),
        (0.52, mouth - 0.02),
        (inner, mouth - 0.1),
        (0.19, base + 0.05),
        (0, base + 0.06),
    ]
    goatee = [
        (0.24, chin),
        (0.26, chin - 0.25),
        (inner + 0.03, mouth + 0.02),
        (inner, mouth - 0.1),
        (0.18, base + 0.05),
        (0, base + 0.06),
    ]
    edge = np.array(goatee if look.beard == 'goatee' else full)
    below = (
        np.array([[0, chin], [0.2, chin]])
        if look.beard == 'goatee'
        else np.array([[0, chin], [0.3, chin], [0.62, chin - 0.2], [0.8, 0.5]])
    )
    ring = np.concatenate([edge, edge[::-1] * [-1, 1], below[::-1] * [-1, 1], below])
    fill(alpha, to_texture(mesh, ring) / 2, 255)
    if look.beard != 'goatee' and look.beard_weight > 0.2:
        alpha[_NECK_TOP // 2 - 12 : _NECK_TOP // 2 + 1] = np.maximum(
            alpha[_NECK_TOP // 2 - 12 : _NECK_TOP // 2 + 1], 110
        )
    alpha = cv2.resize(cv2.GaussianBlur(alpha, (7, 7), 0), (WIDTH, HEIGHT))
    weight = look.beard_weight * (0.45 if look.beard == 'stubble' else 1.0)
    hairs = noise_window('pore', rng, HEIGHT, WIDTH, 1.6, 150)
    alpha = cv2.multiply(cv2.multiply(alpha, hairs, scale=1 / 160), np.array([weight, 0, 0, 0], float))
    return blend(image, colour_of(look.hair_colour, 0.8), alpha)


def _moustache(image: np.ndarray, mesh: HeadMesh, face: FaceShape, look: Appearance, rng: np.random.Generator) -> None:
    """Hair between nose and mouth, in place. It can hang over the upper lip."""
    lip = face_landmarks.mouth(face, np.linspace(-1.08, 1.08, 13))[0] + [0, look.moustache]
    root = np.stack(
        [np.linspace(-1, 1, 13) * face.nose_half * 1.1, face.nose_base + 0.035 + 0.05 * np.linspace(-1, 1, 13) ** 2], -1
    )
    lip[:, 1] = np.maximum(lip[:, 1], root[:, 1] + 0.02)
    outline = to_texture(mesh, np.concatenate([root, lip[::-1]]))
    rows, cols = bounds(outline, 4, image.shape)
    alpha: np.ndarray = np.zeros(image[rows, cols].shape[:2], np.uint8)
    fill(alpha, outline - [cols.start, rows.start], 255)
    hairs = noise_window('pore', rng, alpha.shape[0], alpha.shape[1], 1.6, 150)
    alpha = cv2.multiply(cv2.GaussianBlur(alpha, (5, 5), 0), hairs, scale=look.beard_weight / 160)
    image[rows, cols] = blend(image[rows, cols], colour_of(look.hair_colour, 0.75), alpha)


def _collar(image: np.ndarray, look: Appearance, rng: np.random.Generator) -> None:
    """Give the neck its own tone, and draw clothes below it, in place."""
    neck = image[_NECK_TOP:]
    neck[:] = tint(neck, np.full(3, look.neck_tone), 1)
    top = HEIGHT - 1 - rng.uniform(1.6, 4.6) * head_mesh.CELL
    dip, middle = rng.uniform(-3, 22), WIDTH / 2
    colour = look.cloth_colour if rng.random() < 0.5 else rng.uniform(10, 245, 3)
    edge = [
        (0, top - 6),
        (middle - 60, top - 4),
        (middle, top + dip),
        (middle + 60, top - 4),
        (WIDTH, top - 6),
        (WIDTH, HEIGHT),
        (0, HEIGHT),
    ]
    fill(image, np.array(edge), colour_of(np.asarray(colour)))
