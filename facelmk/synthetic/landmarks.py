"""The positions of the landmarks on the head, and their conversion to each landmark scheme."""

import numpy as np

import facelmk.synthetic.mesh as head_mesh

from .mesh import HeadMesh
from .shape import FaceShape

# The indices of 300W's 68 and LaPa's 106 points in ours, and the groups whose means are COFW's 29 and AFLW's 19.
# fmt: off
TO_68 = (*range(0, 33, 2), *range(33, 38), *range(42, 47), *range(51, 60), 60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73,
         75, *range(76, 96))
_MEANS_29 = ((33,), (46,), (37, 38), (42, 50), (35,), (40,), (44,), (48,), (60,), (72,), (64,), (68,), (62,), (66,),
             (70,), (74,), (96,), (97,), (100,), (103,), (54,), (57,), (76,), (82,), (79,), (90,), (94,), (85,), (16,))
_MEANS_19 = ((33,), (35, 40), (37, 38), (42, 50), (44, 48), (46,), (60,), (96,), (64,), (68,), (97,), (72,), (100,),
             (54,), (103,), (76,), (90, 94), (82,), (16,))
TO_106 = (*range(55), 98, 99, 100, *range(55, 60), 103, 102, 101, *range(60, 68), 96, *range(68, 76), 97,
          *range(76, 96), 96, 97)
SIZES = {'wflw': 98, '300w': 68, '300wlp': 68, 'coco_wholebody_face': 68, 'cofw': 29, 'aflw': 19, 'lapa': 106,
         'wflw_300w': 166}
# fmt: on
_ORDERS = {68: TO_68, 106: TO_106, 166: (*range(98), *TO_68)}  # by the number of points
ALL = 104  # WFLW's 98, and six beside the nose for LaPa, COFW, AFLW: 98 to 100 on its left, 101 to 103 on its right

# positions of the points: along an eye from the outer to the inner corner, and along the mouth
_UPPER_LID, _LOWER_LID = np.array([0.0, 0.305, 0.5, 0.695, 1.0]), np.array([0.28, 0.48, 0.655])
_OUTER_LIPS = np.array([-1.0, -0.64, -0.27, 0.0, 0.27, 0.64, 1.0])
_INNER_LIPS = np.array([-1.0, -0.33, 0.0, 0.33, 1.0])
CORNER = 0.85  # the inner corners, as a share of the half-width of the mouth


def lids(face: FaceShape, side: int, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The edges of upper and lower lid (N, 2) at t, from the outer (0) to the inner corner (1); side 0 is left."""
    sign = (-1, 1)[side]
    half = face.eye_width / 2
    x = face.eye_x + half * (1 - 2 * t)
    chord = face.eye_y[side] + face.eye_tilt * (t - 0.5)
    swell = np.sign(t * (1 - t)) * np.abs(4 * t * (1 - t)) ** 0.72
    skew = 1 + face.eye_skew * (t - 0.5)
    upper = chord - face.lid_upper[side] * swell * skew
    lower = chord + face.lid_lower[side] * swell * (2 - skew)
    return head_mesh.stack_xy(sign * x, upper), head_mesh.stack_xy(sign * x, lower)


def pupil(face: FaceShape, side: int) -> np.ndarray:
    """The pupil (2,), between the lids."""
    t = np.array([0.47 - (-1, 1)[side] * face.gaze[0]])
    upper, lower = (edge[0] for edge in lids(face, side, t))
    middle = upper * 0.5 + lower * 0.5
    open_eye = lower[1] - upper[1]
    y = middle[1] + min(max(face.gaze[1] * 0.1 - 0.004, -0.3 * open_eye), 0.3 * open_eye)
    return np.array([middle[0], y])


def brow(face: FaceShape, side: int, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The upper and the lower edge of a brow (N, 2) at t, from the outer tip (0) to the inner end (1)."""
    sign = (-1, 1)[side]
    x = face.brow_outer + (face.brow_inner[side] - face.brow_outer) * t
    arch = face.brow_arch[side] * (
        1 - np.abs((t - face.brow_peak) / np.where(t < face.brow_peak, face.brow_peak, 1 - face.brow_peak)) ** 1.7
    )
    y = face.brow_y[side] + face.brow_tilt[side] * (t - 0.5) - arch
    thick = face.brow_thick * np.interp(t, [0, 0.25, 0.5, 0.75, 0.95, 1.0], [0.0, 0.62, 0.88, 1.0, 1.06, 1.0])
    return head_mesh.stack_xy(sign * x, y), head_mesh.stack_xy(sign * x, y + thick)


def mouth(face: FaceShape, s: np.ndarray) -> tuple[np.ndarray, ...]:
    """The four edges of the mouth (N, 2) at s in [-1, 1]: outer upper, inner upper, inner lower, outer lower.

    The inner edges connect the inner corners, the outer edges the outer corners.
    """
    x = face.mouth_x + face.mouth_half * s
    rise = lambda u: face.mouth_y - face.mouth_lift * np.abs(u) ** 1.8 - face.mouth_skew * u  # noqa: E731
    inner = np.sign(1 - np.abs(s)) * np.abs(1 - s * s) ** 0.8
    inner_x, line = face.mouth_x + face.mouth_half * CORNER * s, rise(CORNER * s)
    opening = face.mouth_gap * inner
    top = line - face.gap_up * opening + face.lip_dip * np.exp(-((s / 0.14) ** 2)) * 0.4
    bottom = np.maximum(line + (1 - face.gap_up) * opening, top)
    across = np.abs(s)
    gap_outer = face.mouth_gap * np.clip(1 - (s / CORNER) ** 2, 0, 1) ** 0.8
    upper = (
        rise(s)
        - face.gap_up * gap_outer
        - face.lip_upper * np.interp(across, [0, 0.27, 0.45, 0.64, 0.85, 1], [1.0, 1.24, 1.12, 0.86, 0.40, 0])
    )
    lower = (
        rise(s)
        + (1 - face.gap_up) * gap_outer
        + face.lip_lower * np.interp(across, [0, 0.29, 0.48, 0.66, 0.86, 1], [1.0, 1.0, 0.92, 0.74, 0.36, 0])
    )
    return tuple(head_mesh.stack_xy(u, v) for u, v in ((x, upper), (inner_x, top), (inner_x, bottom), (x, lower)))


def frontal_landmarks(face: FaceShape) -> np.ndarray:
    """All points (104, 2) in the frontal plane, except the contour, rows 0 to 32, which `contour` computes."""
    plane = np.zeros((ALL, 2))
    for side, (eyes, brows) in enumerate(
        (
            ((60, 61, 62, 63, 64, 67, 66, 65), (33, 34, 35, 36, 37, 41, 40, 39, 38)),
            ((72, 71, 70, 69, 68, 73, 74, 75), (46, 45, 44, 43, 42, 47, 48, 49, 50)),
        )
    ):
        plane[list(eyes)] = np.concatenate([lids(face, side, _UPPER_LID)[0], lids(face, side, _LOWER_LID)[1]])
        above, below = brow(face, side, np.array([0, 0.22, 0.48, 0.74, 1.0]))
        plane[list(brows)] = np.concatenate([above, below[1:]])
        plane[96 + side] = pupil(face, side)
    plane[51:60], plane[98:] = nose(face)
    outer_upper, _, _, outer_lower = mouth(face, _OUTER_LIPS)
    _, inner_upper, inner_lower, _ = mouth(face, _INNER_LIPS)
    plane[76:83], plane[83:88] = outer_upper, outer_lower[5:0:-1]
    plane[88:93], plane[93:96] = inner_upper, inner_lower[3:0:-1]
    return plane


def nose(face: FaceShape) -> tuple[np.ndarray, np.ndarray]:
    """Points 51-59, (9, 2), and LaPa's six beside the nose, (6, 2)."""
    half, tip, base = face.nose_half, face.nose_tip, face.nose_base
    bridge = [(0, face.nose_top + (tip - face.nose_top) * k / 3) for k in range(4)]
    wing = base - 0.062 + face.nose_flare
    below = [(-half, wing), (-half * 0.52, base - 0.03), (0, base), (half * 0.52, base - 0.03), (half, wing)]
    left = [
        (-0.12, face.nose_top + 0.03),
        (-0.95 * half, face.nose_top * 0.35 + tip * 0.65),
        (-1.3 * half, wing - 0.045),
    ]
    right = [(-x, y) for x, y in left]
    crookedness = np.array([face.nose_x, 0.0]) * np.array([[0], [0.3], [0.7], [1], [1], [1], [1], [1], [1]])
    return np.array(bridge + below) + crookedness, np.array(left + right)


def contour(mesh: HeadMesh, face: FaceShape, projected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 33 contour points: mesh coordinates uv (33, 2), and positions in the image (33, 2), unscaled.

    On each ray from the middle of the face to the rim, the point is the outermost one in the image, as annotators place
    it; on the far side of the head that is the outline. Then the points of each half are spaced evenly by arc length
    from ear to chin. `projected` (HEAD_ROWS, COLUMNS, 2) are the vertices in the image, unscaled.
    """
    rays = contour_rays(mesh, face)
    ends = head_mesh.interpolate(projected, rays.reshape(-1, 2)).reshape(rays.shape)
    return outline(rays, ends, projected[head_mesh.HEAD_ROWS // 2].mean(0))


def contour_rays(mesh: HeadMesh, face: FaceShape) -> np.ndarray:
    """Mesh coordinates (R, 17, 2) on rays from the middle of the face to the rim: left from ear to chin, then right."""
    height = face.rim_top + (face.chin - 0.004 - face.rim_top) * _DOWN
    rows = np.interp(height, mesh.heights, np.arange(head_mesh.HEAD_ROWS))
    azimuth = np.interp(height, [0, 0.45, 0.8, 1.1], face.rim) * _INWARDS
    rim = np.stack([head_mesh.column_of(np.concatenate([-azimuth, azimuth])), np.concatenate([rows, rows])], -1)
    return rays_to(rim, mesh)


def rays_to(rim: np.ndarray, mesh: HeadMesh) -> np.ndarray:
    """Mesh coordinates (R, 17, 2) on rays from the middle of the face to points (R, 2) of the rim."""
    centre = np.array([(head_mesh.COLUMNS - 1) / 2, np.interp(0.45, mesh.heights, np.arange(head_mesh.HEAD_ROWS))])
    return (centre + (rim[:, None] - centre) * _OUTWARDS).astype(np.float32)


def outline(rays: np.ndarray, ends: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 33 contour points from rays (R, 17, 2) and their positions in the image, `ends` (R, 17, 2).

    Returns mesh coordinates (33, 2) and positions (33, 2). `middle` (2,) is the middle of the face in the image.
    """
    best = ((ends - middle) ** 2).sum(-1).argmax(1)
    pick, half = np.arange(len(best)), len(best) // 2
    uv, ends = rays[pick, best], ends[pick, best]
    left, right = (_space_evenly(uv[part], ends[part], 17) for part in (slice(half), slice(half, None)))
    uv, ends = (np.concatenate([a, b[-2::-1]]) for a, b in zip(left, right, strict=True))
    return uv, ends


# The rim runs down beside the face, then along the lower edge of the chin to the middle.
_DOWN = np.concatenate([np.linspace(0, 1, 40) ** 0.85, np.ones(8)])
_INWARDS = np.concatenate([np.ones(40), np.linspace(1, 0, 9)[1:]])
_OUTWARDS = np.linspace(0.52, 1, 17)[None, :, None]


def _space_evenly(uv: np.ndarray, points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` points of a curve with equal arc lengths between them: their uv and positions."""
    step = np.sqrt((np.diff(points, axis=0) ** 2).sum(1))
    arc = np.concatenate([[0], np.cumsum(step)])
    target = np.linspace(0, arc[-1], count)
    spaced = [head_mesh.stack_xy(*(np.interp(target, arc, values[:, k]) for k in (0, 1))) for values in (uv, points)]
    return spaced[0].astype(np.float32), spaced[1].astype(np.float32)


def in_markup(points: np.ndarray, markup: str) -> np.ndarray:
    """Convert points (104, D) to a landmark scheme (K, D); some points of COFW and AFLW are means of several."""
    if markup == 'wflw':
        return points[:98]
    if SIZES[markup] in _ORDERS:
        return points[list(_ORDERS[SIZES[markup]])]
    means = _MEANS_29 if markup == 'cofw' else _MEANS_19
    return np.stack([points[list(indices)].mean(0) for indices in means])


def visible_in_markup(visible: np.ndarray, markup: str) -> np.ndarray:
    """Convert visible (104,) to a landmark scheme (K,); a mean of points is visible if all of them are."""
    return np.floor(in_markup(visible[:, None], markup)[:, 0] + 1e-4).astype(np.float32)
