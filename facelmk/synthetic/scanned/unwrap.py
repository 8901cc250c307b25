"""Where the skin of a scanned head is in the texture: by azimuth and height, then warped to fit the landmarks."""

import cv2
import numpy as np

import facelmk.synthetic.landmarks as face_landmarks
import facelmk.synthetic.mesh as head_mesh

from ..mesh import HeadMesh
from ..shape import FaceShape


def mesh_coordinates(skin: np.ndarray, landmarks: np.ndarray, mesh: HeadMesh, face: FaceShape) -> np.ndarray:
    """The mesh coordinates (V, 2) of the skin (V, 3), given its 68 landmarks (68, 3) and the face of the texture."""
    expected = head_mesh.to_mesh(mesh, face_landmarks.frontal_landmarks(face))
    expected[:33] = face_landmarks.contour(mesh, face, mesh.vertices[: head_mesh.HEAD_ROWS, :, :2])[0]
    expected = expected[list(face_landmarks.TO_68)]
    last = head_mesh.COLUMNS - 1
    fixed = [[c, r] for c in (0, 12, head_mesh.COLUMNS // 2, last - 12, last) for r in (0, 5, 10)]
    fixed += [[c, r] for c in (0, last) for r in (20, 30, 43)]  # the crown and the back of the head do not move
    source = np.concatenate([_cylinder(landmarks, mesh), np.array(fixed, float)])
    target = np.concatenate([expected, np.array(fixed, float)])
    raw = _cylinder(skin, mesh)
    warped = raw + _thin_plate_spline(source, target - source, raw)
    return np.clip(warped, 0, [last, head_mesh.HEAD_ROWS - 1]).astype(np.float32)


def _cylinder(vertices: np.ndarray, mesh: HeadMesh) -> np.ndarray:
    """The column and row (V, 2) of vertices by azimuth and height."""
    axis = np.interp(vertices[:, 1], [0.5, 1.3], [-0.75, -0.35])
    azimuth = np.arctan2(vertices[:, 0], vertices[:, 2] - axis)
    rows = np.interp(vertices[:, 1], mesh.heights, np.arange(head_mesh.HEAD_ROWS))
    return head_mesh.stack_xy(head_mesh.column_of(azimuth), rows)


def _thin_plate_spline(source: np.ndarray, change: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The spline through the changes (N, 2) at `source` (N, 2), evaluated at other points (P, 2)."""
    flat = np.concatenate([np.ones((len(source), 1)), source], 1)
    bending = _kernel(source, source) + 1e-3 * np.eye(len(source))
    system = np.block([[bending, flat], [flat.T, np.zeros((3, 3))]])
    solution = np.linalg.solve(system, np.concatenate([change, np.zeros((3, 2))]))
    return _kernel(at, source) @ solution[:-3] + np.concatenate([np.ones((len(at), 1)), at], 1) @ solution[-3:]


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = ((a[:, None] - b[None]) ** 2).sum(-1)
    return squared * np.log(squared + 1e-9) / 2


def barycentric(corners: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """The barycentric coordinates (P, 3) of points (P, 2) in triangles (P, 3, 2), clipped to near the triangle."""
    a, b, c = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    d = uv - a
    area = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    second = np.clip((d[:, 0] * c[:, 1] - d[:, 1] * c[:, 0]) / area, -0.2, 1.2)
    third = np.clip((b[:, 0] * d[:, 1] - b[:, 1] * d[:, 0]) / area, -0.2, 1.2)
    return np.stack([1 - second - third, second, third], -1).astype(np.float32)


def owners(skin: np.ndarray, uv: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """The triangle of the skin at each pixel of the texture (H, W): the outermost one, or the nearest one."""
    height, width = head_mesh.HEAD_ROWS * head_mesh.CELL, head_mesh.COLUMNS * head_mesh.CELL
    triangles: np.ndarray = np.full((height, width), -1, np.int32)
    corners = head_mesh.to_texture_px(uv[skin])
    distance = np.hypot(vertices[skin, 0], vertices[skin, 2] + 0.6).mean(1)
    for i in np.argsort(distance):
        if np.ptp(corners[i], axis=0).max() < 40:  # larger ones cross the seam at the back of the head
            cv2.fillConvexPoly(triangles, np.rint(corners[i] * 16).astype(np.int32), (int(i),), cv2.LINE_8, 4)
    empty = (triangles < 0).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    by_label = np.zeros(labels.max() + 1, np.int32)
    by_label[labels[empty == 0]] = triangles[empty == 0]
    return by_label[labels]
