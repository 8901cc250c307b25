"""From the mesh to the image: pose, perspective, depth maps, and the rasteriser."""

import functools
from dataclasses import dataclass

import cv2
import numpy as np

import facelmk.synthetic.mesh as head_mesh

from .shape import FaceShape


@functools.lru_cache(maxsize=16)
def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The rotation roll @ pitch @ yaw (3, 3). Positive yaw turns the nose to the right, positive pitch down."""
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    by_yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    by_pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    by_roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (by_roll @ by_pitch @ by_yaw).astype(np.float32)


_PIVOT = np.array([0, 0.6, -0.9], np.float32)  # where head and neck meet
_BODY_SHARE = np.concatenate([np.zeros(head_mesh.HEAD_ROWS), [0.1, 0.35, 0.6, 0.85, 1, 1, 1, 1, 1]]).astype(np.float32)


def rotate(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Rotate points (..., 3) about the top of the neck.

    Written as a sum, since the rounding of a matrix product depends on the number of points.
    """
    x, y, z = (points[..., k] - _PIVOT[k] for k in range(3))
    return np.stack([matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z + _PIVOT[k] for k in range(3)], -1)


def pose(vertices: np.ndarray, face: FaceShape) -> np.ndarray:
    """Rotate head and body (ROWS, COLUMNS, 3); the neck interpolates between the two rotations."""
    head = rotate(vertices, rotation(face.yaw, face.pitch, face.roll))
    body = rotate(vertices[head_mesh.HEAD_ROWS :], rotation(*(face.body * (face.yaw, face.pitch, face.roll))))
    body_share = _BODY_SHARE[head_mesh.HEAD_ROWS :, None, None]
    head[head_mesh.HEAD_ROWS :] = head[head_mesh.HEAD_ROWS :] * (1 - body_share) + body * body_share
    return head


def project(points: np.ndarray, distance: float) -> np.ndarray:
    """Perspective projection of points (..., 3) to (..., 2), for a camera `distance` away."""
    return points[..., :2] * (np.float32(distance) / (np.float32(distance) - points[..., 2:]))


@dataclass
class DepthMap:
    """The nearest depth of a surface in each cell of a coarse grid, and the frame (3, 3) of the view."""

    depth: np.ndarray
    cells: int
    frame: np.ndarray
    low: np.ndarray
    scale: np.float32


def depth_map(points: np.ndarray, towards: np.ndarray, cells: int = 40) -> DepthMap:
    """The depth map of a surface (R, C, 3), viewed from direction `towards` (3,)."""
    across = np.cross(towards, [0, 1, 0])
    across = across / (np.sqrt((across * across).sum()) + 1e-6)
    frame = np.stack([across, np.cross(across, towards), towards]).astype(np.float32)
    flat = _in_frame(points, frame)
    low = np.array([flat[0].min(), flat[1].min()])
    scale = np.float32((cells - 1) / max(flat[0].max() - low[0], flat[1].max() - low[1]))
    across, down, height = (cv2.resize(axis, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR).ravel() for axis in flat)
    cell = ((down - low[1]) * scale + 0.5).astype(np.int32) * cells + ((across - low[0]) * scale + 0.5).astype(np.int32)
    depth = np.full(cells * cells, -9, np.float32)
    np.maximum.at(depth, cell, height)
    return DepthMap(depth=depth, cells=cells, frame=frame, low=low, scale=scale)


def depth_behind(points: np.ndarray, view: DepthMap) -> np.ndarray:
    """The distance (...) of points (..., 3) behind the surface of a depth map."""
    across, down, height = _in_frame(points, view.frame)
    cell = [
        np.clip(((axis - low) * view.scale + 0.5).astype(np.int32), 0, view.cells - 1)
        for axis, low in zip((across, down), view.low, strict=True)
    ]
    return view.depth[cell[1] * view.cells + cell[0]] - height


def _in_frame(points: np.ndarray, frame: np.ndarray) -> list[np.ndarray]:
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    return [axis[0] * x + axis[1] * y + axis[2] * z for axis in frame]


def _triangles() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The corners (3, T) of all triangles, and the directions (T,) of their legs along the row and the column.

    The first corner has the right angle, the second is its neighbour in the row, the third in the column. The diagonals
    of the cells are mirrored about the middle column, so that a mirrored head gives a mirrored image.
    """
    index = np.arange(head_mesh.ROWS * head_mesh.COLUMNS).reshape(head_mesh.ROWS, head_mesh.COLUMNS)
    rows = np.array([row for row in range(head_mesh.ROWS - 1) if row != head_mesh.HEAD_ROWS - 1])
    left, right = index[rows, :-1], index[rows, 1:]
    below_left, below_right = index[rows + 1, :-1], index[rows + 1, 1:]
    flip = np.arange(head_mesh.COLUMNS - 1) >= head_mesh.COLUMNS // 2
    near, far = np.where(flip, right, left), np.where(flip, left, right)
    below_near, below_far = np.where(flip, below_right, below_left), np.where(flip, below_left, below_right)
    corners = [
        np.stack([part.ravel() for part in half]) for half in ((near, far, below_near), (below_far, below_near, far))
    ]
    along = np.where(flip, -1.0, 1.0) * np.ones(left.shape)
    along = np.concatenate([along.ravel(), -along.ravel()]).astype(np.float32)
    down = np.repeat(np.array([1, -1], np.float32), left.size)
    return np.concatenate(corners, 1), along, down


_CORNERS, _ALONG, _DOWN = _triangles()
_U, _V = (
    head_mesh.to_texture_px(grid.ravel().astype(np.float32))
    for grid in np.meshgrid(np.arange(head_mesh.COLUMNS), np.arange(head_mesh.ROWS))
)


def rasterise(projected: np.ndarray, depth: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Texture pixels (size, size, 2) and coverage (size, size) bool of a projected mesh (ROWS, COLUMNS, 2).

    Triangles that face the camera are drawn from far to near, so that near ones overwrite far ones.
    """
    triangle, pixel, second, third = cover_pixels(
        projected.reshape(-1, 2), depth.ravel(), _CORNERS, size, signs=_ALONG * _DOWN, min_area=1e-4
    )
    a = _CORNERS[0][triangle]
    texture = np.full((size * size, 2), -1, np.float32)
    texture[pixel, 0] = _U[a] + _ALONG[triangle] * second * head_mesh.CELL
    texture[pixel, 1] = _V[a] + _DOWN[triangle] * third * head_mesh.CELL
    texture = texture.reshape(size, size, 2)
    return texture, texture[..., 0] >= 0


def cover_pixels(
    projected: np.ndarray,
    depth: np.ndarray,
    corners: np.ndarray,
    size: int,
    signs: np.ndarray | float = 1.0,
    min_area: float = 1e-5,
    tolerance: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The pixels that triangles cover: triangle, pixel, and the barycentric coordinates of its corners 2 and 3, (M,).

    `corners` (3, T) are indices of the vertices, `projected` (N, 2) in pixels and `depth` (N,). Only triangles that
    face the camera count, those with `signs` (T,) times the signed area above `min_area`. They are sorted from far to
    near, so that the last entry of a pixel is the visible one. `tolerance` widens the triangles a little.
    """
    x, y = projected[:, 0], projected[:, 1]
    a, b, c = corners
    ax, ay = x[a], y[a]
    bx, by, cx, cy = x[b] - ax, y[b] - ay, x[c] - ax, y[c] - ay
    area = bx * cy - by * cx
    facing = np.flatnonzero(area * signs > min_area)
    facing = facing[np.argsort((depth[a[facing]] + depth[b[facing]]) + depth[c[facing]], kind='stable')]
    ax, ay, bx, by, cx, cy, area = (part[facing] for part in (ax, ay, bx, by, cx, cy, area))
    left, width = _span(ax, bx, cx, size)
    top, height = _span(ay, by, cy, size)
    count = width * height
    owner = np.repeat(np.arange(len(facing), dtype=np.int32), count)
    index = np.arange(len(owner), dtype=np.int32) - np.repeat(np.cumsum(count, dtype=np.int32) - count, count)
    row = index // width[owner]
    px, py = left[owner] + index - row * width[owner], top[owner] + row
    inverse, dx, dy = 1 / area, px - ax[owner], py - ay[owner]
    second = dx * (cy * inverse)[owner] - dy * (cx * inverse)[owner]
    third = dy * (bx * inverse)[owner] - dx * (by * inverse)[owner]
    hit = np.flatnonzero((second >= -tolerance) & (third >= -tolerance) & (second + third <= 1 + tolerance))
    return facing[owner[hit]], py[hit] * size + px[hit], second[hit], third[hit]


def _span(start: np.ndarray, second: np.ndarray, third: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The first pixel and the number of pixels of triangles along one axis, clipped to the image."""
    low = np.maximum(np.ceil(start + np.minimum(np.minimum(second, third), 0)), 0).astype(np.int32)
    high = np.minimum(np.floor(start + np.maximum(np.maximum(second, third), 0)), size - 1).astype(np.int32)
    return low, np.maximum(high - low + 1, 0)
