"""What lies on the head as part of its surface: hair, fringe, hats, face masks, scarves."""

from types import SimpleNamespace

import cv2
import numpy as np

import facelmk.synthetic.anatomy as anatomy

from .paint import blend, fill, piece

HEIGHT, WIDTH = anatomy.ROWS * anatomy.CELL, anatomy.COLUMNS * anatomy.CELL
_NECK_TOP = anatomy.NECK_TOP


def wear(
    mesh: SimpleNamespace, face: SimpleNamespace, look: SimpleNamespace, draw: np.random.Generator
) -> SimpleNamespace:
    """Alphas over the texture, colours, and `raised`: how far each vertex (ROWS, COLUMNS) stands out."""
    hair = np.zeros((HEIGHT, WIDTH), np.uint8)
    cloth, hides = np.zeros_like(hair), np.zeros_like(hair)
    if look.style != 'bald' or draw.random() < 0.6:
        _crown(hair, mesh, look, draw)
    if look.bangs and look.hat not in ('beanie', 'hood'):
        _fringe(hair, hides, mesh, look, draw)
    hair = cv2.GaussianBlur(hair, (5, 5), 0)
    _hat(cloth, hides, mesh, look, draw)
    _low_cover(cloth, hides, mesh, face, look, draw)
    raised = _raise(
        hair,
        draw,
        {
            'bald': 0.005,
            'short': draw.uniform(0.015, 0.10),
            'medium': draw.uniform(0.05, 0.2),
            'long': draw.uniform(0.05, 0.16),
        }[look.style],
    )
    raised = np.maximum(raised, _raise(cloth, draw, draw.uniform(0.03, 0.09)))
    return SimpleNamespace(hair=hair, cloth=cloth, hides=hides, raised=raised)


def _place(mesh, degrees_heights):
    spots = np.asarray(degrees_heights, float)
    column = anatomy.column_of(np.radians(spots[:, 0]))
    row = np.interp(spots[:, 1], mesh.heights, np.arange(anatomy.HEAD_ROWS))
    return anatomy.on_texture(anatomy.pair(column, row))


def _both_sides(half):
    """A line from the middle to the back, given for the right half, made whole from left to right."""
    half = np.asarray(half, float)
    return np.concatenate([half[::-1] * [-1, 1], half])


def _down_from_top(mesh, edge):
    return _place(mesh, np.concatenate([edge, [[180, -1.3], [-180, -1.3]]]))


def _crown(hair, mesh, look, draw):
    front, side = -look.hairline, draw.uniform(-0.1, 0.15)
    temple = draw.uniform(62, 70)
    low = 0.75 if look.style in ('medium', 'long') else draw.uniform(0.4, 0.75)
    if look.style == 'bald':
        half = [
            (0, -1.3),
            (40, -1.25),
            (75, -0.6),
            (80, side - 0.1),
            (90, side),
            (94, -0.1),
            (110, -0.02),
            (116, 0.3),
            (128, 0.6),
            (180, 0.7),
        ]
    elif look.style == 'short' or (look.style == 'medium' and draw.random() < 0.5):
        half = [
            (0, front),
            (22, front - 0.01),
            (42, front + 0.1),
            (54, -0.5),
            (temple, -0.34),
            (temple + 7, -0.1),
            (temple + 8, side),
            (86, side + 0.03),
            (90, -0.12),
            (107, -0.06),
            (114, 0.3),
            (125, low),
            (180, low),
        ]
    else:
        fall = draw.uniform(66, 80)
        half = [
            (0, front),
            (22, front + 0.03),
            (42, front + 0.14),
            (54, -0.48),
            (fall - 4, -0.2),
            (fall, 0.1),
            (fall + draw.uniform(-2, 8), 0.5),
            (fall + 16, 0.8),
            (180, 0.95),
        ]
    edge = _both_sides(half)
    edge[:, 0] += draw.normal(0, 1.2, len(edge))
    edge[:, 1] += draw.normal(0, 0.015, len(edge))
    fill(hair, _down_from_top(mesh, edge), 255)


def _fringe(hair, hides, mesh, look, draw):
    """Strands over the forehead, some way down to or over the brows."""
    line_at = -look.bang_line
    part = look.parting * 60
    tips = np.linspace(-62, 62, 15)
    level = line_at + draw.normal(0, 0.04, 15) + 0.12 * (np.abs(tips) / 62) * draw.uniform(-0.6, 1)
    if draw.random() < 0.5:  # swept to one side: high at the parting
        level = level - 0.35 * np.clip(1 - np.abs(tips - part) / 45, 0, 1)
    for tip, y in zip(tips, level, strict=True):
        lean = draw.normal(0, 3)
        strand = _place(
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


def _hat(cloth, hides, mesh, look, draw):
    level = draw.uniform(-0.62, -0.34)
    if look.hat in ('cap', 'beanie', 'brim'):
        back = draw.uniform(-0.2, 0.3)
        region = _down_from_top(mesh, _both_sides([(0, level), (50, level + 0.02), (90, level + 0.1), (180, back)]))
    elif look.hat == 'hood':
        side = draw.uniform(66, 82)
        region = _down_from_top(
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
        region = _place(
            mesh, [(-180, level - 0.2), (0, level - 0.22), (180, level - 0.2), (180, level), (0, level), (-180, level)]
        )
    else:
        return
    for canvas in (cloth, hides):
        fill(canvas, region, 255)


def _low_cover(cloth, hides, mesh, face, look, draw):
    if look.cover == 'mask':
        top, side = draw.uniform(0.12, 0.34), draw.uniform(0.3, 0.45)
        chin = face.chin - draw.uniform(0, 0.03)
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
        region = _place(mesh, np.concatenate([half, half[::-1] * [-1, 1]]))
    elif look.cover == 'scarf':
        level = draw.uniform(0.5, 1.1)
        edge = _both_sides([(0, level), (40, level + draw.normal(0, 0.08)), (90, level - 0.1), (180, level - 0.3)])
        region = np.concatenate([_place(mesh, edge), [[WIDTH, _NECK_TOP], [0, _NECK_TOP]]])
        cloth[_NECK_TOP:] = 255
    else:
        return
    for canvas in (cloth, hides):
        fill(canvas, region, 255)


def _raise(alpha, draw, thick):
    at_vertices = alpha[anatomy.CELL // 2 :: anatomy.CELL, anatomy.CELL // 2 :: anatomy.CELL].astype(np.float32) / 255
    rough = cv2.resize(
        draw.random((12, 14), np.float32), (anatomy.COLUMNS, anatomy.ROWS), interpolation=cv2.INTER_LINEAR
    )
    return at_vertices * np.float32(thick) * (0.55 + 0.9 * rough)


def dress(texture: np.ndarray, worn: SimpleNamespace, look: SimpleNamespace, draw: np.random.Generator) -> np.ndarray:
    """The texture with hair and cloth painted over it."""
    for alpha, make in ((worn.hair, hair_picture), (worn.cloth, cloth_picture)):
        left, top, wide, high = cv2.boundingRect(alpha)
        if wide:
            part = slice(top, top + high), slice(left, left + wide)
            texture[part] = blend(texture[part], make(look, draw, high, wide), alpha[part])
    return texture


def hair_picture(look: SimpleNamespace, draw: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Strands of the face's hair colour (height, width, 3)."""
    return _tinted(piece('hair', draw, height, width, 1.25), look.hair)


def cloth_picture(look: SimpleNamespace, draw: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Cloth (height, width, 3), plain, striped or checked."""
    picture = _tinted(piece('cloth', draw, height, width, draw.uniform(0.2, 0.7)), look.cloth)
    if draw.random() < 0.35:
        other, step = draw.uniform(10, 245, 3), int(draw.integers(6, 30))
        for k in range(0, height, 2 * step):
            picture[k : k + step] = picture[k : k + step] // 2 + (other / 2).astype(np.uint8)
    return picture


def _tinted(grain, colour):
    return cv2.multiply(cv2.merge([grain] * 3), (*(float(c) for c in colour), 0), scale=1 / 128)
