"""Faces from (seed, index): the points first, then, where asked for, the picture."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import cv2
import numpy as np

import facelmk.synthetic.anatomy as anatomy
import facelmk.synthetic.points as points
import facelmk.synthetic.render as render
import facelmk.synthetic.scene as scene
import facelmk.synthetic.things as things

from .effects import develop
from .light import lit
from .looks import looks
from .paint import blend, fill
from .parameters import face as draw_face
from .parameters import stream
from .skin import texture
from .wear import wear

VERSION = 5  # raise it when the pictures change: caches are keyed by it
TAGS = ('pose', 'expression', 'illumination', 'makeup', 'occlusion', 'blur')
_HIDES_CELLS = 160


@dataclass
class Drawn:
    """N faces: images (N, S, S, 3) or None, landmarks (N, K, 2), visible (N, K), boxes (N, 4), tags."""

    images: np.ndarray | None
    landmarks: np.ndarray
    visible: np.ndarray
    boxes: np.ndarray
    tags: list[tuple[str, ...]]


def draw(seed: int, indices: Sequence[int], size: int = 256, markup: str = 'wflw') -> Drawn:
    """Draw faces with the points of a mark-up; each depends on (seed, index) alone."""
    return _gather(seed, indices, size, markup, True)


def describe(seed: int, indices: Sequence[int], size: int = 256, markup: str = 'wflw') -> Drawn:
    """The same faces without their pictures, several times faster."""
    return _gather(seed, indices, size, markup, False)


def _gather(seed, indices, size, markup, pictures):
    rows = [one(seed, int(index), size, pictures) for index in indices]
    landmarks = [points.in_markup(row.landmarks, markup) for row in rows]
    visible = [points.seen_in_markup(row.visible, markup) for row in rows]
    count = points.SIZES[markup]
    return Drawn(
        np.stack([row.image for row in rows])
        if pictures and rows
        else np.zeros((0, size, size, 3), np.uint8)
        if pictures
        else None,
        np.array(landmarks, np.float32).reshape(-1, count, 2),
        np.array(visible, np.float32).reshape(-1, count),
        np.array([row.box for row in rows], np.float32).reshape(-1, 4),
        [row.tags for row in rows],
    )


def one(seed: int, index: int, size: int, picture: bool = True) -> SimpleNamespace:
    """One face: landmarks (104, 2), visible (104,), box (4,), tags and, if asked for, image."""
    face = draw_face(seed, index)
    look = looks(seed, index, face)
    return compose(face, look, stream(seed, index, 2), stream(seed, index, 3), size, picture)


def compose(
    face: SimpleNamespace,
    look: SimpleNamespace,
    layout: np.random.Generator,
    grain: np.random.Generator,
    size: int,
    picture: bool = True,
) -> SimpleNamespace:
    """A face put together: `layout` draws what may hide points, `grain` what is only seen."""
    mesh = anatomy.build(face)
    worn = wear(mesh, face, look, layout)
    posed = render.pose(mesh.vertices, face)
    marks, places, see = _points(mesh, face, posed)
    rear, ears, front = (
        make(face, look, see, layout) for make in (things.behind_head, things.ears, things.before_head)
    )
    hidden = _hidden(marks, places, worn, front)
    visible = 1.0 - (hidden | _self_hidden(face, mesh, posed, places))
    landmarks = (marks * size - 0.5).astype(np.float32)
    outline = landmarks[:98]
    drawn = SimpleNamespace(
        landmarks=landmarks,
        visible=visible.astype(np.float32),
        image=None,
        box=np.concatenate([np.floor(outline.min(0)), np.ceil(outline.max(0))]).astype(np.float32),
        tags=_tags(face, look, hidden),
    )
    if picture:
        drawn.image = _picture(mesh, face, look, worn, see, (rear, ears, front), grain, size)
    return drawn


def _points(mesh: SimpleNamespace, face: SimpleNamespace, posed: np.ndarray) -> tuple[np.ndarray, np.ndarray, Callable]:
    """The points in units of the picture's side (104, 2), their places on the surface, and the way there from 3-D."""
    seen = render.project(posed, face.distance)
    plane = points.plan(face)
    places = anatomy.to_surface(mesh, plane)
    marks = anatomy.on_surface(seen[: anatomy.HEAD_ROWS], places)
    places[:33], marks[:33] = points.contour(mesh, face, seen[: anatomy.HEAD_ROWS])
    low, high = marks[:98].min(0), marks[:98].max(0)
    scale = face.fill / (high - low).max()
    offset = 0.5 + face.shift - (low + high) / 2 * scale
    matrix = render.rotation(face.yaw, face.pitch, face.roll)

    def see(solid: np.ndarray, posed: bool = False) -> np.ndarray:
        solid = solid if posed else render.turn(np.asarray(solid, np.float32), matrix)
        return render.project(solid, face.distance) * scale + offset

    return marks * scale + offset, places, see


def _hidden(marks, places, worn, front):
    """Which points (104,) something covers."""
    spot = np.round(anatomy.on_texture(places)).astype(int)
    covered = (
        worn.hides[np.clip(spot[:, 1], 0, worn.hides.shape[0] - 1), np.clip(spot[:, 0], 0, worn.hides.shape[1] - 1)]
        > 127
    )
    canvas = np.zeros((_HIDES_CELLS, _HIDES_CELLS), np.uint8)
    for thing in front:
        if thing.hides:
            for outline in thing.outlines:
                fill(canvas, outline * _HIDES_CELLS - 0.5, 255)
    cell = np.clip(np.round(marks * _HIDES_CELLS - 0.5).astype(int), 0, _HIDES_CELLS - 1)
    return covered | (canvas[cell[:, 1], cell[:, 0]] > 127)


def _self_hidden(face, mesh, posed, places):
    """Which points (104,) the head itself hides from the camera; the contour is the outline and is always seen."""
    if max(abs(face.yaw), abs(face.pitch)) < 0.2:
        return np.zeros(points.ALL, bool)
    head = posed[: anatomy.HEAD_ROWS]
    where = anatomy.on_surface(head, places)
    view = np.array([0, 0, face.distance], np.float32) - where.mean(0)
    view = (view / np.sqrt((view * view).sum())).astype(np.float32)
    normal = anatomy.on_surface(anatomy.normals(posed)[: anatomy.HEAD_ROWS], places)
    away = (normal * view).sum(1) < -0.05
    deep = render.behind(where, render.depth_map(head, view)) > 0.16
    found = away | deep
    found[:33] = False
    return found


def _tags(face, look, hidden):
    turned = np.degrees([abs(face.yaw), abs(face.pitch), abs(face.roll)])
    told = {
        'pose': turned[0] > 32 or turned[1] > 19 or turned[2] > 24,
        'expression': face.mouth_gap > 0.17
        or abs(face.smile) > 0.85
        or face.pucker > 0.45
        or face.frown > 0.6
        or face.surprise > 0.6,
        'illumination': look.hard,
        'makeup': look.make_up,
        'occlusion': hidden.mean() > 0.08 or look.shades,
        'blur': look.blurred,
    }
    return tuple(tag for tag in TAGS if told[tag])


def _picture(mesh, face, look, worn, see, around, grain, size):
    rear, ears, front = around
    skin = texture(mesh, face, look, worn, grain)
    raised = mesh.vertices + anatomy.OUTWARDS * worn.raised[..., None]
    posed = render.pose(raised, face)
    skin = lit(skin, posed, look)
    picture = scene.backdrop(size, grain, look)
    for thing in [*rear, *(ear for near, ear in ears if not near)]:
        scene.paint_thing(picture, thing, look, grain)
    picture = _head(picture, skin, see(posed, True), posed[..., 2], size)
    for thing in [*(ear for near, ear in ears if near), *front]:
        scene.paint_thing(picture, thing, look, grain)
    return develop(picture, look, grain)


def _head(picture, skin, seen, depth, size):
    """The lit texture over the picture, by a buffer of texture coordinates at half size."""
    cells = max(size // 2, 96)
    places, covered = render.rasterise((seen * cells - 0.5).astype(np.float32), depth, cells)
    places = np.where(covered[..., None], places, cv2.dilate(places, np.ones((3, 3), np.uint8)))
    # Only the head's part is brought to full size, in steps of whole pixels of both grids.
    step = cells // math.gcd(size, cells)
    left, top, wide, high = cv2.boundingRect(covered.astype(np.uint8))
    rows = slice(max(top - 1, 0) // step * step, min(-(-(top + high + 1) // step) * step, cells))
    cols = slice(max(left - 1, 0) // step * step, min(-(-(left + wide + 1) // step) * step, cells))
    to = (
        slice(rows.start * size // cells, rows.stop * size // cells),
        slice(cols.start * size // cells, cols.stop * size // cells),
    )
    view = picture[to]
    alpha = cv2.resize(covered[rows, cols].astype(np.uint8) * 255, view.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    places = cv2.resize(places[rows, cols], view.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if size <= _COARSE:
        skin, places = cv2.resize(skin, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), places * 0.5 - 0.25
    head = cv2.remap(skin, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    view[:] = blend(view, head, cv2.LUT(alpha, _EDGE))
    return picture


_COARSE = 176  # pictures up to this size take the texture at half its size, else it would flicker
_EDGE = np.clip((np.arange(256) - 48) * 1.6, 0, 255).astype(np.uint8)
