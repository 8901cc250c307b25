"""The head as one mesh: a lathe of (azimuth, height) with the relief of a face on it, and its texture's grid."""

from types import SimpleNamespace

import numpy as np

# Units: the distance between the outer eye corners is 1. x to the picture's right, y down, z to the camera;
# the origin lies between the eyes, y = 0 on the line of the eye corners.
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
CELL = 6  # texture pixels from one vertex to the next: a texture is the mesh's grid, resized
NECK_TOP = HEAD_ROWS * CELL  # the texture's first row of the neck
CHIN, CROWN = 1.37, -1.2  # heights of the mean face

# Half-width, z of the axis, depth before and behind the axis, by height of the mean head.
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
).astype(np.float32)  # away from the head, by vertex
_FRONT = np.clip((np.cos(AZIMUTHS) + 0.15) / 0.45, 0, 1).astype(np.float32)  # where a face has relief


def pair(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x and y (N,) as points (N, 2); `np.stack` takes three times as long, and is called a hundred times a face."""
    points = np.empty((len(x), 2))
    points[:, 0], points[:, 1] = x, y
    return points


def columns(table: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The profile's four columns at the heights y, (4, len(y))."""
    return np.stack([np.interp(y, table[:, 0], column) for column in table[:, 1:].T]).astype(np.float32)


def build(shape: SimpleNamespace) -> SimpleNamespace:
    """The surface of one head: vertices (ROWS, COLUMNS, 3) and what `to_surface` needs."""
    y = _stretch(HEIGHTS, shape)
    width, axis, front, back = columns(_PROFILE, HEIGHTS)
    width = width * (shape.width + _humps(HEIGHTS, shape.width_humps))
    width = np.maximum(width, 0.004)
    front = front + np.float32(shape.depth)
    sine, cosine = np.sin(AZIMUTHS), np.cos(AZIMUTHS)
    x = width[:, None] * sine
    z = axis[:, None] + np.where(cosine > 0, front[:, None] * cosine, back[:, None] * cosine)
    # Below the angle of the jaw the back of a row is the floor of the mouth: it rises towards the neck.
    lift = np.clip((np.abs(AZIMUTHS) - 1.5) / 1.64, 0, 1) * np.clip(HEIGHTS - 0.6, 0, 1)[:, None] * 0.7
    rows = np.broadcast_to(y[:, None], x.shape) - lift
    z = z + _relief(np.abs(x), y[:, None], shape.relief) * _FRONT
    head = np.stack([x, rows, z], -1)
    neck = _neck(shape)
    return SimpleNamespace(vertices=np.concatenate([head, neck]).astype(np.float32), heights=y, widths=width)


def to_surface(mesh: SimpleNamespace, plane: np.ndarray) -> np.ndarray:
    """Points (N, 2) of the frontal plane (x, y) as (column, row) on the mesh, (N, 2)."""
    rows = np.interp(plane[:, 1], mesh.heights, _ROW)
    width = np.interp(rows, _ROW, mesh.widths)
    azimuth = np.arcsin(np.minimum(np.maximum(plane[:, 0] / width, -0.999), 0.999))
    return pair(np.interp(azimuth, AZIMUTHS, _COLUMN), rows).astype(np.float32)


def on_texture(places: np.ndarray) -> np.ndarray:
    """Places (column, row) on the mesh in texture pixels."""
    return places * CELL + (CELL - 1) / 2


def column_of(azimuth: np.ndarray) -> np.ndarray:
    """The mesh column, a real number, of an azimuth in radians."""
    return np.interp(azimuth, AZIMUTHS, _COLUMN).astype(np.float32)


def on_surface(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Vertex values (ROWS, COLUMNS, D) at places (N, 2), by the triangles that are drawn, (N, D)."""
    column = np.clip(places[:, 0].astype(int), 0, COLUMNS - 2)
    row = np.clip(places[:, 1].astype(int), 0, values.shape[0] - 2)
    right, down = (places[:, 0] - column)[:, None], (places[:, 1] - row)[:, None]
    a, b = values[row, column], values[row, column + 1]
    c, d = values[row + 1, column], values[row + 1, column + 1]
    # Left of the middle a cell is cut from its upper right to its lower left corner, right of it the other way.
    flip = (column >= COLUMNS // 2)[:, None]
    right = np.where(flip, 1 - right, right)
    a, b, c, d = np.where(flip, b, a), np.where(flip, a, b), np.where(flip, d, c), np.where(flip, c, d)
    upper = a + right * (b - a) + down * (c - a)
    lower = d + (1 - right) * (c - d) + (1 - down) * (b - d)
    return np.where(right + down <= 1, upper, lower)


def normals(vertices: np.ndarray) -> np.ndarray:
    """Unit normals (ROWS, COLUMNS, 3) that look outwards; head and neck are separate sheets."""
    parts = [_sheet_normals(vertices[:HEAD_ROWS]), _sheet_normals(vertices[HEAD_ROWS:])]
    return np.concatenate(parts)


def _sheet_normals(sheet: np.ndarray) -> np.ndarray:
    along = np.empty_like(sheet)
    along[:, 1:-1] = sheet[:, 2:] - sheet[:, :-2]
    along[:, 0] = along[:, -1] = sheet[:, 1] - sheet[:, -2]
    down = np.empty_like(sheet)
    down[1:-1] = sheet[2:] - sheet[:-2]
    down[0], down[-1] = sheet[1] - sheet[0], sheet[-1] - sheet[-2]
    (ax, ay, az), (bx, by, bz) = np.moveaxis(along, -1, 0), np.moveaxis(down, -1, 0)
    normal = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], -1)
    return normal / (np.sqrt((normal * normal).sum(-1, keepdims=True)) + 1e-9)


def _stretch(y: np.ndarray, shape: SimpleNamespace) -> np.ndarray:
    """The mean face's heights moved so that crown and chin lie where this face has them."""
    below = 0.58 + (y - 0.58) * (shape.chin - 0.58) / (CHIN - 0.58)
    return np.where(y > 0.58, below, np.where(y < 0, y * shape.crown / CROWN, y)).astype(np.float32)


def _humps(y: np.ndarray, humps: np.ndarray) -> np.ndarray:
    """Widenings (N, 3) of the head: place, size, spread along the height."""
    place, size, spread = humps.T.astype(np.float32)
    return (size * np.exp(-(((y[:, None] - place) / spread) ** 2))).sum(1)


def _relief(x: np.ndarray, y: np.ndarray, relief: np.ndarray) -> np.ndarray:
    """Heights of Gaussian bumps (N, 5): x, y, amount, spread along x, spread along y."""
    total = np.zeros_like(x)
    for place_x, place_y, amount, spread_x, spread_y in relief.astype(np.float32):
        down = np.exp(-(((y - place_y) / spread_y) ** 2))
        near = np.flatnonzero(down[:, 0] > 0.003)
        if near.size:
            rows = slice(near[0], near[-1] + 1)
            total[rows] += (amount * down[rows]) * np.exp(-(((x[rows] - place_x) / spread_x) ** 2))
    return total


def _neck(shape: SimpleNamespace) -> np.ndarray:
    width, axis, front, back = columns(_NECK_PROFILE, NECK)
    width = width * np.where(NECK < 1.8, shape.neck, shape.shoulders)
    sine, cosine = np.sin(AZIMUTHS), np.cos(AZIMUTHS)
    x = width[:, None] * sine
    depth = np.where(cosine > 0, front[:, None] * cosine, back[:, None] * cosine)
    y = NECK + np.where(NECK > 1.0, shape.chin - CHIN, 0)
    rows = np.broadcast_to(y[:, None], x.shape) + np.clip(NECK - 1.7, 0, 1)[:, None] * 0.45 * (sine**2)
    return np.stack([x, rows, axis[:, None] + depth], -1)
