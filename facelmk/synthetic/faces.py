"""Draw faces from (seed, index): first the landmarks, then, if wanted, the image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

import facelmk.synthetic.head_objects as head_objects
import facelmk.synthetic.landmarks as face_landmarks
import facelmk.synthetic.mesh as head_mesh
import facelmk.synthetic.render as render

from .appearance import Appearance, draw_appearance
from .background import draw_background
from .camera import photograph
from .coverings import Coverings, draw_coverings
from .drawing import blend, fill
from .lighting import apply_light
from .mesh import HeadMesh
from .objects import SceneObject, ToImage, draw_object
from .shape import FaceShape, draw_shape, stream
from .skin import draw_texture

VERSION = 5  # of the images, and a part of the cache's name: increase it when they change
TAGS = ('pose', 'expression', 'illumination', 'makeup', 'occlusion', 'blur')
_OCCLUSION_CELLS = 160  # side of the grid that shows which landmarks are hidden


@dataclass
class DrawnFace:
    """One face: landmarks (104, 2), visible (104,), box (4,), tags and, if drawn, image (S, S, 3)."""

    landmarks: np.ndarray
    visible: np.ndarray
    box: np.ndarray
    tags: tuple[str, ...]
    image: np.ndarray | None = None


@dataclass
class Drawn:
    """N faces: images (N, S, S, 3) or None, landmarks (N, K, 2), visible (N, K), boxes (N, 4), tags."""

    images: np.ndarray | None
    landmarks: np.ndarray
    visible: np.ndarray
    boxes: np.ndarray
    tags: list[tuple[str, ...]]


def draw(seed: int, indices: Sequence[int], size: int = 256, markup: str = 'wflw') -> Drawn:
    """Draw faces with their landmarks. Each face depends on (seed, index) alone."""
    return _draw_all(seed, indices, size, markup, True)


def describe(seed: int, indices: Sequence[int], size: int = 256, markup: str = 'wflw') -> Drawn:
    """The landmarks of the same faces, without images: several times faster."""
    return _draw_all(seed, indices, size, markup, False)


def _draw_all(seed: int, indices: Sequence[int], size: int, markup: str, with_images: bool) -> Drawn:
    faces = [draw_face(seed, int(index), size, with_images) for index in indices]
    images = [face.image for face in faces if face.image is not None]
    landmarks = [face_landmarks.in_markup(face.landmarks, markup) for face in faces]
    visible = [face_landmarks.visible_in_markup(face.visible, markup) for face in faces]
    K = face_landmarks.SIZES[markup]
    return Drawn(
        np.array(images, np.uint8).reshape(-1, size, size, 3) if with_images else None,
        np.array(landmarks, np.float32).reshape(-1, K, 2),
        np.array(visible, np.float32).reshape(-1, K),
        np.array([face.box for face in faces], np.float32).reshape(-1, 4),
        [face.tags for face in faces],
    )


def draw_face(seed: int, index: int, size: int, with_image: bool = True) -> DrawnFace:
    """Draw one face."""
    face, look = draw_shape(seed, index), draw_appearance(seed, index)
    return compose(face, look, stream(seed, index, 2), stream(seed, index, 3), size, with_image)


def compose(
    face: FaceShape,
    look: Appearance,
    layout_rng: np.random.Generator,
    image_rng: np.random.Generator,
    size: int,
    with_image: bool = True,
) -> DrawnFace:
    """Draw one face of a shape and appearance. `layout_rng` draws all that can hide landmarks, `image_rng` the rest."""
    mesh = head_mesh.build_head(face)
    coverings = draw_coverings(mesh, face, look, layout_rng)
    posed = render.pose(mesh.vertices, face)
    relative, uv, to_image = _project_landmarks(mesh, face, posed)
    behind = head_objects.behind_head(face, look, to_image, layout_rng)
    ears = head_objects.ears(face, look, to_image, layout_rng)
    front = head_objects.in_front_of_head(face, look, to_image, layout_rng)
    hidden = hidden_landmarks(relative, uv, coverings, front)
    visible = 1.0 - (hidden | _self_hidden(face, mesh, posed, uv))
    landmarks = (relative * size - 0.5).astype(np.float32)
    drawn = DrawnFace(landmarks, visible.astype(np.float32), box_around(landmarks), tags_of(face, look, hidden))
    if with_image:
        far_ears, near_ears = ([ear for near, ear in ears if near == is_near] for is_near in (False, True))
        layers = [*behind, *far_ears], [*near_ears, *front]
        drawn.image = _draw_image(mesh, face, look, coverings, to_image, layers, image_rng, size)
    return drawn


def box_around(landmarks: np.ndarray) -> np.ndarray:
    """The box (4,) around WFLW's 98 of the landmarks (104, 2), in whole pixels."""
    outline = landmarks[:98]
    return np.concatenate([np.floor(outline.min(0)), np.ceil(outline.max(0))]).astype(np.float32)


def _project_landmarks(mesh: HeadMesh, face: FaceShape, posed: np.ndarray) -> tuple[np.ndarray, np.ndarray, ToImage]:
    """The landmarks in shares of the image's side (104, 2), their mesh coordinates, and the projection from 3-D."""
    projected = render.project(posed, face.distance)
    plane = face_landmarks.frontal_landmarks(face)
    uv = head_mesh.to_mesh(mesh, plane)
    relative = head_mesh.interpolate(projected[: head_mesh.HEAD_ROWS], uv)
    uv[:33], relative[:33] = face_landmarks.contour(mesh, face, projected[: head_mesh.HEAD_ROWS])
    low, high = relative[:98].min(0), relative[:98].max(0)
    scale = face.extent / (high - low).max()
    offset = 0.5 + face.shift - (low + high) / 2 * scale
    matrix = render.rotation(face.yaw, face.pitch, face.roll)

    def to_image(points: np.ndarray, is_posed: bool = False) -> np.ndarray:
        points = points if is_posed else render.rotate(np.asarray(points, np.float32), matrix)
        return render.project(points, face.distance) * scale + offset

    return relative * scale + offset, uv, to_image


def hidden_landmarks(
    relative: np.ndarray, uv: np.ndarray, coverings: Coverings, front: list[SceneObject]
) -> np.ndarray:
    """Whether each landmark (104,) is hidden by a covering or an object."""
    pixel = np.round(head_mesh.to_texture_px(uv)).astype(int)
    covered = (
        coverings.hides[
            np.clip(pixel[:, 1], 0, coverings.hides.shape[0] - 1), np.clip(pixel[:, 0], 0, coverings.hides.shape[1] - 1)
        ]
        > 127
    )
    canvas = np.zeros((_OCCLUSION_CELLS, _OCCLUSION_CELLS), np.uint8)
    for item in front:
        if item.hides:
            for outline in item.outlines:
                fill(canvas, outline * _OCCLUSION_CELLS - 0.5, 255)
    cell = np.clip(np.round(relative * _OCCLUSION_CELLS - 0.5).astype(int), 0, _OCCLUSION_CELLS - 1)
    return covered | (canvas[cell[:, 1], cell[:, 0]] > 127)


def _self_hidden(face: FaceShape, mesh: HeadMesh, posed: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Whether the head itself hides each landmark (104,). The contour is the outline, so it is always visible."""
    if max(abs(face.yaw), abs(face.pitch)) < 0.2:
        return np.zeros(face_landmarks.ALL, bool)
    head = posed[: head_mesh.HEAD_ROWS]
    positions = head_mesh.interpolate(head, uv)
    view = np.array([0, 0, face.distance], np.float32) - positions.mean(0)
    view = (view / np.sqrt((view * view).sum())).astype(np.float32)
    normal = head_mesh.interpolate(head_mesh.normals(posed)[: head_mesh.HEAD_ROWS], uv)
    away = (normal * view).sum(1) < -0.05
    behind = render.depth_behind(positions, render.depth_map(head, view)) > 0.16
    hidden = away | behind
    hidden[:33] = False
    return hidden


def tags_of(face: FaceShape, look: Appearance, hidden: np.ndarray) -> tuple[str, ...]:
    turned = np.degrees([abs(face.yaw), abs(face.pitch), abs(face.roll)])
    applies = {
        'pose': turned[0] > 32 or turned[1] > 19 or turned[2] > 24,
        'expression': face.mouth_gap > 0.17
        or abs(face.smile) > 0.85
        or face.pucker > 0.45
        or face.frown > 0.6
        or face.surprise > 0.6,
        'illumination': look.hard_light,
        'makeup': look.make_up,
        'occlusion': hidden.mean() > 0.08 or look.sunglasses,
        'blur': look.blurred,
    }
    return tuple(tag for tag in TAGS if applies[tag])


def _draw_image(
    mesh: HeadMesh,
    face: FaceShape,
    look: Appearance,
    coverings: Coverings,
    to_image: ToImage,
    layers: tuple[list[SceneObject], list[SceneObject]],
    rng: np.random.Generator,
    size: int,
) -> np.ndarray:
    """The image of a face; `layers` are the objects behind and in front of the head."""
    texture = draw_texture(mesh, face, look, coverings, rng)
    posed = render.pose(mesh.vertices + head_mesh.OUTWARDS * coverings.raised[..., None], face)
    texture = apply_light(texture, posed, look)
    image = draw_background(size, rng, look)
    for item in layers[0]:
        draw_object(image, item, look, rng)
    image = _draw_head(image, texture, to_image(posed, True), posed[..., 2], size)
    for item in layers[1]:
        draw_object(image, item, look, rng)
    return photograph(image, look, rng)


def _draw_head(
    image: np.ndarray, texture: np.ndarray, projected: np.ndarray, depth: np.ndarray, size: int
) -> np.ndarray:
    """Draw the lit texture over the image, by texture coordinates that are rasterised at half size."""
    cells = max(size // 2, 96)
    uv, covered = render.rasterise((projected * cells - 0.5).astype(np.float32), depth, cells)
    uv = np.where(covered[..., None], uv, cv2.dilate(uv, np.ones((3, 3), np.uint8)))
    # Only the part with the head is resized to full size; its bounds are whole pixels of both grids.
    step = cells // math.gcd(size, cells)
    left, top, width, height = cv2.boundingRect(covered.astype(np.uint8))
    rows, cols = _aligned_slice(top, height, step, cells), _aligned_slice(left, width, step, cells)
    view = image[_scaled_slice(rows, size, cells), _scaled_slice(cols, size, cells)]
    view_size = view.shape[1], view.shape[0]
    alpha = cv2.resize(covered[rows, cols].astype(np.uint8) * 255, view_size, interpolation=cv2.INTER_LINEAR)
    uv = cv2.resize(uv[rows, cols], view_size, interpolation=cv2.INTER_LINEAR)
    if size <= _SMALL_PX:
        texture, uv = cv2.resize(texture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), uv * 0.5 - 0.25
    head = cv2.remap(texture, uv, np.empty(0), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    view[:] = blend(view, head, cv2.LUT(alpha, _EDGE))
    return image


def _aligned_slice(start: int, length: int, step: int, cells: int) -> slice:
    """The slice from `start` with a margin of one cell, extended to multiples of `step`."""
    return slice(max(start - 1, 0) // step * step, min(-(-(start + length + 1) // step) * step, cells))


def _scaled_slice(part: slice, size: int, cells: int) -> slice:
    return slice(part.start * size // cells, part.stop * size // cells)


_SMALL_PX = 176  # images up to this size use the texture at half size, to avoid aliasing
_EDGE = np.clip((np.arange(256) - 48) * 1.6, 0, 255).astype(np.uint8)
