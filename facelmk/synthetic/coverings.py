"""Coverings on the surface of the head: hair, fringe, hats, face masks and scarves."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike

import facelmk.synthetic.mesh as head_mesh

from .appearance import Appearance
from .drawing import blend, fill
from .mesh import HeadMesh
from .shape import FaceShape
from .textures import cloth_texture, hair_texture

HEIGHT, WIDTH = head_mesh.ROWS * head_mesh.CELL, head_mesh.COLUMNS * head_mesh.CELL
_NECK_TOP = head_mesh.NECK_TOP


@dataclass
class Coverings:
    """Alphas over the texture (HEIGHT, WIDTH) uint8, and the height of each vertex (ROWS, COLUMNS) above the skin.

    `hides` is 255 where landmarks become invisible.
    """

    hair: np.ndarray
    cloth: np.ndarray
    hides: np.ndarray
    raised: np.ndarray


def draw_coverings(mesh: HeadMesh, face: FaceShape, look: Appearance, rng: np.random.Generator) -> Coverings:
    """Draw the hair, hat and other coverings of a head."""
    hair: np.ndarray = np.zeros((HEIGHT, WIDTH), np.uint8)
    cloth, hides = np.zeros_like(hair), np.zeros_like(hair)
    if look.hair_style != 'bald' or rng.random() < 0.6:
        _top_hair(hair, mesh, look, rng)
    if look.fringe and look.hat not in ('beanie', 'hood'):
        _fringe(hair, hides, mesh, look, rng)
    hair = cv2.GaussianBlur(hair, (5, 5), 0)
    _hat(cloth, hides, mesh, look, rng)
    _mask_or_scarf(cloth, hides, mesh, face, look, rng)
    thickness = {  # all are drawn, so that the style does not change later random numbers
        'bald': 0.005,
        'short': rng.uniform(0.015, 0.10),
        'medium': rng.uniform(0.05, 0.2),
        'long': rng.uniform(0.05, 0.16),
    }[look.hair_style]
    raised = _raise(hair, rng, thickness)
    raised = np.maximum(raised, _raise(cloth, rng, rng.uniform(0.03, 0.09)))
    return Coverings(hair, cloth, hides, raised)


def _on_texture(mesh: HeadMesh, points: ArrayLike) -> np.ndarray:
    """The texture pixels of points (azimuth in degrees, height)."""
    points = np.asarray(points, float)
    column = head_mesh.column_of(np.radians(points[:, 0]))
    row = np.interp(points[:, 1], mesh.heights, np.arange(head_mesh.HEAD_ROWS))
    return head_mesh.to_texture_px(head_mesh.stack_xy(column, row))


def _both_sides(right: ArrayLike) -> np.ndarray:
    """A line of points (azimuth, height) from left to right, from its right half, which starts in the middle."""
    half = np.asarray(right, float)
    return np.concatenate([half[::-1] * [-1, 1], half])


def _region_above(mesh: HeadMesh, edge: np.ndarray) -> np.ndarray:
    """The texture polygon from the top of the head down to an edge."""
    return _on_texture(mesh, np.concatenate([edge, [[180, -1.3], [-180, -1.3]]]))


def _top_hair(hair: np.ndarray, mesh: HeadMesh, look: Appearance, rng: np.random.Generator) -> None:
    """Hair from the hairline to the back of the head, in place."""
    edge = _both_sides(_hair_edge(look, rng))
    edge[:, 0] += rng.normal(0, 1.2, len(edge))
    edge[:, 1] += rng.normal(0, 0.015, len(edge))
    fill(hair, _region_above(mesh, edge), 255)


# fmt: off
def _hair_edge(look: Appearance, rng: np.random.Generator) -> list[tuple[float, float]]:
    """The lower edge of the hair on the right side, (azimuth in degrees, height), from front to back."""
    front, side = -look.hairline, rng.uniform(-0.1, 0.15)
    temple = rng.uniform(62, 70)
    low = 0.75 if look.hair_style in ('medium', 'long') else rng.uniform(0.4, 0.75)
    if look.hair_style == 'bald':
        return [(0, -1.3), (40, -1.25), (75, -0.6), (80, side - 0.1), (90, side), (94, -0.1), (110, -0.02), (116, 0.3),
                (128, 0.6), (180, 0.7)]
    if look.hair_style == 'short' or (look.hair_style == 'medium' and rng.random() < 0.5):
        return [(0, front), (22, front - 0.01), (42, front + 0.1), (54, -0.5), (temple, -0.34), (temple + 7, -0.1),
                (temple + 8, side), (86, side + 0.03), (90, -0.12), (107, -0.06), (114, 0.3), (125, low), (180, low)]
    fall = rng.uniform(66, 80)
    return [(0, front), (22, front + 0.03), (42, front + 0.14), (54, -0.48), (fall - 4, -0.2), (fall, 0.1),
            (fall + rng.uniform(-2, 8), 0.5), (fall + 16, 0.8), (180, 0.95)]
# fmt: on


def _fringe(hair: np.ndarray, hides: np.ndarray, mesh: HeadMesh, look: Appearance, rng: np.random.Generator) -> None:
    """Strands over the forehead, sometimes down to the brows or over them, in place."""
    height = -look.fringe_height
    parting = look.parting * 60
    tips = np.linspace(-62, 62, 15)
    level = height + rng.normal(0, 0.04, 15) + 0.12 * (np.abs(tips) / 62) * rng.uniform(-0.6, 1)
    if rng.random() < 0.5:  # swept to one side: higher at the parting
        level = level - 0.35 * np.clip(1 - np.abs(tips - parting) / 45, 0, 1)
    for tip, y in zip(tips, level, strict=True):
        lean = rng.normal(0, 3)
        strand = _on_texture(
            mesh,
            [
                (tip - 8, -1.0),
                (tip - 7, -0.5),
                (tip - 4 + lean, y - 0.08),
                (tip + lean, y),
                (tip + 3 + lean, y - 0.06),
                (tip + 7, -0.5),
                (tip + 8, -1.0),
            ],
        )
        for canvas in (hair, hides):
            fill(canvas, strand, 255)


def _hat(cloth: np.ndarray, hides: np.ndarray, mesh: HeadMesh, look: Appearance, rng: np.random.Generator) -> None:
    level = rng.uniform(-0.62, -0.34)
    if look.hat in ('cap', 'beanie', 'brim'):
        back = rng.uniform(-0.2, 0.3)
        region = _region_above(mesh, _both_sides([(0, level), (50, level + 0.02), (90, level + 0.1), (180, back)]))
    elif look.hat == 'hood':
        side = rng.uniform(66, 82)
        region = _region_above(
            mesh,
            _both_sides(
                [
                    (0, level - 0.05),
                    (35, level - 0.02),
                    (55, -0.4),
                    (side, -0.1),
                    (side, 0.6),
                    (side, 1.1),
                    (side + 4, 1.3),
                    (180, 1.35),
                ]
            ),
        )
        cloth[_NECK_TOP:] = 255
    elif look.hat == 'band':
        region = _on_texture(
            mesh, [(-180, level - 0.2), (0, level - 0.22), (180, level - 0.2), (180, level), (0, level), (-180, level)]
        )
    else:
        return
    for canvas in (cloth, hides):
        fill(canvas, region, 255)


def _mask_or_scarf(
    cloth: np.ndarray, hides: np.ndarray, mesh: HeadMesh, face: FaceShape, look: Appearance, rng: np.random.Generator
) -> None:
    if look.occluder == 'mask':
        top, side = rng.uniform(0.12, 0.34), rng.uniform(0.3, 0.45)
        chin = face.chin - rng.uniform(0, 0.03)
        half = np.array(
            [
                (0, top),
                (10, top + 0.03),
                (24, top + 0.12),
                (50, side),
                (76, side + 0.1),
                (82, 0.75 * chin - 0.2),
                (86, chin - 0.12),
                (80, chin),
                (0, chin),
            ]
        )
        region = _on_texture(mesh, np.concatenate([half, half[::-1] * [-1, 1]]))
    elif look.occluder == 'scarf':
        level = rng.uniform(0.5, 1.1)
        edge = _both_sides([(0, level), (40, level + rng.normal(0, 0.08)), (90, level - 0.1), (180, level - 0.3)])
        region = np.concatenate([_on_texture(mesh, edge), [[WIDTH, _NECK_TOP], [0, _NECK_TOP]]])
        cloth[_NECK_TOP:] = 255
    else:
        return
    for canvas in (cloth, hides):
        fill(canvas, region, 255)


def _raise(alpha: np.ndarray, rng: np.random.Generator, thickness: float) -> np.ndarray:
    """The height (ROWS, COLUMNS) of a covering of uneven thickness."""
    at_vertices = (
        alpha[head_mesh.CELL // 2 :: head_mesh.CELL, head_mesh.CELL // 2 :: head_mesh.CELL].astype(np.float32) / 255
    )
    unevenness = cv2.resize(
        rng.random((12, 14), np.float32), (head_mesh.COLUMNS, head_mesh.ROWS), interpolation=cv2.INTER_LINEAR
    )
    return at_vertices * np.float32(thickness) * (0.55 + 0.9 * unevenness)


def paint_coverings(
    texture: np.ndarray, coverings: Coverings, look: Appearance, rng: np.random.Generator
) -> np.ndarray:
    """Paint hair and cloth over the texture, in place."""
    for alpha, make_texture in ((coverings.hair, hair_texture), (coverings.cloth, cloth_texture)):
        left, top, width, height = cv2.boundingRect(alpha)
        if width:
            part = slice(top, top + height), slice(left, left + width)
            texture[part] = blend(texture[part], make_texture(look, rng, height, width), alpha[part])
    return texture
