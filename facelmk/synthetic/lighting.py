"""Light by vertex: ambient, one key light with attached and cast shadows, a weak fill light, specular shine."""

import cv2
import numpy as np

import facelmk.synthetic.mesh as head_mesh

from .appearance import Appearance
from .drawing import to_bgr
from .render import depth_behind, depth_map


def apply_light(texture: np.ndarray, posed: np.ndarray, look: Appearance) -> np.ndarray:
    """Light the texture, (HEIGHT, WIDTH, 3) uint8, of the posed vertices (ROWS, COLUMNS, 3)."""
    normal = head_mesh.normals(posed)
    facing = _dot(normal, look.key_light)
    key: np.ndarray = np.maximum(facing + 0.08, 0) / 1.08
    if look.cast_shadow > 0.1:
        depth = depth_behind(posed, depth_map(posed, look.key_light))
        shadow: np.ndarray = np.clip((depth - 0.07) * 12, 0, 1).astype(np.float32)
        key = key * (1 - np.float32(look.cast_shadow) * cv2.blur(shadow, (3, 3)))
    sky = 0.82 - 0.22 * normal[..., 1] - 0.1 * np.maximum(-normal[..., 2], 0)
    fill = np.maximum(_dot(normal, look.fill_light.astype(np.float32)), 0) * 0.3
    ambient, key_colour = look.ambient_colour.astype(np.float32), look.key_light_colour.astype(np.float32)
    shade = sky[..., None] * ambient + (key * 1.5)[..., None] * key_colour
    shade = (shade + fill[..., None] * ambient) * np.float32(look.exposure)
    shade = np.sqrt(np.maximum(shade, 0.004)) * (0.35 + 0.65 * np.sqrt(np.maximum(shade, 0.004)))
    halfway: np.ndarray = look.key_light + np.array([0, 0, 1], np.float32)
    halfway = halfway / np.float32(np.sqrt((halfway * halfway).sum()))
    shine = np.maximum(_dot(normal, halfway), 0) ** 14 * np.float32(look.shine * 70) * (key > 0)
    size = texture.shape[1], texture.shape[0]
    factors = cv2.resize(np.minimum(shade * 128, 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    lit = cv2.multiply(texture, factors, scale=1 / 128)
    if look.shine > 0.05:
        gloss = cv2.resize(np.minimum(shine, 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
        lit = cv2.add(lit, to_bgr(gloss))
    return lit


def _dot(vectors: np.ndarray, direction: np.ndarray) -> np.ndarray:
    return vectors[..., 0] * direction[0] + vectors[..., 1] * direction[1] + vectors[..., 2] * direction[2]
