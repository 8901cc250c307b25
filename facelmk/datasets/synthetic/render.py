"""From the surface to the picture: pose, perspective, shadow, light, and the rasteriser."""

from types import SimpleNamespace

import cv2
import numpy as np

from . import anatomy


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Roll of pitch of yaw (3, 3); a positive yaw turns the nose to the picture's right, a positive pitch down."""
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    lean = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (lean @ nod @ turn).astype(np.float32)


_PIVOT = np.array([0, .6, -.9], np.float32)  # where head and neck meet
_HOLD = np.concatenate([np.zeros(anatomy.HEAD_ROWS), [.1, .35, .6, .85, 1, 1, 1, 1, 1]]).astype(np.float32)


def turn(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (..., 3) turned about the top of the neck; spelt out, so that no batch size changes a bit."""
    x, y, z = (points[..., k] - _PIVOT[k] for k in range(3))
    return np.stack([matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z + _PIVOT[k] for k in range(3)], -1)


def pose(vertices: np.ndarray, face: SimpleNamespace) -> np.ndarray:
    """Head and body in the camera's frame (ROWS, COLUMNS, 3): the neck goes over from one to the other."""
    head = turn(vertices, rotation(face.yaw, face.pitch, face.roll))
    body = turn(vertices[anatomy.HEAD_ROWS:], rotation(*(face.body * (face.yaw, face.pitch, face.roll))))
    hold = _HOLD[anatomy.HEAD_ROWS:, None, None]
    head[anatomy.HEAD_ROWS:] = head[anatomy.HEAD_ROWS:] * (1 - hold) + body * hold
    return head


def project(points: np.ndarray, distance: float) -> np.ndarray:
    """Perspective: (..., 3) to (..., 2), in units of the face, for a camera `distance` away."""
    return points[..., :2] * (np.float32(distance) / (np.float32(distance) - points[..., 2:]))


def depth_map(points: np.ndarray, towards: np.ndarray, cells: int = 40) -> SimpleNamespace:
    """The nearest depth of a surface (R, C, 3), looked at from direction `towards` (3,), on a coarse grid."""
    fine = cv2.resize(points, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR).reshape(-1, 3)
    across = np.cross(towards, [0, 1, 0])
    across = across / (np.linalg.norm(across) + 1e-6)
    frame = np.stack([across, np.cross(across, towards), towards]).astype(np.float32)
    flat = _in_frame(fine, frame)
    low = flat[:, :2].min(0)
    scale = np.float32((cells - 1) / (flat[:, :2].max(0) - low).max())
    cell = ((flat[:, :2] - low) * scale + .5).astype(np.int32)
    depth = np.full(cells * cells, -9, np.float32)
    np.maximum.at(depth, cell[:, 1] * cells + cell[:, 0], flat[:, 2])
    return SimpleNamespace(depth=depth.reshape(cells, cells), frame=frame, low=low, scale=scale)


def behind(points: np.ndarray, view: SimpleNamespace) -> np.ndarray:
    """How far points (N, 3) lie behind the surface of a depth map, (N,)."""
    flat = _in_frame(points, view.frame)
    at = ((flat[:, :2] - view.low) * view.scale).astype(np.float32)
    size = view.depth.shape[0]
    near = cv2.remap(view.depth, at[:, 0].reshape(-1, 1), at[:, 1].reshape(-1, 1), cv2.INTER_NEAREST,
                     borderMode=cv2.BORDER_REPLICATE) if len(at) < 32000 else None
    return near[:, 0] - flat[:, 2] if size else flat[:, 2]


def _in_frame(points, frame):
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    return np.stack([frame[k, 0] * x + frame[k, 1] * y + frame[k, 2] * z for k in range(3)], -1)


def _triangles():
    index = np.arange(anatomy.ROWS * anatomy.COLUMNS).reshape(anatomy.ROWS, anatomy.COLUMNS)
    keep = [row for row in range(anatomy.ROWS - 1) if row != anatomy.HEAD_ROWS - 1]
    a, b = index[keep, :-1].ravel(), index[keep, 1:].ravel()
    c, d = index[[k + 1 for k in keep], :-1].ravel(), index[[k + 1 for k in keep], 1:].ravel()
    return np.stack([np.concatenate([a, d]), np.concatenate([b, c]), np.concatenate([c, b])])


_CORNERS = _triangles()
_U, _V = (grid.ravel().astype(np.float32) * anatomy.CELL for grid in np.meshgrid(np.arange(anatomy.COLUMNS), np.arange(anatomy.ROWS)))


def rasterise(seen: np.ndarray, depth: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Texture coordinates (size, size, 2) and coverage (size, size) bool of a projected mesh (ROWS, COLUMNS, 2).

    Triangles that face the camera are drawn from far to near; later ones win.
    """
    x, y = seen[..., 0].ravel(), seen[..., 1].ravel()
    a, b, c = _CORNERS
    ax, ay = x[a], y[a]
    bx, by, cx, cy = x[b] - ax, y[b] - ay, x[c] - ax, y[c] - ay
    area = bx * cy - by * cx
    keep = np.flatnonzero(area > 1e-4)
    z = depth.ravel()
    keep = keep[np.argsort((z[a[keep]] + z[b[keep]]) + z[c[keep]], kind='stable')]
    a, ax, ay, bx, by, cx, cy, area = a[keep], ax[keep], ay[keep], bx[keep], by[keep], cx[keep], cy[keep], area[keep]
    left = np.maximum(np.ceil(ax + np.minimum(np.minimum(bx, cx), 0)), 0).astype(np.int32)
    top = np.maximum(np.ceil(ay + np.minimum(np.minimum(by, cy), 0)), 0).astype(np.int32)
    wide = np.maximum(np.minimum(np.floor(ax + np.maximum(np.maximum(bx, cx), 0)), size - 1).astype(np.int32) - left + 1, 0)
    high = np.maximum(np.minimum(np.floor(ay + np.maximum(np.maximum(by, cy), 0)), size - 1).astype(np.int32) - top + 1, 0)
    count = wide * high
    owner = np.repeat(np.arange(len(keep), dtype=np.int32), count)
    inside = np.arange(len(owner), dtype=np.int32) - np.repeat(np.cumsum(count, dtype=np.int32) - count, count)
    row = inside // wide[owner]
    px, py = left[owner] + inside - row * wide[owner], top[owner] + row
    # Barycentric coordinates as affine functions of the pixel.
    one, dx, dy = 1 / area, px - ax[owner], py - ay[owner]
    right = dx * (cy * one)[owner] - dy * (cx * one)[owner]
    down = dy * (bx * one)[owner] - dx * (by * one)[owner]
    hit = np.flatnonzero((right >= 0) & (down >= 0) & (right + down <= 1))
    owner, right, down = owner[hit], right[hit], down[hit]
    first = a[owner]
    sign = np.where(keep[owner] < _CORNERS.shape[1] // 2, np.float32(anatomy.CELL), np.float32(-anatomy.CELL))
    # In an upper triangle b lies to the right and c below; in a lower one b lies to the left and c above.
    place = py[hit] * size + px[hit]
    texture = np.full((size * size, 2), -1, np.float32)
    texture[place, 0] = _U[first] + sign * right
    texture[place, 1] = _V[first] + sign * down
    texture = texture.reshape(size, size, 2)
    return texture, texture[..., 0] >= 0
