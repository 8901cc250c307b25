"""The head as one mesh over (azimuth, height), with the relief of a face, and the pixels of its texture."""

from dataclasses import dataclass

import numpy as np

from .shape import FaceShape

# The unit of length is the distance between the outer eye corners. x points to the right of the image, y down, z to the
# camera. The origin is between the eyes, on the line of the eye corners.
AZIMUTHS = np.radians(
    np.concatenate(
        [
            np.linspace(-180, -110, 5)[:-1],
            np.linspace(-110, -50, 9)[:-1],
            np.linspace(-50, 50, 31),
            np.linspace(50, 110, 9)[1:],
            np.linspace(110, 180, 5)[1:],
        ]
    )
).astype(np.float32)
HEIGHTS = np.concatenate(
    [[-1.2, -1.16, -1.08, -0.95, -0.8, -0.65, -0.5, -0.4], np.linspace(-0.32, 1.325, 36), [1.352, 1.37]]
).astype(np.float32)
NECK = np.array([0.55, 0.9, 1.2, 1.5, 1.75, 1.95, 2.12, 2.3, 2.7], np.float32)
HEAD_ROWS, ROWS, COLUMNS = len(HEIGHTS), len(HEIGHTS) + len(NECK), len(AZIMUTHS)
CELL = 6  # texture pixels from one vertex to the next: the texture is the grid of the mesh, resized
NECK_TOP = HEAD_ROWS * CELL  # the first texture row of the neck
CHIN, CROWN = 1.37, -1.2  # heights of the mean face

# The mean head by height: half-width, z of the axis, depth in front of and behind the axis.
_PROFILE = np.array(
    [
        # y, half-width, axis, front, back
        [-1.20, 0.02, -0.80, 0.02, 0.02],
        [-1.16, 0.26, -0.80, 0.30, 0.36],
        [-1.08, 0.46, -0.79, 0.50, 0.66],
        [-0.95, 0.65, -0.78, 0.67, 0.90],
        [-0.80, 0.77, -0.77, 0.79, 1.05],
        [-0.65, 0.84, -0.76, 0.87, 1.14],
        [-0.50, 0.875, -0.75, 0.92, 1.18],
        [-0.25, 0.888, -0.75, 0.94, 1.18],
        [0.0, 0.877, -0.75, 0.92, 1.10],
        [0.22, 0.858, -0.75, 0.92, 0.98],
        [0.44, 0.822, -0.74, 0.92, 0.85],
        [0.66, 0.755, -0.68, 0.88, 0.75],
        [0.87, 0.675, -0.53, 0.74, 0.62],
        [1.05, 0.55, -0.31, 0.53, 0.62],
        [1.20, 0.393, -0.09, 0.33, 0.60],
        [1.28, 0.295, 0.0, 0.245, 0.50],
        [1.325, 0.215, 0.05, 0.18, 0.40],
        [1.352, 0.145, 0.085, 0.115, 0.25],
        [1.37, 0.01, 0.12, 0.03, 0.05],
    ],
    np.float32,
)
_NECK_PROFILE = np.array(
    [
        [0.55, 0.50, -1.05, 0.45, 0.45],
        [0.9, 0.50, -1.0, 0.50, 0.50],
        [1.2, 0.49, -0.97, 0.50, 0.50],
        [1.5, 0.50, -0.97, 0.50, 0.52],
        [1.75, 0.56, -1.0, 0.52, 0.56],
        [1.95, 0.80, -1.05, 0.55, 0.60],
        [2.12, 1.25, -1.1, 0.58, 0.64],
        [2.3, 1.75, -1.1, 0.62, 0.68],
        [2.7, 2.0, -1.1, 0.75, 0.75],
    ],
    np.float32,
)
_COLUMN, _ROW = np.arange(COLUMNS), np.arange(HEAD_ROWS)
OUTWARDS = np.stack(
    np.broadcast_arrays(
        np.sin(AZIMUTHS), -np.clip(-0.3 - np.append(HEIGHTS, NECK), 0, 0.8)[:, None] * 1.2, np.cos(AZIMUTHS)
    ),
    -1,
).astype(np.float32)  # direction away from the head, for each vertex
_FRONT = np.clip((np.cos(AZIMUTHS) + 0.15) / 0.45, 0, 1).astype(
    np.float32
)  # 1 on the front, which has relief, 0 at the back


@dataclass
class HeadMesh:
    """One head: vertices (ROWS, COLUMNS, 3), and the height and half-width of each row of the head (HEAD_ROWS,)."""

    vertices: np.ndarray
    heights: np.ndarray
    widths: np.ndarray


def stack_xy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x and y (N,) as points (N, 2). `np.stack` takes three times as long; each face needs a hundred calls."""
    points = np.empty((len(x), 2))
    points[:, 0], points[:, 1] = x, y
    return points


def profile(table: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The four columns of a profile table at the heights y, (4, len(y))."""
    return np.stack([np.interp(y, table[:, 0], column) for column in table[:, 1:].T]).astype(np.float32)


def build_head(shape: FaceShape) -> HeadMesh:
    """The mesh of one head."""
    y = _stretch(HEIGHTS, shape)
    width, axis, front, back = profile(_PROFILE, HEIGHTS)
    width = width * (shape.width + _bulges(HEIGHTS, shape.width_bulges))
    width = np.maximum(width, 0.004)
    front = front + np.float32(shape.depth)
    sine, cosine = np.sin(AZIMUTHS), np.cos(AZIMUTHS)
    x = width[:, None] * sine
    z = axis[:, None] + np.where(cosine > 0, front[:, None] * cosine, back[:, None] * cosine)
    # Below the jaw, the back of a row is the floor of the mouth, which rises towards the neck.
    lift = np.clip((np.abs(AZIMUTHS) - 1.5) / 1.64, 0, 1) * np.clip(HEIGHTS - 0.6, 0, 1)[:, None] * 0.7
    rows = np.broadcast_to(y[:, None], x.shape) - lift
    z = z + _relief(np.abs(x), y[:, None], shape.relief) * _FRONT
    head = np.stack([x, rows, z], -1)
    neck = _neck(shape)
    return HeadMesh(vertices=np.concatenate([head, neck]).astype(np.float32), heights=y, widths=width)


def to_mesh(mesh: HeadMesh, plane: np.ndarray) -> np.ndarray:
    """The mesh coordinates (column, row), (N, 2), of points (x, y) in the frontal plane, (N, 2)."""
    rows = np.interp(plane[:, 1], mesh.heights, _ROW)
    width = np.interp(rows, _ROW, mesh.widths)
    azimuth = np.arcsin(np.minimum(np.maximum(plane[:, 0] / width, -0.999), 0.999))
    return stack_xy(np.interp(azimuth, AZIMUTHS, _COLUMN), rows).astype(np.float32)


def to_texture_px(uv: np.ndarray) -> np.ndarray:
    """Convert mesh coordinates (column, row) to texture pixels."""
    return uv * CELL + (CELL - 1) / 2


def column_of(azimuth: np.ndarray) -> np.ndarray:
    """The mesh column (a real number) of an azimuth in radians."""
    return np.interp(azimuth, AZIMUTHS, _COLUMN).astype(np.float32)


def interpolate(values: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Interpolate vertex values (ROWS, COLUMNS, D) at mesh coordinates uv (N, 2) within the drawn triangles: (N, D)."""
    column = np.clip(uv[:, 0].astype(int), 0, COLUMNS - 2)
    row = np.clip(uv[:, 1].astype(int), 0, values.shape[0] - 2)
    right, down = (uv[:, 0] - column)[:, None], (uv[:, 1] - row)[:, None]
    a, b = values[row, column], values[row, column + 1]
    c, d = values[row + 1, column], values[row + 1, column + 1]
    # Left of the middle, the diagonal of a cell runs from upper right to lower left; right of it, the other way.
    flip = (column >= COLUMNS // 2)[:, None]
    right = np.where(flip, 1 - right, right)
    a, b, c, d = np.where(flip, b, a), np.where(flip, a, b), np.where(flip, d, c), np.where(flip, c, d)
    upper = a + right * (b - a) + down * (c - a)
    lower = d + (1 - right) * (c - d) + (1 - down) * (b - d)
    return np.where(right + down <= 1, upper, lower)


def normals(vertices: np.ndarray) -> np.ndarray:
    """Outward unit normals (ROWS, COLUMNS, 3). Head and neck are separate surfaces."""
    parts = [_surface_normals(vertices[:HEAD_ROWS]), _surface_normals(vertices[HEAD_ROWS:])]
    return np.concatenate(parts)


def _surface_normals(vertices: np.ndarray) -> np.ndarray:
    along = np.empty_like(vertices)
    along[:, 1:-1] = vertices[:, 2:] - vertices[:, :-2]
    along[:, 0] = along[:, -1] = vertices[:, 1] - vertices[:, -2]
    down = np.empty_like(vertices)
    down[1:-1] = vertices[2:] - vertices[:-2]
    down[0], down[-1] = vertices[1] - vertices[0], vertices[-1] - vertices[-2]
    (ax, ay, az), (bx, by, bz) = np.moveaxis(along, -1, 0), np.moveaxis(down, -1, 0)
    normal = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], -1)
    return normal / (np.sqrt((normal * normal).sum(-1, keepdims=True)) + 1e-9)


def _stretch(y: np.ndarray, shape: FaceShape) -> np.ndarray:
    """Move the heights of the mean face so that crown and chin are where this face has them."""
    below = 0.58 + (y - 0.58) * (shape.chin - 0.58) / (CHIN - 0.58)
    return np.where(y > 0.58, below, np.where(y < 0, y * shape.crown / CROWN, y)).astype(np.float32)


def _bulges(y: np.ndarray, bulges: np.ndarray) -> np.ndarray:
    """The sum of Gaussian bulges (N, 3) of the width: height, size, spread."""
    height, size, spread = bulges.T.astype(np.float32)
    return (size * np.exp(-(((y[:, None] - height) / spread) ** 2))).sum(1)


def _relief(x: np.ndarray, y: np.ndarray, relief: np.ndarray) -> np.ndarray:
    """The sum of Gaussian bumps (N, 5): x, y, depth, spread along x, spread along y."""
    total = np.zeros_like(x)
    for centre_x, centre_y, depth, spread_x, spread_y in relief.astype(np.float32):
        by_row = np.exp(-(((y - centre_y) / spread_y) ** 2))
        affected = np.flatnonzero(by_row[:, 0] > 0.003)
        if affected.size:
            rows = slice(affected[0], affected[-1] + 1)
            total[rows] += (depth * by_row[rows]) * np.exp(-(((x[rows] - centre_x) / spread_x) ** 2))
    return total


def _neck(shape: FaceShape) -> np.ndarray:
    width, axis, front, back = profile(_NECK_PROFILE, NECK)
    width = width * np.where(NECK < 1.8, shape.neck, shape.shoulders)
    sine, cosine = np.sin(AZIMUTHS), np.cos(AZIMUTHS)
    x = width[:, None] * sine
    depth = np.where(cosine > 0, front[:, None] * cosine, back[:, None] * cosine)
    y = NECK + np.where(NECK > 1.0, shape.chin - CHIN, 0)
    rows = np.broadcast_to(y[:, None], x.shape) + np.clip(NECK - 1.7, 0, 1)[:, None] * 0.45 * (sine**2)
    return np.stack([x, rows, axis[:, None] + depth], -1)
