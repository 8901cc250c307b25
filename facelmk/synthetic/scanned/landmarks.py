"""The landmarks of a scanned head: from its vertices, moved to where those of our own drawn head are."""

from dataclasses import dataclass

import numpy as np

import facelmk.synthetic.landmarks as face_landmarks
import facelmk.synthetic.mesh as head_mesh
import facelmk.synthetic.render as render

from ..shape import FaceShape
from .head import LANDMARKS, ScannedHead, jaw_line

_BROWS, _BESIDE_NOSE = slice(33, 51), slice(98, 104)
# WFLW's points of the eyes and the vertices of 300W's: equal ones, and those in the middle of four.
_EYES = {60: 36, 61: 37, 63: 38, 64: 39, 65: 40, 67: 41, 68: 42, 69: 43, 71: 44, 72: 45, 73: 46, 75: 47}
_EYES_BETWEEN = {62: (36, 37, 38, 39), 66: (39, 40, 41, 36), 70: (42, 43, 44, 45), 74: (45, 46, 47, 42)}
# The offset (x, y) of the 98 points of our own head from the published vertices, in thousandths of the distance of the
# outer eye corners. Source: MediaPipe's face mesh, mapped by our own drawn faces, on 714 frontal drawn heads.
# fmt: off
SHIFT = np.array([
    (-15, 66), (-17, 68), (-18, 70), (-22, 72), (-26, 74), (-20, 75), (-12, 74), (-3, 70), (8, 63), (16, 55),
    (21, 47), (24, 40), (24, 39), (17, 48), (11, 60), (4, 60), (0, 57), (-4, 60), (-11, 60), (-17, 48), (-24, 39),
    (-24, 40), (-21, 47), (-16, 55), (-8, 63), (3, 70), (12, 74), (20, 75), (26, 74), (22, 72), (18, 70), (17, 68),
    (15, 66), (-11, 11), (-2, 23), (5, 24), (-10, 38), (-10, 40), (-3, 2), (1, 16), (15, 4), (6, 14), (10, 40),
    (10, 38), (-5, 24), (2, 23), (11, 11), (-6, 14), (-15, 4), (-1, 16), (3, 2), (0, 9), (0, 14), (0, 29), (0, 24),
    (0, -42), (-4, -20), (0, 1), (4, -20), (0, -42), (0, -4), (20, -23), (14, -19), (3, -12), (-18, -12), (-17, 7),
    (1, 4), (9, 0), (18, -12), (-3, -12), (-14, -19), (-20, -23), (0, -4), (-9, 0), (-1, 4), (17, 7), (-13, -21),
    (10, 5), (8, 12), (0, 18), (-8, 12), (-10, 5), (13, -21), (-16, 10), (-44, 23), (0, 12), (44, 23), (16, 10),
    (-3, 0), (42, 0), (0, 0), (-42, 0), (3, 0), (-46, 0), (0, 0), (46, 0), (0, 0), (0, 0)]) / 1000
# fmt: on


@dataclass
class Projection:
    """The pose, and the way from the head's units to shares of the image's side."""

    matrix: np.ndarray
    distance: float
    scale: float = 1.0
    offset: np.ndarray | float = 0.0

    def __call__(self, points: np.ndarray, is_posed: bool = False) -> np.ndarray:
        points = points if is_posed else render.rotate(np.asarray(points, np.float32), self.matrix)
        return render.project(points, self.distance) * self.scale + self.offset


def project_landmarks(
    head: ScannedHead, vertices: np.ndarray, painted: FaceShape, face: FaceShape
) -> tuple[np.ndarray, np.ndarray, Projection]:
    """The landmarks in shares of the image's side (104, 2), their mesh coordinates (104, 2), and the projection.

    The published vertices decide how large the face is in the image, and the moved landmarks where the labels are.
    """
    flat = Projection(render.rotation(face.yaw, face.pitch, face.roll), face.distance)
    positions, uv = _positions(head, vertices, painted)
    jaw = vertices[LANDMARKS[:17]]
    published, _ = _projected(head, vertices, positions, jaw, flat)
    low, high = published[:98].min(0), published[:98].max(0)
    positions[:98, :2] += SHIFT
    jaw[:, :2] += SHIFT[:33:2]
    relative, uv[:33] = _projected(head, vertices, positions, jaw, flat)
    scale = face.extent / (high - low).max()
    offset = 0.5 + face.shift - (low + high) / 2 * scale
    return relative * scale + offset, uv, Projection(flat.matrix, flat.distance, scale, offset)


def _projected(
    head: ScannedHead, vertices: np.ndarray, positions: np.ndarray, jaw: np.ndarray, flat: Projection
) -> tuple[np.ndarray, np.ndarray]:
    """The landmarks in the image (104, 2), and the mesh coordinates of the contour (33, 2)."""
    projected = flat(vertices)
    ends = (projected[head.ray_corners] * head.ray_weights[..., None]).sum(1).reshape(head.rays.shape)
    ends[:, -1] = flat(jaw_line(jaw).astype(np.float32))
    relative = flat(positions)
    uv, relative[:33] = face_landmarks.outline(head.rays, ends, projected[head.belt].mean(0))
    return relative, uv


def _positions(head: ScannedHead, vertices: np.ndarray, painted: FaceShape) -> tuple[np.ndarray, np.ndarray]:
    """The landmarks in space (104, 3) and their mesh coordinates (104, 2), both without the contour."""
    positions = np.zeros((face_landmarks.ALL, 3), np.float32)
    uv = head_mesh.to_mesh(head.mesh, face_landmarks.frontal_landmarks(painted))
    for part in (_BROWS, _BESIDE_NOSE):
        corners, weights = head.triangles_at(uv[part])
        positions[part] = (vertices[corners] * weights[..., None]).sum(1)
    published = vertices[LANDMARKS]
    positions[51:60], positions[76:96] = published[27:36], published[48:68]
    for number, source in _EYES.items():
        positions[number] = published[source]
    for number, four in _EYES_BETWEEN.items():
        positions[number] = np.array([-1, 9, 9, -1]) / 16 @ published[list(four)]
    for number, iris, top, bottom in ((96, head.irises[0], 62, 66), (97, head.irises[1], 70, 74)):
        middle = vertices[iris].mean(0)
        low, high = positions[top, 1], max(positions[bottom, 1], positions[top, 1])
        margin = 0.15 * (high - low)
        positions[number] = middle[0], np.clip(middle[1], low + margin, high - margin), positions[top, 2]
    return positions, uv
