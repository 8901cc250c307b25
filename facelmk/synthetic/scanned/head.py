"""The scanned head: its vertices, how identity and expression move them, and where each of them is in the texture.

The head is converted to the units of `mesh`: the outer eye corners have the distance 1, and y points down. Each vertex
of the skin gets mesh coordinates, so that the texture of `skin` shows brows, lips and nostrils where the head has them.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import facelmk.synthetic.mesh as head_mesh
import facelmk.synthetic.scanned.unwrap as unwrap

from ...errors import DataDefect
from ..drawing import spline
from ..landmarks import rays_to
from ..mesh import HeadMesh
from ..shape import FaceShape
from .read import END, EXPECTED, EYES, GUMS, LEFT_EYE, RIGHT_EYE, SKIN, TEETH, read_head

# 300W's 68 points as vertices, from ICT-FaceKit's vertex_indices.json.
# fmt: off
LANDMARKS = np.array([
    1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443, 268, 493, 1914,
    2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507, 1542, 1537,
    1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957,
    5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966])
# fmt: on
MODES = 60  # the identity modes in use; the later ones of the 100 move no vertex by 0.1 mm
TILE, EYE_RADIUS = 64, 0.17  # side of an eye's tile below the texture, in pixels, and the radius that it shows
_MEAN_FACE = dict(  # the mean face of `shape`, with a closed mouth
    width=1.03,
    width_bulges=np.array([[0.0, 0.0, 1.0]]),
    depth=0.0,
    chin=1.262,
    crown=-1.27,
    neck=1.0,
    shoulders=1.0,
    relief=np.zeros((0, 5)),
    rim_top=0.0,
    rim=np.radians([70.0, 81.0, 92.0, 104.0]),
    eye_width=0.275,
    eye_x=0.3625,
    eye_y=np.zeros(2),
    eye_tilt=0.017,
    eye_skew=0.0,
    lid_upper=np.full(2, 0.077),
    lid_lower=np.full(2, 0.043),
    gaze=np.zeros(2),
    brow_y=np.full(2, -0.185),
    brow_tilt=np.full(2, -0.01),
    brow_arch=np.full(2, 0.075),
    brow_peak=0.42,
    brow_outer=0.675,
    brow_inner=np.full(2, 0.145),
    brow_thick=0.062,
    nose_top=-0.015,
    nose_base=0.532,
    nose_tip=0.394,
    nose_half=0.147,
    nose_flare=0.0,
    nose_x=0.0,
    mouth_x=0.0,
    mouth_half=0.304,
    lip_upper=0.060,
    lip_lower=0.109,
    gap_up=0.22,
    mouth_gap=0.0,
    mouth_y=0.742,
    mouth_lift=0.004,
    mouth_skew=0.0,
    lip_dip=0.012,
    smile=0.0,
    surprise=0.0,
    frown=0.0,
)


def mean_face(**changes: object) -> FaceShape:
    """The face that the texture shows; `changes` are other values of `FaceShape`."""
    face = FaceShape()
    vars(face).update(_MEAN_FACE | changes)
    return face


@dataclass
class ScannedHead:
    """Vertices (N, 3), their changes by identity (M, N, 3) and expression, and the triangles (F, 3) of each part.

    `uv` are the mesh coordinates (SKIN, 2) of the skin, `owners` the triangle at each pixel of the texture, `spots` the
    texture pixels (N, 2) of all vertices. `irises` are the vertices around the left and the right pupil, `belt` those
    around the middle of the face. `rays` (96, 17, 2) are the mesh coordinates from which the contour is chosen,
    `ray_corners` (1632, 3) and `ray_weights` their triangles and barycentric coordinates.
    """

    vertices: np.ndarray
    identity: np.ndarray
    expression: dict[str, tuple[np.ndarray, np.ndarray]]
    skin: np.ndarray
    teeth: np.ndarray
    eyes: np.ndarray
    mesh: HeadMesh
    uv: np.ndarray
    owners: np.ndarray
    ears: np.ndarray
    irises: tuple[np.ndarray, np.ndarray]
    belt: np.ndarray

    def __post_init__(self) -> None:
        self.spots = self._texture_spots()
        self.rays = rays_to(jaw_line(self.uv[LANDMARKS[:17]]), self.mesh)
        self.ray_corners, self.ray_weights = self.triangles_at(self.rays.reshape(-1, 2))

    def shape(self, identity: np.ndarray, expression: dict[str, float]) -> np.ndarray:
        """The vertices (N, 3) of one person with one expression."""
        change = identity.astype(np.float32) @ self.identity.reshape(len(identity), -1)
        vertices: np.ndarray = self.vertices + change.reshape(-1, 3)
        for name, share in expression.items():
            if name not in self.expression:
                raise DataDefect(f'the head has no expression {name!r}. {EXPECTED}, with all of its files')
            rows, change = self.expression[name]
            vertices[rows] += np.float32(share) * change
        return vertices

    def triangles_at(self, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The vertices (P, 3) of the triangles at mesh coordinates uv (P, 2), and the barycentric coordinates there."""
        pixel = np.rint(head_mesh.to_texture_px(uv)).astype(int)
        row = np.clip(pixel[:, 1], 0, self.owners.shape[0] - 1)
        corners = self.skin[self.owners[row, np.clip(pixel[:, 0], 0, self.owners.shape[1] - 1)]]
        return corners, unwrap.barycentric(self.uv[corners], uv)

    def _texture_spots(self) -> np.ndarray:
        """Texture pixels (N, 2): the skin, and below it one tile for each eye, the gums and the teeth."""
        spots = np.zeros((len(self.vertices), 2), np.float32)
        uv, side = self.uv.copy(), np.sign(self.vertices[self.ears, 0])
        uv[self.ears, 0] = head_mesh.column_of(np.radians(52.0) * side)  # ears have the colour of the cheeks
        uv[self.ears, 1] = 24 + 4 * self.vertices[self.ears, 1]
        spots[:SKIN] = head_mesh.to_texture_px(uv)
        top = head_mesh.ROWS * head_mesh.CELL
        for number, (part, iris) in enumerate(zip((LEFT_EYE, RIGHT_EYE), self.irises, strict=True)):
            offset = (self.vertices[part][:, :2] - self.vertices[iris, :2].mean(0)) / EYE_RADIUS
            spots[part] = np.clip(offset, -1, 1) * (TILE / 2 - 2) + [TILE * (number + 0.5), top + TILE / 2]
        spots[GUMS:TEETH] = [TILE * 2.5, top + TILE / 2]
        spots[TEETH:EYES] = [TILE * 3.5, top + TILE / 2]
        return spots


def jaw_line(jaw: np.ndarray) -> np.ndarray:
    """A curve (96, D) through the 17 points of the jaw, from the left ear to the chin, then from the right ear."""
    line = spline(jaw.astype(float), 95)
    return np.concatenate([line[:48], line[:46:-1]])


@functools.lru_cache(maxsize=2)
def load_head(path: str) -> ScannedHead:
    """Load a head from ICT-FaceKit's folder FaceXModel, or from the .npz that `pack_head` makes from it."""
    arrays = read_head(Path(path))
    vertices = arrays['vertices'][:END].astype(np.float32)
    left, right = vertices[LANDMARKS[36]], vertices[LANDMARKS[45]]
    scale = np.array([1, -1, 1], np.float32) / np.linalg.norm(right - left)
    vertices = (vertices - (left + right) / 2) * scale
    faces = arrays['faces'][(arrays['faces'] < END).all(1)][:, ::-1]  # y is mirrored, so the winding is, too
    skin, eyes = _within(faces, 0, SKIN), _within(faces, EYES, END)
    mesh, expression = head_mesh.build_head(mean_face()), _expression(arrays, scale)
    uv = unwrap.mesh_coordinates(vertices[:SKIN], vertices[LANDMARKS], mesh, mean_face())
    middle = vertices[EYES:, 2].min() * 0.45 + vertices[EYES:, 2].max() * 0.55
    x, y, z = vertices[:SKIN].T
    return ScannedHead(
        vertices=vertices,
        identity=arrays['identity'][:MODES, :END].astype(np.float32) * scale,
        expression=expression,
        skin=skin,
        teeth=_within(faces, GUMS, EYES),
        eyes=eyes[vertices[eyes, 2].mean(1) > middle],  # the back of an eyeball is never visible
        mesh=mesh,
        uv=uv,
        owners=unwrap.owners(skin, uv, vertices),
        ears=np.flatnonzero((np.abs(x) > 0.885) & (np.abs(y - 0.05) < 0.5) & (z > -1.4)),
        irises=(_iris(expression, 'R'), _iris(expression, 'L')),
        belt=np.flatnonzero(np.abs(y - 0.45) < 0.08),
    )


def _within(faces: np.ndarray, low: int, high: int) -> np.ndarray:
    """The triangles whose vertices all have numbers from `low` to `high`, without `high`."""
    return faces[((faces >= low) & (faces < high)).all(1)]


def _expression(arrays: dict[str, np.ndarray], scale: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The vertices that each expression moves, and their changes."""
    expression = {}
    for name, change in zip(arrays['expression_names'], arrays['expression'][:, :END], strict=True):
        rows = np.flatnonzero(np.abs(change).max(1) > 1e-3)
        expression[str(name)] = rows, change[rows].astype(np.float32) * scale
    return expression


def _iris(expression: dict[str, tuple[np.ndarray, np.ndarray]], side: str) -> np.ndarray:
    """The vertices around a pupil: those that move most when it becomes wider. The model's right is left here."""
    rows, change = expression[f'PupilDilate_{side}']
    length = np.linalg.norm(change, axis=1)
    return rows[length > 0.8 * length.max()]
