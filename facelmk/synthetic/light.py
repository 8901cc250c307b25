"""Light on the vertices: ambient, one key light with cast and attached shadows, a weak fill light, shine."""

from types import SimpleNamespace

import cv2
import numpy as np

import facelmk.synthetic.anatomy as anatomy

from .render import behind, depth_map


def lit(texture: np.ndarray, posed: np.ndarray, look: SimpleNamespace) -> np.ndarray:
    """The texture under the face's light, (HEIGHT, WIDTH, 3) uint8."""
    normal = anatomy.normals(posed)
    facing = _dot(normal, look.key)
    key = np.maximum(facing + 0.08, 0) / 1.08
    if look.cast > 0.1:
        view = depth_map(posed, look.key)
        hidden = behind(posed, view)
        shadow = np.clip((hidden - 0.07) * 12, 0, 1).astype(np.float32)
        key = key * (1 - np.float32(look.cast) * cv2.blur(shadow, (3, 3)))
    sky = 0.82 - 0.22 * normal[..., 1] - 0.1 * np.maximum(-normal[..., 2], 0)
    fill = np.maximum(_dot(normal, look.fill_light.astype(np.float32)), 0) * 0.3
    shade = sky[..., None] * look.ambient.astype(np.float32) + (key * 1.5)[..., None] * look.key_colour.astype(
        np.float32
    )
    shade = (shade + fill[..., None] * look.ambient.astype(np.float32)) * np.float32(look.exposure)
    shade = np.sqrt(np.maximum(shade, 0.004)) * (0.35 + 0.65 * np.sqrt(np.maximum(shade, 0.004)))
    glare = look.key + np.array([0, 0, 1], np.float32)
    glare = glare / np.float32(np.sqrt((glare * glare).sum()))
    shine = np.maximum(_dot(normal, glare), 0) ** 14 * np.float32(look.shine * 70) * (key > 0)
    size = texture.shape[1::-1]
    factors = cv2.resize(np.minimum(shade * 128, 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    bright = cv2.multiply(texture, factors, scale=1 / 128)
    if look.shine > 0.05:
        gloss = cv2.resize(np.minimum(shine, 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
        bright = cv2.add(bright, cv2.merge([gloss] * 3))
    return bright


def _dot(vectors, direction):
    return vectors[..., 0] * direction[0] + vectors[..., 1] * direction[1] + vectors[..., 2] * direction[2]
