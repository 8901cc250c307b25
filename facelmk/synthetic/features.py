"""Eyes, brows, nostrils and mouth, painted into the texture exactly at the landmarks."""

import cv2
import numpy as np

import facelmk.synthetic.landmarks as face_landmarks
import facelmk.synthetic.mesh as head_mesh

from .appearance import Appearance
from .drawing import blend, bounds, colour_of, ellipse, fill, line, strokes, to_bgr
from .mesh import HeadMesh
from .shape import FaceShape


def to_texture(mesh: HeadMesh, plane: np.ndarray) -> np.ndarray:
    """Points (N, 2) of the frontal plane in texture pixels."""
    return head_mesh.to_texture_px(head_mesh.to_mesh(mesh, plane))


_T, _ALONG, _ACROSS = np.linspace(0, 1, 15), np.linspace(0, 1, 12), np.linspace(-1, 1, 25)


def eyes(texture: np.ndarray, mesh: HeadMesh, face: FaceShape, look: Appearance) -> None:
    """Both eyes, in place."""
    for side in (0, 1):
        _eye(texture, mesh, face, look, side)


def _extended(edge: np.ndarray) -> np.ndarray:
    """Extend an edge beyond both eye corners: annotators place the corner points inside the visible eye."""
    reach = np.interp(_T, [0, 0.5, 1], [-0.095, 0, 0.04])[:, None]
    return edge + reach * (edge[-1] - edge[0])


def _eye(texture: np.ndarray, mesh: HeadMesh, face: FaceShape, look: Appearance, side: int) -> None:
    upper, lower = (_extended(edge) for edge in face_landmarks.lids(face, side, _T))
    centre = face_landmarks.pupil(face, side)
    radius = look.iris_size
    crease = upper - head_mesh.stack_xy(0 * _T, 0.030 + 0.03 * (1 - look.age) + 0.01 * np.sin(np.pi * _T))
    iris = ellipse(centre, (radius, radius))
    inner = ellipse(centre, (radius * 0.82, radius * 0.82))
    pupil = ellipse(centre, (radius * 0.40, radius * 0.40))
    spark = ellipse(np.add(centre, (0.018 * np.sign(look.key_light[0]), -0.024)), (0.013, 0.013), count=8)
    parts = np.split(
        to_texture(mesh, np.concatenate([upper, lower, crease, iris, inner, pupil, spark])),
        np.cumsum([15, 15, 15, 20, 20, 20]),
    )
    upper, lower, crease, iris, inner, pupil, spark = parts
    rows, cols = bounds(np.concatenate([upper, lower, crease]), 5, texture.shape)
    corner = np.array([cols.start, rows.start])
    view = texture[rows, cols]
    upper, lower, crease, iris, inner, pupil, spark = (
        part - corner for part in (upper, lower, crease, iris, inner, pupil, spark)
    )
    skin = look.skin_colour
    line(view, crease, colour_of(skin, 0.66), 1)
    ball = np.empty_like(view)
    white = 0.55 * np.array([214, 218, 224]) + 0.45 * skin
    ball[:] = colour_of(white)
    fill(ball, iris, colour_of(look.iris_colour, 0.45))
    fill(ball, inner, colour_of(look.iris_colour))
    fill(ball, pupil, (14, 12, 12))
    shade: np.ndarray = np.full(view.shape[:2], 255, np.uint8)
    line(shade, upper, 120, 4)
    shade = cv2.GaussianBlur(shade, (5, 5), 0)
    ball = cv2.multiply(ball, to_bgr(shade), scale=1 / 255)
    fill(ball, spark, (245, 245, 245))
    pink = upper[-1] * 0.55 + upper[-2] * 0.25 + lower[-2] * 0.2
    cv2.circle(
        ball, (int(pink[0]), int(pink[1])), 1, colour_of(skin * 0.6 + np.array([50, 50, 90]) * 0.4), -1, cv2.LINE_AA
    )
    mask = np.zeros(view.shape[:2], np.uint8)
    fill(mask, np.concatenate([upper, lower[::-1]]), 255)
    view[:] = blend(view, ball, mask)
    lash = np.minimum(skin * (0.62 - 0.4 * min(look.eye_liner, 1)), 90 + 0 * skin)
    line(view, np.add(lower, (0, 0.6)), colour_of(skin, 0.78 - 0.3 * (look.eye_liner > 0.6)), 1)
    line(view, upper[1:-1], colour_of(lash), 2 if look.eye_liner > 0.45 else 1)
    line(view, upper, colour_of(lash, 1.1), 1)


def eyelids(texture: np.ndarray, mesh: HeadMesh, face: FaceShape, look: Appearance) -> None:
    """Lashes and creases of both eyes, in place, for a head that has eyeballs of its own."""
    skin = look.skin_colour
    for side in (0, 1):
        upper, lower = face_landmarks.lids(face, side, _T)
        crease = upper - head_mesh.stack_xy(0 * _T, 0.030 + 0.03 * (1 - look.age) + 0.01 * np.sin(np.pi * _T))
        upper, lower, crease = np.split(to_texture(mesh, np.concatenate([upper, lower, crease])), 3)
        fill(texture, np.concatenate([upper, lower[::-1]]), colour_of(skin * 0.62 + np.array([14, 10, 30])))
        line(texture, crease, colour_of(skin, 0.72), 1)
        lash = np.minimum(skin * (0.6 - 0.45 * min(look.eye_liner, 1)), 90 + 0 * skin)
        line(texture, lower, colour_of(skin, 0.78 - 0.3 * (look.eye_liner > 0.6)), 1)
        line(texture, upper, colour_of(lash), 3 if look.eye_liner > 0.45 else 2)


def brows(texture: np.ndarray, mesh: HeadMesh, face: FaceShape, look: Appearance, rng: np.random.Generator) -> None:
    """Both brows: a soft area with single hairs, in place."""
    for side in (0, 1):
        above, below = face_landmarks.brow(face, side, _ALONG)
        above = above + look.brow_low * (below - above)  # annotators keep a distance from the hairs
        edge = to_texture(mesh, np.concatenate([above, below[::-1]]))
        rows, cols = bounds(edge, 3, texture.shape)
        edge = edge - [cols.start, rows.start]
        mask: np.ndarray = np.zeros(texture[rows, cols].shape[:2], np.uint8)
        fill(mask, np.concatenate([edge[:11], edge[13:]]), int(150 * look.brow_density))
        roots, ends = edge[:11:-1], edge[:12]
        starts = rng.uniform(0, 10.9, 18)
        tips = np.clip(starts + rng.uniform(-1.5, 0.5, 18), 0, 10.9)
        strokes(mask, np.stack([_along(roots, starts), _along(ends, tips)], 1), int(235 * look.brow_density))
        mask = cv2.GaussianBlur(mask, (3, 3), 0)
        texture[rows, cols] = blend(texture[rows, cols], colour_of(look.brow_colour), mask)


def _along(line: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Points (M, 2) at real-valued indices (M,) along a line (N, 2)."""
    low = positions.astype(int)
    return line[low] + (line[low + 1] - line[low]) * (positions - low)[:, None]


def nostrils(texture: np.ndarray, mesh: HeadMesh, face: FaceShape, look: Appearance) -> None:
    """Nostrils and the creases beside them, in place."""
    half, base = face.nose_half, face.nose_base
    for sign in (-1, 1):
        hole = ellipse((sign * half * 0.52 + face.nose_x, base - 0.050), (half * 0.26, 0.020), sign * -0.35, 12)
        wing = np.array([[1.05, -0.16], [1.27, -0.11], [1.27, -0.06], [1.1, -0.03]])
        wing = wing * [sign * half, 1] + [face.nose_x, base]
        hole, wing = np.split(to_texture(mesh, np.concatenate([hole, wing])), [12])
        fill(texture, hole, colour_of(look.skin_colour * 0.28 + [0, 0, 8]))
        line(texture, wing, colour_of(look.skin_colour, 0.72), 1)


def mouth(texture: np.ndarray, mesh: HeadMesh, face: FaceShape, look: Appearance, rng: np.random.Generator) -> None:
    """Lips, teeth and tongue, in place."""
    s = _ACROSS
    edges = face_landmarks.mouth(face, s)
    teeth = _teeth(face, rng, s)
    parts = np.split(to_texture(mesh, np.concatenate([*edges, *teeth])), np.cumsum([25] * (4 + len(teeth)))[:-1])
    rows, cols = bounds(np.concatenate(parts[:4]), 5, texture.shape)
    upper, top, bottom, lower, *teeth_edges = (part - [cols.start, rows.start] for part in parts)
    view = texture[rows, cols]
    lips = look.lip_colour + (look.lipstick_colour - look.lip_colour) * min(look.lipstick, 0.9)
    mask: np.ndarray = np.zeros(view.shape[:2], np.uint8)
    fill(mask, np.concatenate([upper, lower[::-1]]), int(255 * max(0.75, look.lipstick)))
    if look.lip_edge < 0.8 and not look.lipstick > 0.5:
        mask = cv2.GaussianBlur(mask, (3, 3), 0)
    layer = np.empty_like(view)
    layer[:] = colour_of(lips)
    middle = (top + bottom) / 2
    fill(layer, np.concatenate([upper, middle[::-1]]), colour_of(lips, 0.84))
    gloss = bottom * 0.5 + lower * 0.5
    line(layer, gloss[7:18], colour_of(np.minimum(lips * 1.12 + 10, 255)), 2)
    layer = cv2.GaussianBlur(layer, (3, 3), 0)
    view[:] = blend(view, layer, mask)
    line(view, lower[3:-3], colour_of(look.skin_colour, 0.85), 1)
    _inside(view, face, look, rng, top, bottom, teeth_edges)


def _teeth(face: FaceShape, rng: np.random.Generator, s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges (25, 2) in the frontal plane: bottom of the upper teeth, top of the lower teeth, top of the tongue."""
    _, top, bottom, _ = face_landmarks.mouth(face, s)
    upper, lower = rng.uniform(0.06, 0.12), rng.uniform(0.0, 0.07)
    kind = rng.random()
    if (
        kind < 0.65 and face.mouth_gap < 0.22
    ):  # in a smile, the upper teeth reach the lower lip, or both rows are visible
        upper, lower = face.mouth_gap * rng.uniform(0.75, 1.3), 0.0
        if kind < 0.2:
            upper, lower = face.mouth_gap * rng.uniform(0.5, 0.62), face.mouth_gap * rng.uniform(0.34, 0.5)
    bow = 1 - 0.35 * s * s
    return (
        top + head_mesh.stack_xy(0 * s, upper * bow),
        bottom - head_mesh.stack_xy(0 * s, lower * bow),
        bottom - head_mesh.stack_xy(0 * s, 0.35 * face.mouth_gap * (1 - s * s)),
    )


def _inside(
    view: np.ndarray,
    face: FaceShape,
    look: Appearance,
    rng: np.random.Generator,
    top: np.ndarray,
    bottom: np.ndarray,
    teeth: list[np.ndarray],
) -> None:
    """The inside of the mouth between the inner lips, in place."""
    shows_upper, shows_lower = rng.random() < 0.88, rng.random() < 0.4
    gap_shade = rng.uniform(0.7, 0.95)
    white = np.array([188, 206, 218]) * rng.uniform(0.75, 1.12) * (0.8 + 0.2 * look.skin_colour / 200)
    if face.mouth_gap > 0.008:
        inner = np.empty_like(view)
        inner[:] = colour_of(np.array([26, 20, 48]) * rng.uniform(0.5, 1.5))
        fill(
            inner, np.concatenate([teeth[2], bottom[::-1]]), colour_of(np.array([78, 70, 150]) * rng.uniform(0.5, 1.1))
        )
        if shows_lower:
            fill(inner, np.concatenate([teeth[1], bottom[::-1]]), colour_of(white, 0.8))
        if shows_upper:
            fill(inner, np.concatenate([top, teeth[0][::-1]]), colour_of(white))
            strokes(inner, np.stack([top[4:21:2], teeth[0][4:21:2]], 1), colour_of(white, gap_shade))
        shade: np.ndarray = np.full(view.shape[:2], 255, np.uint8)
        line(shade, top, 150, 2)
        fill(shade, np.concatenate([top[:5], bottom[4::-1]]), 110)
        fill(shade, np.concatenate([top[-5:], bottom[:-6:-1]]), 110)
        inner = cv2.multiply(inner, to_bgr(cv2.GaussianBlur(shade, (5, 5), 0)), scale=1 / 255)
        mask = np.zeros(view.shape[:2], np.uint8)
        fill(mask, np.concatenate([top, bottom[::-1]]), 255)
        view[:] = blend(view, inner, mask)
    dark = colour_of(np.minimum(look.skin_colour * 0.42, look.lip_colour * 0.55))
    line(view, top, dark, 1)
    if face.mouth_gap <= 0.02:
        line(view, bottom, dark, 1)
    for end, inner_end in ((0, top[0]), (-1, top[-1])):
        outer = inner_end + (inner_end - top[end + 3 if end == 0 else -4]) * 0.75
        line(view, np.stack([inner_end, outer]), dark, 1)
