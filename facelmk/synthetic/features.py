"""Eyes, brows, nose and mouth, painted into the texture exactly where the points lie."""

from types import SimpleNamespace

import cv2
import numpy as np

import facelmk.synthetic.anatomy as anatomy
import facelmk.synthetic.points as points

from .paint import around, blend, ellipse, fill, line, strokes


def to_texture(mesh: SimpleNamespace, plane: np.ndarray) -> np.ndarray:
    """Points (N, 2) of the frontal plane in texture pixels."""
    return anatomy.on_texture(anatomy.to_surface(mesh, plane))


def _tuple(colour, factor=1.0):
    return tuple(min(max(float(v) * factor, 0.0), 255.0) for v in colour)


_T, _ALONG, _ACROSS = np.linspace(0, 1, 15), np.linspace(0, 1, 12), np.linspace(-1, 1, 25)


def eyes(texture: np.ndarray, mesh: SimpleNamespace, face: SimpleNamespace, look: SimpleNamespace) -> None:
    """Both eyes, in place."""
    for side in (0, 1):
        _eye(texture, mesh, face, look, side)


def _stretched(edge):
    """An eye is seen to go on beyond the points that annotators set at its corners, the outer one most."""
    reach = np.interp(_T, [0, 0.5, 1], [-0.095, 0, 0.04])[:, None]
    return edge + reach * (edge[-1] - edge[0])


def _eye(texture, mesh, face, look, side):
    upper, lower = (_stretched(edge) for edge in points.lids(face, side, _T))
    centre = points.pupil(face, side)
    radius = look.iris_size
    crease = upper - anatomy.pair(0 * _T, 0.030 + 0.03 * (1 - look.age) + 0.01 * np.sin(np.pi * _T))
    ring = ellipse(centre, (radius, radius))
    inner = ellipse(centre, (radius * 0.82, radius * 0.82))
    black = ellipse(centre, (radius * 0.40, radius * 0.40))
    spark = ellipse(np.add(centre, (0.018 * np.sign(look.key[0]), -0.024)), (0.013, 0.013), count=8)
    parts = np.split(
        to_texture(mesh, np.concatenate([upper, lower, crease, ring, inner, black, spark])),
        np.cumsum([15, 15, 15, 20, 20, 20]),
    )
    upper, lower, crease, ring, inner, black, spark = parts
    rows, cols = around(np.concatenate([upper, lower, crease]), 5, texture.shape)
    corner = np.array([cols.start, rows.start])
    view = texture[rows, cols]
    upper, lower, crease, ring, inner, black, spark = (
        part - corner for part in (upper, lower, crease, ring, inner, black, spark)
    )
    skin = look.skin
    line(view, crease, _tuple(skin, 0.66), 1)
    ball = np.empty_like(view)
    white = 0.55 * np.array([214, 218, 224]) + 0.45 * skin
    ball[:] = _tuple(white)
    fill(ball, ring, _tuple(look.iris, 0.45))
    fill(ball, inner, _tuple(look.iris))
    fill(ball, black, (14, 12, 12))
    shade = np.full(view.shape[:2], 255, np.uint8)
    line(shade, upper, 120, 4)
    shade = cv2.GaussianBlur(shade, (5, 5), 0)
    ball = cv2.multiply(ball, cv2.merge([shade] * 3), scale=1 / 255)
    fill(ball, spark, (245, 245, 245))
    pink = upper[-1] * 0.55 + upper[-2] * 0.25 + lower[-2] * 0.2
    cv2.circle(
        ball, (int(pink[0]), int(pink[1])), 1, _tuple(skin * 0.6 + np.array([50, 50, 90]) * 0.4), -1, cv2.LINE_AA
    )
    mask = np.zeros(view.shape[:2], np.uint8)
    fill(mask, np.concatenate([upper, lower[::-1]]), 255)
    view[:] = blend(view, ball, mask)
    lash = np.minimum(skin * (0.62 - 0.4 * min(look.liner, 1)), 90 + 0 * skin)
    line(view, np.add(lower, (0, 0.6)), _tuple(skin, 0.78 - 0.3 * (look.liner > 0.6)), 1)
    line(view, upper[1:-1], _tuple(lash), 2 if look.liner > 0.45 else 1)
    line(view, upper, _tuple(lash, 1.1), 1)


def brows(
    texture: np.ndarray, mesh: SimpleNamespace, face: SimpleNamespace, look: SimpleNamespace, draw: np.random.Generator
) -> None:
    """Both brows: a soft body with single hairs, in place."""
    for side in (0, 1):
        above, below = points.brow(face, side, _ALONG)
        above = above + look.brow_low * (below - above)  # annotators go round the hairs, at some distance
        edge = to_texture(mesh, np.concatenate([above, below[::-1]]))
        rows, cols = around(edge, 3, texture.shape)
        edge = edge - [cols.start, rows.start]
        mask = np.zeros(texture[rows, cols].shape[:2], np.uint8)
        fill(mask, np.concatenate([edge[:11], edge[13:]]), int(150 * look.brow_density))
        roots, ends = edge[:11:-1], edge[:12]
        at = draw.uniform(0, 10.9, 18)
        tips = np.clip(at + draw.uniform(-1.5, 0.5, 18), 0, 10.9)
        strokes(mask, np.stack([_along(roots, at), _along(ends, tips)], 1), int(235 * look.brow_density))
        mask = cv2.GaussianBlur(mask, (3, 3), 0)
        texture[rows, cols] = blend(texture[rows, cols], _tuple(look.brow_colour), mask)


def _along(points_, at):
    low = at.astype(int)
    return points_[low] + (points_[low + 1] - points_[low]) * (at - low)[:, None]


def nostrils(texture: np.ndarray, mesh: SimpleNamespace, face: SimpleNamespace, look: SimpleNamespace) -> None:
    """Nostrils and the creases of the wings, in place."""
    half, base = face.nose_half, face.nose_base
    for sign in (-1, 1):
        hole = ellipse((sign * half * 0.52 + face.nose_x, base - 0.050), (half * 0.26, 0.020), sign * -0.35, 12)
        wing = np.array([[1.05, -0.16], [1.27, -0.11], [1.27, -0.06], [1.1, -0.03]])
        wing = wing * [sign * half, 1] + [face.nose_x, base]
        hole, wing = np.split(to_texture(mesh, np.concatenate([hole, wing])), [12])
        fill(texture, hole, _tuple(look.skin * 0.28 + [0, 0, 8]))
        line(texture, wing, _tuple(look.skin, 0.72), 1)


def mouth(
    texture: np.ndarray, mesh: SimpleNamespace, face: SimpleNamespace, look: SimpleNamespace, draw: np.random.Generator
) -> None:
    """Lips, and teeth and tongue behind them, in place."""
    s = _ACROSS
    edges = points.mouth(face, s)
    teeth = _teeth(face, draw, s)
    parts = np.split(to_texture(mesh, np.concatenate([*edges, *teeth])), np.cumsum([25] * (4 + len(teeth)))[:-1])
    rows, cols = around(np.concatenate(parts[:4]), 5, texture.shape)
    upper, top, bottom, lower, *teeth = (part - [cols.start, rows.start] for part in parts)
    view = texture[rows, cols]
    lips = look.lips + (look.lipstick_colour - look.lips) * min(look.lipstick, 0.9)
    mask = np.zeros(view.shape[:2], np.uint8)
    fill(mask, np.concatenate([upper, lower[::-1]]), int(255 * max(0.75, look.lipstick)))
    if look.lip_edge < 0.8 and not look.lipstick > 0.5:
        mask = cv2.GaussianBlur(mask, (3, 3), 0)
    layer = np.empty_like(view)
    layer[:] = _tuple(lips)
    middle = (top + bottom) / 2
    fill(layer, np.concatenate([upper, middle[::-1]]), _tuple(lips, 0.84))
    gloss = bottom * 0.5 + lower * 0.5
    line(layer, gloss[7:18], _tuple(np.minimum(lips * 1.12 + 10, 255)), 2)
    layer = cv2.GaussianBlur(layer, (3, 3), 0)
    view[:] = blend(view, layer, mask)
    line(view, lower[3:-3], _tuple(look.skin, 0.85), 1)
    _inside(view, face, look, draw, top, bottom, teeth)


def _teeth(face, draw, s):
    """Edges (25, 2) in the plane: the upper teeth's lower edge, the lower teeth's upper edge, the tongue's top."""
    _, top, bottom, _ = points.mouth(face, s)
    long, short = draw.uniform(0.06, 0.12), draw.uniform(0.0, 0.07)
    kind = draw.random()
    if kind < 0.65 and face.mouth_gap < 0.22:  # a smile shows teeth down to the lower lip, or both rows
        long, short = face.mouth_gap * draw.uniform(0.75, 1.3), 0.0
        if kind < 0.2:
            long, short = face.mouth_gap * draw.uniform(0.5, 0.62), face.mouth_gap * draw.uniform(0.34, 0.5)
    bow = 1 - 0.35 * s * s
    return (
        top + anatomy.pair(0 * s, long * bow),
        bottom - anatomy.pair(0 * s, short * bow),
        bottom - anatomy.pair(0 * s, 0.35 * face.mouth_gap * (1 - s * s)),
    )


def _inside(view, face, look, draw, top, bottom, teeth):
    upper_shown, lower_shown = draw.random() < 0.88, draw.random() < 0.4
    gaps = draw.uniform(0.7, 0.95)
    white = np.array([188, 206, 218]) * draw.uniform(0.75, 1.12) * (0.8 + 0.2 * look.skin / 200)
    if face.mouth_gap > 0.008:
        inner = np.empty_like(view)
        inner[:] = _tuple(np.array([26, 20, 48]) * draw.uniform(0.5, 1.5))
        fill(inner, np.concatenate([teeth[2], bottom[::-1]]), _tuple(np.array([78, 70, 150]) * draw.uniform(0.5, 1.1)))
        if lower_shown:
            fill(inner, np.concatenate([teeth[1], bottom[::-1]]), _tuple(white, 0.8))
        if upper_shown:
            fill(inner, np.concatenate([top, teeth[0][::-1]]), _tuple(white))
            strokes(inner, np.stack([top[4:21:2], teeth[0][4:21:2]], 1), _tuple(white, gaps))
        shade = np.full(view.shape[:2], 255, np.uint8)
        line(shade, top, 150, 2)
        fill(shade, np.concatenate([top[:5], bottom[4::-1]]), 110)
        fill(shade, np.concatenate([top[-5:], bottom[:-6:-1]]), 110)
        inner = cv2.multiply(inner, cv2.merge([cv2.GaussianBlur(shade, (5, 5), 0)] * 3), scale=1 / 255)
        mask = np.zeros(view.shape[:2], np.uint8)
        fill(mask, np.concatenate([top, bottom[::-1]]), 255)
        view[:] = blend(view, inner, mask)
    dark = _tuple(np.minimum(look.skin * 0.42, look.lips * 0.55))
    line(view, top, dark, 1)
    if face.mouth_gap <= 0.02:
        line(view, bottom, dark, 1)
    for end, inner_end in ((0, top[0]), (-1, top[-1])):
        outer = inner_end + (inner_end - top[end + 3 if end == 0 else -4]) * 0.75
        line(view, np.stack([inner_end, outer]), dark, 1)
