"""The image of a scanned head: its texture with eyes and teeth, the rasteriser, and the body below it."""

import cv2
import numpy as np

import facelmk.synthetic.mesh as head_mesh
import facelmk.synthetic.render as render

from ..appearance import Appearance
from ..coverings import HEIGHT, WIDTH, Coverings
from ..drawing import colour_of, ellipse, fill, to_bgr
from ..objects import SceneObject, draw_object
from ..shape import FaceShape
from ..skin import draw_texture
from .head import EYE_RADIUS, TILE, ScannedHead
from .landmarks import Projection
from .lighting import light_vertices, normals
from .read import SKIN

_FINE = 1.25  # the head is drawn at this scale and then reduced, which smooths its outline
_REMAP_COLUMNS = 128  # cv2.remap takes at most 32,767 rows
_HOLES = (range(60, 68), range(68, 76), range(88, 96))  # the landmarks around the eyes and the open mouth


def draw_head(
    image: np.ndarray,
    head: ScannedHead,
    vertices: np.ndarray,
    painted: FaceShape,
    look: Appearance,
    coverings: Coverings,
    relative: np.ndarray,
    projection: Projection,
    rng: np.random.Generator,
) -> None:
    """Draw the head with its landmarks `relative` (104, 2) into the image, in place."""
    size = image.shape[0]
    fine = round(size * _FINE)
    posed = render.rotate(_with_coverings(head, vertices, coverings), projection.matrix)
    projected = projection(posed, True) * fine - 0.5
    mouth_is_open = np.abs(relative[94] - relative[90]).max() > 0.012
    triangles = np.concatenate([head.skin, head.eyes, *([head.teeth] if mouth_is_open else [])])
    factors, shine = light_vertices(posed, normals(posed, triangles), look)
    number, second, third = rasterise(projected.astype(np.float32), posed[:, 2], triangles, fine)
    covered = number >= 0
    weights = np.stack([(1 - second - third)[covered], second[covered], third[covered]])[..., None]
    values = np.concatenate([head.spots, factors, shine[:, None]], 1).astype(np.float32)
    a, b, c = triangles[number[covered]].T
    mixed = values[a] * weights[0] + values[b] * weights[1] + values[c] * weights[2]
    atlas = _atlas(draw_texture(head.mesh, painted, look, coverings, rng, with_eyes=False), look, rng)
    layer = np.zeros((fine, fine, 4), np.uint8)
    layer[_holes(relative, fine) & ~covered] = (*(np.array([16, 12, 30]) * look.exposure), 255)
    layer[covered, :3] = np.minimum(_sample(atlas, mixed[:, :2]) * mixed[:, 2:5] + mixed[:, 5:], 255)
    layer[covered, 3] = 255
    reduced = cv2.resize(layer, (size, size), interpolation=cv2.INTER_AREA)
    outside = cv2.bitwise_not(to_bgr(reduced[..., 3]))
    cv2.add(reduced[..., :3], cv2.multiply(image, outside, scale=1 / 255), image)


def rasterise(
    projected: np.ndarray, depth: np.ndarray, triangles: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The visible triangle at each pixel (size, size), or -1, and the barycentric coordinates of its corners 2, 3."""
    triangle, pixel, u, v = render.cover_pixels(projected, depth, triangles.T, size, tolerance=1e-4)
    number: np.ndarray = np.full(size * size, -1, np.int32)
    second, third = np.zeros((2, size * size), np.float32)
    number[pixel], second[pixel], third[pixel] = triangle, u, v
    return number.reshape(size, size), second.reshape(size, size), third.reshape(size, size)


def draw_body(
    image: np.ndarray, face: FaceShape, look: Appearance, projection: Projection, rng: np.random.Generator
) -> None:
    """Draw shoulders and clothes over the lower end of the neck, in place."""
    matrix = render.rotation(*(face.body * (face.yaw, face.pitch, face.roll)))
    dip, width = rng.uniform(-0.05, 0.5), rng.uniform(0.5, 0.68)
    low = rng.uniform(1.55, 1.85)
    half = np.array(
        [
            [0, low + dip, -0.35],
            [0.5 * width, low + 0.45 * dip, -0.4],
            [width, low - 0.12, -0.7],
            [width + 0.5, low + 0.05, -0.85],
            [1.75, low + 0.3, -0.9],
            [2.2, low + 1.2, -0.9],
            [2.3, 4.0, -0.9],
        ]
    )
    outline = np.concatenate([half, half[::-1] * [-1, 1, 1]]).astype(np.float32)
    colour = look.cloth_colour if rng.random() < 0.5 else rng.uniform(10, 245, 3)
    draw_object(image, SceneObject('cloth', [projection(render.rotate(outline, matrix), True)], colour), look, rng)


def _with_coverings(head: ScannedHead, vertices: np.ndarray, coverings: Coverings) -> np.ndarray:
    """The vertices, with the skin raised where hair or clothes cover it."""
    columns, rows = head.uv[:, 0].reshape(-1, 1), head.uv[:, 1].reshape(-1, 1)
    layers = np.concatenate([coverings.raised[..., None], head_mesh.OUTWARDS], -1)
    raised = cv2.remap(layers, columns, rows, cv2.INTER_LINEAR)[:, 0]
    raised[head.ears] = 0
    vertices = vertices.copy()
    vertices[:SKIN] += raised[:, :1] * raised[:, 1:]
    return vertices


def _holes(relative: np.ndarray, size: int) -> np.ndarray:
    """The pixels (size, size) between the eyelids and between the lips."""
    canvas = np.zeros((size, size), np.uint8)
    for ring in _HOLES:
        fill(canvas, relative[list(ring)] * size - 0.5, 255)
    return canvas > 127


def _sample(atlas: np.ndarray, spots: np.ndarray) -> np.ndarray:
    """The colours (P, 3) of the atlas at its pixels (P, 2)."""
    grid = np.zeros((-(-len(spots) // _REMAP_COLUMNS) * _REMAP_COLUMNS, 2), np.float32)
    grid[: len(spots)] = spots
    grid = grid.reshape(-1, _REMAP_COLUMNS, 2)
    return cv2.remap(atlas, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR).reshape(-1, 3)[: len(spots)]


def _atlas(texture: np.ndarray, look: Appearance, rng: np.random.Generator) -> np.ndarray:
    """The texture of the skin, and below it tiles for both eyes, the gums and the teeth."""
    atlas = np.zeros((HEIGHT + TILE, max(WIDTH, 4 * TILE), 3), np.uint8)
    atlas[:HEIGHT, :WIDTH] = texture
    eye = _eye(look)
    atlas[HEIGHT:, : 2 * TILE] = np.concatenate([eye, eye], 1)
    gums = np.array([82, 76, 158]) * rng.uniform(0.6, 1.1)
    teeth = np.array([192, 208, 220]) * rng.uniform(0.75, 1.08)
    atlas[HEIGHT:, 2 * TILE : 3 * TILE] = np.clip(gums, 0, 255)
    atlas[HEIGHT:, 3 * TILE : 4 * TILE] = np.clip(teeth, 0, 255)
    return atlas


def _eye(look: Appearance) -> np.ndarray:
    """An eye (TILE, TILE, 3), seen from the front."""
    eye = np.empty((TILE, TILE, 3), np.uint8)
    eye[:] = np.clip(0.8 * np.array([205, 210, 218]) + 0.2 * look.skin_colour, 0, 255)
    middle = np.array([TILE / 2, TILE / 2])
    radius = look.iris_size * (TILE / 2 - 2) / EYE_RADIUS
    fill(eye, ellipse(middle, (radius, radius)), colour_of(look.iris_colour, 0.45))
    fill(eye, ellipse(middle, (radius * 0.84, radius * 0.84)), colour_of(look.iris_colour))
    fill(eye, ellipse(middle, (radius * 0.42, radius * 0.42)), (14, 12, 12))
    fill(eye, ellipse(middle + (2.6 * np.sign(look.key_light[0]), -4.0), (2.2, 2.2), count=8), (245, 245, 245))
    shade = np.interp(np.arange(TILE), [0, 0.3 * TILE, 0.6 * TILE], [0.55, 0.8, 1.0])[:, None, None]
    return (eye * shade).astype(np.uint8)
