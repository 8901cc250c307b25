"""From the surface to the picture: pose, perspective, shadow, light, and the rasteriser."""

import functools
from types import SimpleNamespace

import cv2
import numpy as np

import facelmk.synthetic.anatomy as anatomy


@functools.lru_cache(maxsize=16)
def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Roll of pitch of yaw (3, 3); a positive yaw turns the nose to the picture's right, a positive pitch down."""
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    lean = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (lean @ nod @ turn).astype(np.float32)


_PIVOT = np.array([0, 0.6, -0.9], np.float32)  # where head and neck meet
_HOLD = np.concatenate([np.zeros(anatomy.HEAD_ROWS), [0.1, 0.35, 0.6, 0.85, 1, 1, 1, 1, 1]]).astype(np.float32)


def turn(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (..., 3) turned about the top of the neck; spelt out, so that no batch size changes a bit."""
    x, y, z = (points[..., k] - _PIVOT[k] for k in range(3))
    return np.stack([matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z + _PIVOT[k] for k in range(3)], -1)


def pose(vertices: np.ndarray, face: SimpleNamespace) -> np.ndarray:
    """Head and body in the camera's frame (ROWS, COLUMNS, 3): the neck goes over from one to the other."""
    head = turn(vertices, rotation(face.yaw, face.pitch, face.roll))
    body = turn(vertices[anatomy.HEAD_ROWS :], rotation(*(face.body * (face.yaw, face.pitch, face.roll))))
    hold = _HOLD[anatomy.HEAD_ROWS :, None, None]
    head[anatomy.HEAD_ROWS :] = head[anatomy.HEAD_ROWS :] * (1 - hold) + body * hold
    return head


def project(points: np.ndarray, distance: float) -> np.ndarray:
    """Perspective: (..., 3) to (..., 2), in units of the face, for a camera `distance` away."""
    return points[..., :2] * (np.float32(distance) / (np.float32(distance) - points[..., 2:]))


def depth_map(points: np.ndarray, towards: np.ndarray, cells: int = 40) -> SimpleNamespace:
    """The nearest depth of a surface (R, C, 3), looked at from direction `towards` (3,), on a coarse grid."""
    across = np.cross(towards, [0, 1, 0])
    across = across / (np.sqrt((across * across).sum()) + 1e-6)
    frame = np.stack([across, np.cross(across, towards), towards]).astype(np.float32)
    flat = _in_frame(points, frame)
    low = np.array([flat[0].min(), flat[1].min()])
    scale = np.float32((cells - 1) / max(flat[0].max() - low[0], flat[1].max() - low[1]))
    across, down, near = (cv2.resize(axis, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR).ravel() for axis in flat)
    cell = ((down - low[1]) * scale + 0.5).astype(np.int32) * cells + ((across - low[0]) * scale + 0.5).astype(np.int32)
    depth = np.full(cells * cells, -9, np.float32)
    np.maximum.at(depth, cell, near)
    return SimpleNamespace(depth=depth, cells=cells, frame=frame, low=low, scale=scale)


def behind(points: np.ndarray, view: SimpleNamespace) -> np.ndarray:
    """How far points (..., 3) lie behind the surface of a depth map, (...)."""
    across, down, near = _in_frame(points, view.frame)
    cell = [
        np.clip(((axis - low) * view.scale + 0.5).astype(np.int32), 0, view.cells - 1)
        for axis, low in zip((across, down), view.low, strict=True)
    ]
    return view.depth[cell[1] * view.cells + cell[0]] - near


def _in_frame(points, frame):
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    return [axis[0] * x + axis[1] * y + axis[2] * z for axis in frame]


def _triangles():
    """Corners (3, T): a right-angled one, its neighbour along the row, its neighbour along the column; and two signs.

    The cut of a cell is mirrored about the middle column, so that a mirrored head is drawn as the mirror picture.
    """
    index = np.arange(anatomy.ROWS * anatomy.COLUMNS).reshape(anatomy.ROWS, anatomy.COLUMNS)
    rows = np.array([row for row in range(anatomy.ROWS - 1) if row != anatomy.HEAD_ROWS - 1])
    left, right = index[rows, :-1], index[rows, 1:]
    below_left, below_right = index[rows + 1, :-1], index[rows + 1, 1:]
    flip = np.arange(anatomy.COLUMNS - 1) >= anatomy.COLUMNS // 2
    near, far = np.where(flip, right, left), np.where(flip, left, right)
    below_near, below_far = np.where(flip, below_right, below_left), np.where(flip, below_left, below_right)
    corners = [
        np.stack([part.ravel() for part in cut]) for cut in ((near, far, below_near), (below_far, below_near, far))
    ]
    along = np.where(flip, -1.0, 1.0) * np.ones(left.shape)
    along = np.concatenate([along.ravel(), -along.ravel()]).astype(np.float32)
    down = np.repeat(np.array([1, -1], np.float32), left.size)
    return np.concatenate(corners, 1), along, down


_CORNERS, _ALONG, _DOWN = _triangles()
_U, _V = (
    anatomy.on_texture(grid.ravel().astype(np.float32))
    for grid in np.meshgrid(np.arange(anatomy.COLUMNS), np.arange(anatomy.ROWS))
)


def rasterise(seen: np.ndarray, depth: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Texture coordinates (size, size, 2) and coverage (size, size) bool of a projected mesh (ROWS, COLUMNS, 2).

    Triangles that face the camera are drawn from far to near; later ones win.
    """
    x, y, z = seen[..., 0].ravel(), seen[..., 1].ravel(), depth.ravel()
    a, b, c = _CORNERS
    ax, ay = x[a], y[a]
    bx, by, cx, cy = x[b] - ax, y[b] - ay, x[c] - ax, y[c] - ay
    area = bx * cy - by * cx
    keep = np.flatnonzero(area * (_ALONG * _DOWN) > 1e-4)
    keep = keep[np.argsort((z[a[keep]] + z[b[keep]]) + z[c[keep]], kind='stable')]
    ax, ay, bx, by, cx, cy, area = (part[keep] for part in (ax, ay, bx, by, cx, cy, area))
    left, wide = _span(ax, bx, cx, size)
    top, high = _span(ay, by, cy, size)
    count = wide * high
    owner = np.repeat(np.arange(len(keep), dtype=np.int32), count)
    inside = np.arange(len(owner), dtype=np.int32) - np.repeat(np.cumsum(count, dtype=np.int32) - count, count)
    row = inside // wide[owner]
    px, py = left[owner] + inside - row * wide[owner], top[owner] + row
    # Shares of the second and the third corner, as affine functions of the pixel.
    one, dx, dy = 1 / area, px - ax[owner], py - ay[owner]
    second = dx * (cy * one)[owner] - dy * (cx * one)[owner]
    third = dy * (bx * one)[owner] - dx * (by * one)[owner]
    hit = np.flatnonzero((second >= 0) & (third >= 0) & (second + third <= 1))
    triangle, place = keep[owner[hit]], py[hit] * size + px[hit]
    texture = np.full((size * size, 2), -1, np.float32)
    texture[place, 0] = _U[a[triangle]] + _ALONG[triangle] * second[hit] * anatomy.CELL
    texture[place, 1] = _V[a[triangle]] + _DOWN[triangle] * third[hit] * anatomy.CELL
    texture = texture.reshape(size, size, 2)
    return texture, texture[..., 0] >= 0


def _span(start, second, third, size):
    """The first pixel and the number of pixels of triangles along one axis, cut to the picture."""
    low = np.maximum(np.ceil(start + np.minimum(np.minimum(second, third), 0)), 0).astype(np.int32)
    high = np.minimum(np.floor(start + np.maximum(np.maximum(second, third), 0)), size - 1).astype(np.int32)
    return low, np.maximum(high - low + 1, 0)
